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


def summary(outcomes: t.Sequence[tuple[Wanted, Result]], outcome: str, digest: str = "", wrong: str = "") -> str:
    """Return one line about all lists. Its first word tells a failure from drift.

    digest: of the changes, or empty. wrong: what is not as it was approved, or empty.
    """
    parts = [f"{wanted.kind.name}: {_counts(wanted, result)}" for wanted, result in outcomes]
    approval = f"Digest of these changes: {digest}." if digest else ""
    word = outcome.capitalize().replace("_", " ")
    return printable(" ".join(filter(None, [f"{word}.", wrong, ended("; ".join(parts)), approval])), None)


def _counts(wanted: Wanted, result: Result) -> str:
    if result.get("failed"):
        return f"failed: {wanted.failure(result)}"
    return ", ".join(f"{result.get(word, 0)} {word}" for word in _COUNTS)


def notes(wanted: Wanted, result: Result, today: datetime.date) -> list[str]:
    """Return what else people have to know of a list: what has expired, what expires within a week, and what is there twice."""
    title = wanted.kind.title
    days = [(entry["expires"], f"{title(entry)} ({entry['expires']})") for entry in expiring(result)]
    found = {
        "has expired, and still works": [shown for day, shown in days if day < today.isoformat()],
        "expires within a week": [shown for day, shown in days if day >= today.isoformat()],
        "has the same key as an older entry": [title(entry) for entry in result.get("duplicates") or []],
    }
    return [
        f"{wanted.kind.name}: {words}: {first_few(shown, show=printable)}" for words, shown in found.items() if shown
    ]


def expiring(result: Result) -> list[Result]:
    """Return the entries of a list that have expired, or expire within a week, the first to expire first."""
    return sorted(result.get("expiring") or [], key=lambda entry: str(entry["expires"]))


def differences(outcomes: t.Sequence[tuple[Wanted, Result]], host: str, after: str) -> list[dict[str, t.Any]]:
    """Return the difference of each list that has one, with headers that name account and list. after: of what is made of it."""
    return [
        {
            **result["diff"],
            "before_header": f"{host}: {wanted.kind.name}",
            "after_header": f"{host}: {wanted.kind.name}, {after}",
        }
        for wanted, result in outcomes
        if any((result.get("diff") or {}).values())
    ]
