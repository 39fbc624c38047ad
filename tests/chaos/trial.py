# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One trial: a run of the module in a storm, one after it, and one in check mode; and what was wrong with them."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import truth
from emulator import Emulator
from emulator.mail import Message
from module_process import MAX_WAIT, Ended, finish, start
from storm import RESTART, Storm

STRANGER = "4Zzzz{:02}STMz2c02Q-2026-11-20T10:00:00-1234567{}"


class Trial(NamedTuple):
    """What came of a storm: counts for the summary, violations, and what happened, for whoever looks into it."""

    storm: Storm
    violations: list[str]
    hits: Counter[str]
    disturbed: bool
    requests: int
    copies: int
    statuses: Counter[str]
    seconds: float
    story: list[str]


def run(storm: Storm) -> Trial:
    """Play a storm."""
    begin = time.monotonic()
    logging.disable()  # the server complains of connections that are cut under its hands
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as name,
        Emulator("empty", seed=storm.seed, **storm.settings) as emulator,
    ):
        stage = Stage(storm, Path(name), emulator)
        stage.play()
        log = [
            f"{request.number} {request.method} {request.path.partition('email-security/')[2]} {request.query} {request.body[:120]!r}"
            f" -> {request.status} {request.fault or ''}"
            for request in emulator.requests
        ]
        return Trial(
            storm,
            stage.violations,
            stage.hits,
            stage.disturbed,
            len(emulator.requests),
            sum(emulator.deliveries.values()),
            stage.statuses,
            time.monotonic() - begin,
            [
                f"settings: {storm.settings}",
                f"faults: {storm.faults}",
                f"outcomes: {storm.outcomes}",
                *stage.story,
                *log,
            ],
        )


