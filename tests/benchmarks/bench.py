# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bench on which everything is measured: an emulator, and a directory for what the programs are given and say."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bootstrap import BENCHMARKS
from emulator_process import RunningEmulator, running_emulator

LATENCY = 50  # milliseconds before each answer
_numbers = itertools.count()


class Traffic(NamedTuple):
    """What the emulator saw: requests, those refused with 429, connections, and what was delivered."""

    requests: int
    refused: int
    connections: int
    delivered: int  # messages
    copies_too_many: int


class Bench:
    """An emulator with mail in quarantine, and a private directory."""

    def __init__(self, emulator: RunningEmulator, directory: Path) -> None:
        self.emulator = emulator
        self.directory = directory
        self.account = emulator.accounts[0]["id"]
        self.variables = {
            **emulator.variables(),
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "CLOUDFLARE_ACCOUNT_ID": self.account,
            "TMPDIR": str(directory),
        }

    def begin(self, size: int) -> list[str]:
        """Put everything back to the beginning; return the ids of so many messages, the newest ones."""
        self.emulator.tell("/reset", {})
        return [message["id"] for message in self.emulator.ask("/messages")[:size]]

    def file(self, content: Any) -> Path:
        """Return a new file with that content as JSON."""
        path = self.directory / f"given-{next(_numbers)}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def output(self) -> Path:
        """Return a name for what a program says."""
        return self.directory / f"output-{next(_numbers)}.txt"

    def traffic(self) -> Traffic:
        """Return what the emulator saw since the beginning."""
        log = self.emulator.ask("/requests")
        counts = [count for people in self.emulator.ask("/deliveries")["counts"].values() for count in people.values()]
        return Traffic(
            requests=len(log),
            refused=sum(entry["status"] == 429 for entry in log),
            connections=len({entry["connection"] for entry in log}),
            delivered=len(counts),
            copies_too_many=sum(counts) - len(counts),
        )


@contextlib.contextmanager
def bench(directory: Path, messages: int, **settings: Any) -> Iterator[Bench]:
    """Give a bench with so many messages, each to one recipient, and an emulator with these settings."""
    place = directory / f"bench-{next(_numbers)}"
    place.mkdir()
    settings = {"rate_quota": 1_000_000, **settings}
    options = ["--scenario", "bulk", "--messages", str(messages), "--latency", str(LATENCY)]
    for name, value in settings.items():
        options += ["--set", f"{name}={json.dumps(value)}"]
    with running_emulator(place, *options, environment=BENCHMARKS) as emulator:
        yield Bench(emulator, place)
