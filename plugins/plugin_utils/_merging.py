# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""One report over all accounts, of those that jobs have left. Knows nothing of Ansible."""

from __future__ import annotations

import typing as t

Report = t.Mapping[str, t.Any]
# What needs somebody comes first.
_ORDER = ("unknown", "failed", "partial", "blocked", "would_release", "ok", "nothing_to_do")
_NONE = {"msg": "There is no report of this account."}


def merged_reports(reports: t.Iterable[Report], hosts: t.Iterable[str]) -> dict[str, t.Any]:
    """Return the newest report of each account, and a sentence that counts their outcomes.

    hosts: those of the inventory. One without a report has failed, unless it is localhost, which stands for no account.
    """
    newest = {report["host"]: report for report in sorted(reports, key=lambda report: str(report["started"]))}
    missing = [host for host in hosts if host not in newest and host != "localhost"]
    merged = [*newest.values(), *({"host": host, "outcome": "failed", "result": _NONE} for host in missing)]
    merged.sort(key=lambda report: _rank(report["outcome"]))
    outcomes = [report["outcome"] for report in merged]
    counts = [f"{outcome} {outcomes.count(outcome)}" for outcome in dict.fromkeys(outcomes)]
    return {"reports": merged, "told": ", ".join([f"Accounts: {len(merged)}", *counts]) + "."}


def _rank(outcome: str) -> int:
    return _ORDER.index(outcome) if outcome in _ORDER else -1
