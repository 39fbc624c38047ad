# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The outcome of a run for one account: in one word, and as the last line of the output."""

from __future__ import annotations

import typing as t

from ...module_utils._text import ended, first_few
from .._joining import is_lost

Result = t.Mapping[str, t.Any]
# What somebody has to do about a message with this status. Statuses that are not here need no attention.
ADVICE = {
    "unknown": "It may or may not have been delivered. Look it up in the dashboard, or ask a recipient, before you release it again.",
    "partial": (
        "Ask the recipients who did not get it whether they still need it. Another release may deliver it a second time to the others."
    ),
    "undelivered": "It is still in quarantine. Release it again; if that does not help, ask Cloudflare's support.",
    "failed": "It is still in quarantine. Fix the reported cause, then release it again.",
    "ambiguous": "Choose one of the ids given, and release the message by that.",
    "not_found": "Check the id and the account. Cloudflare does not keep messages for ever.",
    "not_attempted": "It was not sent. Fix the reported cause, then run the same again.",
}
_LOST = " The module ended without a result (was it killed?), so it is unknown what was sent. See in check mode, in a minute, what is left."


def word(run: Result, follow_ups: t.Collection[Result] = ()) -> str:
    """Return the outcome of a run in one word. follow_ups: how the stages after the release ended."""
    released = _word(run)
    if any(one["failed"] for one in follow_ups) and released in ("ok", "nothing_to_do", "blocked"):
        return "partial"
    if any(one["changed"] for one in follow_ups) and released == "nothing_to_do":
        return "ok"
    return released


def _word(run: Result) -> str:
    rows, summary = run.get("messages") or [], run.get("summary") or {}
    attention = any(row["status"] in ADVICE for row in rows)
    refused = any(row["status"] == "blocked" for row in rows)
    if is_lost(run) or summary.get("unknown"):
        return "unknown"
    if summary.get("would_release"):
        return "would_release"
    if run.get("changed"):
        return "partial" if attention or refused else "ok"
    if refused and not attention:
        return "blocked"
    return "failed" if run.get("failed") or attention else "nothing_to_do"


def message(run: Result) -> str:
    """Return what the run says about itself, as whole sentences."""
    text = ended(str(run.get("msg") or "").strip())
    return f"{text}{_LOST}".strip() if is_lost(run) else text


def line(
    run: Result,
    *,
    plan: str = "",
    report: str = "",
    check_mode: bool = False,
    gate_closed: bool = False,
    said: t.Sequence[str] = (),
    follow_ups: t.Collection[Result] = (),
) -> str:
    """Return the last line of the output. What was not done comes first. Paths come last and have no full stop, so that they can be copied.

    plan, report: the paths of what was written, empty if it was not, or if nobody can open them. gate_closed: the run fails as there is nothing to approve.
    said: more sentences. follow_ups: how the stages after the release ended.
    """
    named = first_few(
        [f"{row['handle']} {row['status']}" for row in run.get("messages") or [] if row["status"] in ADVICE]
    )
    digest = run.get("plan_digest")
    gate = "There is nothing to approve, so the job fails, as quarantine_release_fail_if_nothing asks for."
    sentences = [
        gate if gate_closed else "",
        f"Needs attention: {named}." if named else "",
        *(f"Needs attention: {one['msg']}" for one in follow_ups if one["failed"]),
        message(run),
        *(one["msg"] for one in follow_ups if not one["failed"]),
        *said,
    ]
    if check_mode:
        sentences.append("Check mode: nothing was sent, and no report was written.")
    else:
        sentences.append(f"Plan: {', '.join(filter(None, [plan, digest]))}" if digest else "")
        sentences.append(f"Report: {report}" if report else "")
    return " ".join(filter(None, sentences))
