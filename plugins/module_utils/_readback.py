# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Finding out what happened to messages whose release got no plain answer, by reading their state back.

How long a release takes to show in the state is not published. So the first look comes 4 seconds after the answer (or
after it failed to come). A message that then still reads as quarantined is looked at once more 5 seconds later, where
there was no answer at all, or where an answer passed it over for the first time. Only then may it be sent again.
"""

from __future__ import annotations

import typing as t

from ._clock import Clock
from ._item import Item
from ._message import QUARANTINED, RELEASED, UNREADABLE, Message
from ._messages import Messages
from ._outcome import ALREADY_RELEASED, FAILED, NOT_FOUND, NOT_QUARANTINED, PARTIAL, UNDELIVERED, UNKNOWN, Outcome
from ._outcome import RELEASED as STATUS_RELEASED

FIRST_LOOK = 4.0
SECOND_LOOK = 5.0  # seconds after the first

# How a release call failed to tell the outcome.
REFUSED = "refused"  # an error of the API: most likely nothing was done
PASSED_OVER = "passed_over"  # answered, but not with an outcome for this message
UNANSWERED = "unanswered"  # anything may have happened


def read_back(messages: Messages, clock: Clock, items: t.Mapping[Item, str]) -> None:
    """Set the outcome of every item that no longer reads as quarantined; the rest is left open.

    items: with how each one's release call failed. Raises whatever keeps the state from being read.
    """
    _look(messages, clock, FIRST_LOOK, items)
    again = {
        item: failure
        for item, failure in items.items()
        if item.outcome is None and (failure == UNANSWERED or (failure == PASSED_OVER and not item.doubts))
    }
    if again:
        _look(messages, clock, SECOND_LOOK, again)


def _look(messages: Messages, clock: Clock, pause: float, items: t.Mapping[Item, str]) -> None:
    clock.sleep(pause)
    found = messages.find({item.read_as for item in items})
    for item, failure in items.items():
        item.outcome = _outcome(item, failure, found[item.read_as])


def _outcome(item: Item, failure: str, found: t.Sequence[Message]) -> Outcome | None:
    if not found and item.message is None:
        return Outcome(NOT_FOUND, "Cloudflare does not know it in this account.")
    if len(found) != 1 or found[0].state == UNREADABLE:
        return Outcome(UNKNOWN, "It was sent without a plain answer, and its state cannot be read.")
    before, message = item.message, found[0]
    item.message = message
    item.learn(message.id, message.postfix_id)
    if message.partly_delivered and not (before and before.partly_delivered):
        return Outcome(PARTIAL, "Read back: delivered to some recipients, still in quarantine for others.", changed=True)
    if message.state == QUARANTINED:
        item.was_quarantined = True
        return None
    if item.was_quarantined or (failure == UNANSWERED and message.state == RELEASED):
        return _left(message)
    if message.state == RELEASED:
        return Outcome(ALREADY_RELEASED, "Read back: it was released before this run.")
    return Outcome(NOT_QUARANTINED, "Read back: it is not in quarantine, and no release is on record.")


def _left(message: Message) -> Outcome:
    """Return the outcome of a message that left quarantine; its delivery status tells more, if it is there."""
    status = set(message.data["delivery_status"])
    lost = status & {"bounced", "rejected"}
    if lost and "delivered" in status:
        return Outcome(PARTIAL, f"Read back: it has left quarantine, and was {' and '.join(sorted(status))}.", changed=True)
    if lost:
        return Outcome(FAILED, f"Read back: it has left quarantine, but was {' and '.join(sorted(status))}.")
    if status == {"deferred"}:
        return Outcome(UNDELIVERED, "Read back: it has left quarantine, but its delivery is deferred.")
    delivered = message.recipients if status == {"delivered"} else []
    return Outcome(STATUS_RELEASED, "Read back: it has left quarantine.", delivered, changed=True)
