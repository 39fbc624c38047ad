# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test data: ids, messages, answers. Every test builds what it needs from these."""

from __future__ import annotations

import json
import typing as t

ACCOUNT = "5d41402abc4b2a76b9719d911017c592"
URL = "https://api.cloudflare.com/client/v4"
# Odd on purpose: a secret that is found in an output cannot be there for another reason.
TOKEN = "cfut_Zq7~odd!Token#9"
EMAIL = "operator@corp.example"
KEY = "cfk_Xw3~odd!Key#8"
NOW = 1795348800.0  # 2026-11-22T12:00:00Z
RAY = "9b1c5e2f7a3d4c60-FRA"


def postfix_id(number: int) -> str:
    """Return the postfix id of message C(number)."""
    return f"4PfX{number:05d}Qz"


def investigate_id(number: int) -> str:
    """Return the investigate id of message C(number)."""
    return f"{postfix_id(number)}-2026-11-20T10:00:00-{70000000 + number}"


def message_id(number: int) -> str:
    """Return the Message-ID of message C(number)."""
    return f"<mail.{number}@sender.example>"


def recipient(number: int) -> str:
    """Return the recipient of message C(number)."""
    return f"user{number}@corp.example"


def path(number: int) -> str:
    """Return the path to read message C(number) by itself, as it is sent."""
    return f"investigate/{investigate_id(number).replace(':', '%3A')}"


def row(number: int, *, quarantined: bool | None = True, operations: object = (), **fields: t.Any) -> dict[str, t.Any]:
    """Return message C(number) as the API gives it."""
    return {
        "id": investigate_id(number),
        "postfix_id": postfix_id(number),
        "message_id": message_id(number),
        "subject": f"Invoice {number}",
        "from": "billing@sender.example",
        "to": [recipient(number)],
        "client_recipients": [recipient(number)],
        "is_quarantined": quarantined,
        "is_phish_submission": False,
        "delivery_status": ["quarantined" if quarantined else "delivered"],
        "post_delivery_operations": list(operations) if isinstance(operations, tuple) else operations,
        "detection_reasons": ["Bulk sender"],
        "final_disposition": "SPAM",
        "properties": {},
        "scanned_at": "2026-11-20T10:00:00Z",
        **fields,
    }


def released_row(number: int, **fields: t.Any) -> dict[str, t.Any]:
    """Return message C(number) after its release."""
    return row(number, quarantined=False, operations=("QUARANTINE_RELEASE",), **fields)


def entry(number: int, **lists: t.Any) -> dict[str, t.Any]:
    """Return what a release answer says of message C(number); delivered, unless C(lists) say otherwise."""
    return {
        "id": investigate_id(number),
        "postfix_id": postfix_id(number),
        **(lists or {"delivered": [recipient(number)]}),
    }


def envelope(result: object = None, **fields: t.Any) -> dict[str, t.Any]:
    """Return the envelope of a success."""
    return {"success": True, "errors": [], "messages": [], "result": result, **fields}


def page(rows: t.Sequence[t.Any], following: object = None) -> dict[str, t.Any]:
    """Return the envelope of one page of a search."""
    info = {"count": len(rows), "per_page": 1000, "next": following, "previous": None}
    return envelope(list(rows), result_info=info)


def refusal(code: int, message: str, **fields: t.Any) -> dict[str, t.Any]:
    """Return the envelope of an error."""
    error = {"code": code, "message": message, **fields}
    return {"success": False, "errors": [error], "messages": [], "result": None}


def as_body(content: object) -> bytes:
    """Return the bytes of a body: JSON, unless it is text or bytes already."""
    if isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else json.dumps(content).encode()
