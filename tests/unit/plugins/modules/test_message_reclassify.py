# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""message_reclassify from the arguments to the printed result, against scripted HTTP and a server with a record."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import requests
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.journal import Journal
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    TOKEN,
    envelope,
    investigate_id,
    message_id,
    page,
    path,
    postfix_id,
    recipient,
    refusal,
    released_row,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.submissions import Submissions, accepted, answers

STATUSES = (
    "submitted", "already_submitted", "agreed", "refused",
    "not_found", "ambiguous", "unknown", "not_attempted", "would_submit",
)  # fmt: skip
LOST = requests.exceptions.ReadTimeout("read timed out")


def alert_id(number: int) -> str:
    """Return the alert id of message C(number)."""
    return investigate_id(number).rpartition("-")[0]


def caught(number: int, **fields: t.Any) -> dict[str, t.Any]:
    """Return message C(number), which has a detection."""
    return released_row(number, **{"alert_id": alert_id(number), **fields})


def reclassify(run: Runner, *numbers: int, **options: t.Any) -> t.Any:
    """Reclassify these messages."""
    options.setdefault("messages", [investigate_id(number) for number in numbers])
    return run("message_reclassify", **options)


@pytest.fixture
def server(script: Script, clock: FakeClock) -> Submissions:
    """A server with eight messages."""
    script.server = Submissions(8, clock)
    return script.server


def test_a_false_positive_is_read_looked_up_and_submitted_once(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(caught(1)))
    script.get(
        "submissions",
        envelope([]),
        query={
            "requested_disposition": "NONE",
            "start": "2026-11-19T10:00:00Z",
            "order": "requested_at",
            "direction": "desc",
            "page": "1",
            "per_page": "1000",
        },
    )
    order = {"alert_id": alert_id(1), "expected_disposition": "NONE"}
    script.post(
        "submissions",
        {"type": "reclassification", "messages": [order]},
        envelope({"results": [{"id": alert_id(1), "accepted": True, "error": None}]}),
        202,
    )
    done = reclassify(run, 1, diff=True, ticket="t")
    assert not done.failed
    assert done.result["messages"] == [
        {
            "handle": investigate_id(1),
            "id": investigate_id(1),
            "postfix_id": postfix_id(1),
            "status": "submitted",
            "submission_id": None,
            "detail": "Accepted by Cloudflare as none.",
            "changed": True,
        }
    ]
    assert done.result["summary"] == {**dict.fromkeys(STATUSES, 0), "submitted": 1, "total": 1}
    assert (done.result["account_id"], done.result["ticket"], done.result["api_calls"]) == (ACCOUNT, "t", 3)
    assert done.result["expected_disposition"] == "none"
    assert done.result["diff"] == {
        "before": {investigate_id(1): "verdict spam"},
        "after": {investigate_id(1): "submitted as none"},
    }
    assert TOKEN not in done.printed


def test_mail_without_a_detection_goes_as_a_missed_detection(run: Runner, server: Submissions) -> None:
    server.clean(1)
    assert reclassify(run, 1, 2, expected_disposition="malicious").statuses == ["submitted", "submitted"]
    assert sorted(server.calls, key=lambda call: str(call[1]["type"])) == [
        (
            "submissions",
            {
                "type": "missed_detection",
                "messages": [
                    {
                        "postfix_id": postfix_id(1),
                        "message_id": message_id(1),
                        "recipient_emails": [recipient(1)],
                        "expected_disposition": "MALICIOUS",
                    }
                ],
            },
        ),
        (
            "submissions",
            {
                "type": "reclassification",
                "messages": [{"alert_id": alert_id(2), "expected_disposition": "MALICIOUS"}],
            },
        ),
    ]


@pytest.mark.parametrize("disposition", ["EXTERNAL", "UNKNOWN", None])
def test_mail_with_an_alert_goes_by_its_alert_id_whatever_its_verdict(
    run: Runner, server: Submissions, disposition: str | None
) -> None:
    server.rows[1]["final_disposition"] = disposition
    reclassify(run, 1)
    assert [body["type"] for _path, body in server.calls] == ["reclassification"]


def test_what_is_in_quarantine_can_be_submitted(run: Runner, script: Script, server: Submissions) -> None:
    server.rows[1].update(is_quarantined=True, delivery_status=["quarantined"])
    assert reclassify(run, 1).statuses == ["submitted"]


def test_check_mode_reads_everything_and_submits_nothing(run: Runner, script: Script, server: Submissions) -> None:
    server.submit([2], "NONE")
    server.clean(3)
    done = reclassify(run, 1, 2, 3, check=True, diff=True)
    assert done.statuses == ["would_submit", "already_submitted", "agreed"]
    assert (done.result["changed"], done.failed, server.calls) == (True, False, [])
    assert done.result["diff"]["after"] == {investigate_id(1): "submitted as none"}


