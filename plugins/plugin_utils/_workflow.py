# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The end of a workflow: what became of each account, and of all of them in one word. Knows nothing of Ansible."""

from __future__ import annotations

import typing as t

from ..module_utils._release.outcome import FAIL_ON

Results = t.Mapping[str, t.Mapping[str, t.Any]]
_ADVICE = {
    "ok": "Messages were released, or what follows a release was completed, and none needs attention.",
    "nothing_to_do": "Nothing had to be released.",
    "partial": (
        "Some messages were released. Others are blocked by rules or need attention, or what follows the release failed. There is a line "
        "for each account above."
    ),
    "blocked": "Nothing was released, because rules block all messages. The job Plan says which rules.",
    "failed": (
        "Not everything was released. There is a line for each account above, and the jobs Plan and Apply give the reasons. You can start "
        "the same workflow again."
    ),
    "unknown": (
        "Some messages may or may not have been delivered. Look them up in the dashboard, or ask a recipient, before you "
        "release them again."
    ),
}
_NO_RESULTS = "The jobs before this one left no results, so they failed before they began. Their output says why. Nothing was sent."
_LOST = (
    "The job Apply may have begun, and left no result for {accounts}. Messages of the approved plan may have been delivered. Do not start "
    "the workflow again yet. Open the job Apply: if it never started, nothing was sent. Otherwise wait ten minutes and start the job "
    "Verify later with the same answers. It lists what was released. Only what the job Plan lists and Verify later does not was not released."
)


def workflow_outcome(planned: Results, released: Results, approved: t.Any = None) -> dict[str, t.Any]:
    """Return the outcome of a workflow as one word, what it means, whether the job fails, and a line for each account.

    planned, released: results of the accounts that the nodes before have published. What was released replaces what was planned.
    approved: the digests of the plans that were handed over to the job that applies them, by account. An account that has one, and
    still has the result of its plan, was lost: that job may have begun. None if it is not known which plans were handed over.
    """
    results = {**planned, **released}
    handed_over = approved if isinstance(approved, t.Mapping) else results
    lost = [host for host in handed_over if results.get(host, {}).get("result", "would_release") == "would_release"]
    words = {host: str(result.get("result")) for host, result in results.items()}
    words.update(dict.fromkeys(lost, "unknown"))
    word = _word(set(words.values()))
    counts = [_counts(result) for result in results.values()]
    attention = any(count[status] for count in counts for status in FAIL_ON if status in count)
    attention = attention or any(_failed_stages(result) for result in results.values())
    told = _LOST.format(accounts=", ".join(sorted(lost, key=str.lower))) if lost else _ADVICE[word]
    return {
        "outcome": word,
        "told": f"{word}: {told if words else _NO_RESULTS}",
        "fails": word in ("failed", "unknown", "blocked") or attention,
        "lines": [_line(host, words[host], results.get(host, {})) for host in sorted(words, key=str.lower)],
    }


def _word(words: set[str]) -> str:
    """Return the outcome over all accounts. A plan that nobody applied has failed, as has an account without a known word."""
    if "unknown" in words:
        return "unknown"
    if not words or words - {"ok", "partial", "blocked", "nothing_to_do"}:
        return "failed"
    if "partial" in words or {"ok", "blocked"} <= words:
        return "partial"
    return next(word for word in ("ok", "blocked", "nothing_to_do") if word in words)


def _line(host: str, word: str, result: t.Mapping[str, t.Any]) -> str:
    counts = [f"{name} {count}" for name, count in sorted(_counts(result).items()) if count]
    return ", ".join([f"{host}: {word}", *counts, *(f"{stage} failed" for stage in _failed_stages(result))])


def _failed_stages(result: t.Mapping[str, t.Any]) -> list[str]:
    """Return the stages after the release that failed."""
    return [stage for stage, ended in (result.get("follow_up") or {}).items() if ended.get("failed")]


def _counts(result: t.Mapping[str, t.Any]) -> dict[str, int]:
    summary = result.get("summary") or {}
    return {name: count for name, count in summary.items() if name != "rules"}
