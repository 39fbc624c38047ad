# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What earlier runs recorded of their follow-ups in a journal, and Cloudflare may not show yet."""

from __future__ import annotations

import typing as t

from .._json import items, mapping, parse, rows, string
from .._times import parse_time

_SKEW = 300.0  # between the clocks of two machines


class Record(t.NamedTuple):
    """The newest line of a journal about the follow-up of a message.

    time: seconds since the epoch.
    status: what became of it, or None if it was about to be sent or the outcome was not known yet.
    line: the whole line.
    """

    time: float
    status: str | None
    line: t.Mapping[str, t.Any]


def latest(
    lines: t.Iterable[bytes], verb: str, account_id: str, names: t.Container[str], since: float, now: float
) -> dict[str, Record]:
    """Return the newest record since that time for each of these ids.

    Lines that no run of this collection can have written are skipped.
    """
    records: dict[str, Record] = {}
    marker = f'"{verb}_'.encode()
    for line in lines:
        if marker not in line:
            continue
        entry = mapping(parse(line))
        moment = parse_time(str(entry.get("time")))
        if (
            entry.get("account_id") != account_id
            or not isinstance(entry.get("run"), str)
            or moment is None
            or not since <= moment.timestamp() <= now + _SKEW
        ):
            continue
        for name, status in _told(entry, verb):
            if isinstance(name, str) and name in names:
                records[name] = Record(moment.timestamp(), status, entry)
    return records


def _told(entry: t.Mapping[str, t.Any], verb: str) -> t.Iterator[tuple[t.Any, str | None]]:
    """Yield each name of a message in a line, with its status."""
    if entry.get("event") == f"{verb}_intent":
        for name in items(entry.get("ids")):
            yield name, None
    elif entry.get("event") in (f"{verb}_outcome", f"{verb}_settled"):
        for row in rows(entry.get("messages")):
            yield row.get("id"), string(row.get("status"))
            yield row.get("postfix_id"), string(row.get("status"))
