# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part 5: against the rate limit, alone and as four processes that share one token."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from .bench import Traffic, bench
from .contenders import start_release
from .program import Failed
from .scope import Scope
from .table import Table, count, seconds

QUOTA, WINDOW = 40, 4.0  # requests in each so many seconds
FORKS = 4


class Paced(NamedTuple):
    """What a job of one or more processes took."""

    processes: int
    seconds: float
    traffic: Traffic

    @property
    def least(self) -> float:
        """The seconds that this many requests take at least: the first of each window may be sent at its beginning."""
        served = self.traffic.requests - self.traffic.refused
        return (math.ceil(served / QUOTA) - 1) * WINDOW

    @property
    def ratio(self) -> float:
        """How much longer than that it took."""
        return self.seconds / self.least


class Pacing(NamedTuple):
    """Alone, and together."""

    size: int
    results: list[Paced]

    def table(self) -> Table:
        """Show it."""
        rows = [
            (
                "alone"
                if paced.processes == 1
                else f"{paced.processes} at once, {self.size // paced.processes} messages each",
                count(paced.traffic.requests),
                seconds(paced.seconds),
                seconds(paced.least),
                f"{paced.ratio:.2f}",
                count(paced.traffic.refused),
            )
            for paced in self.results
        ]
        about = (
            f"{count(self.size)} messages, one in each call, where {QUOTA} requests in {WINDOW:.0f} seconds are "
            "allowed and all further ones are refused with HTTP 429. The processes share a token and a machine, "
            "nothing else. The time includes the start of the module; the least is what so many requests take at least."
        )
        columns = ("Processes", "Requests", "Time", "Least", "Time / least", "HTTP 429")
        return Table("Keeping to the rate limit", about, columns, rows)


def pace(directory: Path, scope: Scope) -> Pacing:
    """Measure both."""
    return Pacing(scope.paced, [_paced(directory, scope.paced, processes) for processes in (1, FORKS)])


def _paced(directory: Path, size: int, processes: int) -> Paced:
    with bench(directory, size, rate_quota=QUOTA, rate_window=WINDOW) as place:
        ids = place.begin(size)
        started = [start_release(place, ids[number::processes], batch_size=1) for number in range(processes)]
        longest = max(process.wait().seconds for process in started)
        traffic = place.traffic()
        if (traffic.delivered, traffic.copies_too_many) != (size, 0):
            raise Failed(f"{processes} processes were to release {size} messages: {traffic}")
        return Paced(processes, longest, traffic)
