# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Search filters: from what a person says to the query parameters of the API."""

from __future__ import annotations

import datetime
import re
import typing as t

from .._errors import InputError
from .._times import from_seconds, parse_duration, parse_time, to_text

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


def search_filters(options: t.Mapping[str, t.Any], now: float) -> dict[str, str]:
    """Return the query parameters for the search options of message_info. Raises InputError.

    now: seconds since the epoch, the moment from which C(since) counts back.
    """
    filters = {parameter: options[option] for option, parameter in _PARAMETERS.items() if options.get(option)}
    for name, value in filters.items():
        if re.search(r"[\x00-\x1f\x7f]", value):
            raise InputError(f"the search option for {name} contains a line break or a control character")
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


def _moment(options: t.Mapping[str, t.Any], name: str) -> datetime.datetime | None:
    text = options.get(name)
    moment = parse_time(text) if text else None
    if text and moment is None:
        raise InputError(f"{name} must be a date or time such as 2026-11-20 or 2026-11-20T08:00:00Z, not {text!r:.40}")
    return moment
