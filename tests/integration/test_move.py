# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""message_move with the real Ansible: check, move, check again, move again; and doubtful answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator import Emulator
from emulator.mail import Message

from playbooks import Ansible, statuses

RECIPIENTS = ["alice@corp.example", "bob@corp.example"]


def writes(emulator: Emulator) -> list[str | None]:
    """The routes of the requests that could have changed something."""
    return [request.route for request in emulator.requests if request.method != "GET"]


def options(*messages: Message, **more: Any) -> dict[str, Any]:
    return {"messages": [message.id for message in messages], "destination": "junk_email", **more}


def test_check_move_check_again_and_move_again(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    released = [emulator.add_message(state="released", recipients=RECIPIENTS) for _number in range(50)]
    held = emulator.quarantined()[0]
    mine = options(*released, journal=str(tmp_path / "journal.jsonl"), ticket="INC-1", settle_time=3)

    [check] = ansible.module("message_move", mine, arguments=("--check", "--diff"))
    assert set(statuses(check).values()) == {"would_move"}
    assert (check["changed"], writes(emulator)) == (True, [])
    assert set(check["diff"]["after"].values()) == {"junk_email"}

    emulator.requests.clear()
    [first] = ansible.module("message_move", mine)
    assert (set(statuses(first).values()), first["changed"]) == ({"moved"}, True)
    assert writes(emulator) == ["bulk_move"]
    assert first["api_calls"] == len(emulator.requests) == 2
    assert all(message.folders == dict.fromkeys(RECIPIENTS, "JunkEmail") for message in released)

    emulator.requests.clear()
    again, checked, quarantined = ansible.module(
        "message_move", mine, {**mine, "destination": "inbox"}, options(held), arguments=("--check",)
    )
    assert (set(statuses(again).values()), again["changed"]) == ({"already_moved"}, False)
    assert (set(statuses(checked).values()), checked["changed"]) == ({"would_move"}, True)
    assert (quarantined["failed"], statuses(quarantined)) == (True, {held.id: "quarantined"})

    [second, quarantined] = ansible.module("message_move", mine, options(held))
    assert (set(statuses(second).values()), second["changed"]) == ({"already_moved"}, False)
    assert statuses(quarantined) == {held.id: "quarantined"}
    assert writes(emulator) == []
    assert len(emulator.moves) == 100
    [account] = {json.loads(line)["account_id"] for line in (tmp_path / "journal.jsonl").read_text().splitlines()}
    assert account == first["account_id"] == emulator.account_id


def test_a_mailbox_that_fails_is_named(ansible: Ansible, emulator: Emulator) -> None:
    some, none = (emulator.add_message(state="delivered", recipients=RECIPIENTS) for _number in range(2))
    emulator.script_move(some.id, {"failed": {RECIPIENTS[1]: "MAILBOX_FULL"}}, {})
    emulator.script_move(none.id, {"failed": {"*": "NOT_FOUND"}})
    [first, again] = ansible.module("message_move", options(some, none), options(some, none))
    assert statuses(first) == {some.id: "partial", none.id: "failed"}
    [row, other] = first["messages"]
    assert (row["moved"], row["failed"], other["failed"]) == (RECIPIENTS[:1], RECIPIENTS[1:], RECIPIENTS)
    assert f"{RECIPIENTS[1]} (MAILBOX_FULL)" in row["detail"]
    assert (first["failed"], first["changed"]) == (True, True)
    # The mailbox that was left out is not forgotten.
    assert statuses(again) == {some.id: "moved", none.id: "failed"}


AFTER: list[dict[str, Any]] = [
    {"action": "status", "status": 504, "body": "html", "when": "after"},
    {"action": "status", "status": 202, "body": "json", "when": "after"},
    {"action": "cut", "when": "after"},
    {"action": "hang", "when": "after"},
    {"action": "redirect", "when": "after"},
    {"action": "truncate"},
    *(
        {"action": "mangle", "kind": kind}
        for kind in ("failure", "result_null", "wrong_types", "half", "truncated", "html", "empty", "result_string")
    ),
]
BEFORE: list[dict[str, Any]] = [{"action": "cut"}, {"action": "status", "status": 502, "body": "html"}]


def test_after_each_doubtful_answer_the_status_is_true_and_nothing_is_sent_twice(
    ansible: Ansible, emulator: Emulator
) -> None:
    emulator.configure(state_lag=2, move_log="mailbox")
    faults = {}
    for order in [*AFTER, *BEFORE]:
        message = emulator.add_message(state="delivered", recipients=RECIPIENTS)
        faults[message.id] = emulator.faults.add(**order, route="bulk_move", message_id=message.id)

    run = {"messages": list(faults), "destination": "junk_email", "batch_size": 1, "settle_time": 6, "timeout": 2}
    [result] = ansible.module("message_move", run)

    assert [fault for fault in faults.values() if fault.hits != 1] == []
    assert len(emulator.requests_to("bulk_move")) == len(faults)
    expected = ["moved"] * len(AFTER) + ["unknown"] * len(BEFORE)
    assert statuses(result) == dict(zip(faults, expected, strict=True))
    moved = {message for message in faults if emulator.world.find(message).folders}
    assert moved == {message for message, status in statuses(result).items() if status == "moved"}

    [again] = ansible.module("message_move", run)
    assert list(statuses(again).values()) == ["already_moved"] * len(AFTER) + ["moved"] * len(BEFORE)
    assert len(emulator.moves) == 2 * len(faults)


def test_an_older_server_and_a_bad_id(ansible: Ansible, emulator: Emulator) -> None:
    emulator.configure(move_forms=["postfix_ids"], refusal="midway")
    messages = [emulator.add_message(state="delivered") for _number in range(4)]
    emulator.script_move(messages[2].id, "refuse_400")
    [result] = ansible.module("message_move", options(*messages, settle_time=3))
    assert list(statuses(result).values()) == ["moved", "moved", "failed", "moved"]
    assert len(emulator.moves) == 3


def test_bad_input_and_a_credential_that_may_only_read(ansible: Ansible, emulator: Emulator) -> None:
    message = emulator.add_message(state="delivered")
    purge = options(message, destination="recoverable_items_purges")
    unsure, unknown = ansible.module("message_move", purge, options(message, destination="trash"))
    assert "Set purge to true" in unsure["msg"]
    assert "value of destination must be one of" in unknown["msg"]
    assert emulator.requests == []
    reader = emulator.environment("read_only")["CLOUDFLARE_API_TOKEN"]
    [refused, purged] = ansible.module("message_move", options(message, api_token=reader), {**purge, "purge": True})
    assert statuses(refused) == {message.id: "not_attempted"}
    assert "Cloud Email Security: Write" in refused["msg"]
    assert statuses(purged) == {message.id: "moved"}
    assert set(message.folders.values()) == {"RecoverableItemsPurges"}