@pytest.mark.parametrize(
    ("disposition", "wanted", "agreed"),
    [
        ("SPAM", "spam", True),
        ("MALICIOUS", "malicious", True),
        ("MALICIOUS-BEC", "malicious", True),
        ("SPAM", "none", False),
        ("NONE", "spam", False),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_verdict_that_is_right_already_needs_nothing(
    run: Runner, server: Submissions, disposition: str, wanted: str, agreed: bool, check: bool
) -> None:
    server.rows[1]["final_disposition"] = disposition
    done = reclassify(run, 1, expected_disposition=wanted, check=check)
    status = "agreed" if agreed else "would_submit" if check else "submitted"
    assert (done.statuses, done.result["changed"], done.failed) == ([status], not agreed, False)


def test_mail_without_a_verdict_is_none_only_without_an_alert(run: Runner, server: Submissions) -> None:
    server.clean(1, None)
    server.rows[2]["final_disposition"] = None
    assert reclassify(run, 1, 2).statuses == ["agreed", "submitted"]


@pytest.mark.parametrize("has_record", [True, False])
def test_a_submission_that_asks_for_the_same_is_on_record(run: Runner, server: Submissions, has_record: bool) -> None:
    server.has_record = has_record
    server.submit([1], "NONE")
    server.submit([2], "BULK")
    done = reclassify(run, 1, 2, 3)
    assert done.statuses == ["already_submitted", "submitted", "submitted"]
    assert done.result["messages"][0]["submission_id"] == "sub-1"
    assert server.times == {1: 1, 2: 2, 3: 1}


def test_the_action_log_has_what_the_list_has_not_any_more(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1, quarantined=False, operations=("SUBMISSION",), alert_id=alert_id(1))))
    script.get("submissions", envelope([]))
    properties = {"requested_disposition": "NONE", "submission_id": "sub-old"}
    script.get(f"{path(1)}/action_log", envelope([{"operation": "SUBMISSION", "properties": properties}]))
    done = reclassify(run, 1)
    assert (done.statuses, done.result["messages"][0]["submission_id"]) == (["already_submitted"], "sub-old")


def test_a_list_on_several_pages_is_read_to_its_end(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(caught(1)))
    other = {"submission_id": "sub-9", "requested_disposition": "NONE", "original_postfix_id": postfix_id(9)}
    mine = {"submission_id": "sub-1", "requested_disposition": "NONE", "original_postfix_id": postfix_id(1)}
    script.get("submissions", envelope([other], result_info={"page": 1, "total_pages": 2}))
    script.get("submissions", envelope([mine], result_info={"page": 2, "total_pages": 2}))
    assert reclassify(run, 1).statuses == ["already_submitted"]


def test_a_server_that_ignores_the_filter_is_not_believed(run: Runner, server: Submissions) -> None:
    server.filters = False
    server.submit([1], "BULK")
    assert reclassify(run, 1).statuses == ["submitted"]


def test_a_submission_of_no_message_is_not_taken_for_one_of_a_message_without_a_postfix_id(
    run: Runner, script: Script
) -> None:
    script.get(
        "investigate/opaque-2026-11-20T10%3A00%3A00-7",
        envelope(caught(1, id="opaque-2026-11-20T10:00:00-7", postfix_id=None)),
    )
    script.get("submissions", envelope([{"submission_id": "sub-1", "requested_disposition": "NONE"}]))
    assert reclassify(run, messages=["opaque-2026-11-20T10:00:00-7"], check=True).statuses == ["would_submit"]


@pytest.mark.parametrize("info", [{"total_pages": 3}, {"total_count": 7}])
def test_nothing_is_submitted_if_the_record_has_no_end(run: Runner, script: Script, info: dict[str, int]) -> None:
    script.get(path(1), envelope(caught(1)))
    for _page in range(2):
        script.get("submissions", envelope([{"submission_id": "sub-1"}], result_info=info))
    assert reclassify(run, 1).statuses == ["not_attempted"]


def test_nothing_is_submitted_if_the_record_cannot_be_read(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(caught(1)))
    script.get("submissions", "<html>bad gateway</html>", 502)
    done = reclassify(run, 1, retries=0)
    assert (done.statuses, done.failed) == (["not_attempted"], True)


def test_up_to_100_messages_go_in_one_call(run: Runner, script: Script, clock: FakeClock) -> None:
    script.server = server = Submissions(150, clock)
    done = reclassify(run, *range(1, 151))
    assert set(done.statuses) == {"submitted"}
    assert [len(body["messages"]) for _path, body in server.calls] == [100, 50]
    assert done.result["api_calls"] == 4


