# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""How the API shows a message: its JSON forms, and the evidence that belongs to it."""

from __future__ import annotations

from typing import Any

from . import picture
from .clock import rfc3339
from .mail import DETECTIONS, Action, Attachment, Message, State
from .settings import Settings


def message_view(message: Message, state: State, settings: Settings) -> dict[str, Any]:
    """The message as search and get send it."""
    sent_at = rfc3339(message.scanned_at.timestamp() - 2)
    view: dict[str, Any] = {
        "id": message.id,
        "postfix_id": message.postfix_id,
        "postfix_id_outbound": None,
        "alert_id": message.alert_id if message.disposition in DETECTIONS else None,
        "message_id": message.message_id,
        "subject": message.subject,
        "from": message.sender,
        "from_name": message.sender_name,
        "replyto": None,
        "to": list(message.recipients),
        "to_name": [recipient.partition("@")[0].title() for recipient in message.recipients],
        "envelope_from": message.sender if message.envelope_sender is None else message.envelope_sender,
        "envelope_to": list(message.recipients),
        "client_recipients": list(message.recipients),
        "is_quarantined": state.is_quarantined,
        "is_phish_submission": message.is_phish_submission,
        "delivery_mode": message.delivery_mode,
        "delivery_status": list(state.delivery_status),
        "final_disposition": message.disposition,
        "detection_reasons": list(message.reasons),
        "threat_categories": list(message.threats),
        "properties": {
            "allowlisted_pattern": message.sender if message.allowlisted else None,
            "allowlisted_pattern_type": message.allowlisted,
            "blocklisted_message": False,
            "blocklisted_pattern": None,
        },
        "validation": validation_view(message),
        "edf_hash": None,
        "htmltext_structure_hash": None,
        "smtp_helo_server_ip": message.helo_ip,
        "smtp_previous_hop_ip": message.helo_ip,
        "x_originating_ip": None,
        "scanned_at": rfc3339(message.scanned_at),
        "sent_at": sent_at,
        "sent_date": sent_at,
    }
    if settings.post_delivery_operations:
        view["post_delivery_operations"] = state.operations
    if settings.legacy_fields:
        view["ts"] = f"{message.scanned_at:%Y-%m-%dT%H:%M:%S}"
        view["action_log"] = [legacy_action_view(action) for action in state.actions]
        view["findings"] = findings_view(message)
    return view


def validation_view(message: Message) -> dict[str, Any]:
    """The results of SPF, DKIM and DMARC."""
    return {"comment": None, **{check: message.validation.get(check, "none") for check in ("dkim", "dmarc", "spf")}}


def action_view(action: Action) -> dict[str, Any]:
    """An entry of the action log."""
    return {
        "operation": action.operation,
        "started_at": rfc3339(action.at),
        "completed_at": rfc3339(action.at),
        "status": "OK" if action.success else "FAILED",
        "success": action.success,
        "properties": {"folder": action.folder, "requested_by": action.requested_by, **(action.submission or {})},
    }


def legacy_action_view(action: Action) -> dict[str, Any]:
    """An entry of the action log that was once part of a message."""
    present = {"folder": action.folder, "requested_by": action.requested_by}
    return {
        "operation": action.operation,
        "completed_at": rfc3339(action.at),
        "completed_timestamp": rfc3339(action.at),
        "properties": {name: value for name, value in present.items() if value is not None},
        "status": "OK" if action.success else "FAILED",
    }


def findings_view(message: Message) -> list[dict[str, Any]]:
    """One finding for each reason."""
    return [
        {"name": "emulated", "reason": reason, "detection": message.disposition, "score": 0.9, "field": None}
        for reason in message.reasons
    ]


def detections_view(message: Message, state: State) -> dict[str, Any]:
    """Why the message was judged as it was."""
    return {
        "action": "QUARANTINED" if state.is_quarantined else "DELIVERED",
        "attachments": [attachment_view(attachment) for attachment in message.attachments],
        "final_disposition": message.disposition,
        "findings": findings_view(message),
        "headers": [{"name": name, "value": value} for name, value in headers(message)],
        "links": [{"href": link, "text": None} for link in message.links],
        "sender_info": {"as_name": "EXAMPLE-NET", "as_number": 64496, "geo": "DE", "ip": message.helo_ip, "pld": None},
        "threat_categories": [
            {"id": number, "name": name, "description": None} for number, name in enumerate(message.threats, 1)
        ],
        "validation": validation_view(message),
    }


def attachment_view(attachment: Attachment) -> dict[str, Any]:
    """A file with its hashes; only the SHA-256 is of any content."""
    return {
        "name": attachment.name,
        "filename": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "detection": attachment.disposition,
        "encrypted": False,
        "md5": None,
        "sha1": None,
        "sha256": attachment.sha256,
    }


def trace_view(message: Message, state: State) -> dict[str, Any]:
    """What the mail servers wrote."""

    def lines(*texts: str) -> dict[str, Any]:
        logged_at = rfc3339(message.scanned_at)
        entries = [{"lineno": number, "logged_at": logged_at, "message": text} for number, text in enumerate(texts, 1)]
        return {"pending": False, "lines": entries}

    inbound = lines(
        f"connect from unknown[{message.helo_ip}]",
        f"{message.postfix_id}: from=<{message.sender}>, nrcpt={len(message.recipients)}",
        f"{message.postfix_id}: disposition={message.disposition}",
    )
    delivered = "delivered" in state.delivery_status
    return {
        "inbound": inbound,
        "outbound": lines(*(f"to=<{name}>, status=sent" for name in message.recipients if delivered)),
    }


def headers(message: Message) -> list[tuple[str, str]]:
    """The header of the message; line breaks inside a value are flattened."""
    values = {
        "From": f"{message.sender_name or ''} <{message.sender}>".strip(),
        "To": ", ".join(message.recipients),
        "Subject": message.subject or "",
        "Date": f"{message.scanned_at:%a, %d %b %Y %H:%M:%S +0000}",
        "Message-ID": message.message_id or "",
    }
    return [(name, " ".join(value.splitlines())) for name, value in values.items()]


def body_lines(message: Message) -> list[str]:
    """The text of the message, line by line."""
    return ["This is an emulated message.", *message.links, *(file.name for file in message.attachments)]


def raw_view(message: Message) -> dict[str, Any]:
    """The message as EML."""
    lines = [*(f"{name}: {value}" for name, value in headers(message)), "", *body_lines(message), ""]
    return {"raw": "\r\n".join(lines)}


def preview_view(message: Message) -> dict[str, Any]:
    """The message as a picture."""
    head = [value for name, value in headers(message) if name in ("From", "To", "Subject")]
    return {"screenshot": picture.screenshot(head, body_lines(message))}
