# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Storms against message_move and message_reclassify: each status true, no second submission, and the next run completes it.

``python tests/chaos/follow_ups.py --help``
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# pylint: disable=wrong-import-position
from emulator import Emulator
from emulator.mail import Message
from module_process import finish, start

MOVE, RECLASSIFY = "message_move", "message_reclassify"
WRITES = {MOVE: ("bulk_move",), RECLASSIFY: ("submit", "reclassify")}
READS = {MOVE: ("action_log", "search", "get"), RECLASSIFY: ("submissions", "action_log", "get")}
SIGNALS = (None, None, None, "SIGKILL", "SIGTERM")
LAGS = (0, 1, 2.5)  # below SETTLE_TIME
SETTLE_TIME = 4
TIMEOUT = 1.5
MOVES = (
    {"failed": {"*": "NOT_FOUND"}},
    "refuse_400",
    "refuse_404",
    {"answer": "omitted"},
)
SPOILED = ("failure", "result_null", "result_string", "html", "empty", "truncated", "wrong_types", "reversed", "deep")
# What a run without faults ends with, unless the emulator was told to fail
DONE = {"moved", "already_moved", "quarantined", "submitted", "already_submitted", "agreed"}
CHANGED = {"moved", "partial", "submitted", "would_move", "would_submit"}


class Played(NamedTuple):
    """What came of a storm."""

    seed: int
    violations: list[str]
    statuses: Counter[str]
    story: list[str]


def trouble(rnd: random.Random, route: str) -> dict[str, Any]:
    """A fault of a write; the first ones are those that a read gets over."""
    when = rnd.choice(["before", "after"])
    kinds: list[dict[str, Any]] = [
        {"action": "status", "status": rnd.choice([500, 502, 504]), "body": rnd.choice(["html", "json"]), "when": when},
        {"action": "cut", "when": when, "reset": rnd.random() < 0.5},
        {"action": "hang", "when": when},
        {"action": "truncate"},
        {"action": "status", "status": 429, "retry_after": 1},
        {"action": "mangle", "kind": rnd.choice(SPOILED)},
        {"action": "status", "status": 409, "when": when},
        {"action": "redirect", "when": when},
    ]
    kind = rnd.choice(kinds[:5] if route in (*READS[MOVE], *READS[RECLASSIFY]) else kinds)
    return {"route": route, "times": rnd.choice([1, 1, 2]), "skip": rnd.choice([0, 0, 1]), **kind}


