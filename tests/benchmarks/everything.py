# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All parts on releases in order, and what they were to reach."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from .comparison import Comparison, compare, overhead
from .contenders import OURS
from .doubles import Doubles, count_doubles
from .growth import Growth, grow
from .machine import Machine, machine
from .pacing import Pacing, pace
from .scope import Scope
from .starting import Start, start
from .table import Table, count, megabytes, seconds, target, targets

Part = TypeVar("Part")
COMPARED = 1_000
ADDED, MEMORY, PACE = 0.150, 200e6, 1.15


class Figures(NamedTuple):
    """Everything that was measured."""

    machine: Machine
    comparison: Comparison
    doubles: Doubles
    pacing: Pacing
    start: Start
    growth: Growth

    def tables(self) -> list[Table]:
        """Return the tables of all parts."""
        return [part.table() for part in (self.comparison, self.doubles, self.pacing, self.growth, self.start)]

    def targets(self) -> Table:
        """Return the table of what was to be reached, which takes figures of the full size."""
        took, limit = overhead(self.comparison, COMPARED)
        fewer, most = sorted(self.growth.usages)[-2:]
        copies = self.doubles.copies(OURS)
        rows = [
            target(f"{count(COMPARED)} messages: below bare script + start of Ansible", took, limit, seconds),
            target("Start: added to a module that only imports `requests`", self.start.added, ADDED, _milliseconds),
            target(f"Memory for {count(most)} messages", self.growth.usages[most].memory, MEMORY, megabytes),
            (
                f"Linear: processor time for each message, of {count(most)} against {count(fewer)}",
                f"{self.growth.cost(most) / self.growth.cost(fewer):.2f}",
                "1",
                "see growth",
            ),
            *(
                target(f"Rate limit, {paced.processes} at once: time / least", paced.ratio, PACE, "{:.2f}".format)
                for paced in self.pacing.results
            ),
            ("Double deliveries", count(copies), "0", "yes" if copies == 0 else "no"),
        ]
        return targets(rows)


def _milliseconds(number: float) -> str:
    return f"{number * 1000:.0f} ms"


def measure(directory: Path, scope: Scope) -> Figures:
    """Measure all parts, telling which one is under way."""
    begin = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begin:4.0f} s  {text}", file=sys.stderr, flush=True)

    def part(name: str, measured: Callable[[Path, Scope], Part]) -> Part:
        say(name)
        return measured(directory, scope)

    figures = Figures(
        machine=machine(),
        comparison=part("the ways side by side", compare),
        doubles=part("double deliveries", count_doubles),
        pacing=part("rate limit", pace),
        start=part("start of the module", start),
        growth=part("growth", grow),
    )
    say("done")
    return figures
