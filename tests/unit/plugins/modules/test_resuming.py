# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run after another one, which the journal remembers and the state may not show yet: nothing is sent twice."""

from __future__ import annotations

import json
import multiprocessing
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._clock import Clock
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.journal import Journal
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    investigate_id,
    message_id,
    postfix_id,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.quarantine import Quarantine

HOUR = 3600.0
OTHER_ACCOUNT = "0" * 32


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.jsonl"


@pytest.fixture
def quarantine(script: Script, clock: FakeClock) -> Quarantine:
    """A server with one message, that shows a release 6 seconds late and delivers again whatever is sent again."""
    quarantine = Quarantine(1)
    quarantine.lag, quarantine.now = 6, clock.monotonic
    script.server = quarantine
    return quarantine


@pytest.fixture
def record(journal: Path, clock: FakeClock) -> t.Callable[..., None]:
    """Writes what an earlier run left in the journal: an intent, and an outcome with this status unless it is Ellipsis."""

    def write(status: object = ..., *, age: float = 0, account: str = ACCOUNT, name: str = investigate_id(1)) -> None:
        earlier = Journal(str(journal), {"run": "r1", "account_id": account}, now=lambda: clock.time() - age)
        earlier.write("intent", ids=[name])
        if status is not ...:
            earlier.write(
                "outcome", messages=[{"id": investigate_id(1), "postfix_id": postfix_id(1), "status": status}]
            )
        earlier.close()

    return write


def again(run: Runner, journal: Path, handle: str = investigate_id(1), **options: t.Any) -> t.Any:
    """Release the message."""
    return run("message_release", messages=[handle], journal=str(journal), **options)


@pytest.mark.parametrize("handle", [investigate_id(1), postfix_id(1), message_id(1)])
def test_a_second_run_at_once_sends_nothing_though_the_state_lags(
    run: Runner, quarantine: Quarantine, journal: Path, clock: FakeClock, handle: str
) -> None:
    assert again(run, journal).statuses == ["released"]
    done = again(run, journal, handle)
    assert (done.statuses, done.result["changed"]) == (["already_released"], False)
    assert quarantine.deliveries == {1: 1}
    assert clock.slept == 10


def test_a_run_that_was_killed_is_not_repeated_where_its_request_was_carried_out(
    run: Runner, quarantine: Quarantine, journal: Path, record: t.Callable[..., None]
) -> None:
    record()
    quarantine.deliver([1])
    assert again(run, journal).statuses == ["already_released"]
    assert quarantine.deliveries == {1: 1}


@pytest.mark.parametrize("status", [..., None, "unknown"])
def test_what_a_killed_run_never_got_out_is_sent_after_a_pause(
    run: Runner, quarantine: Quarantine, journal: Path, record: t.Callable[..., None], clock: FakeClock, status: object
) -> None:
    record(status, age=30)
    assert again(run, journal).statuses == ["released"]
    assert quarantine.deliveries == {1: 1}
    assert clock.slept == 10


@pytest.mark.parametrize("status", ["undelivered", "failed"])
def test_what_was_certainly_not_delivered_is_sent_at_once(
    run: Runner, quarantine: Quarantine, journal: Path, record: t.Callable[..., None], clock: FakeClock, status: str
) -> None:
    record(status)
    assert again(run, journal).statuses == ["released"]
    assert not clock.naps


@pytest.mark.parametrize(("status", "expected"), [("released", "already_released"), ("partial", "partial")])
@pytest.mark.parametrize("check", [False, True])
def test_what_the_journal_knows_as_released_is_not_sent_whatever_the_state_says(
    run: Runner,
    quarantine: Quarantine,
    journal: Path,
    record: t.Callable[..., None],
    clock: FakeClock,
    status: str,
    expected: str,
    check: bool,
) -> None:
    record(status, age=HOUR)
    before = journal.read_bytes()
    done = again(run, journal, check=check)
    assert done.statuses == [expected]
    assert "journal records its release" in done.result["messages"][0]["detail"]
    assert not quarantine.bodies
    assert not clock.naps, "an hour is long enough"
    assert journal.read_bytes() == before


@pytest.mark.parametrize("check_state", [True, False])
@pytest.mark.parametrize("wrong", [-25 * HOUR, -HOUR, 25 * HOUR, 300 * 24 * HOUR])
@pytest.mark.parametrize("first", [True, False])
def test_a_clock_that_is_wrong_does_not_make_the_journal_forget(
    run: Runner, quarantine: Quarantine, journal: Path, clock: FakeClock, wrong: float, first: bool, check_state: bool
) -> None:
    """The second run comes at once and still sees the state before the release; the server tells its time."""
    quarantine.date = clock.monotonic
    clock.wrong = wrong if first else 0
    assert again(run, journal, check_state=check_state).statuses == ["released"]
    clock.wrong = 0 if first else wrong
    assert again(run, journal).statuses == ["already_released"]
    assert quarantine.deliveries == {1: 1}


