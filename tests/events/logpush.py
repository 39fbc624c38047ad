# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Cloudflare's Logpush does: it posts alerts."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterable
from typing import Any

import requests
from emulator.mail import Message

SECRET = "odd~secret!Of#Logpush"
# What is posted to try a destination
TRIAL = {"content": "tests"}


def alert(message: Message) -> dict[str, Any]:
    """Return the alert of a message, as the documentation of the dataset has it."""
    checks = {check: message.validation.get(check, "none") for check in ("spf", "dkim", "dmarc")}
    return {
        "AlertID": message.alert_id,
        "AlertReasons": list(message.reasons),
        "DKIMResult": checks["dkim"],
        "DMARCResult": checks["dmarc"],
        "FinalDisposition": (message.disposition or "unset").lower(),
        "From": message.sender,
        "FromName": message.sender_name,
        "MessageID": message.message_id,
        "SMTPEnvelopeFrom": message.sender if message.envelope_sender is None else message.envelope_sender,
        "SMTPEnvelopeTo": list(message.recipients),
        "SPFResult": checks["spf"],
        "Subject": message.subject,
        "ThreatCategories": list(message.threats),
        "Timestamp": int(message.scanned_at.timestamp() * 1e9),
        "To": list(message.recipients),
    }


def packed(records: Iterable[Any]) -> bytes:
    """Return records as the body of a request."""
    return gzip.compress(
        b"".join(json.dumps(record).encode() + b"\n" for record in records), mtime=0
    )  # the same in each process


def push(port: int, records: Iterable[Any], secret: str = SECRET) -> requests.Response:
    """Post records."""
    headers = {"X-Logpush-Secret": secret, "Content-Encoding": "gzip"}
    return requests.post(f"http://127.0.0.1:{port}/logs", packed(records), headers=headers, timeout=60)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
