# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Submissions: what is taken, what is on record, and what becomes of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from cloudflare import Cloudflare
from contract_client import Api, error
from emulator import Emulator
from emulator.clock import rfc3339
from emulator.mail import DETECTIONS, Message
from msgspec import ValidationError


@pytest.fixture
def path(emulator: Emulator) -> str:
    return f"/accounts/{emulator.account_id}/email-security/submissions"


def detected(emulator: Emulator) -> Message:
    return next(message for message in emulator.messages() if message.disposition == "SPAM")


def clean(emulator: Emulator) -> Message:
    return next(message for message in emulator.messages() if message.disposition == "NONE")


def reclassification(*messages: Message, disposition: str = "NONE", **more: Any) -> dict[str, Any]:
    orders = [{"alert_id": message.alert_id, "expected_disposition": disposition, **more} for message in messages]
    return {"type": "reclassification", "messages": orders}


def missed(message: Message, **changes: Any) -> dict[str, Any]:
    order = {
        "postfix_id": message.postfix_id,
        "message_id": message.message_id,
        "recipient_emails": list(message.recipients),
        "expected_disposition": "SPAM",
        **changes,
    }
    return {"type": "missed_detection", "messages": [order]}


def submit(api: Api, path: str, body: Any) -> httpx.Response:
    return api.request("POST", path, json=body)


def test_both_bodies_are_taken_and_on_record(api: Api, emulator: Emulator, path: str) -> None:
    caught, passed = detected(emulator), clean(emulator)
    answer = submit(api, path, reclassification(caught))
    assert answer.status_code == 202
    assert answer.json()["result"]["results"] == [{"id": caught.alert_id, "accepted": True, "error": None}]
    assert submit(api, path, missed(passed)).json()["result"]["results"][0]["id"] == passed.postfix_id
    emulator.configure(submission_answer_id="submission")
    [entry] = submit(api, path, reclassification(caught)).json()["result"]["results"]
    assert entry["id"] == emulator.submissions[-1].id
    listed = api.get(path, type="TEAM").json()["result"]
    assert {(view["original_postfix_id"], view["requested_disposition"]) for view in listed} == {
        (caught.postfix_id, "NONE"),
        (passed.postfix_id, "SPAM"),
    }
    [action] = api.get(f"{passed.id}/action_log").json()["result"]
    assert action["operation"] == "SUBMISSION"
    assert action["properties"]["submission_type"] == "missed_detection"
    assert action["properties"]["submission_id"] in {view["submission_id"] for view in listed}


def test_messages_that_are_not_taken(api: Api, emulator: Emulator, path: str) -> None:
    caught, passed = detected(emulator), clean(emulator)
    emulator.destine(caught.id, {"refused": "not eligible"}, {})
    bodies = (
        reclassification(caught),
        reclassification(passed),
        missed(caught),
        missed(passed, message_id="<other@x.example>"),
        missed(passed, recipient_emails=["other@x.example"]),
    )
    results = [submit(api, path, body).json()["result"]["results"][0] for body in bodies]
    assert {entry["accepted"] for entry in results} == {False}
    assert results[0]["error"] == "not eligible"
    assert [known.type for known in emulator.submissions if known.account == emulator.account_id] == ["User"]
    assert submit(api, path, reclassification(caught)).json()["result"]["results"][0]["accepted"]
    emulator.configure(unknown_submission="omitted")
    assert submit(api, path, reclassification(passed)).json()["result"] == {"results": []}
    emulator.configure(unknown_submission="refuse_400")
    assert submit(api, path, reclassification(passed)).status_code == 400


def test_a_repeated_submission_is_one_more(api: Api, emulator: Emulator, path: str) -> None:
    caught = detected(emulator)
    submit(api, path, reclassification(caught, caught))
    assert [known.message for known in emulator.submissions].count(caught) == 2
    emulator.configure(repeated_submission="refused")
    [entry] = submit(api, path, reclassification(caught)).json()["result"]["results"]
    assert entry["error"] == "already submitted"


def test_malformed_bodies(api: Api, emulator: Emulator, path: str) -> None:
    caught = detected(emulator)
    wrong: list[Any] = [
        {},
        [],
        {"type": "reclassification"},
        {"type": "reclassification", "messages": []},
        {"type": "other", "messages": []},
        reclassification(caught, disposition="MALICIOUS-BEC"),
        missed(clean(emulator), recipient_emails=[]),
    ]
    assert {error(submit(api, path, body)) for body in wrong} == {(400, 1001)}
    emulator.configure(submission_max=1)
    assert submit(api, path, reclassification(caught, caught)).status_code == 400
    assert len(emulator.submissions) == len(emulator.accounts)


def test_an_outcome_comes_later_and_changes_the_verdict(api: Api, emulator: Emulator, path: str) -> None:
    caught = detected(emulator)
    emulator.destine(caught.id, {"disposition": "BULK", "after": 60})
    submit(api, path, reclassification(caught))
    query = {"query": caught.postfix_id}
    [before] = api.get(path, **query).json()["result"]
    assert (before["customer_status"], before["outcome_disposition"]) == ("unreviewed", None)
    assert api.get(path, outcome_disposition="BULK").json()["result"] == []
    emulator.clock.advance(61)
    [after] = api.get(path, **query, status="reviewed").json()["result"]
    assert (after["outcome"], after["outcome_disposition"]) == ("declined", "BULK")
    assert api.get(caught.id).json()["result"]["final_disposition"] == "BULK"


