# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of a result, in a file and in the result."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError, ResultFileError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._rows import (
    ALL,
    ATTENTION,
    NONE,
    check_result_file,
    wanted,
    write_result_file,
)

ROWS = [{"handle": "a", "status": "released"}, {"handle": "ü\n", "status": "failed"}]


def test_each_row_is_a_line_of_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_result_file(str(path), iter(ROWS), lambda row: {**row, "masked": True})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_text(encoding="ascii").splitlines()
    assert [json.loads(line) for line in lines] == [{**row, "masked": True} for row in ROWS]


def test_a_file_that_cannot_be_written_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResultFileError, match=r"could not be written \(No space left on device\)"):
        write_result_file(str(tmp_path / "rows.jsonl"), ROWS, dict)
    assert list(tmp_path.iterdir()) == []


def test_a_path_is_checked_without_writing(tmp_path: Path) -> None:
    check_result_file(None)
    check_result_file(str(tmp_path / "rows.jsonl"), None, str(tmp_path / "journal.jsonl"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="cannot be written"):
        check_result_file(str(tmp_path / "missing" / "rows.jsonl"))


def test_no_other_file_of_the_task_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="another file of this task"):
        check_result_file(str(tmp_path / "link" / "journal.jsonl"), None, str(tmp_path / "journal.jsonl"))


@pytest.mark.parametrize(("choice", "handles"), [(ALL, ["a", "ü\n"]), (ATTENTION, ["ü\n"]), (NONE, [])])
def test_the_result_has_the_rows_that_are_wanted(choice: str, handles: list[str]) -> None:
    rows = wanted(ROWS, choice, lambda row: row["status"] == "failed")
    assert [row["handle"] for row in rows] == handles
