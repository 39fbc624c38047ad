# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""GET investigate: filters, order and cursors."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from aiohttp import web

from .clock import utc
from .envelope import answer, bad_request, envelope
from .mail import DETECTIONS, Mailbox, Message, State
from .settings import Settings

Predicate = Callable[[Message, State], bool]
_PAGING = frozenset({"cursor", "per_page", "page"})
_ACTIONS = {"PREVIEW": "PREVIEW", "QUARANTINE_RELEASED": "QUARANTINE_RELEASE", "MOVED": "MOVE"}


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _names(wanted: str, addresses: Iterable[str]) -> bool:
    """Whether an address, or the domain of one, is the wanted one."""
    return any(wanted.lower() in (address.lower(), _domain(address)) for address in addresses)


def _host(link: str) -> str:
    return link.partition("//")[2].partition("/")[0].partition(":")[0].lower()


def _text(message: Message) -> str:
    """All that `query` looks through."""
    files = [text for file in message.attachments for text in (file.name, file.sha256)]
    parts = [message.sender, message.sender_name, message.subject, message.message_id, *message.recipients, *files]
    return "\n".join(part for part in parts if part).lower()


def _has_words(words: str, text: str | None) -> bool:
    return all(word in (text or "").lower() for word in words.lower().split())


FILTERS: dict[str, Callable[[Any], Predicate]] = {
    "start": lambda start: lambda message, state: message.scanned_at >= start,
    "end": lambda end: lambda message, state: message.scanned_at <= end,
    "detections_only": lambda only: lambda message, state: not only or message.disposition in DETECTIONS,
    # MALICIOUS-BEC is no value of the filter, so MALICIOUS stands for both
    "final_disposition": lambda value: lambda message, state: (message.disposition or "NONE").split("-")[0] == value,
    "delivery_status": lambda value: lambda message, state: value in state.delivery_status,
    "message_action": lambda value: lambda message, state: _ACTIONS[value] in state.operations,
    "query": lambda words: lambda message, state: _has_words(words, _text(message)),
    "subject": lambda words: lambda message, state: _has_words(words, message.subject),
    "sender": lambda name: lambda message, state: _names(name, [message.sender]),
    "recipient": lambda name: lambda message, state: _names(name, message.recipients),
    "domain": lambda name: (
        lambda message, state: (
            name.lower() in {_domain(address) for address in (message.sender, *message.recipients)}
            or name.lower() in {_host(link) for link in message.links}
        )
    ),
    "message_id": lambda value: lambda message, state: message.message_id == value,
    "alert_id": lambda value: lambda message, state: message.alert_id == value,
    "smtp_helo_ip": lambda value: lambda message, state: message.helo_ip == value,
    "metric": lambda value: lambda message, state: True,
}


def moment(name: str, text: str) -> datetime:
    """The time that a parameter says, or a 400."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = datetime.min
    if value.tzinfo is None:
        raise bad_request(f"{name}: not an RFC 3339 date-time")
    return value


def _filters(query: dict[str, Any], now: datetime) -> list[Predicate]:
    values = {name: value for name, value in query.items() if name not in _PAGING}
    start = moment("start", values["start"]) if "start" in values else now - timedelta(days=30)
    end = moment("end", values["end"]) if "end" in values else now
    if start > now:
        raise bad_request("start: must not be in the future")
    if end < start:
        raise bad_request("end: must not be before start")
    values = {"detections_only": True, **values, "start": start, "end": end}
    return [FILTERS[name](value) for name, value in values.items()]


def _mark(query: dict[str, Any]) -> str:
    """What a cursor remembers of the filters it belongs to."""
    filters = sorted((name, str(value)) for name, value in query.items() if name not in _PAGING)
    return hashlib.sha256(json.dumps(filters).encode()).hexdigest()[:8]


def _cursor(message: Message, query: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([*message.order, _mark(query)]).encode()).decode().rstrip("=")


def _place(cursor: str, query: dict[str, Any]) -> tuple[float, str]:
    try:
        seconds, message_id, mark = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise bad_request("cursor: unknown") from None
    if mark != _mark(query):
        raise bad_request("cursor: belongs to other filters")
    return seconds, message_id


def search(
    mailbox: Mailbox, query: dict[str, Any], now: float, settings: Settings
) -> tuple[list[tuple[Message, State]], dict[str, Any]]:
    """One page of messages as seen now, and its result_info."""
    filters = _filters(query, utc(now))
    per_page, page = query.get("per_page", 20), query.get("page")
    if page is not None and settings.page == "refused":
        raise bad_request("page: no longer supported, use cursor")
    place = _place(query["cursor"], query) if query.get("cursor") else None
    skip = (page - 1) * per_page if page and settings.page == "honoured" else 0
    candidates = ((message, message.seen(now)) for message in mailbox.after(place))
    matches = (found for found in candidates if all(fits(*found) for fits in filters))
    found = list(islice(matches, skip, skip + per_page + 1))
    more, found = len(found) > per_page, found[:per_page]
    info: dict[str, Any] = {
        "count": len(found),
        "per_page": per_page,
        "next": _cursor(found[-1][0], query) if more else None,
        "previous": None,
    }
    if settings.total_count:
        info |= {"page": 0, "total_count": 0}
    return found, info


def pending(location: str) -> web.Response:
    """The answer to a search that is not ready: 202, and where to ask again."""
    info = {"count": 0, "per_page": 20, "next": None, "previous": None, "page": 0, "total_count": 0}
    return answer(envelope([], result_info=info), 202, {"Location": location})
