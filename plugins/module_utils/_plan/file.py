# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Plan files: the newest plan in the file that the user names, and each plan in a file named by its digest."""

from __future__ import annotations

import datetime
import json
import os
import re
import typing as t

from .._errors import InputError
from .._files import check_target, read_whole, write_whole
from .document import LARGEST, Decision, check_plan, expiry, is_pinned, parse_plan, same_decisions, too_large

_SUFFIX = ".plan.json"


class KeptPlan(t.NamedTuple):
    """A plan in its files.

    plan: the new plan, or the one in dest if it decides the same.
    file: the file named by its digest.
    changed: whether dest was written.
    waiting: another plan that was in dest and can still be applied, or None.
    waiting_file: the file that has the waiting plan now.
    """

    plan: dict[str, t.Any]
    file: str
    changed: bool
    waiting: dict[str, t.Any] | None = None
    waiting_file: str | None = None


def read_plan(path: str, pin: str | None = None) -> dict[str, t.Any]:
    """Return the plan in a file, with its digest checked. Raises InputError.

    pin: the digest that was approved. If the file has another plan, the file beside it that is named by this digest is read.
    Without a pin, the file must belong to this user or to root.
    """
    plan = _read(path, bool(pin))
    if pin and not is_pinned(plan, pin) and os.path.lexists(_named(path, pin)):
        return _read(_named(path, pin), anybodys=True)
    return plan


def keep_plan(dest: str, plan: dict[str, t.Any], now: datetime.datetime, check_mode: bool) -> KeptPlan:
    """Write a plan to dest, unless the plan there decides the same and does not expire later. Raises InputError."""
    before = _applicable(dest, plan, now)
    same = bool(before and same_decisions(before, plan) and expiry(before) <= expiry(plan))
    counts = before if before and same else plan
    waiting = (
        before
        if before and not same and any(entry["decision"] == Decision.RELEASE for entry in before["messages"])
        else None
    )
    for each in (waiting, counts):
        if each and not check_mode and not (same and os.path.lexists(_named(dest, each["digest"]))):
            _write_plan(_named(dest, each["digest"]), each)
    if not same and not check_mode:
        _write_plan(dest, plan)
    return KeptPlan(
        counts, _named(dest, counts["digest"]), not same, waiting, _named(dest, waiting["digest"]) if waiting else None
    )


def check_writable(path: str) -> None:
    """Raise InputError if no plan can be written to a path. Changes nothing."""
    try:
        check_target(path)
    except OSError as error:
        raise InputError(f"dest {path} cannot be written ({error.strerror})") from None


def _read(path: str, anybodys: bool) -> dict[str, t.Any]:
    try:
        return parse_plan(read_whole(path, LARGEST, anybodys), path)
    except OSError as error:
        raise InputError(f"The plan {path} cannot be read ({error.strerror}). Nothing was sent.") from None


def _applicable(path: str, plan: t.Mapping[str, t.Any], now: datetime.datetime) -> dict[str, t.Any] | None:
    """Return the plan in a file if it can be applied now, to the account of another plan."""
    try:
        found = read_plan(path)
        check_plan(found, plan["account_id"], now, None)
    except InputError:
        return None
    return found


def _named(path: str, digest: str) -> str:
    """Return the name of the file beside a path for the plan with this digest."""
    start, suffix = (path[: -len(_SUFFIX)], _SUFFIX) if path.endswith(_SUFFIX) else os.path.splitext(path)
    hexadecimal = re.sub(r"[^0-9a-f]", "", digest.lower().rpartition(":")[2])
    return f"{start}.{hexadecimal[:12]}{suffix}"


def _write_plan(path: str, plan: t.Mapping[str, t.Any]) -> None:
    content = json.dumps(plan, indent=2, sort_keys=True, ensure_ascii=True, allow_nan=False).encode() + b"\n"
    flaw = too_large(content)
    if flaw:
        raise InputError(f"The plan is too large: {flaw}. It was not written. Plan fewer messages at a time")
    try:
        write_whole(path, content)
    except OSError as error:
        raise InputError(f"The plan cannot be written to {path} ({error.strerror})") from None