def test_a_verdict_changes_later(api: Api, emulator: Emulator) -> None:
    caught = detected(emulator)
    emulator.judge(caught.id, "MALICIOUS", after=60)
    assert api.get(caught.id).json()["result"]["final_disposition"] == "SPAM"
    emulator.clock.advance(61)
    assert api.get(caught.id).json()["result"]["final_disposition"] == "MALICIOUS"


def test_a_submission_is_seen_later(api: Api, emulator: Emulator, path: str) -> None:
    emulator.configure(state_lag=30)
    caught = detected(emulator)
    submit(api, path, reclassification(caught))
    assert api.get(path, type="TEAM").json()["result"] == []
    emulator.clock.advance(31)
    assert len(api.get(path, type="TEAM").json()["result"]) == 1


def test_filters_order_and_pages(api: Api, emulator: Emulator, path: str) -> None:
    held = [message for message in emulator.quarantined() if message.disposition in DETECTIONS][:5]
    for message in held:
        submit(api, path, reclassification(message))
        emulator.clock.advance(1)
    whole = [view["submission_id"] for view in api.get(path).json()["result"]]
    pages = [api.get(path, page=page, per_page=2).json() for page in (1, 2, 3, 4)]
    assert [view["submission_id"] for page in pages for view in page["result"]] == whole
    assert pages[0]["result_info"]["total_count"] == len(whole) == 6
    assert [view["submission_id"] for view in api.get(path, direction="asc").json()["result"]] == whole[::-1]
    subjects = [view["subject"] for view in api.get(path, order="subject", direction="asc").json()["result"]]
    assert subjects == sorted(subjects)
    assert [view["submission_id"] for view in api.get(path, submission_id=whole[2]).json()["result"]] == [whole[2]]
    assert len(api.get(path, type="USER").json()["result"]) == 1
    assert api.get(path, end=rfc3339(emulator.clock.now() - 86400 * 20)).json()["result"] == []
    for wrong in ({"start": "soon"}, {"type": "Team"}, {"order": "colour"}, {"requested_disposition": "HAM"}):
        assert api.get(path, **wrong).status_code == 400


def test_a_users_submission_is_taken_up(api: Api, emulator: Emulator, path: str) -> None:
    [reported] = api.get(path, type="USER").json()["result"]
    message = emulator.submissions[0].message
    submit(api, path, reclassification(message, escalated_submission_id=reported["submission_id"]))
    [reported] = api.get(path, status="escalated").json()["result"]
    assert (reported["type"], reported["escalated_as"]) == ("User", "NONE")
    [team] = api.get(path, escalated_from_user="true").json()["result"]
    assert team["escalated_submission_id"] == reported["submission_id"]


def test_the_deprecated_call(api: Api, emulator: Emulator, path: str) -> None:
    caught, passed = detected(emulator), clean(emulator)
    emulator.configure(post_submissions=False)
    assert error(submit(api, path, reclassification(caught))) == (404, 7003)
    answer = api.request("POST", f"{caught.id}/reclassify", json={"expected_disposition": "NONE"})
    assert (answer.status_code, answer.json()["result"]) == (202, {})
    assert emulator.submissions[-1].message is caught
    assert api.request("POST", f"{passed.id}/reclassify", json={"expected_disposition": "SPAM"}).status_code == 400
    emulator.destine(caught.id, {"refused": "not eligible"})
    refused = api.request("POST", f"{caught.id}/reclassify", json={"expected_disposition": "NONE"})
    assert refused.json()["errors"][0]["message"] == "not eligible"


def test_faults_before_and_after_the_work(api: Api, emulator: Emulator, path: str) -> None:
    caught = detected(emulator)
    for when, done in (("before", 0), ("after", 1)):
        emulator.faults.add("status", route="submit", message_id=caught.alert_id, status=504, body="html", when=when)
        assert api.request("POST", path, json=reclassification(caught), check=False).status_code == 504
        assert [known.message for known in emulator.submissions].count(caught) == done


@pytest.mark.parametrize(("kind", "left"), [("half", [0]), ("reversed", [1, 0])])
def test_damaged_answers(api: Api, emulator: Emulator, path: str, kind: str, left: list[int]) -> None:
    held = [message for message in emulator.quarantined() if message.disposition == "SPAM"][:2]
    emulator.faults.add("mangle", route="submit", kind=kind)
    results = submit(api, path, reclassification(*held)).json()["result"]["results"]
    assert [entry["id"] for entry in results] == [held[index].alert_id for index in left]


def test_a_read_only_token_reads(emulator: Emulator, path: str) -> None:
    api = Api(emulator, "read_only")
    assert api.get(path).status_code == 200
    assert submit(api, path, reclassification(detected(emulator))).status_code == 403


def test_wrong_fates(emulator: Emulator) -> None:
    with pytest.raises(ValidationError):
        emulator.destine(detected(emulator).id, {"colour": "red"})


def test_the_sdk_lists_and_reclassifies(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    sdk, caught = Cloudflare(max_retries=0).email_security, detected(emulator)
    with pytest.deprecated_call():
        sdk.investigate.reclassify.create(caught.id, account_id=emulator.account_id, expected_disposition="NONE")
    found = list(sdk.submissions.list(account_id=emulator.account_id, per_page=1))
    assert [entry.submission_id for entry in found] == [
        known.id for known in (emulator.submissions[-1], emulator.submissions[0])
    ]
