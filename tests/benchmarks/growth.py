# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part 2: the module by itself with many messages: time, processor time and memory."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .bench import bench
from .contenders import start_release, start_same_result
from .program import Failed, Usage
from .scope import Scope
from .table import Table, count, megabytes, seconds


class Growth(NamedTuple):
    """What the module took, by number of messages."""

    usages: dict[int, Usage]
    floors: dict[int, Usage]  # of a module that does nothing but return such a result

    def cost(self, size: int) -> float:
        """Return the processor time for each message, in seconds."""
        return self.usages[size].cpu / size

    def table(self) -> Table:
        """Show it."""
        rows = [
            (
                count(size),
                seconds(usage.seconds),
                seconds(usage.cpu),
                f"{self.cost(size) * 1e6:,.0f} ms",
                megabytes(usage.memory),
                megabytes(self.floors[size].memory),
            )
            for size, usage in self.usages.items()
        ]
        about = (
            "The module without Ansible around it, batches of 50, four requests at once. Beside it the memory of a module that does "
            "nothing but return a result of the same size, which Ansible copies and writes as JSON before it prints it."
        )
        columns = (
            "Messages",
            "Time",
            "Processor time",
            "Processor time per 1,000",
            "Memory",
            "Memory of the result alone",
        )
        return Table("Growth", about, columns, rows)


def grow(directory: Path, scope: Scope) -> Growth:
    """Measure the module with each number of messages, on an emulator that holds no others."""
    usages, floors = {}, {}
    for size in scope.growth:
        with bench(directory, size) as place:
            ids = place.begin(size)
            floors[size] = start_same_result(place, ids).wait()
            usages[size] = start_release(place, ids).wait()
            traffic = place.traffic()
            if (traffic.delivered, traffic.copies_too_many) != (size, 0):
                raise Failed(f"The module was to release {size} messages: {traffic}")
    return Growth(usages, floors)
