# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release in steps, with modules that are stood in for: what is called with what, and when it stops."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.asked import Asked, read
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.places import Places
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.steps import steps
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.work import (
    Releasing,
    Trail,
    make_plan,
)

DIGEST = "sha256:" + "0f" * 32
PLACES = Places("/r", "/r/h.plan.json", "/r/journal.jsonl", "/r/h-1", "/r/all-1", None)
TRAIL = Trail("alice", "bob", None)


def asked(**variables: t.Any) -> Asked:
    """Return what these variables ask for."""
    return read({"max_messages": 1000, **variables}, "host", lambda _path, _column: [])


def row(name: str, status: str) -> dict[str, t.Any]:
    """Return one row of a result."""
    facts: dict[str, t.Any] = {
        "delivered": [],
        "undelivered": [],
        "failed": [],
        "detail": status,
        "rule": None,
        "delivery": None,
    }
    return {"handle": name, "id": name, "postfix_id": None, "status": status, "changed": status == "released", **facts}


class Modules:
    """Stands in for message_release: every message ends as it is told, or as released."""

    def __init__(self, names: str, **statuses: str) -> None:
        self.calls: list[tuple[dict[str, t.Any], bool]] = []
        self._names = names.split()
        self._statuses = statuses

    def __call__(self, module: str, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """Record the call and answer it."""
        assert module == "message_release"
        self.calls.append((options, check_mode))
        names = options.get("only") or options.get("messages") or self._names
        rows = [row(name, "would_release" if check_mode else self._statuses.get(name, "released")) for name in names]
        statuses = [one["status"] for one in rows]
        summary = {"not_attempted": statuses.count("not_attempted"), "recipients_delivered": statuses.count("released")}
        return {
            "changed": "released" in statuses,
            "msg": "m",
            "messages": rows,
            "summary": summary,
            "plan_digest": DIGEST,
        }


def run(modules: Modules, refused: str = "", **variables: t.Any) -> tuple[list[str], list[str]]:
    """Return the statuses of a run, and the lines that it showed."""
    lines: list[str] = []
    done = Releasing(asked(**variables), PLACES, TRAIL, None, modules, False).run(lines.append, None, refused)
    return [one["status"] for one in done["messages"]], lines


def test_a_list_goes_out_in_one_step_without_a_look() -> None:
    modules = Modules("")
    assert run(modules, messages="a,b", fail_on=["failed"], batch_size=7) == (["released", "released"], [])
    [(options, check_mode)] = modules.calls
    assert (options["messages"], options["fail_on"], options["batch_size"], check_mode) == (
        ["a", "b"],
        ["failed"],
        7,
        False,
    )
    assert (options["started_by"], options["requested_by"], options["journal"]) == ("alice", "bob", PLACES.journal)


def test_a_plan_is_pinned_to_what_the_look_has_checked() -> None:
    modules = Modules("a b")
    run(modules, mode="apply", require_digest="no", canary=1)
    assert [(options["plan_digest"], options["only"], check) for options, check in modules.calls] == [
        (None, None, True),
        (DIGEST, ["a"], False),
        (DIGEST, ["b"], False),
    ]


def test_a_canary_that_does_not_end_well_stops_the_others() -> None:
    statuses, lines = run(Modules("a b c", a="undelivered"), messages="a,b,c", canary=1)
    assert statuses == ["undelivered", "not_attempted", "not_attempted"]
    assert lines == ["Canary 1 of 2: m The canary did not end well, so nothing more was sent."]


def test_the_breaker_counts_over_the_steps() -> None:
    modules = Modules("a b c d", a="failed", b="unknown")
    statuses, _lines = run(modules, messages="a,b,c,d", chunk_size=1, stop_after_failures=2)
    assert statuses == ["failed", "unknown", "not_attempted", "not_attempted"]
    assert [options["stop_after_failures"] for options, check in modules.calls if not check] == [2, 1]


def test_what_nobody_approved_is_not_sent() -> None:
    modules = Modules("a")
    assert run(modules, "It was not approved, so nothing was sent.", messages="a", approve=True, canary=1)[0] == [
        "not_attempted"
    ]
    assert [check for _options, check in modules.calls] == [True]


def test_a_step_without_a_result_stops_the_others() -> None:
    class Killed(Modules):
        def __call__(self, module: str, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
            done = super().__call__(module, options, check_mode)
            return done if check_mode else {"failed": True, "msg": "MODULE FAILURE", "module_stdout": ""}

    assert run(Killed("a b"), messages="a,b", chunk_size=1)[0] == ["unknown", "not_attempted"]


@pytest.mark.parametrize(
    ("canary", "chunk", "expected"),
    [(0, 0, ["abcde"]), (2, 0, ["ab", "cde"]), (1, 3, ["a", "bcd", "e"]), (9, 2, ["abcde"]), (0, 2, ["ab", "cd", "e"])],
)
def test_the_steps(canary: int, chunk: int, expected: list[str]) -> None:
    look = {
        "messages": [row(name, "would_release") for name in "abcde"] + [row("f", "blocked"), row("a", "would_release")]
    }
    made = steps(look, canary, chunk)
    assert ["".join(step.ids) for step in made] == expected
    assert [step.canary for step in made] == [canary > 0, *[False] * (len(made) - 1)]
    assert made[-1].name.endswith(f"{len(made)} of {len(made)}")


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_plan_is_made_of_the_search_or_of_the_messages(check_mode: bool) -> None:
    calls: list[dict[str, t.Any]] = []

    def call(module: str, options: dict[str, t.Any], _check: bool) -> dict[str, t.Any]:
        assert module == "message_plan"
        calls.append(options)
        return {}

    make_plan(asked(search={"sender": "x.example"}, expires_in="1h"), PLACES, TRAIL, call, check_mode)
    make_plan(asked(messages=["a"], mode="plan"), PLACES, TRAIL, call, check_mode)
    assert (calls[0]["sender"], calls[0]["expires_in"], calls[0]["requested_by"]) == ("x.example", "1h", "bob")
    assert "messages" not in calls[0]
    assert calls[1]["messages"] == ["a"]
    assert calls[1]["dest"] == (None if check_mode else PLACES.plan)