def test_unknown_and_ambiguous_messages_and_an_empty_list(run: Runner, script: Script) -> None:
    script.get(path(1), refusal(1002, "message not found"), 404)
    assert reclassify(run, 1).statuses == ["not_found"]
    script.get("investigate", page([caught(1), caught(2, message_id=message_id(1))]))
    assert reclassify(run, messages=[message_id(1)]).statuses == ["ambiguous"]
    done = reclassify(run)
    assert (done.failed, done.result["msg"]) == (False, "Nothing to reclassify: the list of messages is empty.")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"expected_disposition": "ham"}, "value of expected_disposition must be one of"),
        ({"settle_time": 2}, "settle_time must be from 3 to 3600"),
        ({"messages": None}, "one of the following is required: messages, messages_file"),
        ({"fail_on": ["moved"]}, "fail_on"),
    ],
)
def test_bad_input_ends_before_any_request(run: Runner, options: dict[str, t.Any], words: str) -> None:
    done = reclassify(run, 1, **options)
    assert done.failed
    assert words in done.result["msg"]


# --- what the answer says ----------------------------------------------------------------------------------------------


def said(name: str, accepted: object = True, error: str | None = None) -> dict[str, t.Any]:
    """Return one entry of an answer."""
    return {"id": name, "accepted": accepted, "error": error}


def test_each_message_has_its_own_answer(run: Runner, server: Submissions) -> None:
    results = [said(postfix_id(3), False, "not supported"), said(alert_id(1)), said(investigate_id(2))]
    server.acts.append(lambda *_given: accepted(*results))
    done = reclassify(run, 1, 2, 3)
    assert done.statuses == ["submitted", "submitted", "refused"]
    assert "not supported" in done.result["messages"][2]["detail"]
    assert (done.failed, done.result["changed"]) == (True, True)


def test_one_answer_for_one_message_may_have_another_id(run: Runner, server: Submissions) -> None:
    server.acts.append(lambda *_given: accepted(said("sub-77")))
    done = reclassify(run, 1)
    assert (done.statuses, done.result["messages"][0]["submission_id"]) == (["submitted"], None)


UNCLEAR = {
    "other ids": Reply(envelope({"results": [said("sub-1"), said("sub-2")]}), 202),
    "too few": Reply(envelope({"results": []}), 202),
    "both": Reply(envelope({"results": [said(alert_id(n), ok) for n in (1, 2) for ok in (True, False)]}), 202),
    "wrong types": Reply(envelope({"results": [said(alert_id(1), "yes"), said(alert_id(2), "yes")]}), 202),
    "no object": Reply(envelope("ok"), 202),
    "null": Reply(envelope(None), 202),
    "html": Reply("<html>", 202),
    "lost": Reply(LOST),
    "gateway": Reply("<html>", 504),
    "failure with 200": Reply(refusal(1001, "not now"), 200),
    "nothing": Reply(b"", 204),
}


@pytest.mark.parametrize("answer", UNCLEAR.values(), ids=UNCLEAR)
@pytest.mark.parametrize("has_record", [True, False])
@pytest.mark.parametrize("done", [True, False])
def test_an_unclear_answer_is_settled_by_the_record_and_never_sent_again(
    run: Runner, server: Submissions, clock: FakeClock, answer: Reply, has_record: bool, done: bool
) -> None:
    server.acts.append(answers(answer.content, answer.status, done=done))
    server.lag, server.has_record = 2, has_record
    ended = reclassify(run, 1, 2)
    assert ended.statuses == ["submitted" if done else "unknown"] * 2
    assert [found["submission_id"] for found in ended.result["messages"]] == (
        ["sub-1", "sub-2"] if done else [None] * 2
    )
    assert (len(server.calls), ended.failed, ended.result["changed"]) == (1, not done, done)
    assert clock.slept >= 3


def test_a_record_that_is_later_than_settle_time_leaves_it_unknown(run: Runner, server: Submissions) -> None:
    server.acts.append(answers(LOST, done=True))
    server.lag = 60
    assert reclassify(run, 1).statuses == ["unknown"]
    assert server.times == {1: 1}


