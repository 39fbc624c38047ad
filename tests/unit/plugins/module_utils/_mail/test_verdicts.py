# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts and categories: other spellings are no way round, and what is not known is the worst."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.verdicts import (
    DISPOSITIONS,
    category_forbidden,
    disposition_forbidden,
    got_worse,
)
from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import ROOT


def test_the_verdicts_are_those_that_cloudflare_documents() -> None:
    contract = yaml.safe_load((ROOT / "tests" / "emulator" / "openapi.yaml").read_text(encoding="utf-8"))
    assert set(DISPOSITIONS) == set(contract["components"]["schemas"]["Disposition"]["enum"])


@pytest.mark.parametrize(
    "word", ["MALICIOUS-BEC", "malicious-bec", "Malicious BEC", "MALICIOUS_BEC", "NEW", "UNSET", "", None]
)
def test_a_verdict_that_is_forbidden_or_not_known_is_refused(word: str | None) -> None:
    assert disposition_forbidden(word, ["malicious_bec"])
    assert not disposition_forbidden(word, [])


def test_other_verdicts_are_not_refused() -> None:
    assert not any(disposition_forbidden(word, ["MALICIOUS-BEC"]) for word in DISPOSITIONS if word != "MALICIOUS-BEC")


@pytest.mark.parametrize(
    "category",
    ["CredentialHarvester", "credential harvester", "CREDENTIAL_HARVESTER", "Credential-Harvester\u200b", "?!"],
)
def test_a_category_is_refused_however_it_is_spelled(category: str) -> None:
    assert category_forbidden(["Other", category], ["credential-harvester"])
    assert not category_forbidden([category], [])


def test_other_categories_are_not_refused() -> None:
    assert not category_forbidden(["Harvester", "Spam"], ["Credential Harvester"])
    assert not category_forbidden([], ["Credential Harvester"])


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("SPAM", "SPAM", False), ("SPAM", "BULK", False), ("SPAM", "MALICIOUS", True), ("SPAM", "NEW", True), ("SPAM", None, True),
        (None, None, False), ("NEW", "new", False), ("NEW", "OTHER", True), ("NEW", "MALICIOUS", True), (None, "MALICIOUS", True),
        ("MALICIOUS_BEC", "MALICIOUS-BEC", False),
    ],
)  # fmt: skip
def test_what_is_not_known_is_worse_than_anything_and_may_become_nothing_else(
    before: str | None, after: str | None, worse: bool
) -> None:
    assert got_worse(before, after) is worse
