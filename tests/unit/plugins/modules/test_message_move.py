# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""message_move from the arguments to the printed result, against scripted HTTP."""

from __future__ import annotations

import json
import os
import pwd
import typing as t
from pathlib import Path

import pytest
import requests
import urllib3
from ansible_collections.emailsec.cloudflare.plugins.module_utils._followup import move_answer
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.journal import Journal
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    NOW,
    RAY,
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
from ansible_collections.emailsec.cloudflare.tests.unit.support.mailboxes import LOST, Mailboxes, answers

STATUSES = (
    "moved", "partial", "failed", "already_moved", "quarantined",
    "not_found", "ambiguous", "unknown", "not_attempted", "would_move",
)  # fmt: skip
FOLDERS = {
    "inbox": "Inbox",
    "junk_email": "JunkEmail",
    "deleted_items": "DeletedItems",
    "recoverable_items_deletions": "RecoverableItemsDeletions",
    "recoverable_items_purges": "RecoverableItemsPurges",
}
BAD_GATEWAY: dict[str, t.Any] = {"content": "<html>bad gateway</html>", "status": 502}
A, B, C = "a@corp.example", "b@corp.example", "c@corp.example"


@pytest.fixture
def mailboxes(script: Script, clock: FakeClock) -> Mailboxes:
    """A server with eight released messages."""
    script.server = Mailboxes(8, clock)
    return script.server


def move(run: Runner, *numbers: int, **options: t.Any) -> t.Any:
    """Move these messages to the junk folder."""
    options.setdefault("messages", [investigate_id(number) for number in numbers])
    return run("message_move", **{"destination": "junk_email", **options})


def ids(*numbers: int) -> dict[str, t.Any]:
    """Return the body that moves these messages to the junk folder."""
    return {"destination": "JunkEmail", "ids": [investigate_id(number) for number in numbers]}


def delivered(number: int, *recipients: str, **fields: t.Any) -> dict[str, t.Any]:
    """Return message C(number) after its release, to these recipients."""
    return released_row(number, **({"to": [], "client_recipients": list(recipients)} if recipients else {}), **fields)


def told(number: int, to: str | None = None, success: object = True, **fields: t.Any) -> dict[str, t.Any]:
    """Return what a move answer says of one mailbox."""
    return {
        "success": success,
        "status": "OK" if success else "NOT_FOUND",
        "recipient": to or recipient(number),
        "destination": "JunkEmail",
        "message_id": message_id(number),
        "operation": "MOVE",
        "completed_at": "2026-11-22T12:00:00Z",
        **fields,
    }


def action(folder: str | None = "JunkEmail", success: object = True, at: str = "12:00:00", **fields: t.Any) -> t.Any:
    """Return an entry of an action log."""
    return {
        "operation": "MOVE",
        "completed_at": f"2026-11-22T{at}Z",
        "success": success,
        "properties": {"folder": folder},
        **fields,
    }


def log(number: int) -> str:
    """Return the path of the action log of message C(number)."""
    return f"{path(number)}/action_log"


def bulk(script: Script, body: object, content: object, status: int = 200, **more: t.Any) -> None:
    """Expect a move."""
    script.post("investigate/move", body, content, status, **more)


# --- plain runs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("destination", FOLDERS)
def test_a_delivered_message_is_read_once_and_moved_once(run: Runner, script: Script, destination: str) -> None:
    folder = FOLDERS[destination]
    script.get(path(1), envelope(released_row(1)), query={})
    bulk(script, {"destination": folder, "ids": [investigate_id(1)]}, envelope([told(1, destination=folder)]))
    done = move(run, 1, destination=destination, purge=True, diff=True, reason="r", ticket="t", approved_by="carol")
    assert not done.failed
    assert done.result["messages"] == [
        {
            "handle": investigate_id(1),
            "id": investigate_id(1),
            "postfix_id": postfix_id(1),
            "status": "moved",
            "moved": [recipient(1)],
            "failed": [],
            "detail": "Moved in every mailbox of the answer.",
            "changed": True,
        }
    ]
    assert done.result["summary"] == {**dict.fromkeys(STATUSES, 0), "moved": 1, "total": 1}
    told_too = (
        "changed",
        "msg",
        "account_id",
        "api_calls",
        "reason",
        "ticket",
        "approved_by",
        "started_by",
        "destination",
    )
    assert {name: done.result[name] for name in told_too} == {
        "changed": True,
        "msg": "1 message: 1 moved.",
        "account_id": ACCOUNT,
        "api_calls": 2,
        "reason": "r",
        "ticket": "t",
        "approved_by": "carol",
        "started_by": pwd.getpwuid(os.getuid()).pw_name,
        "destination": destination,
    }
    assert done.result["diff"] == {
        "before": {investigate_id(1): "delivered"},
        "after": {investigate_id(1): destination},
    }
    assert TOKEN not in done.printed


