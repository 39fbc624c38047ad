# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where evidence may be put."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._followup.evidence_files import (
    check_dest,
    folder_name,
    keep,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import investigate_id
from hypothesis import given
from hypothesis import strategies as st

IDS = (
    st.text() | st.text("./%\\:~", max_size=4) | st.text(min_size=150, max_size=400) | st.sampled_from([".", "..", ""])
)


@given(IDS)
def test_no_name_leads_anywhere_else(message_id: str) -> None:
    name = folder_name(message_id)
    assert re.fullmatch(r"[A-Za-z0-9_~%-][A-Za-z0-9._~%-]{0,199}", name)


@given(IDS, IDS)
def test_different_ids_have_different_names(left: str, right: str) -> None:
    assert (folder_name(left) == folder_name(right)) == (left == right)


def test_names() -> None:
    assert folder_name(investigate_id(1)) == investigate_id(1).replace(":", "%3A")
    assert folder_name("..") == "%2E%2E"
    assert folder_name("../../etc/passwd") == "%2E.%2F..%2Fetc%2Fpasswd"
    assert folder_name(".ssh") == "%2Essh"
    assert folder_name("a\0b\n") == "a%00b%0A"
    assert len(folder_name("x" * 10**6)) == 200


def test_a_folder_that_is_missing_is_not_made_yet(tmp_path: Path) -> None:
    assert check_dest(str(tmp_path / "a" / "b")) == str(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert check_dest(str(tmp_path / "link" / "new")) == str(tmp_path / "real" / "new")


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    places = [
        "",
        str(tmp_path / "file"),
        str(tmp_path / "file" / "x"),
        str(tmp_path / "open"),
        str(tmp_path / "open" / "x"),
    ]
    for place in [*places, str(tmp_path / "loop"), str(tmp_path / ("x" * 300)), f"{tmp_path}/a\0b"]:
        with pytest.raises(
            InputError, match=r"^No evidence can be saved in dest \([\s\S]*\): .*\. Nothing was sent\.$"
        ):
            check_dest(place)


def test_folders_and_files_are_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    old = os.umask(0)
    try:
        keep(str(path), b"x")
    finally:
        os.umask(old)
    assert [each.stat().st_mode & 0o777 for each in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]


def test_what_somebody_planted_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(OSError, match=r"symbolic link|Not a directory"):
            keep(str(tmp_path / name / "x"), b"x")
    assert list((tmp_path / "target").iterdir()) == []


def test_the_folder_of_another_user_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(
        os, "lstat", lambda path, stat=os.lstat: os.stat_result([*stat(path)[:4], 4712, *stat(path)[5:10]])
    )
    with pytest.raises(OSError, match="another user"):
        keep(str(tmp_path / "theirs" / "x"), b"x")
