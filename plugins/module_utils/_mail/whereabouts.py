# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What became of a message, as far as Cloudflare says: still in quarantine, or how its delivery went."""

from __future__ import annotations

import typing as t

from .message import State


class Delivery:
    """How the delivery of a message went."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    DEFERRED = "deferred"
    MOVED = "moved"
    UNKNOWN = "unknown"


DELIVERIES: tuple[str, ...] = tuple(word for name, word in vars(Delivery).items() if name.isupper())

# The first match counts: a message that was lost for one recipient is reported, even if another recipient got it.
_MEANING = (
    ({"bounced", "rejected"}, Delivery.BOUNCED),
    ({"deferred", "queued"}, Delivery.DEFERRED),
    ({"moved", "move_failed"}, Delivery.MOVED),
    ({"delivered"}, Delivery.DELIVERED),
)


def whereabouts(data: t.Mapping[str, t.Any]) -> str:
    """Return what became of a message: State.QUARANTINED, or its delivery. data: as a module returns it."""
    return State.QUARANTINED if data["is_quarantined"] else delivery_of(data["delivery_status"])


def delivery_of(delivery_status: t.Collection[str]) -> str:
    """Return how the delivery of a message went that left quarantine."""
    return next((meaning for words, meaning in _MEANING if not words.isdisjoint(delivery_status)), Delivery.UNKNOWN)
