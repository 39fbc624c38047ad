# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release in steps as one result: each message once, and none is forgotten."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._joining import joined_run, planned_run


def row(number: int, status: str = "would_release", **fields: t.Any) -> dict[str, t.Any]:
    facts: dict[str, t.Any] = {
        "status": status,
        "delivered": [],
        "undelivered": [],
        "failed": [],
        "detail": status,
        "rule": None,
        "delivery": None,
    }
    names = {"handle": f"id-{number}", "id": f"id-{number}", "postfix_id": f"pf-{number}"}
    return {**names, **facts, "changed": status == "released", **fields}


def result(*rows: dict[str, t.Any], **fields: t.Any) -> dict[str, t.Any]:
    released = sum(one["status"] == "released" for one in rows)
    return {
        "changed": bool(released),
        "msg": "m",
        "messages": list(rows),
        "summary": {"recipients_delivered": released},
        "api_calls": 1,
        **fields,
    }


def step(done: dict[str, t.Any], *numbers: int) -> dict[str, t.Any]:
    return {"ids": [f"id-{number}" for number in numbers], "result": done}


def statuses(run: dict[str, t.Any]) -> list[str]:
    return [one["status"] for one in run["messages"]]


def test_all_steps_made() -> None:
    look = result(
        row(1),
        row(2),
        row(3, "blocked", rule="max_age"),
        row(4, handle="<m@x.example>"),
        row(4),
        plan_digest="sha256:1",
    )
    run = joined_run(
        look, [step(result(row(1, "released")), 1), step(result(row(2, "released"), row(4, "released")), 2, 4)]
    )
    assert statuses(run) == ["released", "released", "blocked", "released", "released"]
    assert run["messages"][3]["handle"] == "<m@x.example>"
    assert (run["changed"], run["failed"], run["api_calls"], run["plan_digest"]) == (True, False, 3, "sha256:1")
    assert run["summary"]["recipients_delivered"] == 3, "one message by two handles reaches its recipient once"
    assert run["msg"] == "5 messages: 4 released, 1 blocked, 3 recipients reached."


def test_what_was_left_out_is_not_attempted() -> None:
    run = joined_run(
        result(row(1), row(2)), [step(result(row(1, "undelivered")), 1)], "The canary failed.", ["not_attempted"]
    )
    assert statuses(run) == ["undelivered", "not_attempted"]
    assert "The canary failed." in run["messages"][1]["detail"]
    assert run["failed"]
    assert run["msg"] == "The canary failed. 2 messages: 1 undelivered, 1 not_attempted."


def test_a_step_without_a_result() -> None:
    refused = {"failed": True, "changed": False, "msg": "The plan has expired."}
    killed = {"failed": True, "changed": False, "msg": "MODULE FAILURE", "module_stdout": "Killed", "rc": 137}
    assert statuses(joined_run(result(row(1)), [step(refused, 1)])) == ["not_attempted"]
    run = joined_run(result(row(1)), [step(killed, 1)])
    assert statuses(run) == ["unknown"]
    assert run["failed"]
    assert "was it killed" in run["msg"]


def test_nothing_is_in_doubt_after_a_look_or_a_plan_that_was_killed() -> None:
    killed = {"failed": True, "changed": False, "msg": "MODULE FAILURE", "module_stdout": "Killed", "rc": 137}
    for run in (joined_run(killed, []), planned_run(killed)):
        assert run["failed"]
        assert "module_stdout" not in run
        assert run["messages"] == []


def test_what_a_plan_foretells() -> None:
    entries = [
        {"handle": "4Xy1", "id": "4Xy1", "decision": "release", "rules": []},
        {"handle": "4Xy2", "id": "4Xy2", "decision": "blocked", "rules": ["max_age", "denied_senders"]},
        {"handle": "4Xy3", "decision": "blocked", "rules": ["not_found"]},
    ]
    run = planned_run({"plan": {"messages": entries, "digest": "sha256:1"}, "msg": "3 messages.", "changed": True})
    assert [(one["handle"], one["status"], one["rule"]) for one in run["messages"]] == [
        ("4Xy1", "would_release", None), ("4Xy2", "blocked", "max_age"), ("4Xy3", "not_found", None),
    ]  # fmt: skip
    assert (run["msg"], run["plan_digest"], run["summary"]["would_release"]) == ("3 messages.", "sha256:1", 1)


@pytest.mark.parametrize(("fail_on", "fails"), [((), False), (("not_found",), True), (("ambiguous",), False)])
def test_a_plan_fails_by_the_statuses_that_fail_a_release(fail_on: tuple[str, ...], fails: bool) -> None:
    entries = [{"handle": "4Xy3", "decision": "blocked", "rules": ["not_found"]}]
    planned = {"plan": {"messages": entries, "digest": "sha256:1"}, "msg": "1 message."}
    assert planned_run(planned, fail_on)["failed"] is fails
    assert planned_run({**planned, "failed": True}, fail_on)["failed"]
