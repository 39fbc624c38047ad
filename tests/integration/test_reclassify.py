# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""message_reclassify with the real Ansible: check, submit, check again, submit again; and doubtful answers."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Any

from emulator import Emulator
from emulator.mail import Message

from playbooks import Ansible, statuses


def writes(emulator: Emulator) -> list[str | None]:
    """The routes of the requests that could have changed something."""
    return [request.route for request in emulator.requests if request.method != "GET"]


def options(*messages: Message, **more: Any) -> dict[str, Any]:
    return {"messages": [message.id for message in messages], "settle_time": 3, **more}


def team(emulator: Emulator) -> collections.Counter[str]:
    """How often each message was submitted, but by users."""
    return collections.Counter(
        submission.message.id for submission in emulator.submissions if submission.type == "Team"
    )


def test_check_submit_check_again_and_submit_again(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    held = [emulator.add_message(state="released", disposition="SPAM") for _number in range(49)]
    clean = emulator.add_message(state="delivered", disposition="NONE")
    mine = options(*held, clean, journal=str(tmp_path / "journal.jsonl"))

    [check] = ansible.module("message_reclassify", mine, arguments=("--check", "--diff"))
    expected = dict.fromkeys([message.id for message in held], "would_submit") | {clean.id: "agreed"}
    assert statuses(check) == expected
    assert (check["changed"], writes(emulator)) == (True, [])
    assert len(check["diff"]["after"]) == 49

    [first] = ansible.module("message_reclassify", mine)
    assert collections.Counter(statuses(first).values()) == {"submitted": 49, "agreed": 1}
    assert writes(emulator) == ["submit"]
    assert team(emulator) == dict.fromkeys([message.id for message in held], 1)

    emulator.requests.clear()
    for arguments in (("--check",), ()):
        [again] = ansible.module("message_reclassify", mine, arguments=arguments)
        assert collections.Counter(statuses(again).values()) == {"already_submitted": 49, "agreed": 1}
        assert again["changed"] is False
        assert again["messages"][0]["submission_id"].startswith("sub-")
    assert writes(emulator) == []

    [missed] = ansible.module("message_reclassify", options(clean, expected_disposition="malicious"))
    assert statuses(missed) == {clean.id: "submitted"}
    assert emulator.submissions[-1].message is clean

    emulator.clock.advance(7200)  # the reviews are done, and agree
    [later] = ansible.module("message_reclassify", mine)
    assert set(list(statuses(later).values())[:49]) == {"agreed"}


AFTER: list[dict[str, Any]] = [
    {"action": "status", "status": 504, "body": "html", "when": "after"},
    {"action": "cut", "when": "after"},
    {"action": "hang", "when": "after"},
    {"action": "truncate"},
    *({"action": "mangle", "kind": kind} for kind in ("failure", "result_null", "html", "empty", "result_string")),
]
BEFORE: list[dict[str, Any]] = [{"action": "cut"}, {"action": "status", "status": 502, "body": "html"}]


def test_after_each_doubtful_answer_there_is_one_submission_and_a_true_status(
    ansible: Ansible, emulator: Emulator
) -> None:
    emulator.configure(state_lag=1)
    messages = [emulator.add_message(state="released") for _order in [*AFTER, *BEFORE]]
    runs = []
    for message, order in zip(messages, [*AFTER, *BEFORE], strict=True):
        emulator.faults.add(**order, route="submit", message_id=message.alert_id)
        runs.append(options(message, timeout=2))
    results = ansible.module("message_reclassify", *runs)
    assert [result["messages"][0]["status"] for result in results] == (
        ["submitted"] * len(AFTER) + ["unknown"] * len(BEFORE)
    )
    assert [bool(result.get("failed")) for result in results] == [False] * len(AFTER) + [True] * len(BEFORE)
    assert len(emulator.requests_to("submit")) == len(messages)
    assert set(team(emulator)) == {message.id for message in messages[: len(AFTER)]}

    [again] = ansible.module("message_reclassify", options(*messages))
    assert list(statuses(again).values()) == ["already_submitted"] * len(AFTER) + ["submitted"] * len(BEFORE)
    assert set(team(emulator).values()) == {1}


def test_refusals_an_older_server_and_bad_input(ansible: Ansible, emulator: Emulator) -> None:
    refused, taken = emulator.add_message(state="released"), emulator.add_message(state="released")
    emulator.destine(refused.id, {"refused": "this type of message is not supported"})
    reader = emulator.environment("read_only")["CLOUDFLARE_API_TOKEN"]
    unknown, unauthorised = ansible.module(
        "message_reclassify", options(taken, expected_disposition="ham"), options(taken, api_token=reader)
    )
    assert "value of expected_disposition must be one of" in unknown["msg"]
    assert statuses(unauthorised) == {taken.id: "not_attempted"}
    assert "Cloud Email Security: Write" in unauthorised["msg"]
    assert not team(emulator)

    for newer in (True, False):
        emulator.configure(post_submissions=newer)
        [result] = ansible.module(
            "message_reclassify", options(refused, taken, expected_disposition="none" if newer else "bulk")
        )
        assert statuses(result) == {refused.id: "refused", taken.id: "submitted"}
        assert "this type of message is not supported" in result["messages"][0]["detail"]
    assert len(emulator.requests_to("reclassify")) == 2
    assert team(emulator) == {taken.id: 2}
