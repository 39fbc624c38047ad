# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For which messages there is a follow-up, and how its stages end."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release import outcome
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.follow_up import (
    Target,
    ended,
    reclassified,
    targets,
)

RUN = {"failed": False, "changed": False, "messages": [], "summary": {}, "msg": "Done."}


def row(handle: str, status: str, **ids: t.Any) -> dict[str, t.Any]:
    return {"handle": handle, "id": handle, "postfix_id": None, "status": status, **ids}


def entry(handle: str, decision: str, *rules: str) -> dict[str, t.Any]:
    return {"handle": handle, "id": handle, "decision": decision, "rules": list(rules)}


def test_what_was_released_now_or_before_has_a_follow_up() -> None:
    others = (
        "partial", "undelivered", "failed", "not_quarantined", "not_found", "ambiguous", "blocked", "unknown", "not_attempted",
    )  # fmt: skip
    rows = [
        row("a", "released"),
        row("b", "already_released"),
        row("c", "would_release"),
        *(row(word, word) for word in others),
    ]
    found = targets({"messages": rows}, {})
    assert [(each.name, each.just_now) for each in found] == [("a", True), ("b", False), ("c", True)]


def test_each_message_counts_once_by_the_best_name() -> None:
    rows = [
        row("<m@x.example>", "released", id="id-1"),
        row("id-1", "released"),
        row("pf", "released", id=None, postfix_id="pf"),
    ]
    assert [each.name for each in targets({"messages": rows}, {})] == ["id-1", "pf"]


def test_what_a_rule_blocks_has_no_follow_up() -> None:
    entries = [
        entry("a", "release"),
        entry("b", "release"),
        entry("c", "blocked", "not_quarantined"),
        entry("d", "blocked", "not_quarantined", "denied_senders"),
    ]
    rows = [
        row("a", "released"),
        row("b", "already_released"),
        row("c", "already_released"),
        row("d", "already_released"),
    ]
    run = {"messages": [*rows, row("e", "already_released")]}
    named = {"search": None, "messages": entries}
    assert [each.name for each in targets(run, named)] == ["a", "b", "c"]
    assert targets(run, named)[0].seen is entries[0]
    searched = {"search": {"sender": "x.example"}, "messages": entries}
    assert [each.name for each in targets(run, searched)] == ["a", "b"]


CHOSEN = [Target("id-1", "one", True, None), Target("id-2", "two", True, None)]


def test_each_message_has_a_row_whatever_the_module_said() -> None:
    told = {
        "messages": [{"handle": "id-1", "status": "submitted", "detail": "Yes."}],
        "summary": {},
        "msg": "Done.",
        "api_calls": 2,
    }
    half = reclassified(told, CHOSEN)
    assert [(each["handle"], each["status"]) for each in half["messages"]] == [
        ("one", "submitted"),
        ("two", "not_attempted"),
    ]
    assert (half["failed"], half["changed"], half["api_calls"]) == (True, True, 2)
    refused = reclassified({"failed": True, "msg": "Cloudflare refused it."}, CHOSEN)
    assert refused["summary"] == {"not_attempted": 2, "total": 2}
    assert refused["msg"] == "Reclassify: 2 not_attempted. Cloudflare refused it."
    lost = reclassified({"failed": True, "module_stdout": ""}, CHOSEN)
    assert (lost["summary"]["unknown"], lost["failed"]) == (2, True)


@pytest.mark.parametrize("status", ["already_submitted", "agreed", "already_allowed", "not_allowed", "ended"])
def test_what_needs_nothing_neither_fails_nor_changes(status: str) -> None:
    end = ended("Stage", [{"status": status}], 1)
    assert (end["failed"], end["changed"]) == (False, False)


FAILED, DONE, IDLE = (
    {"failed": fails, "changed": done, "msg": "S."} for fails, done in ((True, False), (False, True), (False, False))
)


@pytest.mark.parametrize(
    ("run", "follow_ups", "word"),
    [
        ({"changed": True}, [FAILED], "partial"),
        ({"changed": True}, [DONE, FAILED], "partial"),
        ({"changed": True}, [DONE], "ok"),
        ({}, [FAILED], "partial"),
        ({}, [DONE], "ok"),
        ({}, [IDLE], "nothing_to_do"),
        ({"messages": [row("a", "blocked")]}, [FAILED], "partial"),
        ({"summary": {"unknown": 1}}, [FAILED], "unknown"),
        ({"messages": [row("a", "failed")]}, [FAILED], "failed"),
        ({"summary": {"would_release": 1}}, [FAILED], "would_release"),
    ],
)
def test_the_outcome_of_an_account(run: dict[str, t.Any], follow_ups: list[dict[str, t.Any]], word: str) -> None:
    assert outcome.word({**RUN, **run}, follow_ups) == word


def test_what_failed_comes_first_and_the_release_is_still_told() -> None:
    line = outcome.line(
        {**RUN, "msg": "1 released."}, follow_ups=[{**DONE, "msg": "Fine."}, {**FAILED, "msg": "Not fine."}]
    )
    assert line == "Needs attention: Not fine. 1 released. Fine."
