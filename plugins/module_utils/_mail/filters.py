# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The options of a search, and the query parameters of the API that they become."""

from __future__ import annotations

import datetime
import re
import typing as t

from .._errors import InputError
from .._text import printable
from .._times import from_seconds, parse_duration, parse_time, to_text
from .addresses import plain_domain
from .handles import parse_handle
from .pasted import name_of, stripped

# The options that an event source has as well
WATCH_OPTIONS = ("sender", "recipient", "subject", "query", "domain", "disposition")
SEARCH_OPTIONS = (*WATCH_OPTIONS, "message_id", "alert_id", "start", "end", "since")
DISPOSITIONS = ("MALICIOUS", "SUSPICIOUS", "SPOOF", "SPAM", "BULK", "NONE")
DELIVERY_STATUSES = ("delivered", "moved", "quarantined", "rejected", "deferred", "bounced", "queued", "move_failed")

_ADDRESS = re.compile(r"""(?:"[^"]+"|[^\s<>()\[\],;:"'`\\@*][^\s<>()\[\],;:"\\@*]*)@(?P<domain>.+)""")
_TIMES = ("start", "end", "since")
# Query parameters that the API calls otherwise
_PARAMETERS = {"disposition": "final_disposition"}


def search_filters(options: t.Mapping[str, t.Any], now: float) -> dict[str, str]:
    """Return the query parameters for the options of a search, delivery_status and detections_only. Raises InputError.

    now: seconds since the epoch. The option since counts back from this moment.
    """
    filters: dict[str, str] = {
        _PARAMETERS.get(option, option): options[option]
        for option in (*SEARCH_OPTIONS, "delivery_status")
        if option not in _TIMES and options.get(option)
    }
    for name, value in filters.items():
        odd = re.search(r"[\x00-\x1f\x7f]", value)
        if odd:
            raise InputError(f"the search option for {name} contains {name_of(odd.group())}")
        filters[name] = _READERS[name](name, value) if name in _READERS else value
    moment = from_seconds(now)
    start = moment - parse_duration(options["since"], "since") if options.get("since") else _moment(options, "start")
    end = _moment(options, "end")
    if start and start > moment:
        raise InputError(f"start is in the future: {to_text(start)}, and now is {to_text(moment)}")
    if start and end and start >= end:
        raise InputError(f"start ({to_text(start)}) must be before end ({to_text(end)})")
    times = {"start": start, "end": end}
    filters.update({name: to_text(value) for name, value in times.items() if value})
    filters["detections_only"] = "true" if options.get("detections_only", True) else "false"
    return filters


def _party(name: str, value: str) -> str:
    """Return the address or the domain in a text. Raises InputError if it is not exactly one."""
    text = stripped(value).rstrip(".")
    match = _ADDRESS.fullmatch(text)
    domain = match.group("domain") if match else text
    if plain_domain(domain) and (match or "." in domain):
        return text
    raise InputError(
        f"{name} must be one address or one domain, such as alice@example.com or example.com, not {printable(value, 80)!r}"
    )


def _domain(name: str, value: str) -> str:
    text = stripped(value).rstrip(".")
    if plain_domain(text) and "." in text:
        return text
    raise InputError(f"{name} must be one domain, such as example.com, not {printable(value, 80)!r}")


def _id(name: str, value: str) -> str:
    try:
        return parse_handle(value).text
    except InputError as error:
        raise InputError(f"{name} {error}") from None


_READERS: dict[str, t.Callable[[str, str], str]] = {
    "sender": _party, "recipient": _party, "domain": _domain, "message_id": _id, "alert_id": _id,
}  # fmt: skip


def _moment(options: t.Mapping[str, t.Any], name: str) -> datetime.datetime | None:
    text = options.get(name)
    moment = parse_time(text) if text else None
    if text and moment is None:
        raise InputError(f"{name} must be a date or time such as 2026-11-20 or 2026-11-20T08:00:00Z, not {text!r:.40}")
    return moment
