# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The changes of a list, and the digest over all changes of an account, by which people approve them."""

from __future__ import annotations

import typing as t

from ...module_utils._json import mapping
from ...module_utils._plan.document import digest
from .asked import Wanted

Result = t.Mapping[str, t.Any]
Change = t.Dict[str, t.Any]
CHANGED = ("created", "updated", "deleted")


def changes(result: Result) -> list[Change]:
    """Return the changes of a list, ordered by their keys: verb, key, and before and after of each field that differs."""
    diff = mapping(result.get("diff"))
    before, after = mapping(diff.get("before")), mapping(diff.get("after"))
    return [
        {
            "verb": "update" if key in before and key in after else "create" if key in after else "delete",
            "key": key,
            "fields": _fields(before.get(key) or {}, after.get(key) or {}),
        }
        for key in sorted({*before, *after})
    ]


def _fields(before: Result, after: Result) -> dict[str, t.Any]:
    pairs = {name: (_ordered(before.get(name)), _ordered(after.get(name))) for name in {**before, **after}}
    return {name: {"before": old, "after": new} for name, (old, new) in pairs.items() if old != new}


def _ordered(value: t.Any) -> t.Any:
    """Return a value; the order of a list does not count."""
    return sorted(value, key=str) if isinstance(value, (list, tuple)) else value


def account_of(outcomes: t.Iterable[tuple[Wanted, Result]], account_id: str | None) -> str:
    """Return the account that the modules used, or else the one that was asked for."""
    return next(
        (str(result["account_id"]) for _wanted, result in outcomes if result.get("account_id")), account_id or ""
    )


def digest_of(account_id: str, outcomes: t.Sequence[tuple[Wanted, Result]]) -> str:
    """Return the digest over all changes of an account; empty if they are not all known."""
    found = {wanted.kind.name: changes(result) for wanted, result in outcomes}
    known = all(
        not result.get("failed") and len(found[wanted.kind.name]) == sum(result.get(word, 0) for word in CHANGED)
        for wanted, result in outcomes
    )
    # Lists without changes do not count, so that declaring one more does not end an approval.
    made = {name: each for name, each in found.items() if each}
    return digest({"account_id": account_id, "changes": made}) if known and account_id else ""
