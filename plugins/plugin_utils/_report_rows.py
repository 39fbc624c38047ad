# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What all forms of a report show: one flat row for each message, with text that is safe to show.

A report is what the role quarantine_release writes as JSON: C(account_id), C(host), C(outcome), C(started), C(ended),
those of TRAIL, C(result) (that of message_release), and, if there is one, C(plan) and C(follow_up).
"""

from __future__ import annotations

import typing as t

from ..module_utils._json import mapping
from ..module_utils._text import printable
from ..plugin_utils._shown import address, addresses, shown_message

# Who asked, approved and started, why, and which plan: the same in each row of a report.
TRAIL = ("ticket", "requested_by", "approved_by", "started_by", "plan_digest")
COLUMNS = (
    "account", "status", "handle", "subject", "sender", "recipients", "verdict", "rule", "delivery", "detail",
    "envelope_sender", "authentication", "reasons", *TRAIL, "reclassified", "sender_allowed",
)  # fmt: skip


# What only reports about releases that are taken back tell of a message
RETRACTED = ("released_at", "in_mailboxes")


def report_rows(report: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    """Return the messages of a report as rows of COLUMNS, with those of RETRACTED that they have."""
    result, plan = mapping(report.get("result")), mapping(report.get("plan"))
    entries = {entry.get("id") or entry.get("handle"): entry for entry in plan.get("messages") or []}
    follow_up = mapping(report.get("follow_up"))
    after = [
        {
            name: row
            for row in mapping(follow_up.get(stage)).get("messages") or []
            for name in (row["handle"], row["id"])
        }
        for stage in ("reclassify", "allow")
    ]
    rows = []
    for message in result.get("messages") or []:
        entry = entries.get(message.get("id")) or entries.get(message.get("handle")) or {}
        reached = [
            address for name in ("moved", "delivered", "undelivered", "failed") for address in message.get(name) or []
        ]
        shown = shown_message(entry or mapping(message.get("message")))
        values = {
            "account": report.get("host") or report.get("account_id"),
            **{name: message.get(name) for name in ("status", "handle", "rule", "delivery", "detail")},
            # Each message may have a release of its own.
            **{name: message.get(name) if name in message else report.get(name) for name in TRAIL},
        }
        for name, known in zip(("reclassified", "sender_allowed"), after):
            row = known.get(message.get("handle")) or known.get(message.get("id"))
            values[name] = follow_up_text(row) if row else None
        rows.append(
            {
                **dict.fromkeys(COLUMNS, ""),
                **{name: printable(value) for name, value in values.items()},
                **{name: printable(message[name]) for name in RETRACTED if name in message},
                **{name: shown[name] for name in ("subject", "verdict", "authentication", "reasons") if shown},
                "sender": shown.get("from", ""),
                "envelope_sender": shown.get("envelope sender", ""),
                "recipients": addresses(reached) or shown.get("to", ""),
            }
        )
    return rows


def follow_up_text(row: t.Mapping[str, t.Any]) -> str:
    """Return what became of the follow-up of a message, such as: allowed, a@partner.example, until 2026-12-10."""
    facts = [row["status"], address(row.get("sender")), f"until {row['until']}" if row.get("until") else ""]
    return ", ".join(filter(None, facts))
