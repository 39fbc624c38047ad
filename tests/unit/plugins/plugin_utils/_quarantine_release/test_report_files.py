# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of a report as files, which nobody else can have put there."""

from __future__ import annotations

import json
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.asked import read
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.places import places
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.reports import (
    make_report,
    report_text,
    write_reports,
    write_rows,
)
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.work import Trail

FORMATS = ("json", "txt", "csv", "html")


def report(**run: t.Any) -> dict[str, t.Any]:
    """Return a report of a run with one message."""
    row: dict[str, t.Any] = {"handle": "id-1", "id": "id-1", "postfix_id": None, "status": "failed", "detail": "No."}
    row |= {"delivered": [], "undelivered": [], "failed": ["a@b.example"], "rule": None, "delivery": None}
    asked = read({"messages": ["id-1"], "ticket": "INC-1", "max_messages": 1}, "h", lambda _path, _column: [])
    result = {"msg": "1 message: 1 failed", "messages": [row], "summary": {"failed": 1}, "changed": False, **run}
    times = {"started": "2026-11-20T10:00:00.000000Z", "ended": "2026-11-20T10:00:05.000000Z"}
    return make_report(asked, Trail("alice", "bob", "carol"), "h", result, {}, {}, **times, awx_job_id=7)


def test_every_form_is_closed_to_others(tmp_path: Path) -> None:
    write_reports([report()], str(tmp_path / "h-1"), FORMATS)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        f"h-1.{form}": 0o600 for form in FORMATS
    }
    assert json.loads((tmp_path / "h-1.json").read_text()) == report()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("to", ["file", "directory"])
def test_a_report_is_not_written_through_a_link(tmp_path: Path, form: str, to: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("as it was")
    link = tmp_path / f"h-1.{form}"
    link.symlink_to(precious if to == "file" else tmp_path)
    with pytest.raises(OSError, match="symbolic link") as caught:
        write_reports([report()], str(tmp_path / "h-1"), [form])
    assert caught.value.filename == str(link)
    assert precious.read_text() == "as it was"


@pytest.mark.parametrize(("choice", "kept"), [("all", ["a", "b"]), ("attention", ["b"]), ("none", [])])
def test_all_rows_go_to_the_result_file_and_the_wanted_ones_stay(tmp_path: Path, choice: str, kept: list[str]) -> None:
    asked = read(
        {"messages": [], "max_messages": 1, "return_messages": choice, "result_file": str(tmp_path / "rows.jsonl")},
        "h",
        lambda _path, _column: [],
    )
    rows = [{"handle": "a", "status": "released"}, {"handle": "b", "status": "failed"}]
    run = write_rows({"msg": "m", "messages": rows}, asked, places(asked, "h", "2026-11-20T10:00:00Z", False))
    assert [row["handle"] for row in run["messages"]] == kept
    written = (tmp_path / "rows.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in written] == rows
    assert stat.S_IMODE((tmp_path / "rows.jsonl").stat().st_mode) == 0o600


def test_the_text_says_what_came_of_it_and_what_to_do() -> None:
    text = report_text(report(plan_digest="sha256:1"))
    for line in (
        "1 message: 1 failed.",
        "Ticket: INC-1",
        "Plan: sha256:1",
        "Requested by: bob",
        "Approved by: carol",
        "Started by: alice",
        "1 refused, or delivery failed",
        "What to do: It is still in quarantine. Fix the reported cause, then release it again.",
        "- id-1: No.",
        "  failed: a@b.example",
    ):
        assert f"{line}\n" in text


def test_no_text_of_a_stranger_makes_a_line_of_its_own() -> None:
    text = report_text(report(msg="a\nTicket: INC-666\x1b[31m"))
    assert "\nTicket: INC-666" not in text
    assert "\x1b" not in text
