# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that leave in doubt whether the release was done: nobody gets a message twice."""

from __future__ import annotations

from typing import Any

from emulator import Emulator

from playbooks import Ansible, statuses

# Given after the release was done
AFTER: list[dict[str, Any]] = [
    {"action": "status", "status": 504, "body": "html"},
    {"action": "status", "status": 500, "body": "json"},
    {"action": "status", "status": 502, "body": "empty"},
    {"action": "status", "status": 200, "body": "empty"},
    {"action": "status", "status": 202, "body": "json"},
    {"action": "cut"},
    {"action": "cut", "reset": True},
    {"action": "hang"},
    {"action": "redirect"},
]
SPOILED: list[dict[str, Any]] = [
    {"action": "truncate"},
    {"action": "truncate", "chunked": True},
    *(
        {"action": "mangle", "kind": kind}
        for kind in (
            *("array", "string", "null", "empty_object", "failure", "result_missing", "result_null", "result_string"),
            *(
                "wrong_types",
                "without_ids",
                "foreign_ids",
                "truncated",
                "empty",
                "deep",
                "html",
                "not_utf8",
                "text_plain",
            ),
        )
    ),
]
# Given in place of the release
BEFORE: list[dict[str, Any]] = [
    {"action": "status", "status": 504, "body": "html"},
    {"action": "cut"},
    {"action": "hang"},
]


def test_after_each_doubtful_answer_every_recipient_has_one_copy(ansible: Ansible, emulator: Emulator) -> None:
    emulator.configure(state_lag=2)
    orders = (
        [{**order, "when": "after"} for order in AFTER] + SPOILED + [{**order, "when": "before"} for order in BEFORE]
    )
    faults = {}
    for order in orders:
        message = emulator.add_message()
        faults[message.id] = emulator.faults.add(**order, route="release", message_id=message.id)

    run = ansible.release(
        *("-e", "cloudflare_timeout=2"), messages=list(faults), batch_size=1, concurrency=16, request_format="object"
    )

    assert [fault for fault in faults.values() if fault.hits != 1] == []
    result = ansible.report()["result"]
    odd = {
        handle: result["messages"][index]["detail"]
        for index, handle in enumerate(faults)
        if statuses(result)[handle] != "released"
    }
    assert odd == {}
    assert {message for message, _recipient in emulator.deliveries} == set(faults)
    assert set(emulator.deliveries.values()) == {1}
    assert (run.code, run.total("changed")) == (0, 1)


def test_unknown_is_said_when_the_state_cannot_be_read_back(ansible: Ansible, emulator: Emulator) -> None:
    lost, other = emulator.add_message(), emulator.add_message()
    emulator.faults.add("cut", route="release", message_id=lost.id, when="after")
    emulator.faults.add("status", status=500, method="GET", message_id=lost.id, skip=1, times=None)

    options = {"messages": [lost.id, other.id], "batch_size": 1, "request_format": "object"}
    run = ansible.release(*("-e", "cloudflare_retries=1"), **options)

    assert run.code == 2
    assert statuses(ansible.report()["result"]) == {lost.id: "unknown", other.id: "released"}
    assert ansible.report()["outcome"] == "unknown"
    assert f"{lost.id} unknown" in run.result("Show the outcome")["msg"]
    assert "It may or may not have been delivered." in ansible.ticket()
    assert set(emulator.deliveries.values()) == {1}

    emulator.faults.clear()
    again = ansible.release(**options)
    assert (again.code, again.total("changed")) == (0, 0)
    assert set(emulator.deliveries.values()) == {1}
