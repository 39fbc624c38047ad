# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part 4: lost answers. The work is done, the answer is not heard: who sends again, delivers twice."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .bench import Traffic, bench
from .contenders import BARE, LOOPED, OURS, SDK, Contender
from .program import Usage
from .scope import Scope
from .table import Table, count, seconds

WAYS = (OURS, LOOPED, SDK, BARE)
# After the work of one in ten release calls each: a gateway's error page, and a connection that is cut.
FAULTS = [
    {
        "action": "status",
        "status": 504,
        "body": "html",
        "when": "after",
        "route": "release",
        "times": None,
        "probability": 0.1,
        "seed": 14,
    },
    {"action": "cut", "when": "after", "route": "release", "times": None, "probability": 0.1, "seed": 18},
]


class Doubles(NamedTuple):
    """What came of it, by contender."""

    size: int
    results: list[tuple[Contender, Usage, Traffic, int]]  # the last: answers lost

    def table(self) -> Table:
        """Show it."""
        rows = [
            (
                f"{way.name}, up to {way.tries} tries",
                count(lost),
                count(traffic.copies_too_many),
                count(self.size - traffic.delivered),
                "as failed" if usage.code else "as done",
                seconds(usage.seconds),
            )
            for way, usage, traffic, lost in self.results
        ]
        about = (
            f"{count(self.size)} messages in batches of 50. The same faults, in the same order, hit the release calls "
            "of each, repeated ones included: about one in ten is answered by a gateway's 504 page, one in ten is cut, "
            "both after the work was done. "
            "Whether Cloudflare delivers a message again that it has released is not published; the emulator does."
        )
        columns = ("Way", "Answers lost", "Copies too many", "Not delivered", "Ends", "Time")
        return Table("Double deliveries", about, columns, rows)

    def copies(self, contender: Contender) -> int:
        """Return how many copies too many one of them caused."""
        return next(traffic.copies_too_many for way, _, traffic, _ in self.results if way == contender)


def count_doubles(directory: Path, scope: Scope) -> Doubles:
    """Let each release the same messages through the same faults, with the retries that people give it."""
    results = []
    # Both forms of the body are taken, so that the faults hit the same calls of all.
    with bench(directory, scope.faulty, release_forms=["array", "object"]) as place:
        for way in WAYS:
            ids = place.begin(scope.faulty)
            place.emulator.tell("/faults", FAULTS)
            usage = way.start(place, ids=ids, tries=way.tries).wait(must_succeed=False)
            lost = sum(fault.get("hits", 0) for fault in place.emulator.ask("/faults"))
            results.append((way, usage, place.traffic(), lost))
    return Doubles(scope.faulty, results)
