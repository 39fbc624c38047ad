# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The day on which an entry expires, as a mark at the end of its comments: [expires 2026-12-10]."""

from __future__ import annotations

import datetime
import re
import typing as t

NEVER = "never"
_SOON = datetime.timedelta(days=7)
_MARK = re.compile(r"(?s)(.*?)\s*\[expires (\d{4}-\d\d-\d\d)\]\s*\Z")

Day = datetime.date


def parse_day(text: str) -> Day | None:
    """Return the day in a text such as 2026-12-10, or None if it is none."""
    try:
        return Day.fromisoformat(text) if re.match(r"\d{4}-\d\d-\d\d\Z", text, re.ASCII) else None
    except ValueError:
        return None


def split(comments: t.Any) -> tuple[str, Day | None]:
    """Return the text of comments, and the day of the mark at their end."""
    text = comments if isinstance(comments, str) else ""
    match = _MARK.match(text)
    day = parse_day(match.group(2)) if match else None
    return (match.group(1), day) if match and day else (text, None)


def bare(text: str) -> str:
    """Return a text without any mark at its end."""
    while split(text)[1]:
        text = split(text)[0]
    return text


def join(text: str, day: Day | None) -> str:
    """Return the comments with this text and this mark."""
    if day is None:
        return text
    return f"{text} {_mark(day)}" if text else _mark(day)


def _mark(day: Day) -> str:
    return f"[expires {day.isoformat()}]"


def is_past(day: Day | None, today: Day) -> bool:
    """Tell whether an entry has expired. It counts until the end of its day, by UTC."""
    return day is not None and day < today


def is_soon(day: Day | None, today: Day) -> bool:
    """Tell whether an entry has expired, or expires within a week."""
    return day is not None and day <= today + _SOON
