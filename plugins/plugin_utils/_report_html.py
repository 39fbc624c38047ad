# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Reports as one HTML page that needs nothing else. It makes no requests, and runs only its own script."""

from __future__ import annotations

import base64
import collections
import struct
import typing as t

from ..module_utils._plan.follow_up import follow_up_of
from ..module_utils._text import printable
from ..plugin_utils._html_page import html_page
from ..plugin_utils._report_rows import TRAIL, report_rows

# The order of the chart: first what needs attention, last what is done.
_ORDER = (
    "unknown", "failed", "undelivered", "partial", "ambiguous", "not_found", "quarantined", "not_attempted",
    "blocked", "would_release", "released", "already_released", "not_quarantined", "moved", "already_moved", "kept", "not_released",
)  # fmt: skip


class Picture(t.NamedTuple):
    """A picture of a message, which is a whole PNG, or why there is none."""

    png: bytes | None
    why: str


def report_html(reports: t.Sequence[t.Mapping[str, t.Any]], pictures: t.Sequence[t.Mapping[str, Picture]] = ()) -> str:
    """Return the page for one report, or for several as one.

    pictures: for each report, the pictures of its messages by their handles.
    """
    rows = [row for report in reports for row in report_rows(report)]
    shown = [figure for report, known in zip(reports, pictures) for figure in _figures(report, known)]
    counts = collections.Counter(row["status"] for row in rows)
    return html_page(
        "report.html.j2",
        images=any(figure["data"] for figure in shown),
        reports=[_head(report) for report in reports],
        rows=rows,
        figures=shown,
        counts=[(status, counts[status]) for status in sorted(counts, key=_rank)],
        total=len(rows),
        planned=any(row["subject"] or row["sender"] for row in rows),
        retracted=any("released_at" in row for row in rows),
        followed=any(row["delivery"] for row in rows),
        after=any(row["reclassified"] or row["sender_allowed"] for row in rows),
    )


def _figures(report: t.Mapping[str, t.Any], pictures: t.Mapping[str, Picture]) -> t.Iterator[dict[str, t.Any]]:
    """Yield what the page shows of each message that has a picture, or that should have one."""
    messages = (report.get("result") or {}).get("messages") or []
    for row, message in zip(report_rows(report), messages):
        picture = pictures.get(message.get("handle"))
        if picture:
            # The header of a PNG begins with its width and height.
            width, height = struct.unpack(">II", picture.png[16:24]) if picture.png else (0, 0)
            yield {
                **row,
                "data": base64.b64encode(picture.png).decode() if picture.png else "",
                "width": width,
                "height": height,
                "why": printable(picture.why, 2000),
            }


def _head(report: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return what the page shows above the table of one account."""
    result, plan = report.get("result") or {}, report.get("plan") or {}
    summary = result.get("summary") or {}
    follow_ups = sorted((report.get("follow_up") or {}).values(), key=lambda one: not one["failed"])
    values = {
        **{name: report.get(name) for name in ("host", "account_id", "outcome", "reason", "started", "ended", *TRAIL)},
        "title": report.get("title") or "Quarantine release",
        "msg": " ".join([str(result.get("msg") or ""), *(one["msg"] for one in follow_ups)]),
        "after": follow_up_of(plan).words() if plan else "",
        "released": summary.get("released", 0),
        "total": summary.get("total", 0),
        "recipients": summary.get("recipients_delivered", ""),
        "api_calls": result.get("api_calls"),
        "planned_at": plan.get("created_at"),
    }
    return {name: printable(value, 2000) for name, value in values.items()}


def _rank(status: str) -> tuple[int, str]:
    return (_ORDER.index(status) if status in _ORDER else -1, status)
