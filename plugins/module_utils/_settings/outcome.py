# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What a run found in a list, and what it did."""

from __future__ import annotations

import collections
import typing as t

from .._errors import CloudflareError
from .difference import CREATE, DELETE, UPDATE, Change, Difference, Wish, day_of, difference
from .expiry import is_soon
from .kinds import Row
from .lists import Rows, as_entry

_WORDS = {CREATE: "created", UPDATE: "updated", DELETE: "deleted"}


class Outcome:
    """The state of a run.

    found: the difference at the beginning. now: the latest one. left: its changes that were found at the beginning, too.
    check_mode: the changes are only predicted.
    uncertain: changes that were sent, and of which nobody knows whether they were made.
    error: what ended the run.
    """

    def __init__(self, wish: Wish, found: Difference, check_mode: bool) -> None:
        self.wish = wish
        self.found = self.now = found
        self.check_mode = check_mode
        self.left = list(found.changes)
        self.uncertain: t.Sequence[Change] = ()
        self.error: CloudflareError | None = None
        self._targets = {change.target for change in found.changes}
        self._others: set[object] = set()

    def look(self, rows: Rows) -> None:
        """Find out what is left, now that the list has these entries."""
        self.now = difference(self.wish, rows.values())
        self.left = [change for change in self.now.changes if change.target in self._targets]

    def unfinished(self, changes: t.Iterable[Change]) -> bool:
        """Tell whether something is left to do for the entries of these changes."""
        return not {change.target for change in changes}.isdisjoint(change.target for change in self.left)

    def missing(self, changes: t.Iterable[Change]) -> list[Change]:
        """Return which of these changes are still left."""
        left = {(change.verb, change.target) for change in self.left}
        return [change for change in changes if (change.verb, change.target) in left]

    def made_by_others(self, changes: t.Iterable[Change]) -> None:
        """Remember that this run made none of these changes. What is left of them now may be another one."""
        left = {change.target: change for change in self.left}
        targets = {change.target for change in changes}
        self._others |= targets - left.keys()
        found = [
            left.get(change.target, change) if change.target in targets else change for change in self.found.changes
        ]
        self.found = self.found._replace(changes=found)

    @property
    def done(self) -> list[Change]:
        """Return the changes that this run made, or would make."""
        left = set() if self.check_mode else {change.target for change in self.left} | self._others
        return [change for change in self.found.changes if change.target not in left]

    def data(self) -> dict[str, t.Any]:
        """Return the result."""
        kind, done = self.wish.kind, self.done
        counts = {word: sum(change.verb == verb for change in done) for verb, word in _WORDS.items()}
        differing = {change.target for change in self.found.changes} - self._others
        deleting = {change.entry.number for change in self.found.changes if change.entry and change.verb == DELETE}
        left = [] if self.check_mode else self.left
        lacking = {change.target for change in left if change.verb == CREATE}
        stored = [row for index, row in sorted(self._stored().items()) if index not in lacking]
        undeleted = [change.before for change in left if change.verb == DELETE]
        return {
            "changed": bool(done),
            "msg": self._sentences(counts),
            **counts,
            "unchanged": sum(entry.number not in differing | deleting for entry in self.wish.entries),
            "entries": self._shown(stored),
            "duplicates": self._shown(self.now.duplicates),
            **({"expiring": self._expiring([*stored, *self.now.others, *undeleted])} if kind.comments else {}),
        }

    def _shown(self, rows: t.Iterable[Row]) -> list[dict[str, t.Any]]:
        return [{"id": row.get("id"), **as_entry(self.wish.kind, row)} for row in rows]

    def _expiring(self, rows: t.Iterable[Row]) -> list[dict[str, t.Any]]:
        kind, today = self.wish.kind, self.wish.today
        return self._shown(row for row in rows if is_soon(day_of(kind, row), today))

    def _stored(self) -> dict[int, t.Mapping[str, t.Any]]:
        """Return the declared entries as they are stored."""
        pending = {} if self.check_mode else {change.target: change.before for change in self.left}
        return {index: pending.get(index, row) for index, row in self.now.stored.items()}

    def diff(self) -> dict[str, t.Any]:
        """Return the changed entries before and after, by key. Stored ones with the same key have their id in addition."""
        kind = self.wish.kind
        titles = [kind.title({**change.before, **change.fields}) for change in self.done]
        counts = collections.Counter(titles)
        before, after = {}, {}
        for key, change in zip(titles, self.done):
            title = f"{key} ({change.before['id']})" if counts[key] > 1 and change.before else key
            if change.verb != CREATE:
                before[title] = as_entry(kind, change.before)
            if change.verb != DELETE:
                after[title] = as_entry(kind, change.after)
        return {"before": before, "after": after}

    def _sentences(self, counts: t.Mapping[str, int]) -> str:
        words = ", ".join(f"{number} {word}" for word, number in counts.items() if number) or "nothing changed"
        words = f"{self.wish.kind.name}: {words}{' (predicted)' if self.check_mode and any(counts.values()) else ''}."
        if self.uncertain:
            words += f" {len(self.uncertain)} more changes were sent, and it is unknown whether they were made: run it again."
        elif self.error and self.left:
            words += f" {len(self.left)} changes were not made."
        return f"{self.error.sentence()} {words}" if self.error else words
