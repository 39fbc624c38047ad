# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings as code: a list that is new, that is unchanged, and of which a little changed."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from .bench import LATENCY, Bench, bench
from .contenders import MODULES, NOTHING, Contender, start_module, start_uri
from .machine import Machine, machine
from .program import Failed
from .row import COLUMNS, Row, extrapolate
from .scope import Scope
from .table import Table, count, seconds, target, targets

LIST = "block_senders"
MOST = 1_000  # entries of a page, and new or changed ones of a batch
OURS = Contender(f"`{LIST}`", "settings.yml", MOST)
LOOPED = Contender("`uri`, one entry per call", "settings_uri.yml", 1)
SDK = Contender("Python SDK, one entry per call", "settings_sdk.py", 1)
SDK_BATCH = Contender("Python SDK, its batch", "settings_sdk.py", MOST)
WAYS = (OURS, LOOPED, SDK, SDK_BATCH)
ADDED = 1.0  # seconds over a module that does nothing
Entries = list[dict[str, Any]]


class Case(NamedTuple):
    """How many entries are stored, declared, and changed of those that are both."""

    stored: int
    declared: int
    changed: int = 0

    def name(self) -> str:
        """Return what tells it from the other cases."""
        if self.changed:
            return f"{count(self.changed)} of {count(self.declared)} changed"
        return f"{count(self.declared)} {'unchanged' if self.stored else 'new'}"

    def fewest(self) -> int:
        """Return the requests that it takes: one for each page, and one for as many changes as a batch holds."""
        pages = max(1, -(-self.stored // MOST))
        return pages + -(-(self.declared - self.stored) // MOST) + -(-self.changed // MOST)

    def before(self) -> Entries:
        """Return the entries that are stored."""
        return [entry(number) for number in range(self.stored)]

    def after(self) -> Entries:
        """Return the entries that are declared, the changed ones all over the list."""
        entries = [entry(number) for number in range(self.declared)]
        for number in range(self.changed):
            entries[number * self.declared // self.changed]["comments"] += ", and by a second one"
        return entries


class Lists(NamedTuple):
    """All rows by case, what starting Ansible costs, and what an unchanged list adds to that."""

    machine: Machine
    rows: list[tuple[Case, Row]]
    rounds: int
    unchanged: Case
    start: float
    added: float

    def tables(self) -> list[Table]:
        """Show the ways side by side."""
        ours = {case: row.seconds for case, row in self.rows if row.contender == OURS}
        rows = [
            (row.contender.name, case.name(), *row.cells(), f"{row.seconds / ours[case]:.1f}")
            for case, row in self.rows
        ]
        about = (
            f"A list of blocked senders: addresses, domains, IP addresses and regular expressions. Each answer takes {LATENCY} ms. "
            f"Medians of {self.rounds} rounds; ≈ is extrapolated, not measured. The time is that of the whole command; "
            f"Ansible with a module that does nothing takes {seconds(self.start)}. Memory is that of the process that talks to the "
            "API. After each run, the list was as declared. The last column is the time as a multiple of "
            f"that of {OURS.name}. For the target of time, both were started in turns, and the difference is the median."
        )
        return [Table("Lists", about, ("Way", "Entries", *COLUMNS, "Factor"), rows)]

    def targets(self) -> Table:
        """Return the table of what was to be reached."""
        rows = [
            (
                f"{case.name()}: requests",
                count(row.requests),
                count(case.fewest()),
                "yes" if row.requests <= case.fewest() else "no",
            )
            for case, row in self.rows
            if row.contender == OURS
        ]
        name = f"{self.unchanged.name()}: time added to a module that does nothing"
        return targets([*rows, target(name, self.added, ADDED, seconds)])


def entry(number: int) -> dict[str, Any]:
    """Return an entry of its own for each number, of all types in turns."""
    pattern, pattern_type, is_regex = (
        (f"sender{number}@attacker{number % 97}.example", "EMAIL", False),
        (f"attacker{number}.example", "DOMAIN", False),
        (f"203.{number >> 16}.{number >> 8 & 255}.{number & 255}", "IP", False),
        (rf"^invoice[0-9]+@.*\.attacker{number}\.example$", "EMAIL", True),
    )[number % 4]
    comments = f"INC-{number}, told by a bank"
    return {"pattern": pattern, "pattern_type": pattern_type, "is_regex": is_regex, "comments": comments}


def measure_lists(directory: Path, scope: Scope) -> Lists:
    """Measure all ways in turns, so that what else the machine does hits all of them."""
    print("settings lists", file=sys.stderr, flush=True)
    changed, of = scope.changed
    unchanged = Case(scope.entries, scope.entries)
    cases = (Case(0, scope.entries), unchanged, Case(of, of, changed))
    taken: dict[tuple[Case, Contender, Case], list[Row]] = {}
    about = machine()
    with bench(directory, 1) as place:
        for _ in range(scope.rounds):
            for case in cases:
                for way in WAYS:
                    for measured in _measured(case, way, scope):
                        taken.setdefault((case, way, measured), []).append(_measure(place, way, measured))
        pairs = [_pair(place, unchanged) for _ in range(scope.starts)]
    rows = []
    for case in cases:
        for way in WAYS:
            own = [_median(taken[case, way, measured]) for measured in _measured(case, way, scope)]
            rows.append((case, own[0] if len(own) == 1 else extrapolate(own[0], own[1], case.declared)))
    start = median(nothing for nothing, _ours in pairs)
    return Lists(about, rows, scope.rounds, unchanged, start, median(ours - nothing for nothing, ours in pairs))


def _pair(place: Bench, unchanged: Case) -> tuple[float, float]:
    """Return the time of Ansible with a module that does nothing, and right after it with the unchanged list."""
    _store(place, unchanged)
    return NOTHING.start(place).wait().seconds, OURS.start(place, entries=unchanged.after()).wait().seconds


def _measured(case: Case, way: Contender, scope: Scope) -> list[Case]:
    """Return the case, or smaller ones that tell what it would take."""
    if way == LOOPED and not case.stored:
        return [Case(0, size) for size in scope.entries_one_by_one]
    return [case]


def _median(rows: list[Row]) -> Row:
    first = rows[0]
    return Row(
        first.contender, first.size, *(median(column) for column in zip(*(row[2:6] for row in rows), strict=True))
    )


def _measure(place: Bench, way: Contender, case: Case) -> Row:
    """Return what one run took, after which the list is as declared."""
    declared = case.after()
    _store(place, case)
    usage = way.start(place, entries=declared).wait()
    traffic = place.traffic()
    check(place, way, case)
    memory = _memory_of_module(place, way, case) or usage.memory
    return Row(way, case.declared, usage.seconds, traffic.requests, traffic.connections, memory)


def _store(place: Bench, case: Case) -> None:
    place.begin(0)
    place.emulator.tell(f"/lists/{LIST}", case.before())


def check(place: Bench, way: Contender, case: Case) -> None:
    """Raise Failed unless the list has the declared entries and no others."""
    fields = entry(0).keys()
    stored = [{name: row.get(name) for name in fields} for row in place.emulator.ask(f"/lists/{LIST}")]
    if sorted(map(str, stored)) != sorted(str({name: row[name] for name in fields}) for row in case.after()):
        raise Failed(f"{way.name} was to make a list have {count(case.declared)} entries, but it has others.")


def _memory_of_module(place: Bench, way: Contender, case: Case) -> float:
    """Return what the module takes that Ansible starts; 0 for a script, which was measured itself."""
    if way == OURS:
        _store(place, case)
        return start_module(place, f"{MODULES}.{LIST}", entries=case.after()).wait().memory
    if way == LOOPED:
        return start_uri(place, f"settings/{LIST}?per_page={MOST}").wait().memory
    return 0
