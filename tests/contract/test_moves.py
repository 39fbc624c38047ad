# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Moves: forms, mailboxes, what fails, and what is left behind."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from cloudflare import Cloudflare
from contract_client import Api, error
from emulator import Emulator
from emulator.mail import Message
from msgspec import ValidationError

RECIPIENTS = ["alice@corp.example", "bob@corp.example"]


@pytest.fixture
def message(emulator: Emulator) -> Message:
    """A delivered message with two recipients."""
    return emulator.add_message(state="delivered", recipients=RECIPIENTS)


def move(api: Api, *messages: Message, folder: str = "JunkEmail") -> httpx.Response:
    return api.request("POST", "move", json={"destination": folder, "ids": [message.id for message in messages]})


def told(answer: httpx.Response) -> list[tuple[str, bool, str]]:
    return [(entry["recipient"], entry["success"], entry["status"]) for entry in answer.json()["result"]]


def log(api: Api, message: Message) -> list[tuple[str, bool, str]]:
    entries = api.get(f"{message.id}/action_log").json()["result"]
    return [(entry["operation"], entry["success"], entry["properties"]["folder"]) for entry in entries]


def test_a_move_is_told_for_each_mailbox_and_on_record(api: Api, emulator: Emulator, message: Message) -> None:
    answer = move(api, message)
    assert told(answer) == [(recipient, True, "OK") for recipient in RECIPIENTS]
    entry = answer.json()["result"][0]
    assert "id" not in entry
    assert (entry["message_id"], entry["destination"]) == (message.message_id, "JunkEmail")
    assert message.folders == dict.fromkeys(RECIPIENTS, "JunkEmail")
    assert [(moved.recipient, moved.folder) for moved in emulator.moves] == [(name, "JunkEmail") for name in RECIPIENTS]
    assert log(api, message) == [("MOVE", True, "JunkEmail")]
    view = api.get(message.id).json()["result"]
    assert (view["delivery_status"], view["post_delivery_operations"]) == (["moved"], ["MOVE"])


def test_a_move_can_fail_in_one_mailbox(api: Api, emulator: Emulator, message: Message) -> None:
    emulator.script_move(message.id, {"failed": {RECIPIENTS[1]: "MAILBOX_FULL"}}, {})
    assert told(move(api, message)) == [(RECIPIENTS[0], True, "OK"), (RECIPIENTS[1], False, "MAILBOX_FULL")]
    assert log(api, message) == [("MOVE", False, "JunkEmail")]
    assert message.folders == {RECIPIENTS[0]: "JunkEmail"}
    emulator.configure(move_log="mailbox")
    assert [success for _recipient, success, _reason in told(move(api, message))] == [True, True]
    assert log(api, message)[1:] == [("MOVE", True, "JunkEmail")] * 2


def test_a_move_can_fail_everywhere_and_an_answer_can_say_less(api: Api, emulator: Emulator, message: Message) -> None:
    emulator.script_move(message.id, {"failed": {"*": "NOT_FOUND"}}, {"answer": "half"}, {"answer": "omitted"})
    assert [success for _recipient, success, _reason in told(move(api, message))] == [False, False]
    assert not emulator.moves
    assert len(told(move(api, message))) == 1
    assert told(move(api, message)) == []
    assert len(emulator.moves) == 4


def test_what_is_in_quarantine_or_purged_is_not_found(api: Api, emulator: Emulator, message: Message) -> None:
    held = emulator.quarantined()[0]
    assert {entry[1:] for entry in told(move(api, held))} == {(False, "NOT_FOUND")}
    assert held.is_quarantined
    move(api, message, folder="RecoverableItemsPurges")
    assert {entry[1:] for entry in told(move(api, message, folder="Inbox"))} == {(False, "NOT_FOUND")}


def test_a_move_shows_late(api: Api, emulator: Emulator, message: Message) -> None:
    emulator.configure(state_lag=60)
    move(api, message)
    assert log(api, message) == []
    emulator.clock.advance(61)
    assert log(api, message) == [("MOVE", True, "JunkEmail")]


@pytest.mark.parametrize("refusal", ["before", "midway"])
def test_one_bad_id_refuses_the_call(api: Api, emulator: Emulator, message: Message, refusal: str) -> None:
    emulator.configure(refusal=refusal)
    other = emulator.add_message(state="delivered")
    emulator.script_move(other.id, "refuse_400", "refuse_404")
    assert error(move(api, message, other)) == (400, 1001)
    assert bool(message.folders) is (refusal == "midway")
    assert error(api.request("POST", "move", json={"destination": "Inbox", "ids": ["unknown"]})) == (404, 1001)
    emulator.configure(unknown_move="omitted")
    assert api.request("POST", "move", json={"destination": "Inbox", "ids": ["unknown"]}).json()["result"] == []


def test_forms(api: Api, emulator: Emulator, message: Message) -> None:
    forms = {"ids": [message.id], "postfix_ids": [message.postfix_id]}
    for taken, refused in (("ids", "postfix_ids"), ("postfix_ids", "ids")):
        for words in ("placeholder", "silent"):
            emulator.configure(move_forms=[taken], form_error=words)
            answer = api.request("POST", "move", json={"destination": "Inbox", refused: forms[refused]})
            assert error(answer)[0] == 400
            assert (f"'{taken}' is a required property" in answer.text) is (words == "placeholder")
        assert api.request("POST", "move", json={"destination": "Inbox", taken: forms[taken]}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, [], {"ids": ["x"]}, {"destination": "Junk", "ids": ["x"]}, {"destination": "Inbox", "ids": []},
     {"destination": "Inbox", "ids": ["x"] * 1001}],
    ids=lambda body: str(body)[:50],
)  # fmt: skip
def test_malformed_bodies(api: Api, body: Any) -> None:
    assert error(api.request("POST", "move", json=body)) == (400, 1001)


def test_outcomes_are_checked(emulator: Emulator, message: Message) -> None:
    with pytest.raises(ValidationError):
        emulator.script_move(message.id, {"lost": {}})


def test_the_sdk_moves_and_sends_a_lost_move_again(
    emulator: Emulator, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    investigate, account = Cloudflare(max_retries=1).email_security.investigate, emulator.account_id
    emulator.script_move(message.id, {"failed": {RECIPIENTS[1]: "NOT_FOUND"}}, {})
    result = investigate.move.bulk(account_id=account, destination="JunkEmail", ids=[message.id]).result
    assert [(entry.recipient, entry.success, entry.status) for entry in result] == [
        (RECIPIENTS[0], True, "OK"),
        (RECIPIENTS[1], False, "NOT_FOUND"),
    ]
    emulator.faults.add("status", route="move", status=504, body="html", when="after")
    alone = investigate.move.create(message.id, account_id=account, destination="Inbox").result
    assert [entry.success for entry in alone] == [True, True]
    assert len(emulator.requests_to("move")) == 2
    assert emulator.requests_to("bulk_move")[0].body == (
        f'{{"destination":"JunkEmail","ids":["{message.id}"]}}'.encode()
    )
