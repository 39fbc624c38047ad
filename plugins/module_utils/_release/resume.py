# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What earlier runs did, as the journal knows and the state may not show yet: nothing is sent again because of that."""

from __future__ import annotations

import typing as t

from .._clock import Clock
from .._mail.message import BriefMessage
from .._mail.messages import Messages
from .._times import from_seconds, to_text
from .history import Record
from .items import Item, nothing_to_send
from .journal import Journal
from .outcome import Outcome, Status

# Seconds in which a request of a run that was killed may still be at work.
_AT_WORK = 600.0
_DELIVERED = (Status.RELEASED, Status.PARTIAL)


def resume(
    messages: Messages[BriefMessage], clock: Clock, journal: Journal, items: t.Iterable[Item], settle_time: float
) -> t.Iterator[tuple[Item, Outcome]]:
    """Yield each item that an earlier run released, with its outcome.

    What an earlier run left in doubt is waited for and read again.
    """
    open_items = [item for item in items if item.outcome is None]
    records = journal.recent({name for item in open_items for name in item.names})
    now = journal.now()
    concerned: dict[Item, Record] = {}
    wait = 0.0
    for item in open_items:
        record = max(
            (records[name] for name in item.names if name in records), key=lambda found: found.line, default=None
        )
        age = max(0.0, now - record.time) if record else 0.0
        if record and record.status in _DELIVERED:
            concerned[item] = record
            wait = max(wait, settle_time - age)
        elif record and record.status in (None, Status.UNKNOWN) and age < _AT_WORK:
            concerned[item] = record
            wait = max(wait, settle_time)  # the request may have ended just now
    if wait:
        clock.sleep(wait)
        found = messages.find([item.read_as for item in concerned])
        for item in list(concerned):
            outcome = _read_again(item, found[item.read_as])
            if outcome:
                del concerned[item]
                yield item, outcome
    for item, record in concerned.items():
        if record.status in _DELIVERED:
            yield (
                item,
                Outcome(
                    Status.ALREADY_RELEASED if record.status == Status.RELEASED else Status.PARTIAL,
                    f"The journal records its release (status {record.status}) at {to_text(from_seconds(record.time))}, though "
                    "Cloudflare still shows it in quarantine. Nothing was sent; check_state=false sends it anyway.",
                ),
            )


def _read_again(item: Item, candidates: t.Sequence[BriefMessage]) -> Outcome | None:
    if len(candidates) != 1:
        return Outcome(Status.NOT_ATTEMPTED, "Its state could not be read again.")
    item.message = candidates[0]
    return nothing_to_send(candidates[0])
