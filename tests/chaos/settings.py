# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Storms against the modules that declare settings lists: nothing is written twice or unasked, and each result is true.

``python tests/chaos/settings.py --help``
"""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# pylint: disable=wrong-import-position
import settings_truth as truth
import troubles
from emulator import Emulator
from emulator.mangling import KINDS as MANGLINGS
from module_process import Ended, finish, start

Fields = dict[str, Any]
PAST, FUTURE = "2020-01-01", "2099-01-01"
TEXTS = ("", "why", "Zo\u00eb \U0001f600 {{ 1 }}")
# The spellings of each entry, and values of the other fields: the first one is that of a new entry
SPELLINGS: dict[str, list[list[Fields]]] = {
    "EMAIL": [[{"pattern": f"{n}@x.example"}, {"pattern": f"{n.upper()}@X.example"}] for n in "abcdef"],
    "DOMAIN": [[{"pattern": "x.example"}, {"pattern": "X.Example"}], [{"pattern": "y.example"}]],
    "regex": [[{"pattern": rf"^{n}@x\.example$", "is_regex": True}] for n in "aA"],
}
_PATTERNS = [
    *([{**s, "pattern_type": "EMAIL", "is_regex": False} for s in same] for same in SPELLINGS["EMAIL"]),
    *([{**s, "pattern_type": "DOMAIN", "is_regex": False} for s in same] for same in SPELLINGS["DOMAIN"]),
    *([{**s, "pattern_type": "EMAIL"} for s in same] for same in SPELLINGS["regex"]),
]
_NAMES = ("one.example", "two.example", "three.example", "four.example", "five.example")
_FOLDED = [[name, name.title()] for name in _NAMES]
SHAPES: dict[str, tuple[list[list[Fields]], dict[str, list[Any]]]] = {
    "allow_policies": (
        _PATTERNS,
        {"is_acceptable_sender": [True, False], "is_trusted_sender": [False, True], "verify_sender": [True, False]},
    ),
    "block_senders": (_PATTERNS, {}),
    "trusted_domains": (
        [[{"pattern": name, "is_regex": False} for name in same] for same in _FOLDED],
        {"is_recent": [False, True], "is_similarity": [False, True]},
    ),
    "content_policies": (
        [[{"name": name}] for name in ("One", "one", "two", "Zo\u00eb")],
        {"pattern": ["a+", "b+"], "targets": [["BODY"], ["SUBJECT", "BODY"]], "enabled": [True, False]},
    ),
    "impersonation_registry": (
        [[{"email": f"{n}@{d}", "is_email_regex": False} for d in ("x.example", "X.Example")] for n in "abcd"],
        {"name": ["Zo\u00eb", "Jane"]},
    ),
    "sending_domain_restrictions": (
        [[{"domain": name} for name in same] for same in _FOLDED],
        {"exclude": [[]]},
    ),
    "url_ignore_patterns": ([[{"pattern": rf"https://{n}\.example/.*"}] for n in ("a", "A", "b", "c")], {}),
    "domains": (
        [[{"domain": name} for name in same] for same in _FOLDED],
        {
            "allowed_delivery_modes": [["DIRECT"], ["API", "BCC"]],
            "regions": [["GLOBAL"], ["DE", "US"]],
            "drop_dispositions": [[], ["SPAM"]],
            "ip_restrictions": [[], ["192.0.2.1"]],
        },
    ),
}
LAGS = (0, 0, 1, 2)  # seconds, below the time that the module waits before it reads back
OTHER, TWIN, TERM, KILL, NAMED, STALE = "other", "twin", "SIGTERM", "SIGKILL", "named", "stale"
WRITE_TROUBLES: tuple[Callable[[random.Random], troubles.Order], ...] = (
    troubles.rate_limit,
    troubles.server_error,
    troubles.cut,
    troubles.truncate,
    troubles.hang,
    troubles.delay,
    troubles.drip,
    troubles.mangle,
    troubles.nothing_said,
    troubles.redirect,
    troubles.revoked,
)
FOCI = (*(trouble.__name__ for trouble in WRITE_TROUBLES), NAMED, STALE, OTHER, TWIN, TERM, KILL)
TIMES = 2.0  # the module waits 1.5 s for an answer


class Played(NamedTuple):
    """What came of a storm."""

    seed: int
    focus: str
    struck: bool
    violations: list[str]
    done: Counter[str]
    story: list[str]


def stored_rows(rnd: random.Random, kind: str) -> list[Fields]:
    """A list as an account may have it: duplicates, other spellings, expired marks, and entries of a directory."""
    keys, values = SHAPES[kind]
    rows = []
    for same in keys:
        for _ in range(rnd.choice([0, 1, 1, 1, 2])):
            row = {**rnd.choice(same), **{name: rnd.choice(some) for name, some in values.items()}}
            if remarks := truth.REMARKS.get(kind, "comments"):
                day = rnd.choice([None, None, PAST, FUTURE])
                row[remarks] = f"{rnd.choice(TEXTS)} [expires {day}]".lstrip() if day else rnd.choice([None, *TEXTS])
            if kind == "impersonation_registry" and rnd.random() < 0.2:
                # Nobody declares its address: the API refuses a second entry for it
                row |= {"email": f"synchronized.{row['email']}", "directory_id": 7, "directory_node_id": 8}
            if "pattern_type" in row and rnd.random() < 0.1:
                row["pattern_type"] = "UNKNOWN"
            rows.append(row)
    rnd.shuffle(rows)
    return rows


def declared(rnd: random.Random, kind: str) -> list[Fields]:
    """Entries as somebody may declare them."""
    keys, values = SHAPES[kind]
    entries = []
    for same in rnd.sample(keys, rnd.randint(1, len(keys))):
        entry = {**rnd.choice(same), **{name: rnd.choice(some) for name, some in values.items()}}
        if remarks := truth.REMARKS.get(kind, "comments"):
            entry |= rnd.choice([{}, {remarks: rnd.choice(TEXTS)}])
            entry |= rnd.choice([{}, {}, {"expires": rnd.choice([PAST, FUTURE, "never"])}])
        if rnd.random() < 0.25:
            entry["state"] = "absent"
        entries.append(entry)
    return entries


class Stage:
    """An emulator with its list, and a directory for the module."""

    def __init__(self, rnd: random.Random, focus: str, directory: Path, emulator: Emulator) -> None:
        self.violations: list[str] = []
        self.done: Counter[str] = Counter()
        self.story: list[str] = []
        self.struck = False
        self._rnd, self._focus, self._directory, self._emulator = rnd, focus, directory, emulator
        self._kind = kind = rnd.choice(list(SHAPES))
        self._writes = [f"{verb}_{kind}" for verb in ("create", "batch", "edit", "delete")]
        emulator.add_entries(kind, *stored_rows(rnd, kind))
        self._list = emulator.world.list_of(kind)
        self._wish, self._options = self._drawn()
        self._retries = rnd.choice([1, 2, 3])
        self._faults = [emulator.faults.add(**{**order, "credential": "write"}) for order in self._troubles()]
        self.story.append(f"{kind}: {self._wish}")

    def _drawn(self) -> tuple[truth.Wish, Fields]:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        expiring = self._kind != "domains" and self._rnd.random() < 0.3
        wish = truth.Wish(self._kind, declared(self._rnd, self._kind), self._rnd.random() < 0.4, expiring, today)
        return wish, {
            "entries": wish.entries,
            "purge": wish.purge,
            "max_deletions": 100,
            "allow_broad": True,
            **({"remove_expired": True} if expiring else {}),
            **({"manage_existence": True} if self._kind == "domains" else {}),
        }

    def _troubles(self) -> Iterator[troubles.Order]:
        """What the storm is about, on each sort of write; and something else on a reading or a later write."""
        rnd = self._rnd
        for trouble in WRITE_TROUBLES:
            if trouble.__name__ == self._focus:
                yield from ({**trouble(rnd), "route": route, "skip": 0} for route in self._writes)
        if self._focus == NAMED:
            pointer = rnd.choice(["/posts/0/pattern", "/patches/0", "/deletes/0/id", "/posts/999", "/"])
            error = {"code": rnd.choice([4102, 1001]), "message": "not now", "source": {"pointer": pointer}}
            text = json.dumps({"success": False, "errors": [error], "messages": [], "result": None})
            more = {"status": 400, "text": text, "content_type": "application/json"}
            yield from ({"action": "status", "route": route, **more} for route in self._writes)
        if self._focus == STALE or rnd.random() < 0.4:
            # Not what hides entries, and says that these are all
            kinds = [name for name in MANGLINGS if name not in ("foreign_ids", "repeated_cursor", "errors_too")]
            order = {"action": "mangle", "kind": rnd.choice(kinds)}
            skip = 0 if self._focus == STALE else rnd.choice([0, 1])
            yield {**order, "route": f"list_{self._kind}", "times": rnd.choice([1, 2]), "skip": skip}
        if rnd.random() < 0.4:
            trouble = rnd.choice(WRITE_TROUBLES[:-1])
            yield {**trouble(rnd), "route": rnd.choice(self._writes), "times": 1, "skip": rnd.choice([1, 2])}

    def play(self) -> None:
        """In check mode, in the storm, after it, and once more."""
        faults, self._emulator.world.faults = self._emulator.world.faults, type(self._emulator.world.faults)()
        self._judge("in check mode", self._run(check_mode=True), truth.check_flaws)
        self._emulator.world.faults = faults
        self._in_the_storm()
        self.struck = self.struck or any(fault.hits for fault in self._faults)
        self._emulator.faults.clear()
        self._emulator.clock.advance(60)  # what lagged is seen
        self._judge("after it", self._run(), truth.flaws, truth.calm_flaws)
        self._emulator.clock.advance(60)
        again = self._run()
        self._judge("once more", again, truth.flaws, truth.calm_flaws)
        if again.requests:
            self.violations.append("once more: it wrote again")

    def _in_the_storm(self) -> None:
        begin, earlier = len(self._list.history) - 1, len(self._emulator.requests)
        process = self._start(self._options, self._directory, storm=True)
        second = self._drawn() if self._focus == TWIN else None
        others: frozenset[truth.Ident] = frozenset()
        theirs = None
        if second:
            self.struck = True
            place = self._directory / "second"
            place.mkdir()
            rival = self._start(second[1], place, storm=True)
        if self._focus == OTHER:
            others, theirs = self._somebody_else(process)
        if self._focus in (TERM, KILL):
            self._disturb(process)
        ended = finish(process)
        rival_ended = finish(rival) if second else None
        if self._focus in (KILL, TERM) or not ended.result:
            time.sleep(TIMES)  # the server may still be at work on the last request
        if second and rival_ended:
            # Each is somebody else to the other.
            touched = frozenset(
                truth.ident(self._kind, row) for _since, state in self._list.history[begin:] for row in state.values()
            ) | {truth.ident(self._kind, entry) for entry in (*self._wish.entries, *second[0].entries)}
            runs = [
                self._seen(begin, earlier, end, wish, touched)
                for end, wish in ((ended, self._wish), (rival_ended, second[0]))
            ]
            for run in runs:
                self._judge("two at once", run)
            self.violations += [f"two at once: {words}" for words in truth.joint_flaws(*runs)]
            return
        run = self._seen(begin, earlier, ended, self._wish, others, theirs)
        self._judge("in the storm", run, truth.flaws)
        if run.result is None and self._focus not in (TERM, KILL):
            self.violations.append(f"in the storm: no result: {ended.printed[-500:]}")

    def _start(
        self, options: Fields, directory: Path, *, storm: bool = False, check_mode: bool = False
    ) -> subprocess.Popen[str]:
        given = {**options, "timeout": troubles.TIMEOUT if storm else 30, "retries": self._retries, "max_wait": 60}
        variables = self._emulator.environment()
        return start(directory, given, variables, check_mode=check_mode, module=self._kind)

    def _run(self, *, check_mode: bool = False) -> truth.Run:
        begin, earlier = len(self._list.history) - 1, len(self._emulator.requests)
        ended = finish(self._start(self._options, self._directory, check_mode=check_mode))
        if not ended.result:
            self.violations.append(f"no result: {ended.printed[-500:]}")
        return self._seen(begin, earlier, ended, self._wish)

    def _seen(
        self,
        begin: int,
        earlier: int,
        ended: Ended,
        wish: truth.Wish,
        others: frozenset[truth.Ident] = frozenset(),
        theirs: Sequence[int] | None = None,
    ) -> truth.Run:
        writes = [
            (request.method, request.status, request.fault)
            for request in self._emulator.requests[earlier:]
            if request.method != "GET" and request.credential == "write"
        ]
        states = [state for _since, state in self._list.history[begin:]]
        if ended.hung:
            self.violations.append("it hung, and had to be ended")
        return truth.Run(wish, states, writes, ended.result, others, theirs)

    def _judge(self, when: str, run: truth.Run, *judges: Callable[[truth.Run], Iterator[str]]) -> None:
        result = run.result or {}
        self.story.append(f"{when}: {result.get('msg')}")
        self.done.update({word: result.get(word, 0) for word in truth.WORDS if when != "in check mode"})
        self.violations += [f"{when}: {words}" for judge in judges for words in judge(run)]

    def _wait_for(self, process: subprocess.Popen[str], *routes: str, number: int) -> None:
        while process.poll() is None and sum(len(self._emulator.requests_to(name)) for name in routes) < number:
            time.sleep(0.005)

    def _disturb(self, process: subprocess.Popen[str]) -> None:
        self._wait_for(process, *self._writes, number=1)
        time.sleep(self._rnd.choice([0, 0, 0.03, 0.3]))
        if process.poll() is None:
            self.struck = True
            os.kill(process.pid, signal.Signals[self._focus])

    def _somebody_else(self, process: subprocess.Popen[str]) -> tuple[frozenset[truth.Ident], Sequence[int]]:
        """Create, or delete, what the task declares, right after it read the list. Return the ident, and how much was done."""
        rnd, kind = self._rnd, self._kind
        todo = truth.left({row["id"]: row for row in self._list.entries}, self._wish)
        mine = [entry for entry in self._wish.entries if truth.ident(kind, entry) in todo.create]
        path = f"/accounts/{self._emulator.account_id}/email-security/settings/{kind}"
        self._wait_for(process, f"list_{kind}", number=2)  # the first was that of check mode
        self.struck = process.poll() is None
        if todo.delete and (rnd.random() < 0.5 or not mine):
            name, key = rnd.choice(sorted(todo.delete.items()))
            did = [0, 0, self._call("DELETE", f"{path}/{name}", None)]
        elif mine:
            entry = {k: v for k, v in rnd.choice(mine).items() if k not in ("state", "expires")}
            key = truth.ident(kind, entry)
            defaults = {"allow_policies": {"is_exempt_recipient": False}}.get(kind, {})
            did = [self._call("POST", path, {**defaults, **entry}), 0, 0]
        else:
            return frozenset(), [0, 0, 0]
        return frozenset({key}), did

    def _call(self, method: str, path: str, body: Fields | None) -> bool:
        """Send a request of somebody else; whether it was taken."""
        key = self._emulator.credentials["key"]
        request = urllib.request.Request(
            self._emulator.url + path,
            json.dumps(body).encode() if body else None,
            {"X-Auth-Email": key.email, "X-Auth-Key": key.secret, "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request) as answer:
                self.story.append(f"somebody else: {method} {path} {body} -> {answer.status}")
                return True
        except urllib.error.HTTPError as refused:  # the run was faster
            self.story.append(f"somebody else: {method} {path} {body} -> {refused.code}")
            return False


def play(seed: int) -> Played:
    """Play the storm of a seed."""
    rnd = random.Random(seed)
    focus = FOCI[seed % len(FOCI)]
    logging.disable()  # the server complains of connections that are cut under its hands
    latency = 0.1 if focus in (OTHER, TWIN, TERM, KILL) else 0
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as name,
        Emulator("empty", seed=seed, state_lag=rnd.choice(LAGS), latency=latency) as emulator,
    ):
        stage = Stage(rnd, focus, Path(name), emulator)
        faults = emulator.faults.as_json()
        stage.play()
        log = [
            f"{request.number} {request.method} {request.route} {request.body[:600]!r} -> {request.status} {request.fault or ''}"
            for request in emulator.requests
        ]
        return Played(
            seed,
            focus,
            stage.struck,
            stage.violations,
            stage.done,
            [str(emulator.settings.state_lag), str(faults), *stage.story, *log],
        )


def main() -> int:
    """Play the storms and say what came of them."""
    parser = argparse.ArgumentParser(prog="python tests/chaos/settings.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=2 * len(FOCI), help="how many storms")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first one; the others follow")
    parser.add_argument("--jobs", type=int, default=8, help="how many at once; most of the time they wait")
    parser.add_argument("--replay", type=int, metavar="SEED", help="play one storm and tell all that happened")
    arguments = parser.parse_args()
    if arguments.replay is not None:
        played = play(arguments.replay)
        print("\n".join([*played.story, *(f"WRONG: {words}" for words in played.violations)]))
        return bool(played.violations)
    begin, wrong = time.monotonic(), 0
    done: Counter[str] = Counter()
    struck: set[str] = set()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for played in pool.map(play, range(arguments.seed, arguments.seed + arguments.runs)):
            done += played.done
            struck |= {played.focus} if played.struck else set()
            wrong += bool(played.violations)
            for words in played.violations[:5]:
                print(f"Seed {played.seed} ({played.focus}): {words}", flush=True)
    print(f"{arguments.runs} storms, {wrong} with a violation, {time.monotonic() - begin:.0f} s; {dict(done)}")
    spared = sorted(set(FOCI) - struck) if arguments.runs >= len(FOCI) else []
    if spared:
        print(f"Nothing was proven about {', '.join(spared)}: it never struck.")
    return bool(wrong or spared)


if __name__ == "__main__":
    sys.exit(main())