def test_check_mode_only_reads_and_foretells(run: Runner, script: Script, tmp_path: Path) -> None:
    script.get(path(1), envelope(released_row(1)))
    done = move(run, 1, check=True, diff=True, journal=str(tmp_path / "journal"))
    assert done.statuses == ["would_move"]
    assert (done.result["changed"], done.failed) == (True, False)
    assert done.result["diff"]["after"] == {investigate_id(1): "junk_email"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("check", [False, True])
def test_what_is_in_quarantine_is_never_moved(run: Runner, script: Script, check: bool) -> None:
    script.get(path(1), envelope(row(1)))
    done = move(run, 1, check=check)
    assert (done.statuses, done.result["changed"], done.failed) == (["quarantined"], False, True)


def test_what_is_in_quarantine_for_some_recipients_is_not_moved(run: Runner, script: Script) -> None:
    script.get(
        path(1), envelope(row(1, delivery_status=["quarantined", "delivered"], operations=("QUARANTINE_RELEASE",)))
    )
    done = move(run, 1)
    assert done.statuses == ["quarantined"]
    assert "others have it" in done.result["messages"][0]["detail"]


def test_what_cannot_be_read_is_not_moved(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1, quarantined=None, delivery_status=None)))
    done = move(run, 1)
    assert (done.statuses, done.failed) == (["not_attempted"], True)


def test_an_unknown_message_is_not_found(run: Runner, script: Script) -> None:
    script.get(path(1), refusal(1002, "message not found"), 404)
    done = move(run, 1)
    assert (done.statuses, done.failed) == (["not_found"], True)


def test_an_ambiguous_message_id_touches_nothing(run: Runner, script: Script) -> None:
    script.get("investigate", page([released_row(1), released_row(2, message_id=message_id(1))]))
    done = move(run, messages=[message_id(1)])
    assert (done.statuses, done.failed) == (["ambiguous"], True)


def test_an_empty_list_is_nothing_to_do(run: Runner) -> None:
    done = move(run)
    assert (done.failed, done.result["changed"], done.result["messages"]) == (False, False, [])
    assert done.result["msg"] == "Nothing to move: the list of messages is empty."
    assert done.result["api_calls"] == 0


def test_two_handles_of_one_message_are_two_rows_and_one_move(run: Runner, script: Script) -> None:
    script.get("investigate", page([released_row(1)]))
    script.get("investigate", page([released_row(1)]))
    bulk(script, ids(1), envelope([told(1)]))
    done = move(run, messages=[message_id(1), postfix_id(1), postfix_id(1)])
    assert done.statuses == ["moved", "moved"]


def test_many_released_messages_cost_one_read_and_one_write(run: Runner, script: Script) -> None:
    numbers = range(1, 51)
    script.get("investigate", page([released_row(number) for number in numbers]))
    bulk(script, ids(*numbers), envelope([told(number) for number in numbers]))
    done = move(run, *numbers)
    assert (set(done.statuses), done.result["api_calls"]) == ({"moved"}, 2)


def test_batches_have_at_most_batch_size_messages(run: Runner, script: Script) -> None:
    script.get("investigate", page([released_row(number) for number in range(1, 6)]))
    for some in ((1, 2), (3, 4), (5,)):
        bulk(script, ids(*some), envelope([told(number) for number in some]))
    assert move(run, *range(1, 6), batch_size=2).statuses == ["moved"] * 5


