# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Levels of authentication: what each lets pass, and that a failure of DMARC passes none of them."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.addresses import read_addresses
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.authentication import (
    LEVELS,
    authenticated,
    read_level,
)
from hypothesis import given
from hypothesis import strategies as st

SHOWN = "cfo@partner.example"


def passes(level: str, results: str, envelope: str | None = SHOWN, shown: str | None = SHOWN) -> bool:
    """results: those of SPF, DKIM and DMARC; C(-) for a missing one."""
    validation = {
        name: None if word == "-" else word
        for name, word in zip(("spf", "dkim", "dmarc"), results.split(), strict=False)
    }
    return authenticated(level, validation, read_addresses(envelope), read_addresses(shown))


@pytest.mark.parametrize(
    ("results", "aligned", "any_level"),
    [
        ("pass pass pass", True, True),
        ("fail fail pass", True, True),
        ("- - PASS", True, True),
        ("pass fail none", True, True),
        ("pass - -", True, True),
        ("pass fail neutral", True, True),
        ("fail pass none", False, True),
        ("neutral - none", False, False),
        ("fail pass fail", False, False),
        ("pass pass fail", False, False),
        ("pass pass error", False, False),
        ("pass pass bestguesspass", False, False),
        ("- - -", False, False),
    ],
)
def test_the_results_decide(results: str, aligned: bool, any_level: bool) -> None:
    assert passes("aligned", results) is aligned
    assert passes("any", results) is any_level
    assert passes("none", results)


@pytest.mark.parametrize(
    ("envelope", "shown", "expected"),
    [
        ("b@partner.example", "cfo@partner.example", True),
        ("b@bounce.mail.partner.example", "cfo@partner.example", True),
        ("b@partner.example", "cfo@mail.Partner.example.", True),
        ("b@a.partner.example", "cfo@b.partner.example", False),
        ("b@evil.example", "cfo@partner.example", False),
        ("b@evilpartner.example", "cfo@partner.example", False),
        ("b@partner.example.evil.example", "cfo@partner.example", False),
        ("b@example", "cfo@partner.example", False),
        ("b@m\u00fcnchen.example", "a@xn--mnchen-3ya.example", True),
        ("b@partner.example", "cfo@partner.example, x@partner.example", True),
        ("b@evil.example", "cfo@partner.example, x@evil.example", False),
        ("b@evil.example", '"cfo@partner.example" <x@evil.example>', False),
        ("", "cfo@partner.example", False),
        ("garbage", "cfo@partner.example", False),
        ("b@partner.example", None, False),
        ("b@partner.example", "a@@partner.example", False),
        ("b@partner.example, b@evil.example", "cfo@partner.example", False),
    ],
)
def test_spf_is_about_the_domain_that_is_shown(envelope: str, shown: str | None, expected: bool) -> None:
    assert passes("aligned", "pass pass none", envelope, shown) is expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("a@x.example", True),
        ("a@x.example, b@x.example", True),
        ("a@x.example, b@y.example", False),
        ("a@x.example, b@sub.x.example", False),
        ("garbage", False),
        (None, False),
    ],
)
def test_dmarc_is_about_one_domain(shown: str | None, expected: bool) -> None:
    assert passes("aligned", "fail fail pass", "b@evil.example", shown) is expected


words = st.one_of(
    st.sampled_from(["pass", "fail", "none", "neutral", "error", "-"]), st.text("abc", min_size=1, max_size=4)
)
senders = st.sampled_from([SHOWN, "x@evil.example", "x@sub.partner.example", "", "garbage", f"{SHOWN}, x@evil.example"])


@given(words, words, words, senders, senders)
def test_each_level_is_at_least_as_strict_as_the_next(
    spf: str, dkim: str, dmarc: str, envelope: str, shown: str
) -> None:
    aligned, any_level, none = (passes(level, f"{spf} {dkim} {dmarc}", envelope, shown) for level in LEVELS)
    assert aligned <= any_level <= none
    if dmarc not in ("pass", "none", "neutral", "-"):
        assert not any_level


@pytest.mark.parametrize(
    ("given_value", "level"),
    [
        ("aligned", "aligned"), ("Any", "any"), (" none ", "none"), (True, "aligned"), (False, "none"), ("yes", "aligned"), ("no", "none"),
        ("True", "aligned"), ("FALSE", "none"), ("on", "aligned"), ("0", "none"), (1, "aligned"), (None, "aligned"), ("", "aligned"),
    ],
)  # fmt: skip
def test_levels_as_people_and_forms_give_them(given_value: object, level: str) -> None:
    assert read_level(given_value) == level


@pytest.mark.parametrize("wrong", ["strict", "null", 2, [], ["any"], {}, "aligned any"])
def test_anything_else_is_an_error_that_names_the_levels(wrong: object) -> None:
    with pytest.raises(InputError, match="must be one of aligned, any, none"):
        read_level(wrong)
