# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One report over all accounts: the newest of each, and none that hides a broken account."""

from __future__ import annotations

import typing as t

from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._merging import is_broken, merged_reports


def report(host: str, outcome: str, started: str = "2026-11-22T10:00:00Z") -> dict[str, t.Any]:
    """Return what of a report counts here."""
    return {"host": host, "outcome": outcome, "started": started, "result": {}}


def hosts(merged: list[t.Any]) -> list[tuple[str, str]]:
    """Return host and outcome of each report."""
    return [(report["host"], report["outcome"]) for report in merged]


def test_the_newest_report_of_an_account_counts() -> None:
    old, new = report("a", "failed", "2026-11-21T10:00:00Z"), report("a", "ok")
    for given in ([old, new], [new, old]):
        assert merged_reports(given, ["a"]) == [new]


def test_an_account_without_a_report_has_failed() -> None:
    merged = merged_reports([report("a", "ok")], ["a", "b", "localhost"])
    assert hosts(merged) == [("b", "failed"), ("a", "ok")]
    assert merged[0]["result"]["msg"] == "There is no report of this account."


def test_a_report_of_an_account_outside_of_the_inventory_counts() -> None:
    assert hosts(merged_reports([report("localhost", "ok")], [])) == [("localhost", "ok")]


def test_what_needs_somebody_comes_first() -> None:
    words = ["nothing_to_do", "ok", "would_release", "blocked", "partial", "failed", "unknown", "new", "ok"]
    failed = {**report("late", "ok"), "result": {"failed": True}}
    merged = merged_reports([*(report(f"{number}", word) for number, word in enumerate(words)), failed], [])
    assert [outcome for _host, outcome in hosts(merged)] == [
        "new", "unknown", "failed", "ok", "partial", "blocked", "would_release", "ok", "ok", "nothing_to_do",
    ]  # fmt: skip
    assert [is_broken(one) for one in merged] == [True] * 4 + [False] * 6
