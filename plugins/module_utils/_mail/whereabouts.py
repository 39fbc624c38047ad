# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Where a message is: still in quarantine, or what became of its delivery, as far as Cloudflare says."""

from __future__ import annotations

import typing as t

from .message import QUARANTINED

DELIVERED = "delivered"
BOUNCED = "bounced"
DEFERRED = "deferred"
MOVED = "moved"
UNKNOWN = "unknown"

# The first match counts: what is lost is lost, whatever else is said.
_MEANING = (
    ({"bounced", "rejected"}, BOUNCED),
    ({"deferred", "queued"}, DEFERRED),
    ({"moved", "move_failed"}, MOVED),
    ({"delivered"}, DELIVERED),
)


def whereabouts(data: t.Mapping[str, t.Any]) -> str:
    """Return where a message is, from its data: QUARANTINED, or what delivery_of returns."""
    return QUARANTINED if data["is_quarantined"] else delivery_of(data)


def delivery_of(data: t.Mapping[str, t.Any]) -> str:
    """Return what became of the delivery of a message that left quarantine, UNKNOWN if Cloudflare does not say."""
    status = set(data["delivery_status"])
    return next((meaning for words, meaning in _MEANING if status & words), UNKNOWN)
