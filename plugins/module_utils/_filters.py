# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Search filters: from what a person says to the query parameters of the API."""

from __future__ import annotations

import datetime
import re
import typing as t

from ._errors import InputError

# Option of ours: query parameter of the API.
_PARAMETERS = {
    "sender": "sender",
    "recipient": "recipient",
    "subject": "subject",
    "query": "query",
    "domain": "domain",
    "message_id": "message_id",
    "alert_id": "alert_id",
    "disposition": "final_disposition",
    "delivery_status": "delivery_status",
}
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def search_filters(options: t.Mapping[str, t.Any], now: float) -> dict[str, str]:
    """Return the query parameters for the search options of message_info. Raises InputError.

    now: seconds since the epoch, the moment from which C(since) counts back.
    """
    filters = {parameter: options[option] for option, parameter in _PARAMETERS.items() if options.get(option)}
    for name, value in filters.items():
        if re.search(r"[\x00-\x1f\x7f]", value):
            raise InputError(f"the search option for {name} contains a line break or a control character")
    moment = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
    start = moment - _duration(options["since"]) if options.get("since") else _moment(options, "start")
    end = _moment(options, "end")
    if start and start > moment:
        raise InputError(f"start is in the future: {_text(start)}, and now is {_text(moment)}")
    if start and end and start >= end:
        raise InputError(f"start ({_text(start)}) must be before end ({_text(end)})")
    times = {"start": start, "end": end}
    filters.update({name: _text(value) for name, value in times.items() if value})
    filters["detections_only"] = "true" if options.get("detections_only", True) else "false"
    return filters


def _duration(text: str) -> datetime.timedelta:
    match = re.match(r"\s*(\d{1,6})\s*([mhdw])\s*\Z", text)
    if not match or int(match.group(1)) == 0:
        raise InputError(f"since must be a number with m, h, d or w for minutes, hours, days or weeks, such as 24h or 7d, not {text!r:.40}")
    duration = datetime.timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})
    if duration > datetime.timedelta(days=3660):
        raise InputError(f"since goes back too far: {text.strip()}")
    return duration


def _moment(options: t.Mapping[str, t.Any], name: str) -> datetime.datetime | None:
    text = options.get(name)
    if not text:
        return None
    try:
        # Before Python 3.11, fromisoformat does not know the Z.
        moment = datetime.datetime.fromisoformat(re.sub(r"[zZ]\Z", "+00:00", text.strip()))
        return moment.astimezone(datetime.timezone.utc) if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
    except (ValueError, OverflowError):
        raise InputError(f"{name} must be a date or time such as 2026-11-20 or 2026-11-20T08:00:00Z, not {text!r:.40}") from None


def _text(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