class Stage:
    """Where a storm is played: an emulator with its mail, and a directory for the module."""

    def __init__(self, storm: Storm, directory: Path, emulator: Emulator) -> None:
        self.violations: list[str] = []
        self.hits: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.disturbed = False
        self.story: list[str] = []
        self._storm = storm
        self._directory = directory
        self._emulator = emulator
        self._journal = directory / "journal.jsonl"
        self._mail = [
            emulator.add_message(recipients=recipients, age=3600.0 + 60 * number)
            for number, recipients in enumerate(storm.recipients)
        ]
        for number, outcomes in storm.outcomes.items():
            emulator.script(self._mail[number].id, *outcomes)
        self._faults = [(name, emulator.faults.add(**order)) for name, order in storm.faults]
        self._credential = emulator.credentials[storm.credential]
        self._handles = [
            STRANGER.format(number, number % 10) if which is None else getattr(self._mail[which], kind)
            for number, (kind, which) in enumerate(storm.handles)
        ]
        self._messages: dict[str, Message] = {
            str(name): message
            for message in self._mail
            for name in (message.id, message.postfix_id, message.message_id)
        }

    def play(self) -> None:
        """Three runs: in the storm, after it, and in check mode. Where the storm must yield, two in it."""
        self._in_the_storm()
        if self._storm.must_yield:
            self._note(truth.enough_was_released(self._mail, self._emulator.deliveries, 0.9), "in the storm")
            self._run("in the storm again", {**self._storm.options, "check_state": True})
            self._note(truth.enough_was_released(self._mail, self._emulator.deliveries, 1), "in the storm again")
        self._emulator.faults.clear()
        for name, fault in self._faults:
            self.hits[name] += fault.hits
        self._after_it()
        self._in_check_mode()
        self._note(truth.nobody_got_it_twice(self._emulator.deliveries))
        if self._storm.journal:
            self._note(truth.the_journal_agrees(self._journal, self._emulator))
            if self._journal.exists():
                self._note(truth.no_secret_is_in(self._journal.read_text(encoding="utf-8"), self._credential.secret))

    def _in_the_storm(self) -> None:
        with _disturbed(self._storm, self._emulator) as (watch, came):
            ended = self._run("in the storm", self._storm.options, watch)
        self.disturbed = came.is_set()
        # Nobody can report after SIGKILL; after another signal only a run that was far enough to send.
        signalled = self.disturbed and self._storm.disturbance != RESTART
        silenced = ended.code == -signal.SIGKILL or not self._emulator.requests_to("release")
        if not (signalled and silenced and ended.result is None):
            self._note(truth.the_result_is_whole(ended.result, self._handles))

    def _after_it(self) -> None:
        ended = self._run("after it", {**self._storm.options, "check_state": True, "max_wait": MAX_WAIT, "timeout": 30})
        self._note(truth.the_result_is_whole(ended.result, self._handles))
        scripted = {self._mail[number].id for number in self._storm.outcomes}
        self._note(truth.the_work_is_done(_rows(ended), self._messages, scripted, self._emulator.deliveries))

    def _in_check_mode(self) -> None:
        earlier, before = len(self._emulator.requests), self._emulator.deliveries
        ended = self._run("in check mode", {**self._storm.options, "check_state": True, "timeout": 30}, check_mode=True)
        self._note(truth.the_result_is_whole(ended.result, self._handles))
        self._note(truth.nothing_was_sent(self._emulator, earlier, before))

    def _run(self, when: str, options: Mapping[str, Any], watch: Any = None, *, check_mode: bool = False) -> Ended:
        before, earlier = self._emulator.deliveries, len(self._emulator.requests)
        given = {**options, "messages": self._handles, **(self._credential_options if self._storm.as_option else {})}
        variables = self._emulator.environment(self._storm.credential)
        if self._storm.as_option:
            variables = {name: value for name, value in variables.items() if name not in self._credential.environment}
        if self._storm.journal:
            given["journal"] = str(self._journal)
        process = start(self._directory, given, variables, check_mode=check_mode)
        if watch:
            watch(process)
        ended = finish(process)
        copies = self._emulator.deliveries
        # A server may still be at work on a request of a run that was killed: what this run did not send is not its own.
        requests = self._emulator.requests[earlier:]
        sent = truth.ids_sent(requests).keys()
        before |= Counter({copy: number for copy, number in copies.items() if sent.isdisjoint(self._names(copy[0]))})
        self.story.append(f"{when}: exit {ended.code}: {(ended.result or {}).get('msg', ended.printed[-2000:])}")
        self.story += [f"  {row['handle']}: {row['status']}: {row['detail']}" for row in _rows(ended)[:60]]
        self.statuses.update(row["status"] for row in _rows(ended))
        self._note(truth.it_ended(ended.hung), when)
        lags = bool(self._storm.settings["state_lag"])
        self._note(truth.each_status_is_true(_rows(ended), self._messages, before, copies, lags=lags), when)
        self._note(truth.no_secret_is_in(ended.printed, self._credential.secret), when)
        return ended

    def _names(self, message_id: str) -> set[str]:
        message = self._messages[message_id]
        return {message.id, message.postfix_id}

    @property
    def _credential_options(self) -> dict[str, str]:
        credential = self._credential
        if credential.kind == "key":
            return {"api_email": credential.email, "api_key": credential.secret}
        return {"api_token": credential.secret}

    def _note(self, violations: Iterator[str], when: str = "") -> None:
        self.violations += [f"{when}: {words}" if when else words for words in violations]


def _rows(ended: Ended) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (ended.result or {}).get("messages") or []
    return rows


@contextlib.contextmanager
def _disturbed(storm: Storm, emulator: Emulator) -> Iterator[tuple[Any, threading.Event]]:
    """Give a function that watches a process, and sends it the signal, or restarts the server, when the time has come.

    The event tells, at the end, whether that happened before the process was done.
    """
    threads: list[threading.Thread] = []
    came = threading.Event()

    def watch(process: subprocess.Popen[str]) -> None:
        if storm.disturbance:
            threads.append(threading.Thread(target=_disturb, args=(storm, emulator, process, came)))
            threads[0].start()

    yield watch, came
    for thread in threads:
        thread.join()


def _disturb(storm: Storm, emulator: Emulator, process: subprocess.Popen[str], came: threading.Event) -> None:
    while process.poll() is None and not (storm.early or emulator.requests_to("release")):
        time.sleep(0.01)
    time.sleep(storm.moment)
    if process.poll() is not None:
        return
    came.set()
    if storm.disturbance == RESTART:
        emulator.restart()
    else:
        os.kill(process.pid, signal.Signals[str(storm.disturbance)])