def test_a_refusal_is_not_believed_if_a_signal_cuts_the_look_short(
    run: Runner, server: Submissions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(reviewers: Submissions, numbers: list[int], disposition: str) -> Reply:
        clock.stop()
        reviewers.submit(numbers, disposition)
        return Reply(refusal(1002, "no"), 400)

    monkeypatch.setattr(clock, "sleep", lambda _seconds: None)  # as after a signal
    server.acts.append(interrupted)
    server.lag = 1
    assert reclassify(run, 1).statuses == ["unknown"]


def test_a_refused_call_is_refused_and_not_sent_in_parts(run: Runner, server: Submissions) -> None:
    server.acts.append(answers(refusal(1001, "alert not found"), 400))
    done = reclassify(run, 1, 2)
    assert done.statuses == ["refused", "refused"]
    assert "alert not found" in done.result["messages"][0]["detail"]
    assert len(server.calls) == 1


def test_a_refusal_after_the_work_is_not_believed(run: Runner, server: Submissions) -> None:
    server.acts.append(answers(refusal(1001, "no"), 400, done=True))
    assert reclassify(run, 1, 2).statuses == ["submitted", "submitted"]


@pytest.mark.parametrize(("status", "code"), [(401, 1000), (403, 10000)])
def test_a_refused_credential_ends_the_run(run: Runner, server: Submissions, status: int, code: int) -> None:
    server.acts.append(answers(refusal(code, "Authentication error"), status))
    done = reclassify(run, 1, 2)
    assert done.statuses == ["not_attempted", "not_attempted"]
    assert "Cloud Email Security: Write" in done.result["msg"]


def test_the_rate_limit_is_waited_for_and_not_longer_than_max_wait(run: Runner, server: Submissions) -> None:
    server.acts.append(answers(refusal(971, "slow down"), 429, retry_after=30))
    assert reclassify(run, 1).statuses == ["submitted"]
    server.acts.append(answers(refusal(971, "slow down"), 429, retry_after=300))
    assert reclassify(run, 2, max_wait=10).statuses == ["not_attempted"]
    assert server.times == {1: 1}


# --- older servers -----------------------------------------------------------------------------------------------------


def test_a_server_without_submissions_gets_the_deprecated_call(run: Runner, server: Submissions) -> None:
    server.has_call = False
    assert reclassify(run, 1, 2).statuses == ["submitted", "submitted"]
    assert server.calls[1:] == [(f"{path(number)}/reclassify", {"expected_disposition": "NONE"}) for number in (1, 2)]
    assert server.times == {1: 1, 2: 1}


def test_the_deprecated_call_can_be_refused_or_lost(run: Runner, server: Submissions) -> None:
    server.has_call = server.has_record = False
    server.acts.extend([answers(refusal(1001, "cannot be reclassified"), 400), answers(LOST, done=True), answers(LOST)])
    assert reclassify(run, 1, 2, 3, 4).statuses == ["refused", "submitted", "unknown", "submitted"]
    assert server.times == {2: 1, 4: 1}


def test_a_detection_without_an_alert_id_gets_the_deprecated_call(run: Runner, server: Submissions) -> None:
    server.rows[1]["alert_id"] = None
    assert reclassify(run, 1).statuses == ["submitted"]
    assert server.calls == [(f"{path(1)}/reclassify", {"expected_disposition": "NONE"})]


# --- the journal -------------------------------------------------------------------------------------------------------


def test_the_journal_has_the_intent_and_the_outcome(run: Runner, server: Submissions, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    reclassify(run, 1, journal=str(journal), reason="r")
    intent, outcome = (json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines())
    assert (intent["event"], intent["ids"], intent["expected_disposition"], intent["reason"]) == (
        "reclassify_intent",
        [investigate_id(1)],
        "none",
        "r",
    )
    assert (outcome["event"], outcome["messages"][0]["status"]) == ("reclassify_outcome", "submitted")


@pytest.mark.parametrize("lag", [6, 3600])
def test_a_second_run_at_once_submits_nothing_though_the_record_lags(
    run: Runner, server: Submissions, tmp_path: Path, lag: int
) -> None:
    server.lag = lag
    journal = str(tmp_path / "journal.jsonl")
    assert reclassify(run, 1, journal=journal).statuses == ["submitted"]
    assert reclassify(run, 1, journal=journal).statuses == ["already_submitted"]
    assert reclassify(run, 1, journal=journal, expected_disposition="bulk").statuses == ["submitted"]
    assert server.times == {1: 2}


@pytest.mark.parametrize("done", [True, False])
def test_a_run_that_was_killed_is_completed(
    run: Runner, server: Submissions, clock: FakeClock, tmp_path: Path, done: bool
) -> None:
    journal = tmp_path / "journal.jsonl"
    killed = Journal(str(journal), {"run": "r1", "account_id": ACCOUNT, "expected_disposition": "none"}, now=clock.time)
    killed.write("reclassify_intent", ids=[investigate_id(1)])
    killed.close()
    server.lag = 5
    if done:
        server.submit([1], "NONE")
    assert reclassify(run, 1, journal=str(journal)).statuses == ["already_submitted" if done else "submitted"]
    assert server.times == {1: 1}


def test_a_signal_lets_the_open_request_end_and_nothing_more(
    run: Runner, server: Submissions, clock: FakeClock
) -> None:
    server.has_call = False

    def interrupted(reviewers: Submissions, numbers: list[int], disposition: str) -> Reply:
        clock.stop()
        reviewers.submit(numbers, disposition)
        return Reply(envelope({}), 202)

    server.acts.append(interrupted)
    assert reclassify(run, 1, 2).statuses == ["submitted", "not_attempted"]
