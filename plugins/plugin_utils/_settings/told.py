# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What is said of the lists of an account."""

from __future__ import annotations

import datetime
import typing as t

from ...module_utils._text import ended, first_few, printable
from .asked import Wanted

Result = t.Mapping[str, t.Any]
_COUNTS = ("created", "updated", "deleted", "unchanged")
_WEEK = datetime.timedelta(days=7)


def summary(outcomes: t.Sequence[tuple[Wanted, Result]], check_mode: bool) -> str:
    """Return one line about all lists. Its first word tells a failure from drift."""
    parts = [f"{wanted.kind.name}: {_counts(wanted, result)}" for wanted, result in outcomes]
    if any(result.get("failed") for _wanted, result in outcomes):
        word = "Failed"
    elif any(result.get("changed") for _wanted, result in outcomes):
        word = "Drift" if check_mode else "Changed"
    else:
        word = "No change"
    return printable(f"{word}. {ended('; '.join(parts))}", None)


def _counts(wanted: Wanted, result: Result) -> str:
    if result.get("failed"):
        return f"failed: {wanted.in_variables(str(result.get('msg') or 'the module ended without a result'))}"
    return ", ".join(f"{result.get(word, 0)} {word}" for word in _COUNTS)


def notes(wanted: Wanted, result: Result, today: datetime.date) -> list[str]:
    """Return what else people have to know of a list: which entries expire within a week, and which are there twice."""
    title, name = wanted.kind.title, wanted.kind.name
    last = (today + _WEEK).isoformat()
    expiring = [entry for entry in result.get("entries") or [] if "" < entry.get("expires", "") <= last]
    duplicates = result.get("duplicates") or []
    found = []
    if expiring:
        shown = [f"{title(entry)} ({entry['expires']})" for entry in sorted(expiring, key=lambda each: each["expires"])]
        found.append(f"{name}: expires within a week: {first_few(shown, show=printable)}")
    if duplicates:
        shown = [title(entry) for entry in duplicates]
        found.append(f"{name}: has the same key as an older entry: {first_few(shown, show=printable)}")
    return found


def differences(outcomes: t.Sequence[tuple[Wanted, Result]], host: str) -> list[dict[str, t.Any]]:
    """Return the difference of each list that has one, with a header that names account and list."""
    return [
        {
            **result["diff"],
            "before_header": f"{host}: {wanted.kind.name}",
            "after_header": f"{host}: {wanted.kind.name}, as declared",
        }
        for wanted, result in outcomes
        if any((result.get("diff") or {}).values())
    ]