# --- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"destination": "recoverable_items_purges"}, "Set purge to true"),
        ({"destination": "recoverable_items_purges", "purge": False, "check": True}, "Set purge to true"),
        ({"destination": "Junk"}, "value of destination must be one of"),
        ({"destination": None}, "missing required arguments: destination"),
        ({"batch_size": 0}, "batch_size must be from 1 to 1000"),
        ({"batch_size": 1001}, "batch_size must be from 1 to 1000"),
        ({"settle_time": 1}, "settle_time must be from 3 to 3600"),
        ({"messages": None}, "one of the following is required: messages, messages_file"),
        ({"messages": ["a b"]}, "Unusable message handles"),
        ({"fail_on": ["released"]}, "fail_on"),
    ],
)
def test_bad_input_ends_before_any_request(run: Runner, options: dict[str, t.Any], words: str) -> None:
    done = move(run, 1, **options)
    assert done.failed
    assert words in done.result["msg"]


# --- what was moved before ---------------------------------------------------------------------------------------------

MOVED_BEFORE = row(1, quarantined=False, operations=("QUARANTINE_RELEASE", "MOVE"))


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ([action()], "already_moved"),
        ([action(at="11:00:00"), action("Inbox", at="10:00:00")], "already_moved"),
        ([action("Inbox", at="10:00:00"), action(at="11:00:00")], "already_moved"),
        ([action(at="10:00:00"), action("Inbox", success=False, at="11:00:00")], "already_moved"),
        ([action(success=None, status="OK")], "already_moved"),
        ([action("junk email")], "already_moved"),
        # The newest is elsewhere, or not certain
        ([action(at="10:00:00"), action("Inbox", at="11:00:00")], "moved"),
        ([action(success=False)], "moved"),
        ([action(success=None)], "moved"),
        ([action(None)], "moved"),
        ([action(completed_at=None), action("Inbox", completed_at=None)], "moved"),
        ([action(), action("Inbox")], "moved"),
        # One mailbox of the same move was left out
        ([action(), action(success=False)], "moved"),
        # Another operation
        ([action(operation="QUARANTINE_RELEASE")], "moved"),
    ],
)
def test_the_newest_successful_move_counts(run: Runner, script: Script, entries: list[t.Any], status: str) -> None:
    script.get(path(1), envelope(MOVED_BEFORE))
    script.get(log(1), envelope(entries))
    if status == "moved":
        bulk(script, ids(1), envelope([told(1)]))
    done = move(run, 1)
    assert (done.statuses, done.failed) == ([status], False)
    assert done.result["changed"] is (status == "moved")


def test_the_diff_says_where_a_message_was(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(MOVED_BEFORE))
    script.get(log(1), envelope([action("DeletedItems")]))
    done = move(run, 1, check=True, diff=True, destination="inbox")
    assert done.result["diff"]["before"] == {investigate_id(1): "deleted_items"}


@pytest.mark.parametrize(
    "answer", [BAD_GATEWAY, {"content": refusal(1001, "not now"), "status": 200}, {"content": "{}"}]
)
def test_what_may_have_been_moved_is_not_moved_if_the_log_cannot_be_read(
    run: Runner, script: Script, answer: dict[str, t.Any]
) -> None:
    script.get(path(1), envelope(MOVED_BEFORE))
    script.get(log(1), **answer)
    done = move(run, 1, retries=0)
    assert (done.statuses, done.failed) == (["not_attempted"], True)


def test_a_server_without_action_logs_can_still_move(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(MOVED_BEFORE))
    script.get(log(1), refusal(7003, "Could not route"), 404)
    bulk(script, ids(1), envelope([told(1)]))
    assert move(run, 1).statuses == ["moved"]


