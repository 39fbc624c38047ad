# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What earlier runs recorded of their follow-ups in a journal, and Cloudflare may not show yet."""

from __future__ import annotations

import typing as t

from .._json import mapping, parse, string
from .._release.history import told
from .._times import CLOCK_SKEW, parse_time


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
            or not since <= moment.timestamp() <= now + CLOCK_SKEW.total_seconds()
        ):
            continue
        for name, status in told(entry, f"{verb}_"):
            if isinstance(name, str) and name in names:
                records[name] = Record(moment.timestamp(), string(status), entry)
    return records
