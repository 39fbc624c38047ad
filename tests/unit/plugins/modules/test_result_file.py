# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options return_messages and result_file: every row is kept, whatever is returned."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    TOKEN,
    entry,
    envelope,
    investigate_id,
    page,
    path,
    refusal,
    released_row,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script

NAMES = [investigate_id(number) for number in (1, 2, 3)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the rows are to be."""
    return tmp_path / "rows.jsonl"


def rows(file: Path) -> list[t.Any]:
    """Return the rows in a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def answer(script: Script) -> None:
    """Let the first message be released, the second fail, and the third be released before."""
    script.get(path(1), envelope(row(1)))
    script.get(path(2), envelope(row(2)))
    script.get(path(3), envelope(released_row(3)))
    script.release(NAMES[:2], envelope([entry(1), entry(2, failed=["b@corp.example"])]))


@pytest.mark.parametrize(("choice", "returned"), [("all", NAMES), ("attention", NAMES[1:2]), ("none", [])])
def test_the_file_has_every_row_and_the_result_those_that_are_wanted(
    run: Runner, script: Script, file: Path, choice: str, returned: list[str]
) -> None:
    answer(script)
    done = run("message_release", messages=NAMES, concurrency=1, return_messages=choice, result_file=str(file))
    assert done.failed
    assert [found["handle"] for found in done.result["messages"]] == returned
    assert [found["handle"] for found in rows(file)] == NAMES
    assert [found for found in rows(file) if found["handle"] in returned] == done.result["messages"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert done.result["summary"]["total"] == 3
    assert done.result["msg"] == "3 messages: 1 released, 1 failed, 1 already_released, 1 recipient reached."


def test_what_ends_the_run_early_is_in_the_file_without_the_secret(run: Runner, script: Script, file: Path) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(NAMES[:1], refusal(10000, f"{TOKEN} is no good"), 403)
    done = run("message_release", messages=NAMES[:1], return_messages="none", result_file=str(file))
    assert done.failed
    assert done.result["status"] == 403
    assert done.result["messages"] == []
    assert [found["status"] for found in rows(file)] == ["not_attempted"]
    assert TOKEN not in file.read_text()


def test_check_mode_writes_no_file(run: Runner, script: Script, file: Path) -> None:
    script.get(path(1), envelope(row(1)))
    done = run("message_release", messages=NAMES[:1], check=True, return_messages="none", result_file=str(file))
    assert not done.failed
    assert done.result["messages"] == []
    assert done.result["summary"]["would_release"] == 1
    assert not file.exists()


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("kind", ["no directory", "a symbolic link", "the journal"])
def test_a_file_that_cannot_be_written_stops_before_any_request(
    run: Runner, script: Script, file: Path, kind: str, check: bool
) -> None:
    options: dict[str, t.Any] = {"result_file": str(file)}
    if kind == "no directory":
        options["result_file"] = str(file / "rows.jsonl")
    elif kind == "a symbolic link":
        file.symlink_to(file.parent / "elsewhere")
    else:
        options["journal"] = str(file)
    done = run("message_release", messages=NAMES[:1], check=check, **options)
    assert done.failed
    assert "result" in done.result["msg"]
    assert "Nothing was sent." in done.result["msg"]
    assert not file.exists()


def test_a_disk_that_is_full_at_the_end_costs_no_row(
    run: Runner, script: Script, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    script.get(path(1), envelope(row(1)))
    script.release(NAMES[:1], envelope([entry(1)]))
    done = run("message_release", messages=NAMES[:1], return_messages="none", result_file=str(file))
    assert done.failed
    assert done.result["changed"] is True
    assert done.statuses == ["released"]
    assert done.result["msg"] == (
        f"The result file {file} could not be written (No space left on device). The result has all rows instead. "
        "1 message: 1 released, 1 recipient reached."
    )


@pytest.mark.parametrize(("choice", "returned"), [("all", NAMES), ("attention", [NAMES[0], NAMES[2]]), ("none", [])])
def test_a_search_writes_every_message_and_returns_those_that_are_wanted(
    run: Runner, script: Script, file: Path, choice: str, returned: list[str]
) -> None:
    silent = {**row(3), "is_quarantined": None, "delivery_status": []}
    script.get("investigate", page([row(1), released_row(2), silent]))
    done = run("message_info", return_messages=choice, result_file=str(file))
    assert not done.failed
    assert done.result["changed"] is False
    assert [found["id"] for found in done.result["messages"]] == returned
    assert [found["id"] for found in rows(file)] == NAMES
    assert done.result["count"] == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_search_in_check_mode_writes_no_file(run: Runner, script: Script, file: Path) -> None:
    script.get("investigate", page([row(1)]))
    assert not run("message_info", check=True, result_file=str(file)).failed
    assert not file.exists()


def test_a_file_that_cannot_be_written_stops_a_search_before_any_request(run: Runner, file: Path) -> None:
    done = run("message_info", result_file=str(file / "rows.jsonl"))
    assert done.failed
    assert "cannot be written" in done.result["msg"]
    assert done.result["api_calls"] == 0


def test_a_disk_that_is_full_costs_no_message(
    run: Runner, script: Script, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    script.get("investigate", page([row(1)]))
    done = run("message_info", return_messages="none", result_file=str(file))
    assert done.failed
    assert [found["id"] for found in done.result["messages"]] == NAMES[:1]
    assert "The result has all rows instead" in done.result["msg"]
