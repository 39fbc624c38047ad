# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The difference between what is declared and what an account has: as few changes as possible."""

from __future__ import annotations

import typing as t

from . import expiry
from .declared import Declared
from .keys import by_key, keys_to_look_for
from .kinds import Kind, Row

CREATE, UPDATE, DELETE = "create", "update", "delete"


class Wish(t.NamedTuple):
    """What a task asks for. purge: delete what is not declared. remove_expired: delete what has expired by today."""

    kind: Kind
    entries: t.Sequence[Declared]
    purge: bool
    remove_expired: bool
    today: expiry.Day


class Change(t.NamedTuple):
    """One change. entry: the declared one, or None if nothing was declared. before: as it is stored, or empty.

    fields: what is sent.
    """

    verb: str
    entry: Declared | None
    before: Row
    fields: dict[str, t.Any]

    @property
    def target(self) -> object:
        """Return what is changed: the declared entry by its index, or the stored one that is deleted by its id."""
        return self.before["id"] if self.entry is None or self.verb == DELETE else self.entry.number

    @property
    def after(self) -> dict[str, t.Any]:
        """Return the entry as it will be stored, or nothing if it is deleted."""
        return {} if self.verb == DELETE else {**self.before, **self.fields}


class Difference(t.NamedTuple):
    """The changes, and what else is known.

    stored: what is stored of each declared entry, by its index, as it will be.
    duplicates: entries that another one, which is older, makes superfluous.
    others: entries that are not declared, and stay.
    """

    changes: list[Change]
    stored: dict[int, Row]
    duplicates: list[Row]
    others: list[Row]


def difference(wish: Wish, rows: t.Iterable[Row]) -> Difference:
    """Return what makes of these stored entries what the task asks for."""
    kind = wish.kind
    managed = [row for row in rows if kind.is_managed(row)]
    known = by_key(kind, managed)
    duplicates = [row for same in known.values() for row in same[1:]]
    changes: list[Change] = []
    stored: dict[int, Row] = {}
    deleted: dict[str, Change] = {}
    kept: set[str] = set()
    for entry in wish.entries:
        found = [row for key in keys_to_look_for(kind, entry.fields) for row in known.get(key, ())]
        if entry.absent:
            deleted.update((row["id"], Change(DELETE, entry, row, {})) for row in found)
            continue
        change = _wanted(kind, entry, found[0] if found else {})
        if change:
            changes.append(change)
        stored[entry.number] = change.after if change else found[0]
        kept.update(row["id"] for row in found[:1])
    for row in managed:
        expired = wish.remove_expired and expiry.is_past(day_of(kind, row), wish.today)
        if row["id"] not in kept and (wish.purge or expired):
            deleted.setdefault(row["id"], Change(DELETE, None, row, {}))
    others = [row for row in managed if row["id"] not in kept and row["id"] not in deleted]
    return Difference([*changes, *deleted.values()], stored, duplicates, others)


def day_of(kind: Kind, row: Row) -> expiry.Day | None:
    """Return the day on which a stored entry expires."""
    return expiry.split(row.get(kind.comments))[1] if kind.comments else None


def _wanted(kind: Kind, entry: Declared, before: Row) -> Change | None:
    """Return the change that makes of the stored entry, or of nothing, the declared one; None if it is that already."""
    fields = {
        name: value
        for name, value in entry.fields.items()
        if name not in kind.key and not _same(kind, name, value, before.get(name))
    }
    if before and kind.regex in fields and fields[kind.regex] and entry.fields[kind.key[-1]] != before[kind.key[-1]]:
        fields[kind.key[-1]] = entry.fields[kind.key[-1]]  # now its case counts
    if kind.comments:
        text, day = expiry.split(before.get(kind.comments))
        new_text, new_day = text if entry.text is None else entry.text, entry.day or day
        if entry.forever:
            new_text, new_day = expiry.bare(new_text), None
        elif new_day:
            new_text = new_text.rstrip()
        if (new_text, new_day) != (text, day):
            fields[kind.comments] = expiry.join(new_text, new_day)
    if before:
        return Change(UPDATE, entry, before, fields) if fields else None
    defaults = {
        name: list(field.default) if field.type == "list" else field.default
        for name, field in kind.fields.items()
        if field.default is not None
    }
    return Change(CREATE, entry, {}, {**defaults, **entry.fields, **fields})


def _same(kind: Kind, name: str, wanted: t.Any, stored: t.Any) -> bool:
    if isinstance(wanted, list):
        have = stored if isinstance(stored, list) else []
        fold = str.lower if kind.fields[name].any_case else str
        return {fold(str(item)) for item in wanted} == {fold(str(item)) for item in have} and stored is not None
    return bool(wanted == stored)
