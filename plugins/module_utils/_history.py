# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What earlier runs recorded in a journal: the newest word on each message."""

from __future__ import annotations

import json
import typing as t

from ._times import parse_time

_DAY = 86400.0


class Record(t.NamedTuple):
    """The newest line of a journal that names a message.

    line: its number. time: seconds since the epoch. status: what became of the message; None as long as it was only going
    to be sent, or was sent and nobody has found out yet.
    """

    line: int
    time: float
    status: str | None


def latest(lines: t.Iterable[bytes], account_id: str, names: t.Container[str], now: float) -> dict[str, Record]:
    """Return the newest record of the last day for each of these ids. What is no line of a journal is passed over."""
    records: dict[str, Record] = {}
    account = account_id.encode()
    for number, line in enumerate(lines):
        if account not in line:
            continue
        entry = _mapping(_parsed(line))
        moment = parse_time(str(entry.get("time")))
        if entry.get("account_id") != account_id or moment is None or moment.timestamp() < now - _DAY:
            continue
        if entry.get("event") == "intent":
            told = [(name, None) for name in _items(entry.get("ids"))]
        else:
            rows = [_mapping(row) for row in _items(entry.get("messages"))]
            told = [(row.get(kind), row.get("status")) for row in rows for kind in ("id", "postfix_id")]
        for name, status in told:
            if isinstance(name, str) and name in names:
                records[name] = Record(number, moment.timestamp(), status if isinstance(status, str) else None)
    return records


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _mapping(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> t.Sequence[t.Any]:
    return value if isinstance(value, list) else []