# --- what the answer says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("results", "status", "moved", "failed"),
    [
        ([told(1, A), told(1, B)], "moved", [A, B], []),
        ([told(1, A)], "moved", [A], []),  # the other mailbox is not named
        ([told(1, A.upper()), told(1, B)], "moved", [A.upper(), B], []),
        ([told(1, A), told(1, B, False)], "partial", [A], [B]),
        ([told(1, A, False), told(1, A), told(1, B)], "partial", [B], [A]),
        ([told(1, A, False), told(1, B, False)], "failed", [], [A, B]),
        ([told(1, A), told(1, B), told(9, A, False)], "moved", [A, B], []),  # of another message
    ],
)
def test_every_mailbox_of_the_answer_counts(
    run: Runner, script: Script, results: list[t.Any], status: str, moved: list[str], failed: list[str]
) -> None:
    script.get(path(1), envelope(delivered(1, A, B)))
    bulk(script, ids(1), envelope(results))
    done = move(run, 1)
    [found] = done.result["messages"]
    assert (found["status"], found["moved"], found["failed"]) == (status, moved, failed)
    assert found["changed"] is done.result["changed"] is (status != "failed")
    assert done.failed is (status != "moved")
    if failed:
        assert f"{failed[0]} (NOT_FOUND)" in found["detail"]


def test_messages_with_one_message_id_are_told_apart_by_their_mailboxes(run: Runner, script: Script) -> None:
    rows = [delivered(1, A), delivered(2, B, message_id=message_id(1)), *map(delivered, (3, 4, 5))]
    script.get("investigate", page(rows))
    bulk(script, ids(1, 2, 3, 4, 5), envelope([told(1, B, False), told(1, A), *map(told, (3, 4, 5))]))
    assert move(run, 1, 2, 3, 4, 5).statuses == ["moved", "failed", "moved", "moved", "moved"]


UNCLEAR = {
    "no entry": [],
    "no recipient": [told(1, A, recipient=None)],
    "a foreign recipient": [told(1, C)],
    "another message": [told(9, A)],
    "another folder": [told(1, A, destination="Inbox")],
    "no success": [{"message_id": message_id(1), "recipient": A}],
    "success as a word": [told(1, A, "yes")],
    "a string": "ok",
    "null": None,
    "a good and an unclear entry": [told(1, A), told(1, C, False)],
}


@pytest.mark.parametrize("result", UNCLEAR.values(), ids=UNCLEAR)
@pytest.mark.parametrize("done_there", [True, False])
def test_an_unclear_answer_is_settled_by_the_action_log(
    run: Runner, script: Script, clock: FakeClock, result: object, done_there: bool
) -> None:
    script.get(path(1), envelope(delivered(1, A)))
    bulk(script, ids(1), envelope(result))
    script.get(log(1), envelope([action()] if done_there else []))
    if not done_there:
        script.get(log(1), envelope([]))
    done = move(run, 1)
    assert done.statuses == ["moved" if done_there else "unknown"]
    assert done.result["messages"][0]["moved"] == ([A] if done_there else [])
    assert done.failed is not done_there
    assert clock.slept == (4 if done_there else 10)


def test_messages_that_the_answer_cannot_tell_apart_are_settled_by_their_logs(
    run: Runner, script: Script, mailboxes: Mailboxes
) -> None:
    for number in (1, 2):
        mailboxes.rows[number].update(message_id=message_id(7), client_recipients=[A], to=[])

    def one_of_them(server: Mailboxes, folder: str, numbers: list[int]) -> Reply:
        return Reply(envelope([*server.carry_out(folder, [1], False), *server.carry_out(folder, [2])]))

    mailboxes.acts.append(one_of_them)
    assert move(run, 1, 2).statuses == ["failed", "moved"]
    assert len(mailboxes.bodies) == 1


# --- lost answers ------------------------------------------------------------------------------------------------------

DOUBTFUL = {
    "nothing": LOST,
    "html": ("<html>gateway timeout</html>", 504),
    "empty": (b"", 200),
    "accepted": (envelope({}), 202),
    "failure": (refusal(1001, "not done"), 500),
    "failure with 200": (refusal(1001, "not done"), 200),
    "too early": (refusal(1001, "later"), 425),
    "not an envelope": ([], 200),
    "garbled": (envelope("ok"), 200),
    "reset": requests.exceptions.ConnectionError("reset"),
}


