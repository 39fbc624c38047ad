# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What an approver needs to see of a message. Links are made harmless."""

from __future__ import annotations

import re
import typing as t

from .._json import mapping, rows, string
from .message import Message

_BASIC = (
    "id", "postfix_id", "message_id", "subject", "from", "from_name", "replyto", "envelope_from",
    "scanned_at", "sent_at", "final_disposition", "detection_reasons", "threat_categories", "validation", "delivery_status",
)  # fmt: skip


def basic_evidence(message: Message) -> dict[str, t.Any]:
    """Return the evidence in the message itself."""
    return {**{name: message.data[name] for name in _BASIC}, "recipients": message.all_recipients}


def full_evidence(detections: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return attachments, links and sender from the detection details of the API."""
    return {
        "attachments": [
            _chosen(row, ("filename", "name", "content_type", "size", "sha256", "detection"))
            for row in rows(detections.get("attachments"))
        ],
        "links": [
            {"href": defang(string(row.get("href")) or ""), "text": defang(string(row.get("text")) or "")}
            for row in rows(detections.get("links"))
        ],
        "sender": _chosen(mapping(detections.get("sender_info")), ("ip", "as_name", "geo", "pld")),
    }


def defang(text: str) -> str:
    """Return a text in which no program finds a link, such as hxxps://evil[.]example."""
    return re.sub(r"(?i)\b(h)tt(ps?)(?=:)", r"\1xx\2", text).replace(".", "[.]")


def _chosen(row: t.Mapping[str, t.Any], names: t.Iterable[str]) -> dict[str, t.Any]:
    return {name: row[name] if isinstance(row.get(name), (str, int)) else None for name in names}
