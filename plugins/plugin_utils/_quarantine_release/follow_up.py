# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What follows a release: for which messages, and what became of it. Nothing here undoes a release."""

from __future__ import annotations

import collections
import typing as t

from ...module_utils._followup import reclassify
from ...module_utils._followup.outcome import NOT_ATTEMPTED, UNKNOWN
from ...module_utils._plan.document import Decision
from ...module_utils._plan.make import FixedRule
from ...module_utils._release.outcome import Status
from .._joining import is_lost

Result = t.Mapping[str, t.Any]


class Allow:
    """What became of the allow policy for the sender of a message."""

    ALLOWED = "allowed"
    ALREADY_ALLOWED = "already_allowed"
    ENDED = "ended"
    NOT_ALLOWED = "not_allowed"
    FAILED = "failed"
    WOULD_ALLOW = "would_allow"


_BAD = {*reclassify.FAIL_ON, Allow.FAILED, UNKNOWN, NOT_ATTEMPTED}
_DONE = (reclassify.SUBMITTED, reclassify.WOULD_SUBMIT, Allow.ALLOWED, Allow.WOULD_ALLOW)
_FOLLOWED = (Status.RELEASED, Status.ALREADY_RELEASED, Status.WOULD_RELEASE)


class Target(t.NamedTuple):
    """A message that was released.

    name: what modules know it by. handle: as it was given. just_now: this run released it. seen: what the plan says of it, if there is one.
    """

    name: str
    handle: str
    just_now: bool
    seen: Result | None


def targets(run: Result, plan: Result) -> list[Target]:
    """Return the messages of a run that its follow-up is for, each once.

    plan: what the run applied, or empty. Then all messages were named. With a plan, what it blocks has no follow-up, except what
    was named and is only blocked because it is not in quarantine (any more).
    """
    entries = {entry.get(name): entry for name in ("handle", "id") for entry in plan.get("messages") or []}
    found: dict[str, Target] = {}
    for row in run.get("messages") or []:
        entry = entries.get(row["handle"]) or entries.get(row.get("id"))
        if row["status"] in _FOLLOWED and (not plan or (entry and _is_approved(entry, plan))):
            name = row.get("id") or row.get("postfix_id") or row["handle"]
            just_now = row["status"] != Status.ALREADY_RELEASED
            found.setdefault(name, Target(name, row["handle"], just_now, entry))
    return list(found.values())


def _is_approved(entry: Result, plan: Result) -> bool:
    if entry["decision"] == Decision.RELEASE:
        return True
    return plan.get("search") is None and entry["rules"] == [FixedRule.NOT_QUARANTINED]


def row_of(target: Target, status: str, detail: str, **facts: t.Any) -> dict[str, t.Any]:
    """Return what became of the follow-up of a message."""
    return {"handle": target.handle, "id": target.name, "status": status, **facts, "detail": detail}


def ended(title: str, rows: t.Sequence[Result], api_calls: int, trouble: str = "") -> dict[str, t.Any]:
    """Return how a stage ended. title: begins its sentence. trouble: what went wrong besides what the rows say."""
    counts = collections.Counter(row["status"] for row in rows)
    told = ", ".join(f"{number} {status}" for status, number in counts.items())
    return {
        "failed": bool(trouble) or any(status in _BAD for status in counts),
        "changed": any(status in _DONE for status in counts),
        "msg": " ".join(filter(None, [f"{title}: {told}." if told else f"{title}.", trouble])),
        "messages": list(rows),
        "summary": {**counts, "total": len(rows)},
        "api_calls": api_calls,
    }


def reclassified(result: Result, chosen: t.Sequence[Target]) -> dict[str, t.Any]:
    """Return how a run of message_reclassify ended."""
    told = {row["handle"]: row for row in result.get("messages") or []}
    status, words = left_out(result)
    rows = [
        row_of(target, told[target.name]["status"], told[target.name]["detail"])
        if target.name in told
        else row_of(target, status, words)
        for target in chosen
    ]
    trouble = words if result.get("failed") else ""
    return ended("Reclassify", rows, result.get("api_calls", 0), trouble)


def left_out(result: Result) -> tuple[str, str]:
    """Return the status of what a result of a module does not tell of, and why."""
    if is_lost(result):
        return UNKNOWN, "The module ended without a result (was it killed?), so it is unknown what was sent."
    return NOT_ATTEMPTED, str(result.get("msg") or "The module does not say why.")
