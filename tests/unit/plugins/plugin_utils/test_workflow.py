# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a workflow: one word over all accounts, a line for each, and whether somebody has to look at it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.outcome import FAIL_ON
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._workflow import workflow_outcome


def outcome(*words: str, **summary: t.Any) -> dict[str, t.Any]:
    """Return the outcome over accounts with these results, each with this summary."""
    return workflow_outcome({}, {f"host-{word}": {"result": word, "summary": summary} for word in words})


@pytest.mark.parametrize(
    ("words", "expected", "fails"),
    [
        (["ok"], "ok", False),
        (["ok", "nothing_to_do"], "ok", False),
        (["nothing_to_do"], "nothing_to_do", False),
        (["ok", "blocked"], "partial", False),
        (["ok", "partial"], "partial", False),
        (["partial", "blocked"], "partial", False),
        (["blocked", "nothing_to_do"], "blocked", True),
        (["ok", "failed"], "failed", True),
        (["ok", "would_release"], "unknown", True),
        (["failed", "unknown"], "unknown", True),
        (["ok", "a word that nobody knows"], "failed", True),
        ([], "failed", True),
    ],
)
def test_the_word(words: list[str], expected: str, fails: bool) -> None:
    ended = outcome(*words)
    assert (ended["outcome"], ended["fails"]) == (expected, fails)
    assert ended["told"].startswith(f"{expected}: ")


@pytest.mark.parametrize("status", FAIL_ON)
def test_a_message_that_needs_attention_fails(status: str) -> None:
    assert outcome("partial", **{status: 1})["fails"]
    assert not outcome("partial", **{status: 0})["fails"]


def test_no_results_are_a_failure_of_the_jobs_before() -> None:
    assert "left no results, so they failed before they began" in workflow_outcome({}, {})["told"]


PLANNED: dict[str, t.Any] = {
    "a": {"result": "would_release", "summary": {"would_release": 1}},
    "b": {"result": "would_release", "summary": {"would_release": 2}},
    "c": {"result": "nothing_to_do", "summary": {}},
}
DIGESTS = {host: f"sha256:{host * 64}" for host in PLANNED}


def test_what_was_released_replaces_what_was_planned() -> None:
    released = {"a": {"result": "ok", "summary": {"released": 1}}, "b": {"result": "ok", "summary": {"released": 2}}}
    ended = workflow_outcome(PLANNED, released, DIGESTS)
    assert (ended["outcome"], ended["fails"]) == ("ok", False)
    assert ended["lines"] == ["a: ok, released 1", "b: ok, released 2", "c: nothing_to_do"]


@pytest.mark.parametrize(
    ("released", "approved", "lost"),
    [
        ({}, DIGESTS, "a, b"),
        (PLANNED, DIGESTS, "a, b"),  # the plan published these under the name of the release
        ({"a": {"result": "ok", "summary": {}}}, DIGESTS, "b"),
        ({}, {"b": DIGESTS["b"]}, "b"),
        ({}, {"new": DIGESTS["a"]}, "new"),
        ({}, None, "a, b"),
        ({}, DIGESTS["a"], "a, b"),  # one digest for all
    ],
)
def test_a_release_without_a_result_is_unknown(released: t.Any, approved: t.Any, lost: str) -> None:
    ended = workflow_outcome(PLANNED, released, approved)
    assert (ended["outcome"], ended["fails"]) == ("unknown", True)
    assert f"may have begun, and left no result for {lost}." in ended["told"]
    assert "Do not start the workflow again yet" in ended["told"]
    assert "You can start" not in ended["told"]
    unknown = [line.split(":")[0] for line in ended["lines"] if ": unknown" in line]
    assert ", ".join(unknown) == lost


@pytest.mark.parametrize("approved", [{}, {"c": DIGESTS["c"]}])
def test_a_plan_that_was_not_handed_over_was_not_applied(approved: dict[str, str]) -> None:
    ended = workflow_outcome(PLANNED, {}, approved)
    assert (ended["outcome"], ended["fails"]) == ("failed", True)
    assert "You can start the same workflow again" in ended["told"]


def test_a_line_has_what_was_counted() -> None:
    summary = {"total": 2, "released": 1, "blocked": 1, "failed": 0, "rules": {"max_age": 1}}
    results: dict[str, t.Any] = {"b": {"result": "partial", "summary": summary}, "A": {"result": "failed"}}
    assert workflow_outcome(results, {})["lines"] == [
        "A: failed",
        "b: partial, blocked 1, released 1, total 2",
    ]


def test_what_failed_after_a_release_fails_and_is_in_the_line() -> None:
    follow_up = {"reclassify": {"failed": False, "submitted": 1}, "allow": {"failed": True, "unknown": 1}}
    told = workflow_outcome({}, {"a": {"result": "partial", "summary": {"released": 1}, "follow_up": follow_up}}, {})
    assert (told["outcome"], told["fails"]) == ("partial", True)
    assert told["lines"][0] == "a: partial, released 1, allow failed"
