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


def test_reads_that_tell_of_no_success_end_no_run(ansible: Ansible, emulator: Emulator) -> None:
    """A release call is lost after its work, and of all reads, one in five is answered with HTTP 200 and success: false."""
    messages = [emulator.add_message().id for _ in range(300)]
    lost = emulator.faults.add("status", status=504, when="after", route="release")
    first = emulator.faults.add("mangle", kind="failure", method="GET")
    emulator.faults.add("mangle", kind="failure", method="GET", times=None, probability=0.2)

    run = ansible.release(messages=messages, request_format="object")

    assert (lost.hits, first.hits) == (1, 1)
    assert set(statuses(ansible.report()["result"]).values()) == {"released"}
    assert len(emulator.deliveries) == 300
    assert set(emulator.deliveries.values()) == {1}
    assert (run.code, run.total("changed")) == (0, 1)


def test_a_refused_batch_that_was_partly_released_is_told_by_the_action_log(
    ansible: Ansible, emulator: Emulator
) -> None:
    """Sent unread: two are released before the call is refused for the third one, which was released long before."""
    emulator.configure(refusal="midway", not_quarantined="refuse_400")
    two = [emulator.add_message().id for _ in range(2)]
    before = emulator.add_message(state="released", age=7200).id

    ansible.release(messages=[*two, before], check_state=False, request_format="object")

    result = ansible.report()["result"]
    assert statuses(result) == {**dict.fromkeys(two, "released"), before: "already_released"}
    assert [row["changed"] for row in result["messages"]] == [True, True, False]
    assert set(emulator.deliveries.values()) == {1}