@pytest.mark.parametrize("answer", DOUBTFUL.values(), ids=DOUBTFUL)
@pytest.mark.parametrize("done", [True, False])
def test_a_move_without_a_plain_answer_is_settled_and_never_sent_again(
    run: Runner, mailboxes: Mailboxes, clock: FakeClock, answer: t.Any, done: bool
) -> None:
    content, status = answer if isinstance(answer, tuple) else (answer, 200)
    mailboxes.acts.append(answers(content, status, done=done))
    mailboxes.lag = 2
    ended = move(run, 1, 2, 3)
    assert ended.statuses == ["moved" if done else "unknown"] * 3
    assert len(mailboxes.bodies) == 1
    assert clock.slept >= 3
    assert (ended.failed, ended.result["changed"]) == (not done, done)


def test_a_failed_move_behind_a_lost_answer_is_failed(run: Runner, mailboxes: Mailboxes) -> None:
    mailboxes.acts.append(answers(LOST, done=True, success=False))
    done = move(run, 1)
    assert (done.statuses, done.result["messages"][0]["failed"]) == (["failed"], [recipient(1)])


def test_a_log_that_is_later_than_settle_time_leaves_it_unknown(run: Runner, mailboxes: Mailboxes) -> None:
    mailboxes.acts.append(answers(LOST, done=True))
    mailboxes.lag = 60
    assert move(run, 1).statuses == ["unknown"]
    assert mailboxes.moves == {1: 1}
    assert move(run, 2).statuses == ["moved"]


def test_a_move_of_an_earlier_run_is_not_taken_for_this_one(run: Runner, mailboxes: Mailboxes) -> None:
    mailboxes.carry_out("JunkEmail", [1])
    mailboxes.carry_out("Inbox", [1])
    for time, entry in mailboxes.logs[1]:
        entry["completed_at"] = f"2026-11-2{0 if entry['properties']['folder'] == 'JunkEmail' else 1}T00:00:00Z"
        assert time
    mailboxes.acts.append(answers(LOST))
    assert move(run, 1).statuses == ["unknown"]


@pytest.mark.parametrize(
    ("entries", "status", "moved"),
    [
        ([action()], "moved", []),  # one entry for the message
        ([action(), action()], "moved", [A, B]),  # one for each mailbox
        ([action(), action(success=False)], "partial", []),
        ([action(success=False)], "unknown", []),  # perhaps moved in the other one
        ([action(success=False), action(success=False)], "failed", []),
        ([action("Inbox")], "unknown", []),
        ([action(None)], "unknown", []),
        ([action(success=None)], "unknown", []),
    ],
)
def test_the_log_of_several_mailboxes_is_not_read_as_more_than_it_says(
    run: Runner, script: Script, entries: list[t.Any], status: str, moved: list[str]
) -> None:
    script.get(path(1), envelope(delivered(1, A, B)))
    bulk(script, ids(1), envelope([]))
    script.get(log(1), envelope(entries))
    if len([entry for entry in entries if entry["success"] is not None]) < 2:
        script.get(log(1), envelope(entries))
    done = move(run, 1)
    assert (done.statuses, done.result["messages"][0]["moved"]) == ([status], moved)


def test_a_lost_answer_does_not_keep_other_batches_from_being_sent(run: Runner, mailboxes: Mailboxes) -> None:
    mailboxes.acts.append(answers(LOST))
    assert move(run, 1, 2, 3, batch_size=1).statuses == ["unknown", "moved", "moved"]


def test_an_action_log_that_cannot_be_read_back_leaves_it_unknown(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(released_row(1)))
    bulk(script, ids(1), **BAD_GATEWAY)
    for _look in range(2):
        script.get(log(1), **BAD_GATEWAY)
    done = move(run, 1, retries=0)
    assert done.statuses == ["unknown"]
    assert "action log cannot be read" in done.result["messages"][0]["detail"]


