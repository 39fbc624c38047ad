# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""POST investigate/release: forms, outcomes, and what is left behind."""

from __future__ import annotations

import time
from typing import Any

import pytest
from contract_client import Api, error
from emulator import Emulator
from emulator.mail import Message
from msgspec import ValidationError


def held(emulator: Emulator, recipients: int = 1) -> Message:
    """A quarantined message with so many recipients."""
    return next(message for message in emulator.quarantined() if len(message.recipients) == recipients)


def copies(emulator: Emulator, message: Message) -> dict[str, int]:
    """How many copies each recipient of the message got."""
    return {name: number for (message_id, name), number in emulator.deliveries.items() if message_id == message.id}


def test_a_release_delivers_and_is_on_record(api: Api, emulator: Emulator) -> None:
    message = held(emulator, 3)
    [entry] = api.release({"ids": [message.id]}).json()["result"]
    assert entry == {"id": message.id, "delivered": list(message.recipients), "failed": [], "undelivered": []}
    assert copies(emulator, message) == dict.fromkeys(message.recipients, 1)
    view = api.get(message.id).json()["result"]
    assert (view["is_quarantined"], view["delivery_status"]) == (False, ["delivered"])
    assert view["post_delivery_operations"] == ["QUARANTINE_RELEASE"]
    [action] = api.get(f"{message.id}/action_log").json()["result"]
    assert (action["operation"], action["success"]) == ("QUARANTINE_RELEASE", True)
    assert message.id not in {found["id"] for found in api.search(delivery_status="quarantined", per_page=1000)}


def test_a_second_release_delivers_again(api: Api, emulator: Emulator) -> None:
    message = held(emulator)
    api.release({"ids": [message.id, message.id]})
    api.release({"ids": [message.id]})
    assert copies(emulator, message) == {message.recipients[0]: 3}


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": [7]}, {"ids": "x"}, {"ids": None}, [], "x", None, {"body": ["x"]}], ids=str
)
def test_malformed_bodies(api: Api, emulator: Emulator, body: Any) -> None:
    emulator.configure(release_forms=["object", "array"])
    assert error(api.release(body)) == (400, 1001)
    assert not emulator.deliveries


def test_bodies_that_are_not_json(api: Api, emulator: Emulator) -> None:
    for content, kind in ((b"{", "application/json"), (b'{"ids":["x"]}', "text/plain"), (b"\xff", "application/json")):
        answer = api.request("POST", "release", content=content, headers={"Content-Type": kind})
        assert answer.status_code == 400
    assert emulator.requests[0].body == b"{"


def test_forms_and_their_refusals(api: Api, emulator: Emulator) -> None:
    message = held(emulator)
    forms = {"object": {"ids": [message.id]}, "array": [message.id]}
    for taken, refused in (("object", "array"), ("array", "object")):
        for words, told in (("placeholder", True), ("unmarshal", False), ("schema", True), ("silent", False)):
            emulator.configure(release_forms=[taken], form_error=words)
            problem = api.release(forms[refused])
            assert problem.status_code == 400
            assert ("source" in problem.json()["errors"][0]) is told
            assert api.release(forms[taken]).status_code == 200


def test_which_ids_a_form_takes(api: Api, emulator: Emulator) -> None:
    message = held(emulator)
    emulator.configure(release_forms=["array", "object"], array_ids="postfix")
    assert api.release([message.id]).status_code == 400
    assert api.release({"ids": [message.postfix_id]}).status_code == 400
    assert api.release([message.postfix_id]).json()["result"][0]["id"] == message.id
    assert copies(emulator, message) == {message.recipients[0]: 1}


def test_too_many_ids(api: Api, emulator: Emulator) -> None:
    emulator.configure(release_max_ids=2, unknown_id="omitted")
    assert api.release({"ids": ["a", "b"]}).json()["result"] == []
    assert api.release({"ids": ["a", "b", "c"]}).status_code == 400


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("omitted", None),
        ("empty", {"delivered": [], "failed": [], "undelivered": []}),
        ("null", {"delivered": None, "failed": None, "undelivered": None}),
        ("failed", {"delivered": [], "failed": ["unknown"], "undelivered": []}),
    ],
)
def test_unknown_ids(api: Api, emulator: Emulator, choice: str, told: dict[str, Any] | None) -> None:
    emulator.configure(unknown_id=choice)
    message = held(emulator)
    entries = {entry.pop("id"): entry for entry in api.release({"ids": ["unknown", message.id]}).json()["result"]}
    assert entries.get("unknown") == told
    assert entries[message.id]["delivered"] == list(message.recipients)


@pytest.mark.parametrize(("choice", "status"), [("refuse_400", 400), ("refuse_404", 404)])
@pytest.mark.parametrize(("refusal", "released"), [("before", 0), ("midway", 1)])
def test_refusals_of_the_whole_call(
    api: Api, emulator: Emulator, choice: str, status: int, refusal: str, released: int
) -> None:
    emulator.configure(unknown_id=choice, refusal=refusal)
    first, last = emulator.quarantined()[:2]
    assert api.release({"ids": [first.id, "unknown", last.id]}).status_code == status
    assert len({message_id for message_id, _ in emulator.deliveries}) == released
    assert last.is_quarantined


