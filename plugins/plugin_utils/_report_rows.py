# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What all forms of a report show: one flat row for each message, of text that is safe to look at.

A report is what the role quarantine_release writes as JSON: C(account_id), C(host), C(outcome), C(started), C(ended),
those of TRAIL, C(result) (that of message_release), and, if there is one, C(plan).
"""

from __future__ import annotations

import typing as t

from ansible_collections.emailsec.cloudflare.plugins.module_utils._text import printable

# Who asked, approved and started, for what, and which plan: the same in each row of a report
TRAIL = ("ticket", "requested_by", "approved_by", "started_by", "plan_digest")
COLUMNS = ("account", "status", "handle", "subject", "sender", "recipients", "verdict", "rule", "delivery", "detail", *TRAIL)


def report_rows(report: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    """Return the messages of a report as rows of COLUMNS."""
    result, plan = _mapping(report.get("result")), _mapping(report.get("plan"))
    entries = {entry.get("id") or entry.get("handle"): entry for entry in plan.get("messages") or []}
    rows = []
    for message in result.get("messages") or []:
        entry = entries.get(message.get("id")) or entries.get(message.get("handle")) or {}
        reached = [address for name in ("delivered", "undelivered", "failed") for address in message.get(name) or []]
        values = {
            "account": report.get("host") or report.get("account_id"),
            "status": message.get("status"),
            "handle": message.get("handle"),
            "subject": entry.get("subject"),
            "sender": entry.get("from") or entry.get("envelope_from"),
            "recipients": ", ".join(map(str, reached or entry.get("recipients") or [])),
            "verdict": entry.get("final_disposition"),
            "rule": message.get("rule"),
            "delivery": message.get("delivery"),
            "detail": message.get("detail"),
            **{name: report.get(name) for name in TRAIL},
        }
        rows.append({name: printable(values[name]) for name in COLUMNS})
    return rows


def _mapping(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}
