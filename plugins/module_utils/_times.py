# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Times and durations in the forms that people and the API use. All times are UTC."""

from __future__ import annotations

import datetime
import re

from ._errors import InputError

CLOCK_SKEW = datetime.timedelta(minutes=5)  # by which the clocks of two machines may differ
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = datetime.timedelta(days=3660)


def parse_duration(text: str, option: str) -> datetime.timedelta:
    """Return a duration such as 24h or 7d. Raises InputError, which names the option."""
    match = re.match(r"\s*(\d{1,6})\s*([mhdw])\s*\Z", text)
    duration = datetime.timedelta(**{_UNITS[match.group(2)]: int(match.group(1))}) if match else datetime.timedelta()
    if not datetime.timedelta() < duration <= _LONGEST:
        raise InputError(
            f"{option} must be a number with m, h, d or w for minutes, hours, days or weeks, such as 24h or 7d, not {text!r:.40}"
        )
    return duration


def parse_time(text: str) -> datetime.datetime | None:
    """Return the moment of an ISO 8601 date or time, or None if it is neither. Without a zone, it is UTC."""
    try:
        # Before Python 3.11, fromisoformat knows no Z.
        moment = datetime.datetime.fromisoformat(re.sub(r"[zZ]\Z", "+00:00", text.strip()))
        return (
            moment.astimezone(datetime.timezone.utc) if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
        )
    except (ValueError, OverflowError):
        return None


def from_seconds(seconds: float) -> datetime.datetime:
    """Return the moment so many seconds after the epoch."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def to_text(moment: datetime.datetime) -> str:
    """Return a moment in the form of the API, such as 2026-11-20T08:00:00Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