# --- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["{missing}: is required", "missing field {missing}", "json: cannot unmarshal object"]
)
def test_an_older_server_takes_postfix_ids(run: Runner, mailboxes: Mailboxes, clock: FakeClock, words: str) -> None:
    mailboxes.forms, mailboxes.form_refusal = {"postfix_ids"}, words
    assert move(run, 1, 2, 3, batch_size=1).statuses == ["moved"] * 3
    assert [list(body) for body in mailboxes.bodies] == [["destination", "ids"], *[["destination", "postfix_ids"]] * 3]
    assert mailboxes.bodies[1]["postfix_ids"] == [postfix_id(1)]
    assert clock.slept == 0


def test_an_older_server_that_does_not_say_why_is_understood_after_a_look(run: Runner, mailboxes: Mailboxes) -> None:
    mailboxes.forms, mailboxes.form_refusal = {"postfix_ids"}, "Bad Request"
    assert move(run, 1, 2, 3).statuses == ["moved"] * 3
    assert len(mailboxes.bodies) == 2


@pytest.mark.parametrize("form", ["ids", "postfix_ids"])
@pytest.mark.parametrize("words", ["Bad Request", "{missing}: is required"])
def test_one_refused_message_does_not_keep_the_others(run: Runner, mailboxes: Mailboxes, form: str, words: str) -> None:
    mailboxes.forms, mailboxes.form_refusal, mailboxes.refused = {form}, words, {3}
    done = move(run, *range(1, 9))
    assert done.statuses == ["moved"] * 2 + ["failed"] + ["moved"] * 5
    assert "message cannot be moved" in done.result["messages"][2]["detail"]
    assert set(mailboxes.moves.values()) == {1}


def test_a_refusal_after_the_work_is_not_believed(run: Runner, mailboxes: Mailboxes) -> None:
    mailboxes.acts.append(answers(refusal(1002, "no"), 400, done=True))
    assert move(run, 1, 2).statuses == ["moved", "moved"]
    assert len(mailboxes.bodies) == 1


def test_an_api_that_refuses_everything_is_not_asked_on(run: Runner, mailboxes: Mailboxes) -> None:
    mailboxes.refused = set(range(1, 9))
    done = move(run, *range(1, 9), batch_size=1)
    assert done.statuses == ["failed"] * 3 + ["not_attempted"] * 5
    assert done.result["status"] == 400


@pytest.mark.parametrize(("status", "code"), [(401, 1000), (403, 10000), (403, 9109)])
def test_a_refused_credential_ends_the_run(run: Runner, mailboxes: Mailboxes, status: int, code: int) -> None:
    mailboxes.acts.extend([answers(LOST, done=True), answers(refusal(code, "Authentication error"), status)])
    done = move(run, 1, 2, 3, batch_size=1)
    assert done.statuses == ["moved", "not_attempted", "not_attempted"]
    assert "Cloud Email Security: Write" in done.result["msg"]
    assert (done.result["status"], done.result["cf_ray"], done.result["changed"]) == (status, RAY, True)


def test_the_rate_limit_is_waited_for(run: Runner, mailboxes: Mailboxes, clock: FakeClock) -> None:
    mailboxes.acts.append(answers(refusal(971, "slow down"), 429, retry_after=30))
    assert move(run, 1).statuses == ["moved"]
    assert clock.slept >= 30


def test_what_max_wait_kept_from_being_accepted_is_not_attempted(run: Runner, mailboxes: Mailboxes) -> None:
    mailboxes.acts.append(answers(refusal(971, "slow down"), 429, retry_after=300))
    done = move(run, 1, max_wait=10)
    assert (done.statuses, done.result["status"]) == (["not_attempted"], 429)


def test_a_server_that_cannot_be_reached_moves_nothing(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(released_row(1)))
    refused = urllib3.exceptions.NewConnectionError(t.cast(t.Any, None), "refused")
    bulk(
        script,
        ids(1),
        requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(t.cast(t.Any, None), "/", refused)),
    )
    assert move(run, 1, retries=0).statuses == ["not_attempted"]


