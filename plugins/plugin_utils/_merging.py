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
_FINE = ("ok", "partial", "blocked", "would_release", "nothing_to_do")  # unless the host failed


def merged_reports(reports: t.Iterable[Report], hosts: t.Iterable[str]) -> list[Report]:
    """Return the newest report of each account, those that need somebody first.

    hosts: those of the inventory. One without a report has failed, unless it is localhost, which stands for no account.
    """
    newest = {report["host"]: report for report in sorted(reports, key=lambda report: str(report["started"]))}
    missing = [host for host in hosts if host not in newest and host != "localhost"]
    return by_urgency([*newest.values(), *(without_report(host, "failed") for host in missing)])


def without_report(host: str, outcome: str, msg: str = "There is no report of this account.") -> dict[str, t.Any]:
    """Return what stands for the report of an account that has left none."""
    return {"host": host, "outcome": outcome, "started": "", "result": {"failed": True, "msg": msg}}


def by_urgency(reports: t.Iterable[Report]) -> list[Report]:
    """Return the reports, those that need somebody first."""
    return sorted(reports, key=lambda report: (not is_broken(report), _rank(report["outcome"])))


def is_broken(report: Report) -> bool:
    """Tell whether the host of a report failed."""
    return bool(report["result"].get("failed")) or report["outcome"] not in _FINE


def _rank(outcome: str) -> int:
    return _ORDER.index(outcome) if outcome in _ORDER else -1
