# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reads a whole list of an account, page by page."""

from __future__ import annotations

import typing as t

from .._api.client import Client
from .._api.numbered import numbered_pages
from .._errors import DoubtfulError
from .._json import mapping
from . import expiry
from .keys import by_key
from .kinds import Kind, Row

_MOST_READS = 3

Rows = t.Dict[str, Row]


def read_list(client: Client, kind: Kind) -> Rows:
    """Return the entries of a list by their id. Raises DoubtfulError if it cannot be read as a whole."""
    for _attempt in range(_MOST_READS):
        rows, complete = _read(client, kind)
        if complete:
            return rows
    raise DoubtfulError(f"the list {kind.name} could not be read as a whole; did somebody change it at the same time?")


def _read(client: Client, kind: Kind) -> tuple[Rows, bool]:
    """Return the entries on all pages, and whether these are as many as the API says there are."""

    def get(query: dict[str, t.Any]) -> dict[str, t.Any]:
        envelope = client.get(kind.path, query)
        found = envelope.get("result")
        if not isinstance(found, list) or not all(isinstance(mapping(row).get("id"), str) for row in found):
            raise DoubtfulError(f"the answer holds no list of {kind.name} with ids")
        return envelope

    rows: Rows = {}
    order = {"order": "created_at", "direction": "asc"} if kind.in_order else {}
    for page in numbered_pages(get, order, client.list_timer()):
        known = len(rows)
        rows.update((row["id"], row) for row in page.rows)
        if page.broken or (page.more and len(rows) == known):
            return rows, False
    return rows, len(rows) >= page.total


def as_entry(kind: Kind, row: Row) -> dict[str, t.Any]:
    """Return a stored entry in the form in which it is declared."""
    entry = {name: row[name] for name in kind.fields if row.get(name) is not None}
    if kind.comments in entry:
        text, day = expiry.split(entry.pop(kind.comments))
        if text:
            entry[kind.comments] = text
        if day:
            entry["expires"] = day.isoformat()
    return entry


def inventory(kind: Kind, rows: Rows) -> tuple[list[t.Any], list[t.Any], list[t.Any]]:
    """Return the entries that can be declared, in the order of their keys; those that cannot; and duplicates."""
    known = by_key(kind, filter(kind.is_managed, rows.values()))
    first = sorted((same[0] for same in known.values()), key=lambda row: kind.title(row).lower())
    return (
        [as_entry(kind, row) for row in first],
        [row for row in rows.values() if not kind.is_managed(row)],
        [{"id": row["id"], **as_entry(kind, row)} for same in known.values() for row in same[1:]],
    )
