# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The report of a run for one account: its content, and its forms as files."""

from __future__ import annotations

import json
import typing as t

from ...module_utils._plan.follow_up import follow_up_of
from ...module_utils._rows import wanted
from ...module_utils._text import printable
from .._report_csv import report_csv
from .._report_html import report_html
from .._report_rows import follow_up_text
from .._shown import message_lines
from .asked import Asked
from .outcome import ADVICE, message, word
from .pictures import load_pictures
from .places import Places, write_file
from .work import Trail

Report = t.Dict[str, t.Any]
_AFTER = "The messages are released all the same. Fix the reported cause, then run the same again: it does only what is missing."
_TITLES = {
    "unknown": "outcome not known",
    "partial": "delivered to some recipients only",
    "undelivered": "delivered to nobody",
    "failed": "refused, or delivery failed",
    "ambiguous": "more than one message fits",
    "not_found": "not known to Cloudflare",
    "not_attempted": "not sent",
    "would_release": "to be released",
    "blocked": "kept back by a rule",
    "released": "released",
    "already_released": "released before this run",
    "not_quarantined": "not in quarantine",
}


def make_report(
    asked: Asked,
    trail: Trail,
    host: str,
    run: t.Mapping[str, t.Any],
    plan: t.Mapping[str, t.Any],
    follow_ups: t.Mapping[str, t.Mapping[str, t.Any]],
    **times_and_job: t.Any,
) -> Report:
    """Return the report as data.

    run: a result of message_release. plan: what the modules made or checked; the file may hold another one by now.
    follow_ups: how the stages after the release ended.
    times_and_job: started, ended and awx_job_id.
    """
    return {
        "account_id": run.get("account_id") or asked.account_id or "",
        "host": host,
        "ticket": asked.ticket or plan.get("ticket") or "",
        "reason": asked.reason or plan.get("reason") or "",
        "started_by": trail.started_by,
        "requested_by": trail.requested_by or plan.get("requested_by") or "",
        "approved_by": trail.approved_by or "",
        "plan_digest": run.get("plan_digest") or "",
        **times_and_job,
        "outcome": word(run, follow_ups.values()),
        "result": {name: value for name, value in run.items() if name != "plan"},
        "plan": dict(plan),
        **({"follow_up": dict(follow_ups)} if follow_ups else {}),
    }


def write_reports(reports: t.Sequence[t.Mapping[str, t.Any]], path: str, formats: t.Iterable[str]) -> None:
    """Write reports in these formats; the path is without its suffix. JSON and text hold the first report only. Raises OSError."""
    forms: dict[str, t.Callable[[], str]] = {
        "json": lambda: json.dumps(reports[0], indent=2) + "\n",
        "txt": lambda: report_text(reports[0]),
        "csv": lambda: report_csv(reports),
        "html": lambda: report_html(reports, load_pictures(reports)),
    }
    for name in formats:
        write_file(f"{path}.{name}", forms[name]())


def write_rows(run: t.Mapping[str, t.Any], asked: Asked, kept: Places) -> t.Mapping[str, t.Any]:
    """Write all rows of a run into the result file, if there is one, and return the run with the rows that are wanted in reports.

    Raises OSError.
    """
    rows = run.get("messages") or []
    if kept.result_file:
        write_file(kept.result_file, "".join(f"{json.dumps(row)}\n" for row in rows))
    return {**run, "messages": wanted(rows, asked.return_messages, lambda row: row["status"] in ADVICE)}


def report_text(report: t.Mapping[str, t.Any]) -> str:
    """Return a report as text for a ticket: how the run ended, who did what, and each message with what to do about it."""
    run, plan = report["result"], report["plan"]
    follow_ups = (report.get("follow_up") or {}).values()
    failed_first = sorted(follow_ups, key=lambda one: not one["failed"])
    lines = [
        message(run),
        *(one["msg"] for one in failed_first),
        "",
        f"Account: {report['account_id']} ({report['host']})",
    ]
    lines += [f"{name.capitalize()}: {report[name]}" for name in ("ticket", "reason") if report[name]]
    if report["plan_digest"]:
        until = f", can be applied until {plan['expires_at']}" if plan else ""
        lines.append(f"Plan: {report['plan_digest']}{until}")
    lines += filter(None, [follow_up_of(plan).words()])
    people = ("requested_by", "approved_by", "started_by")
    lines += [f"{name.capitalize().replace('_', ' ')}: {report[name]}" for name in people if report[name]]
    lines += [f"{name.capitalize()}: {report[name][:19]}Z" for name in ("started", "ended")]
    entries = {entry["handle"]: entry for entry in plan.get("messages") or []}
    for status, title in _TITLES.items():
        rows = [row for row in run.get("messages") or [] if row["status"] == status]
        if rows:
            lines += ["", f"{len(rows)} {title}"]
            lines += [f"What to do: {ADVICE[status]}"] if status in ADVICE else []
            lines += [line for row in rows for line in _message(row, entries.get(row["handle"], {}))]
    for one in follow_ups:
        lines += ["", one["msg"].partition(":")[0]] if one["messages"] else []
        lines += [f"What to do: {_AFTER}"] if one["failed"] else []
        lines += [f"- {row['handle']}: {follow_up_text(row)}. {row['detail']}" for row in one["messages"]]
    return "".join(f"{printable(line, None)}\n" for line in lines)


def _message(row: t.Mapping[str, t.Any], entry: t.Mapping[str, t.Any]) -> list[str]:
    return [
        f"- {row['handle']}: {row['detail']}",
        *(f"  {line}" for line in message_lines({**entry, **row}, True, None)),
    ]
