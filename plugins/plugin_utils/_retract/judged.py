# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Which releases are taken back, and what became of each. Knows nothing of Ansible."""

from __future__ import annotations

import collections
import typing as t

from ...module_utils._followup import move
from ...module_utils._followup.outcome import AMBIGUOUS, NOT_ATTEMPTED, NOT_FOUND, UNKNOWN
from ...module_utils._mail.handles import postfix_part
from ...module_utils._mail.verdicts import disposition_forbidden, is_verdict
from ...module_utils._release.outcome import Status
from ...module_utils._text import printable
from ...module_utils._times import parse_time
from .asked import ALL
from .sources import Entry

Row = t.Dict[str, t.Any]
KEPT = "kept"
NOT_RELEASED = "not_released"
TO_MOVE = "to_move"  # until the result of message_move is there
STATUSES = (*move.STATUSES, KEPT, NOT_RELEASED)
# What needs a person
FAILING = move.FAIL_ON

_CONTENT = (
    "from", "from_name", "envelope_from", "envelope_to", "client_recipients", "to", "subject", "final_disposition",
    "detection_reasons", "validation",
)  # fmt: skip
_OUTCOME = ("status", "moved", "failed", "detail", "changed")
_TRAIL = ("ticket", "reason", "started_by", "requested_by", "approved_by")
_LAG = 60.0  # seconds for which Cloudflare may show a message in quarantine that was released
# The message was in the mailboxes until the end of the run, as far as anybody knows.
_IN_MAILBOXES = {*move.FAIL_ON, move.MOVED, move.WOULD_MOVE, KEPT} - {move.QUARANTINED, NOT_FOUND, AMBIGUOUS}


def judged(
    entries: t.Iterable[Entry], found: t.Mapping[str, t.Any], when: str, dispositions: t.Collection[str], now: float
) -> list[Row]:
    """Return a row for each release. Those that are to be taken back have the status TO_MOVE.

    found: the result of message_info for them.
    """
    known: dict[str, list[t.Mapping[str, t.Any]]] = collections.defaultdict(list)
    for message in found.get("messages") or []:
        for name in {message["id"], message["postfix_id"] or postfix_part(message["id"]), message["message_id"]} - {
            None
        }:
            known[name].append(message)
    rows = []
    for entry in entries:
        handle = handle_of(entry)
        candidates = known.get(handle, [])
        message = candidates[0] if len(candidates) == 1 else None
        if message:
            status, detail = _judged(entry, message, when, dispositions, now)
        elif candidates:
            status, detail = AMBIGUOUS, "More than one message has this id. None was moved."
        elif handle in (found.get("not_found") or []):
            status, detail = NOT_FOUND, "Cloudflare does not know this message. Nothing was sent."
        else:
            why = str(found.get("msg") or "Cloudflare did not tell of it")
            status, detail = NOT_ATTEMPTED, f"The message could not be read, so nothing was sent. {why}"
        rows.append(_row(entry, handle, message, status, detail))
    return rows


def handle_of(entry: Entry) -> str:
    """Return the name by which a released message is looked for."""
    return str(entry["id"] or entry["postfix_id"])


def _judged(
    entry: Entry, message: t.Mapping[str, t.Any], when: str, dispositions: t.Collection[str], now: float
) -> tuple[str, str]:
    verdict = message["final_disposition"]
    held = message["is_quarantined"] and not {"delivered", "moved"} & set(message["delivery_status"])
    if held and entry["status"] == Status.UNKNOWN and _age(entry, now) > _LAG:
        return NOT_RELEASED, "It is in quarantine: the run that was to release it did not. Nothing was sent."
    if when == ALL:
        return TO_MOVE, ""
    if not is_verdict(verdict):
        told = f"has a verdict that is not known, {printable(verdict, 40)}," if verdict else "has no verdict"
        return NOT_ATTEMPTED, f"The message {told} so nobody can tell whether it is bad. Nothing was sent."
    if disposition_forbidden(verdict, dispositions):
        return TO_MOVE, ""
    return KEPT, "Its verdict is none of retract_dispositions, so it stays in the mailboxes."


def _row(entry: Entry, handle: str, message: t.Mapping[str, t.Any] | None, status: str, detail: str) -> Row:
    return {
        "handle": handle,
        "id": message["id"] if message else entry["id"],
        "postfix_id": message["postfix_id"] if message else entry["postfix_id"],
        "status": status,
        "moved": [],
        "failed": [],
        "detail": detail,
        "changed": False,
        "verdict": message["final_disposition"] if message else None,
        "released_at": entry["time"],
        "in_mailboxes_seconds": None,
        "in_mailboxes": "",
        "release": entry["status"],
        **{name: entry.get(name) for name in _TRAIL},
        "message": {name: message[name] for name in _CONTENT} if message else None,
    }


def with_moves(rows: t.Iterable[Row], moved: t.Mapping[str, t.Any] | None, lost: bool, now: float) -> list[Row]:
    """Return the rows with what became of those that were to be moved, and how long they were in the mailboxes.

    moved: the result of message_move, None if there was nothing to move. lost: it ended without a result.
    """
    told = {row["handle"]: row for row in (moved or {}).get("messages") or []}
    why = str((moved or {}).get("msg") or "")
    missing: Row = {"status": NOT_ATTEMPTED, "detail": f"Nothing was sent. {why}"}
    if lost:
        missing = {"status": UNKNOWN, "detail": "The module ended without a result, so it is unknown what it moved."}
    return [_timed(_moved(row, told.get(row["handle"], missing)), now) for row in rows]


def _moved(row: Row, outcome: t.Mapping[str, t.Any]) -> Row:
    if row["status"] != TO_MOVE:
        return row
    return {**row, **{name: outcome[name] for name in _OUTCOME if name in outcome}}


def _timed(row: Row, now: float) -> Row:
    if row["status"] not in _IN_MAILBOXES:
        return row
    seconds = int(_age(row, now))
    so_far = "" if row["status"] == move.MOVED else " so far"
    return {**row, "in_mailboxes_seconds": seconds, "in_mailboxes": f"{_lasted(seconds)}{so_far}"}


def summary(rows: t.Iterable[Row]) -> dict[str, int]:
    """Return the number of rows per status, and the total."""
    counts = collections.Counter(row["status"] for row in rows)
    return {**{status: counts[status] for status in STATUSES}, "total": sum(counts.values())}


def word(rows: t.Collection[Row], fails: bool) -> str:
    """Return the outcome for an account in one word, as in the reports of releases."""
    statuses = {row["status"] for row in rows}
    if UNKNOWN in statuses:
        return UNKNOWN
    if any(row["changed"] for row in rows):
        return "partial" if fails else "ok"
    return "failed" if fails else "nothing_to_do"


def _age(entry: t.Mapping[str, t.Any], now: float) -> float:
    moment = parse_time(entry.get("released_at") or entry["time"])
    return max(0.0, now - moment.timestamp()) if moment else 0.0


def _lasted(seconds: int) -> str:
    """Return a duration in its two largest units, such as 2 h 5 min."""
    sizes = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in sizes:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
