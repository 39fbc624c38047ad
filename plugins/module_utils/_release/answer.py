# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reading the answer to a release call: which message got which outcome, and which the answer passes over.

Messages are matched by id, then by postfix id, never by position: nothing is published about the order, and not every
id needs to come back.
"""

from __future__ import annotations

import collections
import typing as t

from .._json import string, strings
from .._mail.handles import postfix_part
from .outcome import Outcome, Status


class Names(t.NamedTuple):
    """The ids that a message is known by."""

    id: str | None
    postfix_id: str | None


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
    """Return the entries of a release answer's result, which may also be a single object; None if it is garbled."""
    rows = [result] if isinstance(result, dict) else result
    if not isinstance(rows, list):
        return None
    entries = []
    for row in rows:
        if not isinstance(row, dict) or not (string(row.get("id")) or string(row.get("postfix_id"))):
            return None
        lists = [list(filter(None, strings(row.get(name)))) for name in ("delivered", "undelivered", "failed")]
        entries.append(Entry(string(row.get("id")) or None, string(row.get("postfix_id")) or None, *lists))
    return entries


def match(entries: t.Iterable[Entry], wanted: t.Sequence[Names]) -> list[Entry | None]:
    """Return for each wanted message its entry, or None. Only where one side has no id does the postfix id count."""
    by_id: dict[str, Entry] = {}
    with_id: dict[str, Entry] = {}
    without_id: dict[str, Entry] = {}
    for entry in entries:
        if entry.id:
            _add(by_id, entry.id, entry)
            _add(with_id, entry.postfix_id or postfix_part(entry.id), entry)
        else:
            _add(without_id, entry.postfix_id, entry)
    found = []
    namesakes = collections.Counter(postfix_id or postfix_part(id_) for id_, postfix_id in wanted)
    for id_, given in wanted:
        postfix_id = given or postfix_part(id_)
        candidates = [by_id.get(id_ or ""), by_id.get(postfix_id or "")]
        if id_ is None:
            candidates.append(with_id.get(postfix_id or ""))
        if namesakes[postfix_id] == 1:
            candidates.append(without_id.get(postfix_id or ""))
        found.append(next(filter(None, candidates), None))
    return found


def outcome_of(entry: Entry | None) -> Outcome | None:
    """Return the outcome that an entry states, or None if it states none (no entry, or all lists empty)."""
    if entry is None:
        return None
    delivered, undelivered, failed = map(tuple, (entry.delivered, entry.undelivered, entry.failed))
    if delivered and not undelivered and not failed:
        return Outcome(Status.RELEASED, "Delivered to every recipient.", delivered, changed=True)
    if delivered:
        return Outcome(
            Status.PARTIAL, "Delivered to some recipients only.", delivered, undelivered, failed, changed=True
        )
    if failed and not undelivered:
        return Outcome(Status.FAILED, "Cloudflare reports that delivery failed for every recipient.", (), (), failed)
    if undelivered:
        return Outcome(Status.UNDELIVERED, "Accepted by Cloudflare, but delivered to nobody.", (), undelivered, failed)
    return None


def _add(index: dict[str, Entry], name: str | None, entry: Entry) -> None:
    if name:
        index[name] = index[name].merged(entry) if name in index else entry
