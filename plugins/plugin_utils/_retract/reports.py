# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The report of the playbook retract: its content, and its forms as files."""

from __future__ import annotations

import json
import typing as t

from .._quarantine_release.places import write_file
from .._report_csv import rows_csv
from .._report_html import report_html
from .._report_rows import report_rows
from .asked import Asked
from .judged import Row, summary, word

# So that a merged report, which is made of reports of releases, leaves these out
SUFFIX = ".retract"
_COLUMNS = (
    "account", "status", "handle", "subject", "sender", "recipients", "verdict", "released_at", "in_mailboxes", "ticket",
    "requested_by", "approved_by", "started_by", "detail", "envelope_sender", "authentication", "reasons",
)  # fmt: skip


def make_report(
    asked: Asked, rows: t.Sequence[Row], msg: str, fails: bool, **times_and_people: t.Any
) -> dict[str, t.Any]:
    """Return the report as data, in the form of a report of a release.

    times_and_people: host, started, ended, started_by and awx_job_id.
    """
    return {
        "title": "Releases taken back",
        "account_id": asked.account_id,
        **times_and_people,
        "journal": asked.journals,
        "report": asked.reports,
        **{name: getattr(asked, name) for name in ("since", "when", "dispositions", "destination")},
        "outcome": word(rows, fails),
        "result": {
            "changed": any(row["changed"] for row in rows),
            "failed": fails,
            "msg": msg,
            "summary": summary(rows),
            "messages": list(rows),
        },
    }


def write_reports(report: t.Mapping[str, t.Any], path: str) -> None:
    """Write a report as JSON, CSV and HTML; the path is without its suffix. Raises OSError."""
    forms = {
        "json": json.dumps(report, indent=2) + "\n",
        "csv": rows_csv(report_rows(report), _COLUMNS),
        "html": report_html([report]),
    }
    for name, text in forms.items():
        write_file(f"{path}{SUFFIX}.{name}", text)
