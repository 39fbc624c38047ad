# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What earlier runs recorded in a journal: the newest word on each message."""

from __future__ import annotations

import typing as t

from .._json import items, mapping, parse, rows
from .._times import CLOCK_SKEW, parse_time
from .outcome import STATUSES, Status

_DAY = 86400.0


class Record(t.NamedTuple):
    """The newest line of a journal that names a message.

    line: its number.
    time: seconds since the epoch.
    status: what became of the message. None if it was about to be sent, if it was sent and the outcome was not known yet, or
    if no run of this collection can have written the line.
    """

    line: int
    time: float
    status: str | None


def latest(lines: t.Iterable[bytes], account_id: str, names: t.Container[str], now: float) -> dict[str, Record]:
    """Return the newest record of the last day for each of these ids. Lines that are not from a journal are skipped.

    A line with a time in the future, without a run or with an unknown status proves nothing. It leaves the message in doubt, and
    does not take back an earlier line that says that the message was released.
    """
    records: dict[str, Record] = {}
    account = account_id.encode()
    for number, line in enumerate(lines):
        if account not in line:
            continue
        entry = mapping(parse(line))
        moment = parse_time(str(entry.get("time")))
        if entry.get("account_id") != account_id or moment is None or moment.timestamp() < now - _DAY:
            continue
        credible = moment.timestamp() <= now + CLOCK_SKEW.total_seconds() and isinstance(entry.get("run"), str)
        for name, status in told(entry):
            if not isinstance(name, str) or name not in names:
                continue
            if credible and (status is None or status in STATUSES):
                records[name] = Record(number, moment.timestamp(), status)
            elif name not in records or records[name].status not in (Status.RELEASED, Status.PARTIAL):
                records[name] = Record(number, moment.timestamp(), None)
    return records


def told(entry: t.Mapping[str, t.Any], verb: str = "") -> t.Iterator[tuple[t.Any, t.Any]]:
    """Yield each name of a message in a line, with its status. verb: begins the events of what is no release, such as move_."""
    if entry.get("event") == f"{verb}intent":
        for name in items(entry.get("ids")):
            yield name, None
    elif entry.get("event") in (f"{verb}outcome", f"{verb}settled"):
        for row in rows(entry.get("messages")):
            yield row.get("id"), row.get("status")
            yield row.get("postfix_id"), row.get("status")