class Stage:
    """An emulator with its mail, and a directory for the module."""

    def __init__(self, rnd: random.Random, directory: Path, emulator: Emulator) -> None:
        self.violations: list[str] = []
        self.statuses: Counter[str] = Counter()
        self.story: list[str] = []
        self._rnd, self._directory, self._emulator = rnd, directory, emulator
        self._module = rnd.choice([MOVE, RECLASSIFY])
        self._signal = rnd.choice(SIGNALS)
        self._mail = [self._message(number) for number in range(rnd.choice([1, 2, 6, 12]))]
        self._scripted = [message.id for message in self._mail if rnd.random() < 0.15]
        for name in self._scripted:
            emulator.script_move(name, rnd.choice(MOVES))
            emulator.destine(name, {"refused": "not supported"})
        emulator.faults.add(**{**trouble(rnd, WRITES[self._module][0]), "skip": 0})  # what the storm is about
        for route in (*WRITES[self._module], rnd.choice(READS[self._module])):
            if rnd.random() < 0.4:
                emulator.faults.add(**trouble(rnd, route))
        self._options = {
            "account_id": emulator.account_id,
            "messages": [message.id for message in self._mail],
            "settle_time": SETTLE_TIME,
            "timeout": TIMEOUT,
            "retries": rnd.choice([1, 3]),
            "journal": str(directory / "journal.jsonl"),
            **({"destination": "junk_email", "batch_size": rnd.choice([1, 2, 50])} if self._module == MOVE else {}),
        }

    def _message(self, number: int) -> Message:
        return self._emulator.add_message(
            recipients=[f"user{number}.{copy}@corp.example" for copy in range(self._rnd.choice([1, 1, 2]))],
            age=3600.0 + 60 * number,
            state=self._rnd.choice(["released", "released", "released", "delivered", "quarantined"]),
            disposition=self._rnd.choice(["SPAM", "SPAM", "BULK", "NONE"]),
            message_id=self._rnd.choice([f"<{number}@sender.example>", "<same@sender.example>"]),
        )

    def play(self) -> None:
        """Three runs: in the storm, after it, and in check mode."""
        self._run("in the storm", self._signal)
        self._emulator.faults.clear()
        self._options["timeout"] = 30
        for row in self._run("after it"):
            if row["status"] not in DONE and not self._excused(row):
                self.violations.append(f"not completed: {row}")
        self._run("in check mode", check_mode=True)

    def _excused(self, row: dict[str, Any]) -> bool:
        # A call that is refused for one message leaves the others of it to the next one, whose answer says nothing of some.
        return row["id"] in self._scripted or (bool(self._scripted) and row["status"] == "unknown")

    def _run(self, when: str, number: str | None = None, *, check_mode: bool = False) -> list[dict[str, Any]]:
        before, earlier = self._done(), len(self._emulator.requests)
        process = start(
            self._directory,
            self._options,
            self._emulator.environment(),
            check_mode=check_mode,
            module=self._module,
        )
        if number:
            self._disturb(process, number)
        ended = finish(process)
        time.sleep(0.3 if number else 0)  # the server may still be at work on the last request
        rows: list[dict[str, Any]] = (ended.result or {}).get("messages") or []
        self.story.append(f"{when}: exit {ended.code}: {(ended.result or {}).get('msg', ended.printed[-2000:])}")
        self.statuses.update(row["status"] for row in rows)
        sent = [request for request in self._emulator.requests[earlier:] if request.route in WRITES[self._module]]
        if check_mode and sent:
            self.violations.append("check mode sent something")
        if not rows and not number:
            self.violations.append(f"{when}: no result: {ended.printed[-500:]}")
        for row, message in zip(rows, self._mail, strict=False):
            done = self._done()[message.id] - before[message.id]
            self.violations += [f"{when}: {words}: {row}" for words in self._flaws(row, message, done)]
        return rows

    def _disturb(self, process: subprocess.Popen[str], number: str) -> None:
        while process.poll() is None and not any(map(self._emulator.requests_to, WRITES[self._module])):
            time.sleep(0.01)
        time.sleep(self._rnd.choice([0, 0.03, 0.3, 1]))
        if process.poll() is None:
            os.kill(process.pid, signal.Signals[number])

    def _done(self) -> Counter[str]:
        """How often each message was moved in a mailbox, or submitted."""
        if self._module == MOVE:
            return Counter(moved.message_id for moved in self._emulator.moves)
        return Counter(submission.message.id for submission in self._emulator.submissions)

    def _flaws(self, row: dict[str, Any], message: Message, done: int) -> Iterator[str]:
        """What is wrong with a row. done: what this run did to the message, as often as the emulator counted."""
        status = row["status"]
        if row["changed"] != (status in CHANGED):
            yield "changed is not that of the status"
        if status != "unknown" and bool(done) != (status in ("moved", "partial", "submitted")):
            yield f"the status is not true: it was done {done} times"
        there = [message.folders.get(recipient) for recipient in message.recipients]
        if status in ("moved", "already_moved") and set(there) != {"JunkEmail"}:
            yield "it is not there"
        if done > (len(message.recipients) if self._module == MOVE else 1):
            yield f"it was sent again: done {done} times"
        if self._module == RECLASSIFY and self._done()[message.id] > 1:
            yield "there are two submissions"
        if message.is_quarantined and message.folders:
            yield "it was moved though it is in quarantine"


def play(seed: int) -> Played:
    """Play the storm of a seed."""
    rnd = random.Random(seed)
    logging.disable()  # the server complains of connections that are cut under its hands
    settings: dict[str, Any] = {
        "state_lag": rnd.choice(LAGS),
        "latency": rnd.choice([0, 0.05]),
        "move_log": rnd.choice(["message", "mailbox"]),
        "move_forms": [rnd.choice(["ids", "postfix_ids"])],
        "form_error": rnd.choice(["placeholder", "silent"]),
        "refusal": rnd.choice(["before", "midway"]),
        "post_submissions": rnd.random() < 0.7,
        "submission_answer_id": rnd.choice(["handle", "submission"]),
        "post_delivery_operations": rnd.random() < 0.8,
    }
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as name,
        Emulator("empty", seed=seed, **settings) as emulator,
    ):
        stage = Stage(rnd, Path(name), emulator)
        faults = emulator.faults.as_json()
        stage.play()
        log = [
            f"{request.number} {request.method} {request.route} {request.body[:120]!r} -> {request.status} {request.fault or ''}"
            for request in emulator.requests
        ]
        return Played(seed, stage.violations, stage.statuses, [str(settings), str(faults), *stage.story, *log])


def main() -> int:
    """Play the storms and say what came of them."""
    parser = argparse.ArgumentParser(prog="python tests/chaos/follow_ups.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=36, help="how many storms")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first one; the others follow")
    parser.add_argument("--jobs", type=int, default=8, help="how many at once; most of the time they wait")
    parser.add_argument("--replay", type=int, metavar="SEED", help="play one storm and tell all that happened")
    arguments = parser.parse_args()
    if arguments.replay is not None:
        played = play(arguments.replay)
        print("\n".join([*played.story, *(f"WRONG: {words}" for words in played.violations)]))
        return bool(played.violations)
    statuses: Counter[str] = Counter()
    wrong = 0
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for played in pool.map(play, range(arguments.seed, arguments.seed + arguments.runs)):
            statuses += played.statuses
            wrong += bool(played.violations)
            for words in played.violations[:5]:
                print(f"Seed {played.seed}: {words}", flush=True)
    print(f"{arguments.runs} storms, {wrong} with a violation; statuses: {dict(statuses.most_common())}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
