# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reads alerts that Cloudflare's Logpush sends (dataset email_security_alerts) as messages.

An alert says what was detected. It does not say whether the message is in quarantine, and has no investigate id.
"""

from __future__ import annotations

import json
import math
import re
import typing as t
import zlib
from itertools import islice

from .._errors import InputError
from .._json import items
from .._mail.handles import MESSAGE_ID, POSTFIX_ID, postfix_part
from .._mail.message import Message
from .._times import from_seconds, to_text
from .ids import safe_handle

_FIELDS = {
    "alert_id": "AlertID", "message_id": "MessageID", "subject": "Subject", "from": "From", "to": "To",
    "detection_reasons": "AlertReasons", "threat_categories": "ThreatCategories",
}  # fmt: skip
_CHECKS = {"spf": "SPFResult", "dkim": "DKIMResult", "dmarc": "DMARCResult"}
_LONGEST_ID = 200
_YEAR_5138 = 1e11  # in seconds

# Limits of one request, besides its bytes. Logpush stays far below them.
_MOST_MEMBERS = 1000
_MOST_RECORDS = 10_000
_MOST_VALUES = 1_000_000
_PIECE = 64 * 1024
_SEPARATORS = (b",", b"[", b"{")  # at least one of these is before each value
_LINES = re.compile(rb"[^\s][^\r\n]*")  # not the empty ones


class TooMuchError(InputError):
    """A request is larger than allowed."""


class Alerts(t.NamedTuple):
    """messages: one for each alert. foreign: how many records were not alerts."""

    messages: list[Message]
    foreign: int


def read_alerts(body: bytes, most: int) -> Alerts:
    """Return the alerts in the body of a request: JSON records, one on each line or all in a list, with or without gzip.

    The request with which Cloudflare tests an address has none. Raises InputError for any other body without alerts, and
    TooMuchError for a body that is too large.

    most: bytes of the unpacked body.
    """
    records, foreign = _records(_unpacked(body, most))
    messages = [_message(record) for record in records if _is_alert(record)]
    foreign += len(records) - len(messages)
    if not messages and not (len(records) == foreign == 1 and set(records[0]) == {"content"}):
        raise InputError(
            "this request has no alert of the dataset email_security_alerts; its records must be JSON with an AlertID"
        )
    return Alerts(messages, foreign if messages else 0)


def _unpacked(body: bytes, most: int) -> bytes:
    # The first bytes tell, because there may be no header that does.
    text = _gunzip(body, most) if body.startswith(b"\x1f\x8b") and len(body) <= most else body
    if len(text) > most:
        raise TooMuchError(
            f"the request has more than {most} bytes; lower max_upload_bytes of the Logpush job, or raise max_bytes"
        )
    return text


def _gunzip(packed: bytes, most: int) -> bytes:
    """Return the unpacked body, or the first most + 1 bytes of it."""
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
        raise InputError("the request is damaged and cannot be unpacked") from None
    return bytes(text)


def _records(text: bytes) -> tuple[list[dict[str, t.Any]], int]:
    """Return the JSON objects in a text, and the number of other values. Raises TooMuchError before it takes much memory."""
    if sum(map(text.count, _SEPARATORS)) > _MOST_VALUES:
        raise TooMuchError(
            f"the records of the request have more than {_MOST_VALUES} values; lower max_upload_bytes of the Logpush job"
        )
    whole = _json(text)  # one record or a list, perhaps on several lines
    lines = (
        [text]
        if isinstance(whole, (dict, list))
        else [match.group() for match in islice(_LINES.finditer(text), _MOST_RECORDS + 1)]
    )
    found = [whole] if isinstance(whole, (dict, list)) else map(_json, lines)
    values = [value for one in found for value in (one if isinstance(one, list) else [one])]
    if max(len(lines), len(values)) > _MOST_RECORDS:
        raise TooMuchError(
            f"the request has more than {_MOST_RECORDS} records; lower max_upload_records of the Logpush job"
        )
    records = [value for value in values if isinstance(value, dict)]
    return records, len(values) - len(records)


def _json(text: bytes) -> t.Any:
    try:
        return json.loads(text, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | None:
    # Longer numbers are no times, and before Python 3.11 they take long.
    return int(digits) if len(digits) <= _LONGEST_ID else None


def _is_alert(record: t.Mapping[str, t.Any]) -> bool:
    return isinstance(record.get("AlertID"), str) and 0 < len(record["AlertID"]) <= _LONGEST_ID


def _message(record: t.Mapping[str, t.Any]) -> Message:
    row = {name: record.get(field) for name, field in _FIELDS.items()}
    row["id"] = _id(record)
    row["envelope_from"] = _address(record.get("SMTPEnvelopeFrom"))
    row["envelope_to"] = [_address(recipient) for recipient in items(record.get("SMTPEnvelopeTo"))]
    # In the words of the API
    row["final_disposition"] = str(record.get("FinalDisposition") or "").upper() or None
    row["validation"] = {name: str(record[field]).lower() for name, field in _CHECKS.items() if record.get(field)}
    row["scanned_at"] = _time(record.get("Timestamp"))
    return Message(row)


def _id(record: t.Mapping[str, t.Any]) -> str | None:
    """Return a safe id of the message that the API knows, or None.

    This is the Message-ID. If it is missing or unsafe, it is the postfix id at the beginning of the alert id.
    """
    for text, kind in ((record.get("MessageID"), MESSAGE_ID), (postfix_part(record["AlertID"]), POSTFIX_ID)):
        handle = safe_handle(text)
        if handle and handle.kind == kind:
            return handle.text
    return None


def _address(value: object) -> str | None:
    """Return the address in a text such as Name <address>, or the text itself."""
    if not isinstance(value, str):
        return None
    match = re.match(r"[^<>]*<([^<>]*)>\s*\Z", value)
    return match.group(1) if match else value


def _time(value: object) -> str | None:
    """Return a time as text. A Logpush job may give text, or seconds or nanoseconds since the epoch."""
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
