# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What was released, by journals or by reports of the role. Makes no request."""

from __future__ import annotations

import datetime
import json
import re
import typing as t

from ...module_utils._errors import InputError
from ...module_utils._files import read_whole
from ...module_utils._json import mapping, rows, string
from ...module_utils._mail.handles import parse_handle
from ...module_utils._release.released import TOLD, TRAIL, Releases
from ...module_utils._times import CLOCK_SKEW, from_seconds, parse_time, to_text

Entry = t.Dict[str, t.Any]
_ACCOUNT = re.compile(r"[0-9a-f]{32}\Z")
_LARGEST = 256 * 1024 * 1024


class Source(t.NamedTuple):
    """entries: the releases, as release_history_info returns them. flaws: a sentence for each part that cannot be read."""

    entries: list[Entry]
    flaws: list[str]

    def of(self, account_id: str) -> list[Entry]:
        """Return the releases of an account, one for each message: the first that is certain, else the first."""
        found: dict[str, Entry] = {}
        for entry in self.entries:
            name = entry["id"] or entry["postfix_id"]
            if entry["account_id"] == account_id and found.get(name, {"status": "unknown"})["status"] == "unknown":
                found[name] = entry
        return list(found.values())

    def others(self, accounts: t.Container[str | None]) -> list[str]:
        """Return the accounts of releases that are not among these."""
        return sorted({entry["account_id"] for entry in self.entries if entry["account_id"] not in accounts})


def read_journals(paths: t.Iterable[str], since: datetime.datetime, now: float) -> Source:
    """Return what journals tell since then. Raises InputError for one that cannot be read at all."""
    releases = Releases(now, since)
    for path in paths:
        releases.read(path)
    data = releases.data()
    flaws = [
        f"Line {flaw['line']} of {flaw['journal']} cannot be read: {flaw['reason']}." for flaw in data["unreadable"]
    ]
    more = data["summary"]["unreadable"] - len(flaws)
    return Source(data["entries"], flaws + ([f"{more} more lines cannot be read."] if more else []))


def read_reports(paths: t.Iterable[str], since: datetime.datetime, now: float) -> Source:
    """Return what JSON reports tell. Raises InputError for one that does not tell all of it, or that is from before that time."""
    entries: list[Entry] = []
    for path in paths:
        found, moment = _read_report(path, now)
        if moment < since:
            raise InputError(
                f"The report {path} is of {to_text(moment)}, so retract_since leaves it out. Set it to a longer time, such as 7d"
            )
        entries += found
    return Source(sorted(entries, key=lambda entry: str(entry["time"])), [])


def _read_report(path: str, now: float) -> tuple[list[Entry], datetime.datetime]:
    try:
        report = mapping(json.loads(read_whole(path, _LARGEST)))
    except OSError as error:
        raise InputError(f"The report {path} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise InputError(f"The report {path} cannot be read (it is not JSON)") from None
    result = mapping(report.get("result"))
    messages, summary = result.get("messages"), mapping(result.get("summary"))
    account_id = string(report.get("account_id")) or ""
    moment = parse_time(string(report.get("ended")) or "")
    is_release = "title" not in report  # one of this playbook has a title
    if not is_release or not isinstance(messages, list) or "total" not in summary or not _ACCOUNT.match(account_id):
        raise InputError(f"The report {path} does not tell what was released. Use the journal")
    if moment is None or moment > from_seconds(now) + CLOCK_SKEW:
        raise InputError(
            f"The report {path} does not tell when it was made, or its time is in the future. Use the journal"
        )
    told = [row for row in rows(messages) if row.get("status") in TOLD]
    if any(sum(row["status"] == status for row in told) != summary.get(status, 0) for status in TOLD):
        raise InputError(
            f"The report {path} does not have all messages, as with quarantine_release_return_messages. Use the journal"
        )
    return [_entry(path, report, row, account_id, moment) for row in told], moment


def _entry(
    path: str, report: t.Mapping[str, t.Any], row: t.Mapping[str, t.Any], account_id: str, moment: datetime.datetime
) -> Entry:
    try:
        names = [parse_handle(row.get(name)).text for name in ("id", "postfix_id", "handle") if row.get(name)]
    except InputError:
        names = []
    if not names:
        raise InputError(f"The report {path} names something that is no message. Use the journal")
    return {
        "account_id": account_id,
        "id": row.get("id"),
        "postfix_id": row.get("postfix_id") or (None if row.get("id") else row["handle"]),
        "status": row["status"],
        "time": to_text(moment),
        **{name: string(report.get(name)) for name in TRAIL},
    }
