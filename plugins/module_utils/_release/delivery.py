# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What became of released messages on their way to the mailbox, as far as Cloudflare tells."""

from __future__ import annotations

import typing as t

from .._clock import Clock
from .._mail.message import BriefMessage
from .._mail.messages import Messages
from .._mail.whereabouts import Delivery, delivery_of
from .items import Item
from .outcome import Outcome, Status

_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 30.0


def follow(
    messages: Messages[BriefMessage], clock: Clock, items: t.Iterable[Item], seconds: float
) -> t.Iterator[tuple[Item, Outcome]]:
    """Set delivery of each item that was released. Yields those that bounced, with their new outcome.

    Looks again until nothing is open, or the time is over. Raises whatever keeps the state from being read.
    """
    end = clock.monotonic() + seconds
    pause = _FIRST_PAUSE
    open_items = [item for item in items if item.outcome and item.outcome.status in (Status.RELEASED, Status.PARTIAL)]
    for item in open_items:
        item.delivery = Delivery.UNKNOWN
    while open_items and not clock.stopping:
        clock.sleep(min(pause, max(0.0, end - clock.monotonic())))
        found = messages.find([item.read_as for item in open_items], released_first=True)
        for item in open_items:
            candidates = found[item.read_as]
            if len(candidates) == 1:
                item.delivery = delivery_of(candidates[0].delivery_status)
                if item.delivery == Delivery.BOUNCED:
                    yield item, _bounced(t.cast(Outcome, item.outcome), candidates[0])
        open_items = [item for item in open_items if item.delivery in (Delivery.UNKNOWN, Delivery.DEFERRED)]
        if clock.monotonic() >= end:
            break
        pause = min(pause * 2, _LONGEST_PAUSE)


def _bounced(outcome: Outcome, message: BriefMessage) -> Outcome:
    if "delivered" in message.delivery_status:
        return outcome._replace(
            status=Status.PARTIAL,
            detail="It left quarantine and was delivered to some recipients, but bounced for others.",
        )
    bounced = [*outcome.delivered, *outcome.undelivered]
    return Outcome(Status.UNDELIVERED, "It left quarantine, but bounced.", (), bounced, outcome.failed)
