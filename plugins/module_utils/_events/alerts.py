# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Alerts as Cloudflare's Logpush sends them (dataset email_security_alerts), read as messages.

They say what was detected. That a message is in quarantine they do not say, nor do they have its investigate id.
"""

from __future__ import annotations

import json
import math
import re
import typing as t
import zlib
from itertools import islice

from .._errors import InputError
from .._mail.handles import MESSAGE_ID, POSTFIX_ID, postfix_part
from .._mail.message import Message
from .._times import from_seconds, to_text
from .naming import fit_handle

_FIELDS = {
    "alert_id": "AlertID", "message_id": "MessageID", "subject": "Subject", "from": "From", "to": "To",
    "detection_reasons": "AlertReasons", "threat_categories": "ThreatCategories",
}  # fmt: skip
_CHECKS = {"spf": "SPFResult", "dkim": "DKIMResult", "dmarc": "DMARCResult"}
_LONGEST_ID = 200
_YEAR_5138 = 1e11  # in seconds

# Bounds for what one request may cost, beside its bytes. What Logpush sends stays far below.
_MOST_MEMBERS = 1000
_MOST_RECORDS = 10_000
_MOST_VALUES = 1_000_000
_PIECE = 64 * 1024
_SEPARATORS = (b",", b"[", b"{")  # before each value, at the least
_LINES = re.compile(rb"[^\s][^\r\n]*")  # without empty ones


class TooMuchError(InputError):
    """There is more in a body than may be read."""


class Alerts(t.NamedTuple):
    """messages: what the alerts tell of. foreign: how many records were no alerts."""

    messages: list[Message]
    foreign: int


def read_alerts(body: bytes, most: int) -> Alerts:
    """Return the alerts in a body of a request: JSON records, one a line or all in a list, packed by gzip or not.

    What Cloudflare sends to try an address has none. Raises InputError for a body that is nothing of this, TooMuchError for
    one that would unpack to more than so many bytes.
    """
    records, foreign = _records(_unpacked(body, most))
    messages = [_message(record) for record in records if _is_alert(record)]
    foreign += len(records) - len(messages)
    if not messages and not (len(records) == foreign == 1 and set(records[0]) == {"content"}):
        raise InputError(
            "there is no alert of the dataset email_security_alerts in this request; its records must be JSON with an AlertID"
        )
    return Alerts(messages, foreign if messages else 0)


def _unpacked(body: bytes, most: int) -> bytes:
    # Known by its first bytes, as what packs may not say so in a header.
    text = _gunzip(body, most) if body.startswith(b"\x1f\x8b") and len(body) <= most else body
    if len(text) > most:
        raise TooMuchError(
            f"the request has more than {most} bytes; let max_upload_bytes of the Logpush job be less, or max_bytes be more"
        )
    return text


def _gunzip(packed: bytes, most: int) -> bytes:
    """Return what is packed, but no more than a byte too many."""
    text, position, members = bytearray(), 0, 0
    try:
        while position < len(packed) and len(text) <= most:
            members += 1
            if members > _MOST_MEMBERS:
                raise TooMuchError(f"the request has more than {_MOST_MEMBERS} gzip members")
            member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            while not member.eof and len(text) <= most:
                piece = packed[position : position + _PIECE]
                if not piece:
                    raise EOFError
                text += member.decompress(piece, most + 1 - len(text))
                position += len(piece) - len(member.unused_data)
    except (EOFError, zlib.error):
        raise InputError("the request is damaged: it cannot be unpacked") from None
    return bytes(text)


def _records(text: bytes) -> tuple[list[dict[str, t.Any]], int]:
    """Return the JSON objects in a text, and how many other things were there. Raises TooMuchError before it takes memory."""
    if sum(map(text.count, _SEPARATORS)) > _MOST_VALUES:
        raise TooMuchError(
            f"the records of the request have more than {_MOST_VALUES} values; let max_upload_bytes of the Logpush job be less"
        )
    whole = _json(text)  # one record or a list, perhaps over several lines
    lines = (
        [text]
        if isinstance(whole, (dict, list))
        else [match.group() for match in islice(_LINES.finditer(text), _MOST_RECORDS + 1)]
    )
    found = [whole] if isinstance(whole, (dict, list)) else map(_json, lines)
    values = [value for one in found for value in (one if isinstance(one, list) else [one])]
    if max(len(lines), len(values)) > _MOST_RECORDS:
        raise TooMuchError(
            f"the request has more than {_MOST_RECORDS} records; let max_upload_records of the Logpush job be less"
        )
    records = [value for value in values if isinstance(value, dict)]
    return records, len(values) - len(records)


def _json(text: bytes) -> t.Any:
    try:
        return json.loads(text, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | None:
    # Longer ones are no time, and before Python 3.11 they take long.
    return int(digits) if len(digits) <= _LONGEST_ID else None


def _is_alert(record: t.Mapping[str, t.Any]) -> bool:
    return isinstance(record.get("AlertID"), str) and 0 < len(record["AlertID"]) <= _LONGEST_ID


def _message(record: t.Mapping[str, t.Any]) -> Message:
    row = {name: record.get(field) for name, field in _FIELDS.items()}
    row["id"] = _id(record)
    row["envelope_from"] = _address(record.get("SMTPEnvelopeFrom"))
    recipients = record.get("SMTPEnvelopeTo")
    row["envelope_to"] = [_address(recipient) for recipient in recipients] if isinstance(recipients, list) else []
    # In the words that the API has for it
    row["final_disposition"] = str(record.get("FinalDisposition") or "").upper() or None
    row["validation"] = {name: str(record[field]).lower() for name, field in _CHECKS.items() if record.get(field)}
    row["scanned_at"] = _time(record.get("Timestamp"))
    return Message(row)


def _id(record: t.Mapping[str, t.Any]) -> str | None:
    """Return what names the message to the API and is fit to be handed on; None if there is no such thing.

    That is its Message-ID. A sender who gives none, or one that is used for mischief, makes it the beginning of the alert's id.
    """
    for text, kind in ((record.get("MessageID"), MESSAGE_ID), (postfix_part(record["AlertID"]), POSTFIX_ID)):
        handle = fit_handle(text)
        if handle and handle.kind == kind:
            return handle.text
    return None


def _address(value: object) -> str | None:
    """Return the address in C(Name <address>), or in a text that is one."""
    if not isinstance(value, str):
        return None
    match = re.match(r"[^<>]*<([^<>]*)>\s*\Z", value)
    return match.group(1) if match else value


def _time(value: object) -> str | None:
    """Return a time, which a job may give as text, or as seconds or nanoseconds since the epoch, as text."""
    if isinstance(value, str):
        return value
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not 0 < value < 1e20
        or not math.isfinite(value)
    ):
        return None
    while value > _YEAR_5138:
        value /= 1000
    return to_text(from_seconds(value))
