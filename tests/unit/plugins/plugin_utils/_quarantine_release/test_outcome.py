# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcome of a run, in one word and as the last line of the output."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.outcome import line, word


def run(*statuses: str, **fields: t.Any) -> dict[str, t.Any]:
    """Return a result with a message for each of these statuses."""
    rows = [{"handle": f"id-{number}", "status": status, "rule": "r"} for number, status in enumerate(statuses)]
    summary = {status: statuses.count(status) for status in statuses}
    return {"msg": "m", "messages": rows, "summary": summary, "changed": "released" in statuses, **fields}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (run("released"), "ok"),
        (run("released", "failed"), "partial"),
        (run("released", "blocked"), "partial"),
        (run("blocked"), "blocked"),
        (run("blocked", "not_found"), "failed"),
        (run("already_released", "not_quarantined"), "nothing_to_do"),
        (run(), "nothing_to_do"),
        (run("released", "unknown"), "unknown"),
        (run("would_release", "blocked"), "would_release"),
        ({"failed": True, "msg": "HTTP 403"}, "failed"),
        ({"failed": True, "msg": "MODULE FAILURE", "module_stdout": "Killed"}, "unknown"),
        ({"failed": True}, "unknown"),
        ({"failed": True, "msg": "Broken pipe", "unreachable": True}, "unknown"),
        ({"skipped": True, "msg": "does not support check mode"}, "unknown"),
        ({"msg": "a result without a summary"}, "unknown"),
    ],
)
def test_the_word(result: dict[str, t.Any], expected: str) -> None:
    assert word(result) == expected


def test_a_message_that_has_left_quarantine_is_not_refused() -> None:
    result = run("blocked")
    result["messages"][0]["rule"] = "not_quarantined"
    assert word(result) == "nothing_to_do"


def test_the_line_names_what_needs_attention_and_where_the_rest_is() -> None:
    result = run("released", *["failed"] * 11, plan_digest="sha256:1")
    assert line(result, plan="/p", report="/r.txt") == (
        f"Needs attention: {', '.join(f'id-{number} failed' for number in range(1, 11))} and 1 more. "
        "m. Plan: /p, sha256:1 Report: /r.txt"
    )
    assert line(run("would_release"), check_mode=True) == "m. Check mode: nothing was sent, and no report was written."
    assert line(run(), gate_closed=True).endswith("as quarantine_release_fail_if_nothing asks for. m.")


def test_a_module_that_was_killed_leaves_doubt() -> None:
    assert "it is unknown what was sent" in line({"msg": "MODULE FAILURE", "module_stdout": ""})
