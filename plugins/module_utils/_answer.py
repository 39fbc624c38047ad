# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reading the answer to a release call: which message got which outcome, and which the answer passes over.

Messages are matched by id, then by postfix id, never by position: nothing is published about the order, and not every
id needs to come back.
"""

from __future__ import annotations

import typing as t

from ._outcome import FAILED, PARTIAL, RELEASED, UNDELIVERED, Outcome


class Entry(t.NamedTuple):
    """What the answer says of one message: its ids and the recipients in each list."""

    id: str | None
    postfix_id: str | None
    delivered: list[str]
    undelivered: list[str]
    failed: list[str]

    def merged(self, other: Entry) -> Entry:
        """Return both entries in one; a server may give one entry for each recipient."""
        lists = [list(dict.fromkeys([*mine, *theirs])) for mine, theirs in zip(self[2:], other[2:])]
        return Entry(self.id or other.id, self.postfix_id or other.postfix_id, *lists)


def read_entries(result: object) -> list[Entry] | None:
    """Return the entries of a release answer's C(result), which may also be a single object; None if it is garbled."""
    rows = [result] if isinstance(result, dict) else result
    if not isinstance(rows, list):
        return None
    entries = []
    for row in rows:
        if not isinstance(row, dict) or not (_text(row.get("id")) or _text(row.get("postfix_id"))):
            return None
        lists = [_texts(row.get(name)) for name in ("delivered", "undelivered", "failed")]
        entries.append(Entry(_text(row.get("id")), _text(row.get("postfix_id")), *lists))
    return entries


def match(entries: t.Iterable[Entry], wanted: t.Sequence[t.Collection[str]]) -> list[Entry | None]:
    """Return for each wanted message, given by all the ids it is known by, its entry or None.

    A message of which only the postfix id is known is found by an id that begins with it, if only one does.
    """
    by_id: dict[str, Entry] = {}
    for entry in entries:
        for name in filter(None, {entry.id, entry.postfix_id}):
            by_id[name] = by_id[name].merged(entry) if name in by_id else entry
    return [_first(names, by_id) or _by_prefix(names, by_id) for names in wanted]


def outcome_of(entry: Entry | None) -> Outcome | None:
    """Return the outcome that an entry states, or None if it states none (no entry, or all lists empty)."""
    if entry is None:
        return None
    delivered, undelivered, failed = entry.delivered, entry.undelivered, entry.failed
    if delivered and not undelivered and not failed:
        return Outcome(RELEASED, "Delivered to every recipient.", delivered, changed=True)
    if delivered:
        return Outcome(PARTIAL, "Delivered to some recipients only.", delivered, undelivered, failed, changed=True)
    if failed and not undelivered:
        return Outcome(FAILED, "Cloudflare reports that delivery failed for every recipient.", (), (), failed)
    if undelivered:
        return Outcome(UNDELIVERED, "Accepted by Cloudflare, but delivered to nobody.", (), undelivered, failed)
    return None


def _first(names: t.Iterable[str], by_id: t.Mapping[str, Entry]) -> Entry | None:
    return next((by_id[name] for name in names if name in by_id), None)


def _by_prefix(names: t.Iterable[str], by_id: t.Mapping[str, Entry]) -> Entry | None:
    fitting = [entry for known, entry in by_id.items() if any(known.startswith(f"{name}-") for name in names)]
    return fitting[0] if len(fitting) == 1 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str) and text]