def test_a_signal_lets_the_open_request_end_and_nothing_more(
    run: Runner, mailboxes: Mailboxes, clock: FakeClock
) -> None:
    def interrupted(server: Mailboxes, folder: str, numbers: list[int]) -> Reply:
        clock.stop()
        return Reply(envelope(server.carry_out(folder, numbers)))

    mailboxes.acts.append(interrupted)
    done = move(run, 1, 2, batch_size=1)
    assert done.statuses == ["moved", "not_attempted"]
    assert done.failed


def test_a_refusal_is_not_believed_if_a_signal_cuts_the_look_short(
    run: Runner, mailboxes: Mailboxes, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(server: Mailboxes, folder: str, numbers: list[int]) -> Reply:
        clock.stop()
        server.carry_out(folder, numbers)
        return Reply(refusal(1002, "no"), 400)

    monkeypatch.setattr(clock, "sleep", lambda _seconds: None)  # as after a signal
    mailboxes.acts.append(interrupted)
    mailboxes.lag = 1
    assert move(run, 1, 2).statuses == ["unknown", "unknown"]


# --- the journal -------------------------------------------------------------------------------------------------------


def lines(journal: Path) -> list[dict[str, t.Any]]:
    """Return the lines of a journal."""
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]


def test_the_journal_has_the_intent_before_and_the_outcome_after(
    run: Runner, mailboxes: Mailboxes, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"

    def look(server: Mailboxes, folder: str, numbers: list[int]) -> Reply:
        [intent] = lines(journal)
        assert (intent["event"], intent["ids"], intent["destination"]) == (
            "move_intent",
            [investigate_id(1)],
            "junk_email",
        )
        return Reply(envelope(server.carry_out(folder, numbers)))

    mailboxes.acts.append(look)
    move(run, 1, journal=str(journal), ticket="INC-1", started_by="alice", approved_by="carol")
    outcome = lines(journal)[-1]
    assert outcome["event"] == "move_outcome"
    assert outcome["messages"] == [
        {
            "id": investigate_id(1),
            "postfix_id": postfix_id(1),
            "status": "moved",
            "moved": [recipient(1)],
            "failed": [],
        }
    ]
    assert (outcome["ticket"], outcome["started_by"], outcome["approved_by"]) == ("INC-1", "alice", "carol")
    assert TOKEN not in journal.read_text(encoding="utf-8")


def test_a_second_run_at_once_moves_nothing_though_the_log_lags(
    run: Runner, mailboxes: Mailboxes, tmp_path: Path
) -> None:
    mailboxes.lag = 6
    journal = str(tmp_path / "journal.jsonl")
    assert move(run, 1, journal=journal).statuses == ["moved"]
    assert move(run, 1, journal=journal).statuses == ["already_moved"]
    assert mailboxes.moves == {1: 1}


def test_a_second_run_believes_the_journal_if_the_log_lags_longer(
    run: Runner, mailboxes: Mailboxes, tmp_path: Path
) -> None:
    mailboxes.lag = 100
    journal = str(tmp_path / "journal.jsonl")
    assert move(run, 1, journal=journal).statuses == ["moved"]
    assert move(run, 1, journal=journal).statuses == ["already_moved"]
    assert move(run, 1, journal=journal, destination="inbox").statuses == ["moved"]
    assert mailboxes.moves == {1: 2}


@pytest.mark.parametrize("wrong", [-25 * 3600, 25 * 3600])
@pytest.mark.parametrize("first", [True, False])
def test_a_clock_that_is_wrong_does_not_make_the_journal_forget(
    run: Runner, mailboxes: Mailboxes, clock: FakeClock, tmp_path: Path, wrong: float, first: bool
) -> None:
    mailboxes.lag, mailboxes.tells_time = 100, True
    journal = str(tmp_path / "journal.jsonl")
    clock.wrong = wrong if first else 0
    assert move(run, 1, journal=journal).statuses == ["moved"]
    clock.wrong = 0 if first else wrong
    assert move(run, 1, journal=journal).statuses == ["already_moved"]
    assert mailboxes.moves == {1: 1}


def test_without_action_logs_the_journal_still_tells(run: Runner, script: Script, tmp_path: Path) -> None:
    journal = str(tmp_path / "journal.jsonl")
    script.get(path(1), envelope(released_row(1)))
    bulk(script, ids(1), envelope([told(1)]))
    assert move(run, 1, journal=journal).statuses == ["moved"]
    script.get(path(1), envelope(MOVED_BEFORE))
    script.get(log(1), refusal(7003, "Could not route"), 404)
    assert move(run, 1, journal=journal).statuses == ["already_moved"]


def test_a_log_that_is_older_than_the_journal_is_not_believed(
    run: Runner, mailboxes: Mailboxes, clock: FakeClock, tmp_path: Path
) -> None:
    mailboxes.carry_out("JunkEmail", [1])
    clock.sleep(200)
    journal = str(tmp_path / "journal.jsonl")
    assert move(run, 1, journal=journal, destination="inbox").statuses == ["moved"]
    mailboxes.lag = 100  # the log does not show the move to the inbox
    assert move(run, 1, journal=journal).statuses == ["moved"]
    assert mailboxes.moves == {1: 3}


def test_a_move_by_somebody_else_after_ours_counts(
    run: Runner, mailboxes: Mailboxes, clock: FakeClock, tmp_path: Path
) -> None:
    journal = str(tmp_path / "journal.jsonl")
    assert move(run, 1, journal=journal).statuses == ["moved"]
    clock.sleep(60)
    mailboxes.carry_out("Inbox", [1])
    assert move(run, 1, journal=journal).statuses == ["moved"]


def test_a_server_without_the_call_is_not_asked_for_each_message(run: Runner, mailboxes: Mailboxes) -> None:
    mailboxes.acts.extend([answers(refusal(7003, "Could not route"), 404)] * 9)
    assert move(run, *range(1, 9), batch_size=2).statuses == ["failed"] * 2 + ["not_attempted"] * 6
    assert len(mailboxes.bodies) == 1


@pytest.mark.parametrize("done", [True, False])
def test_a_run_that_was_killed_is_completed(
    run: Runner, mailboxes: Mailboxes, clock: FakeClock, tmp_path: Path, done: bool
) -> None:
    journal = tmp_path / "journal.jsonl"
    killed = Journal(str(journal), {"run": "r1", "account_id": ACCOUNT, "destination": "junk_email"}, now=clock.time)
    killed.write("move_intent", ids=[investigate_id(1)])
    killed.close()
    mailboxes.lag = 5
    if done:
        mailboxes.carry_out("JunkEmail", [1])
    assert move(run, 1, journal=str(journal)).statuses == ["already_moved" if done else "moved"]
    assert mailboxes.moves == {1: 1}


def test_a_release_in_the_same_journal_is_no_move_and_a_move_is_no_release(
    run: Runner, script: Script, clock: FakeClock, tmp_path: Path
) -> None:
    journal = str(tmp_path / "journal.jsonl")
    script.get(path(1), envelope(row(1)))
    script.release([investigate_id(1)], envelope([{"id": investigate_id(1), "delivered": [recipient(1)]}]))
    assert run("message_release", messages=[investigate_id(1)], journal=journal).statuses == ["released"]
    script.get(path(1), envelope(released_row(1)))
    bulk(script, ids(1), envelope([told(1)]))
    assert move(run, 1, journal=journal).statuses == ["moved"]
    script.get(path(1), envelope(row(1)))
    script.get(path(1), envelope(row(1)))
    again = run("message_release", messages=[investigate_id(1)], journal=journal)
    assert again.statuses == ["already_released"]
    assert clock.time() > NOW


def test_a_journal_that_cannot_be_written_ends_the_run_before_it_sends(
    run: Runner, mailboxes: Mailboxes, tmp_path: Path
) -> None:
    done = move(run, 1, journal=str(tmp_path / "missing" / "journal"))
    assert done.failed
    assert "Nothing was sent" in done.result["msg"]
    assert mailboxes.bodies == []


def test_a_bug_loses_no_outcome(run: Runner, mailboxes: Mailboxes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move_answer, "read_entries", lambda result: 1 / 0)
    done = move(run, 1, 2, batch_size=1)
    assert done.statuses == ["unknown", "not_attempted"]
    assert "please report it" in done.result["msg"]