def test_unless_the_user_says_to_send_unread(
    run: Runner, quarantine: Quarantine, journal: Path, record: t.Callable[..., None]
) -> None:
    record("released", age=HOUR)
    assert again(run, journal, check_state=False).statuses == ["released"]


@pytest.mark.parametrize("record_of", [{"age": 25 * HOUR}, {"account": OTHER_ACCOUNT}, {"name": investigate_id(2)}])
def test_older_lines_and_those_of_others_do_not_count(
    run: Runner,
    quarantine: Quarantine,
    journal: Path,
    record: t.Callable[..., None],
    clock: FakeClock,
    record_of: dict[str, t.Any],
) -> None:
    record(**record_of)
    assert again(run, journal).statuses == ["released"]
    assert not clock.naps


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "null",
        "[]",
        '"intent"',
        "[" * 100_000,
        json.dumps({"account_id": ACCOUNT}),
        json.dumps({"account_id": ACCOUNT, "time": 5, "ids": 7}),
    ],
)
def test_lines_that_are_none_of_ours_are_passed_over(
    run: Runner, quarantine: Quarantine, journal: Path, record: t.Callable[..., None], line: str
) -> None:
    record("released", age=HOUR)
    with journal.open("a") as file:
        file.write(f"{line}\n{line}")
    assert again(run, journal).statuses == ["already_released"]


@pytest.mark.parametrize(
    "spoiled",
    [{"time": "2030-01-01T00:00:00+00:00"}, {"run": None}, {"messages": [{"id": investigate_id(1), "status": "sent"}]}],
)
@pytest.mark.parametrize("delivered", [False, True])
def test_a_line_that_no_run_can_have_written_is_no_proof_of_a_release(
    run: Runner,
    quarantine: Quarantine,
    journal: Path,
    record: t.Callable[..., None],
    clock: FakeClock,
    spoiled: dict[str, t.Any],
    delivered: bool,
) -> None:
    record("released")
    *_others, line = journal.read_text().splitlines()
    journal.write_text(json.dumps({**json.loads(line), **spoiled}) + "\n")
    if delivered:
        quarantine.deliver([1])
    assert again(run, journal).statuses == ["already_released" if delivered else "released"], (
        "as the state says after a pause"
    )
    assert quarantine.deliveries == {1: 1}
    assert clock.slept >= 10


def test_a_line_with_two_messages_of_one_name_breaks_nothing(
    run: Runner, quarantine: Quarantine, journal: Path, record: t.Callable[..., None]
) -> None:
    record("released", age=HOUR)
    told = json.loads(journal.read_text().splitlines()[-1])
    rows = [{"id": investigate_id(1), "status": None}, {"id": "x", "postfix_id": postfix_id(1), "status": "released"}]
    journal.write_text(json.dumps({**told, "messages": rows}) + "\n")
    assert again(run, journal).statuses == ["released"]


def test_check_mode_predicts_what_the_run_would_do(
    run: Runner, quarantine: Quarantine, journal: Path, record: t.Callable[..., None]
) -> None:
    record()
    assert again(run, journal, check=True).statuses == ["would_release"]
    quarantine.deliver([1])
    assert again(run, journal, check=True).statuses == ["already_released"]


def test_a_signal_during_the_pause_leaves_it_not_attempted(
    run: Runner, quarantine: Quarantine, journal: Path, record: t.Callable[..., None], clock: FakeClock
) -> None:
    record()
    clock.stop_at = 1
    done = again(run, journal)
    assert (done.statuses, done.failed) == (["not_attempted"], True)
    assert not quarantine.bodies


# --- two runs at the same time -----------------------------------------------------------------------------------------


def hold_turn(path: str, account: str, held: t.Any, done: t.Any) -> None:
    """Be at work on an account until told to end; the work of another process."""
    journal = Journal(path, {"account_id": account})
    journal.take_turn(Clock(), 0)
    held.set()
    done.wait(30)


@pytest.mark.parametrize(("account", "status"), [(ACCOUNT, "not_attempted"), (OTHER_ACCOUNT, "released")])
def test_runs_that_share_a_journal_work_on_an_account_one_after_the_other(
    run: Runner, quarantine: Quarantine, journal: Path, clock: FakeClock, account: str, status: str
) -> None:
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    other = context.Process(target=hold_turn, args=(str(journal), account, held, done))
    other.start()
    assert held.wait(30)
    try:
        ended = again(run, journal, max_wait=60)
    finally:
        done.set()
        other.join()
    assert ended.statuses == [status]
    if account == ACCOUNT:
        assert "at work on this account" in ended.result["msg"]
        assert clock.slept == pytest.approx(60, abs=1)
        assert again(run, journal).statuses == ["released"], "its turn has ended with the process"
    assert quarantine.deliveries == {1: 1}
