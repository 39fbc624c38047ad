# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of variables: which are refused, and which are somebody else's."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail import filters
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.names import (
    MERGE,
    RETRACT,
    ROLE,
    SEARCH,
    SEARCH_OPTIONS,
    mistaken_names,
    with_variables,
)
from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import ROOT, load


def mistakes(*families: t.Any, extra: t.Mapping[str, t.Any] | None = None, **variables: t.Any) -> str:
    """Return what is wrong with the names of these variables."""
    return " ".join(mistaken_names({**variables, **(extra or {})}, extra or {}, families or (ROLE,)))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("quarantine_release_polcy", "quarantine_release_policy"),
        ("quarantine_release_canry", "quarantine_release_canary"),
        ("quarantine_release_aprove", "quarantine_release_approve"),
        ("quarantine_release_digst", "quarantine_release_plan_digest"),
        ("quarantine_release_serch", "quarantine_release_search"),
        ("quarantine_release_Policy", "quarantine_release_policy"),
        ("quarantine_release_quarantine_release_policy", ""),
        ("quarantine_release_notify", ""),
        ("quarantine_relase_policy", "quarantine_release_policy"),
        ("quarentine_release_plan_digest", "quarantine_release_plan_digest"),
        ("Quarantine_Release_canary", "quarantine_release_canary"),
        ("quarantine-release-approve", "quarantine_release_approve"),
        ("quarantinerelease_require_digest", "quarantine_release_require_digest"),
    ],
)
def test_a_mistyped_variable_is_refused_wherever_it_comes_from(name: str, meant: str) -> None:
    for words in (mistakes(**{name: {}}), mistakes(extra={name: {}})):
        assert words.startswith(f"There is no variable {name}.")
        assert meant in words
        assert ("Did you mean" in words) or not meant


@pytest.mark.parametrize(
    "name",
    [
        "ansible_host", "awx_job_id", "tower_user_name", "quarantine_shared_directory", "quarantine_policy", "release_canary",
        "my_quarantine_release_policy", "__quarantine_release_select", "survey_recipient", "quarantine_release_hosts", "omit",
        "quarantine_release_results", "quarantine_release_plan_results", "quarantine_release_outcome", "search_index",
    ],
)  # fmt: skip
def test_what_is_no_mistake(name: str) -> None:
    given: dict[str, t.Any] = {name: "x"}
    assert (mistakes(**given), mistakes(extra=given)) == ("", "")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("plan_digest", "quarantine_release_plan_digest"),
        ("account_id", "quarantine_release_account_id"),
        ("messages", "quarantine_release_messages"),
        ("ids", "quarantine_release_messages"),
        ("policy", "quarantine_release_policy"),
        ("approve", "quarantine_release_approve"),
        ("canary", "quarantine_release_canary"),
        ("verify_delivery", "quarantine_release_verify"),
        ("recipient", "quarantine_release_search, with recipient in it"),
        ("search_sender", "quarantine_release_search, with sender in it"),
    ],
)
def test_a_bare_name_is_refused_as_an_extra_variable_only(name: str, meant: str) -> None:
    given: dict[str, t.Any] = {name: "x"}
    assert mistakes(extra=given) == f"The extra variable {name} is not read. Did you mean {meant}?"
    assert mistakes(**given) == ""


def test_a_bare_name_of_which_a_variable_is_made_counts() -> None:
    extra = {"ticket": "INC-1"}
    assert mistakes(extra=extra, quarantine_release_ticket="{{ ticket | trim }}") == ""
    assert mistakes(extra=extra, quarantine_release_search={"subject": ["{{ ticket }}"]}) == ""
    assert mistakes(extra=extra, quarantine_release_ticket="INC-1") == ""
    for other in ("{{ my_ticket }}", "{{ event.ticket }}", "the ticket"):
        assert "ticket is not read" in mistakes(extra=extra, other=other)


def test_facts_are_not_given() -> None:
    assert "Did you mean quarantine_release_plan_digest?" in mistakes(extra={"quarantine_release_digest": "sha256:0"})
    assert "Did you mean quarantine_release_plan_digest?" in mistakes(quarantine_release_digest="sha256:0")
    assert mistakes(quarantine_release_digest="sha256:0", __quarantine_release_select={}) == ""
    assert mistakes(quarantine_release_digest="", quarantine_release_summary={}) == ""


def test_a_value_that_was_cut_at_a_blank() -> None:
    assert "was cut at a blank" in mistakes(extra={"search_subject": "Quarterly", "_raw_params": "invoice"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("search_sendr", "Did you mean search_sender?"),
        ("search_recipent", "Did you mean search_recipient?"),
        ("search_outcome", "There is no variable search_outcome."),
        ("serach_sender", "Did you mean search_sender?"),
        ("quarantine_release_acount_id", "Did you mean quarantine_release_account_id?"),
        ("sender", "Did you mean search_sender?"),
        ("hosts", "Did you mean quarantine_release_hosts?"),
        ("quarantine_release_messages", "Did you mean search_message_id?"),
        ("quarantine_release_search", "Did you mean search_recipient, search_sender and so on?"),
    ],
)
def test_the_playbook_search_refuses_them_too(given: str, words: str) -> None:
    assert words in mistakes(SEARCH, ROLE, extra={given: "x"})


def test_an_inventory_serves_all_playbooks() -> None:
    assert (
        mistakes(SEARCH, ROLE, quarantine_release_messages="x", quarantine_release_search={}, search_since="7d") == ""
    )
    assert mistakes(MERGE, ROLE, quarantine_release_messages="x", merge_within="2h") == ""


def test_the_playbook_merge_reports_refuses_them_too() -> None:
    assert "Did you mean merge_within?" in mistakes(MERGE, ROLE, extra={"merge_witin": "2h"})
    assert "There is no variable merge_directory." in mistakes(MERGE, ROLE, extra={"merge_directory": "x"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("since", "Did you mean retract_since?"),
        ("retract_disposition", "Did you mean retract_dispositions?"),
        ("retrakt_when", "Did you mean retract_when?"),
        ("quarantine_release_journal", "Did you mean retract_journal?"),
        ("quarantine_release_messages", "Did you mean retract_journal or retract_report?"),
    ],
)
def test_the_playbook_retract_refuses_them_too(given: str, words: str) -> None:
    assert words in mistakes(RETRACT, ROLE, extra={given: "x"})
    assert mistakes(RETRACT, ROLE, quarantine_release_journal="x", retract_report_dir="y") == ""


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("its digest is a, but plan_digest is 'b'.", "its digest is a, but quarantine_release_plan_digest is 'b'."),
        ("policy.denied_senders has x", "quarantine_release_policy.denied_senders has x"),
        ("verify_delivery and batch_size", "quarantine_release_verify and quarantine_release_batch_size"),
        ("blocked by policy: max_messages, my_account_id", "blocked by policy: max_messages, my_account_id"),
    ],
)
def test_messages_of_modules_name_what_people_type(said: str, shown: str) -> None:
    assert with_variables(said) == shown


def test_the_names_are_those_of_the_documentation() -> None:
    options = load("roles/quarantine_release/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert sorted(options) == sorted(f"quarantine_release_{name}" for name in ROLE.options)
    assert set(SEARCH_OPTIONS) == {*filters.SEARCH_OPTIONS, "delivery_status", "detections_only", "limit"}
    described = (ROOT / "docs" / "playbooks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `((?:search|merge)_\w+)`", described, re.MULTILINE)) == {
        f"{family.prefix}{name}" for family in (SEARCH, MERGE) for name in family.options
    }
