# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The stage of the playbook retract: takes back what was released for one account, and says what became of it."""

from __future__ import annotations

import os
import time
import typing as t

from ...module_utils._errors import InputError
from ...module_utils._release.planned import this_user
from ...module_utils._release.released import read_moment
from ...module_utils._text import first_few, printable
from .._joining import is_lost
from .._quarantine_release.door import Door, Result, now, sentence, unsent
from .._quarantine_release.names import RETRACT
from .._quarantine_release.places import report_directory, report_path, try_directory
from .._shown import message_lines
from . import judged
from .asked import Asked, read
from .reports import make_report, write_reports
from .sources import Entry, Source, read_journals, read_reports


def retract(door: Door) -> Result:
    """Take back what is to be taken back. It never fails itself: C(fails) tells whether the host does, and C(told) why."""
    started = now()
    try:
        door.check_run()
        asked = read(door.variables(RETRACT), door.host, len(door.hosts), time.time())
        source = _source(asked)
        entries = source.of(asked.account_id)
        directory = report_directory(asked.report_dir)
        try_directory(directory, len(entries), door.check_mode)
    except (InputError, OSError, ValueError) as error:
        return {"changed": False, "lines": [], "told": printable(unsent(error), None), "fails": True}
    person = door.person() or os.environ.get("USER") or this_user()
    rows, moved, why = _taken_back(door, asked, entries, directory, person)
    flaws = _flaws(door, asked, source)
    fails = bool(flaws or why) or any(row["status"] in judged.FAILING for row in rows)
    summary = judged.summary(rows)
    counts = ", ".join(f"{count} {status}" for status, count in summary.items() if count and status != "total")
    number = f"{summary['total']} release{'' if summary['total'] == 1 else 's'}"
    msg = f"{number} since {asked.since}: {counts}." if rows else f"{number} of this account since {asked.since}."
    told = [*flaws, why, _attention(rows), msg]
    report = make_report(
        asked, rows, " ".join(filter(None, [*flaws, why, msg])), fails,
        host=door.host, started=started, ended=now(), started_by=person, awx_job_id=door.job(),
    )  # fmt: skip
    if door.check_mode:
        told.append("Check mode: nothing was moved, and no report was written.")
    else:
        try:
            path = report_path(directory, door.host, started)
            write_reports(report, path)
            told.append(f"Report: {path}.retract.html")
        except OSError as error:
            fails = True
            told.insert(0, f"The report was not written: {sentence(error)}")
    return {
        "changed": any(row["changed"] for row in rows),
        "lines": [_line(row, asked.show_content) for row in rows],
        "told": printable(" ".join(filter(None, told)), None),
        "fails": fails,
        **({"diff": moved["diff"]} if door.diff_mode and "diff" in moved else {}),
    }


def _source(asked: Asked) -> Source:
    moment = time.time()
    since = read_moment(asked.since, "retract_since", moment)
    if asked.journals:
        return read_journals(asked.journals, since, moment)
    return read_reports(asked.reports, since, moment)


def _taken_back(
    door: Door, asked: Asked, entries: t.Sequence[Entry], directory: str, person: str
) -> tuple[list[judged.Row], Result, str]:
    """Return a row for each release, the result of message_move, and why a module failed as a whole."""
    if not entries:
        return [], {}, ""
    handles = [judged.handle_of(entry) for entry in entries]
    found = door.call("message_info", {"account_id": asked.account_id, "messages": handles}, door.check_mode)
    rows = judged.judged(entries, found, asked.when, asked.dispositions, time.time())
    handles = [row["handle"] for row in rows if row["status"] == judged.TO_MOVE]
    if "messages" not in found or found.get("failed"):
        moved: Result = {
            "failed": True,
            "msg": found.get("msg") or "The module that reads the messages ended without a result.",
        }
    else:
        moved = _moved(door, asked, handles, directory, person) if handles else {}
    lost = bool(handles) and "messages" not in moved and is_lost(moved)
    why = str(moved.get("msg") or "") if moved.get("failed") else ""
    return judged.with_moves(rows, moved, lost, time.time()), moved, why


def _moved(door: Door, asked: Asked, handles: list[str], directory: str, person: str) -> Result:
    """Return the result of message_move. Its journal tells the next run what Cloudflare may not show yet."""
    options = {
        "account_id": asked.account_id,
        "messages": handles,
        "destination": asked.destination,
        "purge": asked.purge,
        # In check mode, the directory may not be there.
        "journal": os.path.join(directory, "journal.jsonl") if os.path.isdir(directory) else None,
        "reason": f"The release is taken back (retract_when {asked.when})",
        "started_by": person,
        "fail_on": [],  # the rows tell
    }
    return door.call("message_move", options, door.check_mode)


def _flaws(door: Door, asked: Asked, source: Source) -> list[str]:
    """Return what of the journal or report nobody takes back. If several hosts have the same one, the first of them tells it."""
    first = door.hosts[0]
    if first != door.host:
        same = all(
            door.of_host(first, f"retract_{name}") == door.of_host(door.host, f"retract_{name}")
            for name in ("journal", "report")
        )
        if same:
            return []
    left = source.others([asked.account_id])
    if left:
        carried = [door.of_host(host, "quarantine_release_account_id") for host in door.inventory_hosts()]
        left = source.others([asked.account_id, *(str(account or "").lower() for account in carried)])
    flaws = list(source.flaws[:5])
    if len(source.flaws) > len(flaws):
        flaws.append(f"{len(source.flaws) - len(flaws)} more parts cannot be read.")
    if left:
        flaws.append(
            f"No host of the inventory has the account {first_few(left)}, so its releases were not looked at. Add a host with this "
            "quarantine_release_account_id."
        )
    return flaws


def _attention(rows: t.Iterable[judged.Row]) -> str:
    named = first_few([f"{row['handle']} {row['status']}" for row in rows if row["status"] in judged.FAILING])
    return f"Needs attention: {named}." if named else ""


def _line(row: judged.Row, show_content: bool) -> str:
    """Return one line about a release. The detail may name recipients, and so is content."""
    facts = {
        "verdict": row["verdict"],
        "released": row["released_at"],
        "in the mailboxes": row["in_mailboxes"],
        "ticket": row["ticket"],
        "started by": row["started_by"],
        "approved by": row["approved_by"],
        "what happened": row["detail"] if show_content else None,
    }
    parts = [f"{name}: {printable(value)}" for name, value in facts.items() if value]
    content = message_lines(row["message"], True) if row["message"] and show_content else []
    return "; ".join([row["status"], printable(row["handle"]), *parts, *content])
