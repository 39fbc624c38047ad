# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part 1: the contenders side by side, with more and more messages."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import NamedTuple

from .bench import LATENCY, Bench, bench
from .contenders import BARE, CONTENDERS, LOOPED, NOTHING, ONE_BY_ONE, OURS, Contender, start_release, start_uri
from .program import Failed
from .row import COLUMNS, Row, extrapolate
from .scope import Scope
from .table import Table, count, seconds


class Comparison(NamedTuple):
    """All rows, and what starting Ansible costs."""

    rows: list[Row]
    start: float
    rounds: int

    def seconds(self, contender: Contender, size: int) -> float:
        """Return the time of one contender."""
        return next(row.seconds for row in self.rows if (row.contender, row.size) == (contender, size))

    def table(self) -> Table:
        """Show it, grouped by size."""
        rows = [
            (row.contender.name, count(row.size), *row.cells()) for row in sorted(self.rows, key=lambda row: row.size)
        ]
        about = (
            f"Each answer takes {LATENCY} ms. Medians of {self.rounds} rounds; ≈ is extrapolated, not measured. The "
            "time is that of the whole command; Ansible with a module that does nothing takes "
            f"{seconds(self.start)}. Memory is that of the process that talks to the API. `message_release` reads the "
            "state of each message before it sends; the others send unread."
        )
        return Table("Time and requests", about, ("Way", "Messages", *COLUMNS), rows)


def compare(directory: Path, scope: Scope) -> Comparison:
    """Measure all contenders, in turns, so that what else the machine does hits all of them."""
    taken: dict[tuple[Contender, int], list[tuple[float, float, float, float]]] = {}
    starts = []
    memories: dict[tuple[Contender, int], float] = {}
    with bench(directory, max(scope.sizes)) as place:
        for _ in range(scope.rounds):
            starts.append(NOTHING.start(place).wait().seconds)
            for contender in CONTENDERS:
                for size in _measured(contender, scope):
                    taken.setdefault((contender, size), []).append(_measure(place, contender, size))
        for contender, size in taken:
            memories[contender, size] = _memory_of_module(place, contender, size)
    rows = [
        Row(contender, size, *(median(column) for column in zip(*figures, strict=True)))
        for (contender, size), figures in taken.items()
    ]
    rows = [row._replace(memory=memories[row.contender, row.size] or row.memory) for row in rows]
    return Comparison(_complete(rows, scope), median(starts), scope.rounds)


def _measured(contender: Contender, scope: Scope) -> list[int]:
    if contender == ONE_BY_ONE:
        return list(scope.one_by_one)
    return [size for size in scope.sizes if contender != LOOPED or size <= scope.most_looped]


def _measure(place: Bench, contender: Contender, size: int) -> tuple[float, float, float, float]:
    """Return seconds, requests, connections and memory of one run, after which each message was delivered once."""
    usage = contender.start(place, ids=place.begin(size)).wait()
    traffic = place.traffic()
    if (traffic.delivered, traffic.copies_too_many) != (size, 0):
        raise Failed(f"{contender.name} was to release {size} messages: {traffic}")
    return usage.seconds, traffic.requests, traffic.connections, usage.memory


def _memory_of_module(place: Bench, contender: Contender, size: int) -> float:
    """Return what the module takes that Ansible starts; 0 for a script, which was measured itself."""
    if contender == OURS:
        return start_release(place, place.begin(size)).wait().memory
    if contender in (ONE_BY_ONE, LOOPED):
        body = {"ids": place.begin(min(size, contender.batch))}
        return start_uri(place, "investigate/release", method="POST", body=body).wait().memory
    return 0


def _complete(rows: list[Row], scope: Scope) -> list[Row]:
    """Add what was not measured, along the line through the two largest sizes that were; leave out other sizes."""
    complete = []
    for contender in CONTENDERS:
        own = [row for row in rows if row.contender == contender]
        complete += [row for row in own if row.size in scope.sizes]
        small, large = own[-2:]
        complete += [extrapolate(small, large, size) for size in scope.sizes if size > large.size]
    return complete


def overhead(comparison: Comparison, size: int) -> tuple[float, float]:
    """Return the time for so many messages, and what the bare script takes with the start of Ansible added."""
    return comparison.seconds(OURS, size), comparison.seconds(BARE, size) + comparison.start