@pytest.mark.parametrize("choice", ["omitted", "empty", "null", "refuse_400", "refuse_404"])
def test_messages_that_are_not_in_quarantine(api: Api, emulator: Emulator, choice: str) -> None:
    emulator.configure(not_quarantined=choice)
    message = emulator.add_message(state="released")
    api.release({"ids": [message.id]})
    assert not emulator.deliveries


def test_scripted_outcomes(api: Api, emulator: Emulator) -> None:
    message = held(emulator, 3)
    first, second, third = message.recipients
    emulator.script(message.id, "failed", "empty", {"failed": [second], "undelivered": [third]})
    answers = [api.release({"ids": [message.id]}).json()["result"][0] for _ in range(4)]
    assert answers[0]["failed"] == [first, second, third]
    assert answers[1] == {"id": message.id, "delivered": [], "failed": [], "undelivered": []}
    assert answers[2] == {"id": message.id, "delivered": [first], "failed": [second], "undelivered": [third]}
    assert answers[3] == answers[2]
    assert copies(emulator, message) == {first: 2}
    log = api.get(f"{message.id}/action_log").json()["result"]
    assert [action["success"] for action in log] == [False, True, True]


@pytest.mark.parametrize("answer", ["empty", "null", "omitted"])
def test_work_done_and_not_told(api: Api, emulator: Emulator, answer: str) -> None:
    message = held(emulator)
    emulator.script(message.id, {"answer": answer})
    result = api.release({"ids": [message.id]}).json()["result"]
    assert not any(entry["delivered"] for entry in result)
    assert copies(emulator, message) == {message.recipients[0]: 1}
    assert not message.is_quarantined


@pytest.mark.parametrize(
    ("policy", "outcome", "stays"),
    [
        ("any_delivered", "failed", True),
        ("any_delivered", "partial", False),
        ("all_delivered", "partial", True),
        ("all_delivered", "deliver", False),
        ("always", "undelivered", False),
    ],
)
def test_what_stays_in_quarantine(api: Api, emulator: Emulator, policy: str, outcome: str, stays: bool) -> None:
    emulator.configure(leaves_quarantine=policy)
    message = held(emulator, 3)
    emulator.script(message.id, {"failed": [message.recipients[0]]} if outcome == "partial" else outcome)
    api.release({"ids": [message.id]})
    view = api.get(message.id).json()["result"]
    assert view["is_quarantined"] is stays is ("quarantined" in view["delivery_status"])
    assert view["post_delivery_operations"] == ["QUARANTINE_RELEASE"]


def test_reads_lag_behind(api: Api, emulator: Emulator) -> None:
    emulator.configure(state_lag=30)
    message = held(emulator)
    api.release({"ids": [message.id]})
    for expected in (True, False):
        api.get(f"{message.id}/preview")  # must not show the release earlier
        assert api.get(message.id).json()["result"]["is_quarantined"] is expected
        assert bool(api.search(alert_id=message.alert_id, delivery_status="quarantined")) is expected
        assert bool(api.get(f"{message.id}/action_log").json()["result"]) is not expected
        emulator.clock.advance(31)


def test_others_may_act_meanwhile(api: Api, emulator: Emulator) -> None:
    first, second = emulator.quarantined()[:2]
    emulator.enter(first.id, "released")
    emulator.remove(second.id)
    assert api.get(first.id).json()["result"]["post_delivery_operations"] == ["QUARANTINE_RELEASE"]
    assert api.get(second.id).status_code == 404
    assert second.id not in {message["id"] for message in api.search(per_page=1000)}
    assert not emulator.deliveries


def test_answer_shapes(api: Api, emulator: Emulator) -> None:
    message = held(emulator)
    for kind, names in (("both", {"id", "postfix_id"}), ("investigate", {"id"}), ("postfix", {"postfix_id"})):
        emulator.configure(answer_ids=kind)
        [entry] = api.request("POST", "release", json={"ids": [message.id]}, check=False).json()["result"]
        assert set(entry) - {"delivered", "failed", "undelivered"} == names
    emulator.configure(result_shape="object", answer_ids="investigate")
    assert api.request("POST", "release", json={"ids": [message.id]}, check=False).json()["result"]["id"] == message.id


def test_time_per_id_and_latency(api: Api, emulator: Emulator) -> None:
    emulator.configure(seconds_per_id=0.05, latency=0.1)
    began = time.perf_counter()
    api.release({"ids": [message.id for message in emulator.quarantined()[:4]]})
    assert 0.3 <= time.perf_counter() - began < 1


def test_wrong_settings_and_scripts_are_refused(emulator: Emulator) -> None:
    for mistake in ({"state_lag": -1}, {"release_forms": ["body"]}, {"unknown_id": "deliver"}, {"colour": "red"}):
        with pytest.raises((ValidationError, TypeError)):
            emulator.configure(**mistake)
    with pytest.raises(ValidationError):
        emulator.script(held(emulator).id, "exploded")
    with pytest.raises(KeyError):
        emulator.script("unknown", "failed")
