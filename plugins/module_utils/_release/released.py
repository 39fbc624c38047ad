# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What journals say was released: when, by which run, for which ticket. Makes no request."""

from __future__ import annotations

import collections
import datetime
import os
import re
import typing as t

from .._errors import InputError
from .._files import open_private
from .._json import items, mapping, parse, string, strings
from .._mail.handles import INVESTIGATE_ID, MESSAGE_ID, parse_handle
from .._times import CLOCK_SKEW, from_seconds, parse_duration, parse_time, to_text
from .outcome import STATUSES, Status

# What is told of: messages that somebody got, and those that somebody may have got.
TOLD = (Status.RELEASED, Status.PARTIAL, Status.UNKNOWN)
TRAIL = ("ticket", "reason", "started_by", "requested_by", "approved_by", "plan_digest")

_EVENTS = ("intent", "outcome", "settled")
_LONGEST_LINE = 16 * 1024 * 1024
_MOST_UNREADABLE = 100

Entry = t.Dict[str, t.Any]


class _FlawedLine(Exception):
    """Why no run of this collection can have written a line, or not all of it."""


def read_moment(text: str, option: str, now: float) -> datetime.datetime:
    """Return the moment in an option, a time or a duration before now. Raises InputError."""
    moment = parse_time(text)
    if moment:
        return moment
    try:
        return from_seconds(now) - parse_duration(text, option)
    except InputError:
        raise InputError(
            f"{option} must be a time such as 2026-11-20T08:00:00Z, or a number with m, h, d or w before now, such as 24h, "
            f"not {text!r:.40}"
        ) from None


class Releases:
    """The releases in journals, as far as they were read.

    since, until: when they were recorded. ticket: the one they were for. None for any.
    unreadable: lines that prove nothing, at most 100 of them, each with journal, line and reason.
    """

    def __init__(
        self,
        now: float,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        ticket: str | None = None,
    ) -> None:
        self.unreadable: list[dict[str, t.Any]] = []
        self._unreadable = 0
        self._future = from_seconds(now) + CLOCK_SKEW
        self._since, self._until = since, until
        self._ticket = ticket
        # By run, account and one id of the message
        self._found: dict[tuple[str, str, str], Entry] = {}

    def read(self, path: str) -> None:
        """Read a journal. Raises InputError if it is none of ours."""
        try:
            with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
                for number, line in enumerate(_lines(file), 1):
                    try:
                        self._take(line, path)
                    except _FlawedLine as flaw:
                        self._unreadable += 1
                        if len(self.unreadable) < _MOST_UNREADABLE:
                            self.unreadable.append({"journal": path, "line": number, "reason": str(flaw)})
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(f"The journal {path} cannot be read ({why})") from None

    def data(self) -> dict[str, t.Any]:
        """Return the result of the module."""
        until = self._until
        entries = [entry for entry in self._found.values() if until is None or entry["moment"] <= until]
        entries.sort(key=lambda entry: t.cast(datetime.datetime, entry["moment"]))
        counts = collections.Counter(entry["status"] for entry in entries)
        runs = len({entry["run"] for entry in entries})
        parts = ", ".join(f"{counts[status]} {status}" for status in TOLD if counts[status])
        flawed = f" Could not read {_number(self._unreadable, 'line')}." if self._unreadable else ""
        return {
            "changed": False,
            "msg": f"{_number(len(entries), 'release')} in {_number(runs, 'run')}{f': {parts}' if parts else ''}.{flawed}",
            "entries": [{name: value for name, value in entry.items() if name != "moment"} for entry in entries],
            "summary": {
                **{status: counts[status] for status in TOLD},
                "total": len(entries),
                "runs": runs,
                "unreadable": self._unreadable,
            },
            "unreadable": self.unreadable,
            "api_calls": 0,
        }

    def _take(self, line: bytes | None, path: str) -> None:
        """Take over what a line says. Raises _FlawedLine, perhaps after it took over a part."""
        if line is None:
            raise _FlawedLine(f"it is longer than {_LONGEST_LINE // 1024 // 1024} MiB")
        if not line.strip():
            return
        entry, moment, run, account_id = _read_head(line, self._future)
        if entry["event"] not in _EVENTS or (self._since and moment < self._since):
            return
        if self._ticket is not None and entry.get("ticket") != self._ticket:
            return
        flaws: list[str] = []
        for ids, status, delivered in _told(entry, flaws):
            names = [name for name in ids if name]
            for name in names:
                known = self._found.get((run, account_id, name))
                if known and known["status"] == Status.UNKNOWN:
                    del self._found[run, account_id, name]
            place = (run, account_id, names[0])
            # A release that is on record stays so, whatever stands below it.
            if status in TOLD and not (status == Status.UNKNOWN and place in self._found):
                self._found[place] = {
                    "account_id": account_id,
                    "id": ids[0],
                    "postfix_id": ids[1],
                    "status": status,
                    "time": to_text(moment),
                    "delivered": delivered,
                    "run": run,
                    **{name: string(entry.get(name)) for name in TRAIL},
                    "journal": path,
                    "moment": moment,
                }
        if flaws:
            raise _FlawedLine(flaws[0])


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _lines(file: t.BinaryIO) -> t.Iterator[bytes | None]:
    """Yield each line, or None for one that is too long."""
    while True:
        line = file.readline(_LONGEST_LINE + 1)
        if not line:
            return
        too_long = len(line) > _LONGEST_LINE
        while too_long and line and not line.endswith(b"\n"):
            line = file.readline(_LONGEST_LINE)
        yield None if too_long else line


def _read_head(line: bytes, future: datetime.datetime) -> tuple[t.Mapping[str, t.Any], datetime.datetime, str, str]:
    """Return a line, its time, its run and its account."""
    entry = mapping(parse(line))
    if not entry:
        raise _FlawedLine("it is cut off, or is not JSON")
    moment = parse_time(string(entry.get("time")) or "")
    run, account_id = string(entry.get("run")), string(entry.get("account_id"))
    if moment is None or not run or not isinstance(entry.get("event"), str):
        raise _FlawedLine("it has no time, no run or no event")
    if not re.match(r"[0-9a-f]{32}\Z", account_id or ""):
        raise _FlawedLine("it has no account_id")
    if moment > future:
        raise _FlawedLine("its time is in the future")
    return entry, moment, run, account_id or ""


def _told(
    entry: t.Mapping[str, t.Any], flaws: list[str]
) -> t.Iterator[tuple[tuple[str | None, str | None], str | None, list[str]]]:
    """Yield the ids of each message in a line, its status and the recipients it reached. None: it was certainly not sent."""
    if entry["event"] == "intent":
        rows = [
            {"id" if _kind(name) == INVESTIGATE_ID else "postfix_id": name, "status": Status.UNKNOWN}
            for name in items(entry.get("ids"))
        ]
    else:
        rows = items(entry.get("messages"))
    in_doubt = entry["event"] == "outcome" and bool(items(entry.get("in_doubt")))
    for row in map(mapping, rows):
        ids = (row.get("id"), row.get("postfix_id"))
        status = row.get("status")
        if not any(ids) or not all(name is None or _kind(name) for name in ids):
            flaws.append("it names something that is no message")
        elif status is not None and status not in STATUSES:
            flaws.append("it has an unknown status")
        else:
            yield ids, status or (Status.UNKNOWN if in_doubt else None), strings(row.get("delivered") or [])


def _kind(name: object) -> str | None:
    """Return which kind of id this is, or None if it is none."""
    try:
        handle = parse_handle(name)
    except InputError:
        return None
    return None if handle.kind == MESSAGE_ID or handle.text != name else handle.kind
