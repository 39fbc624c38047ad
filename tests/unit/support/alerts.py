# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerts as Cloudflare's Logpush sends them."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.emailsec.cloudflare.tests.unit.support.data import message_id, postfix_id, recipient


def alert(number: int, **fields: t.Any) -> dict[str, t.Any]:
    """Return the alert of message C(number), with the fields and kinds of values that Cloudflare documents."""
    return {
        "AlertID": f"{postfix_id(number)}-2026-11-22T11:59:00",
        "AlertReasons": ["Suspicious link"],
        "Attachments": [{"Md5": "91f073bd208689ddbd248e8989ecae90", "Name": "a.gif", "Encrypted": True}],
        "DKIMResult": "none",
        "DMARCResult": "none",
        "FinalDisposition": "spam",
        "From": "billing@sender.example",
        "FromName": "Billing",
        "Links": ["https://sender.example/"],
        "MessageDeliveryMode": "direct",
        "MessageID": message_id(number),
        "Origin": "external",
        "SMTPEnvelopeFrom": "Billing <bounce@sender.example>",
        "SMTPEnvelopeTo": [recipient(number)],
        "SPFResult": "pass",
        "Subject": f"Invoice {number}",
        "ThreatCategories": ["Dropper"],
        "Timestamp": "2026-11-22T11:59:00Z",
        "To": [recipient(number)],
        **fields,
    }


def body(*records: t.Any) -> bytes:
    """Return records as newline-delimited JSON."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)
