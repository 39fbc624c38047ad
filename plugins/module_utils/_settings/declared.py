# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The entries that a task declares, checked before anything is sent."""

from __future__ import annotations

import typing as t

from .._errors import InputError
from .._text import printable
from . import expiry
from .keys import Key, key_of, keys_to_look_for
from .kinds import ALWAYS, Kind, Row
from .patterns import flaw

_MOST_PROBLEMS = 5


class Declared(t.NamedTuple):
    """One entry.

    number: its place in the list, from 0.
    name: for errors.
    absent: it must not exist.
    fields: those that are given, without the comments.
    text: the comments without their mark. None: they stay.
    day: when it expires. None: the mark stays.
    forever: the mark goes.
    """

    number: int
    name: str
    absent: bool
    fields: dict[str, t.Any]
    text: str | None
    day: expiry.Day | None
    forever: bool


def read_declared(kind: Kind, entries: t.Sequence[Row], today: expiry.Day) -> list[Declared]:
    """Return the entries that are given as the options of a module. Raises InputError, which names all that is wrong."""
    problems: list[str] = []
    declared = []
    for index, given in enumerate(entries):
        name = f"entries[{index}] ({printable(kind.title(given), 80)})"
        found = list(_problems(kind, given))
        problems += [f"{name}, {problem}" for problem in found]
        if not found:
            declared.append(_declared(kind, index, name, given, today))
    problems += _repeated(kind, declared)
    if problems:
        raise InputError(f"{'; '.join(problems[:_MOST_PROBLEMS])}. Nothing was sent.")
    return declared


def _declared(kind: Kind, index: int, name: str, given: Row, today: expiry.Day) -> Declared:
    day = expiry.parse_day(given.get("expires") or "")
    forever = given.get("expires") == expiry.NEVER
    text = given.get(kind.comments) if kind.comments else None
    if text is not None and not given.get("expires"):
        text, day = expiry.split(text)
    fields = {
        field: _without_repeats(given[field])
        for field in kind.fields
        if field != kind.comments and given.get(field) is not None
    }
    absent = given.get("state") == "absent" or expiry.is_past(day, today)
    return Declared(index, name, absent, fields, text, day, forever)


def _without_repeats(value: t.Any) -> t.Any:
    return list(dict.fromkeys(value)) if isinstance(value, list) else value


def _problems(kind: Kind, given: Row) -> t.Iterator[str]:
    """Yield what is wrong with one entry, as "field: words"."""
    unreadable = False
    for name, field in kind.fields.items():
        value = given.get(name)
        if value is None:
            continue
        unit = "elements" if isinstance(value, list) else "characters"
        if name in kind.key and not value:
            unreadable = True
            yield f"{name}: it is empty"
        elif field.filled and not value:
            yield f"{name}: the list is empty"
        elif field.longest is not None and isinstance(value, (str, list)) and len(value) > field.longest:
            yield f"{name}: it has {len(value)} {unit}, but Cloudflare takes at most {field.longest}"
        elif field.within and not field.within[0] <= value <= field.within[1]:
            yield f"{name}: it must be from {field.within[0]} to {field.within[1]}"
    day = given.get("expires")
    if day and day != expiry.NEVER and expiry.parse_day(day) is None:
        yield f"expires: it must be a day such as 2026-12-10, or {expiry.NEVER}, not {day!r:.40}"
    elif kind.comments:
        text, limit = given.get(kind.comments) or "", kind.fields[kind.comments].longest
        whole = expiry.join(text, expiry.parse_day(day or ""))
        if limit is not None and len(text) <= limit < len(whole):
            yield f"{kind.comments}: with the mark of expires it has {len(whole)} characters, but Cloudflare takes at most {limit}"
    problem = None if unreadable or given.get("state") == "absent" else flaw(kind, given)
    if problem:
        yield problem


def _repeated(kind: Kind, declared: t.Iterable[Declared]) -> list[str]:
    """Return which entries have the key of an earlier one."""
    seen: dict[Key, Declared] = {}
    problems = []
    for entry in declared:
        keys = [key_of(kind, entry.fields)]
        if kind.regex not in (None, ALWAYS):
            # An expression and a plain pattern with the same text could be the same entry.
            keys.append(("any", *keys_to_look_for(kind, {**entry.fields, kind.regex: True})[0][1:]))
        first = next((seen[key] for key in keys if key in seen), None)
        if first:
            problems.append(f"{entry.name} is the same entry as entries[{first.number}]; remove one")
        seen.update((key, entry) for key in keys if key not in seen)
    return problems
