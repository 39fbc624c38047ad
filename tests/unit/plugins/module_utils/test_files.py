# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of our own: what somebody else can have put in their place is refused, and left as it is."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils import _files
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.shared import SharedNumbers
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import CloudflareError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.cursor import Cursor
from ansible_collections.emailsec.cloudflare.plugins.module_utils._files import (
    check_target,
    open_private,
    read_whole,
    write_whole,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.file import check_writable, keep_plan, read_plan
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.journal import Journal
from ansible_collections.emailsec.cloudflare.plugins.module_utils._rows import check_result_file, write_result_file
from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import from_seconds
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, NOW

CONTENT = "somebody's precious file"
STRANGER = 54321


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where our file is to be, in a directory of its own."""
    (tmp_path / "ours").mkdir(mode=0o700)
    return tmp_path / "ours" / "file"


def plant(path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put something at C(path) that is no file of ours; return the file that must not change."""
    target = path.parent.parent / "precious"
    target.write_text(CONTENT)
    target.chmod(0o600)
    if kind == "a symbolic link":
        path.symlink_to(target)
    elif kind == "a dangling link":
        path.symlink_to(path.parent.parent / "nowhere")
    elif kind == "a link to a directory":
        path.symlink_to(path.parent.parent)
    elif kind == "a hard link":
        path.hardlink_to(target)
    elif kind == "a fifo":
        os.mkfifo(path)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    elif kind == "a file of a stranger":
        path.write_text(CONTENT)
        path.chmod(0o640)
        owned_by(monkeypatch, STRANGER)
        return path
    elif kind == "a file that everybody can write":
        path.write_text(CONTENT)
        path.chmod(0o666)
        return path
    elif kind == "a directory that everybody can write":
        path.parent.chmod(0o777)
    return target


def owned_by(monkeypatch: pytest.MonkeyPatch, owner: int) -> None:
    """Have every regular file belong to this user."""

    def changed(look: t.Callable[..., os.stat_result]) -> t.Callable[..., os.stat_result]:
        def look_again(*args: t.Any, **kwargs: t.Any) -> os.stat_result:
            found = look(*args, **kwargs)
            fields = list(found)
            fields[stat.ST_UID] = owner
            return os.stat_result(fields) if stat.S_ISREG(found.st_mode) else found

        return look_again

    for name in ("fstat", "lstat"):
        monkeypatch.setattr(os, name, changed(getattr(os, name)))


KINDS = [
    "a symbolic link",
    "a dangling link",
    "a link to a directory",
    "a hard link",
    "a fifo",
    "a socket",
    "a file of a stranger",
    "a file that everybody can write",
    "a directory that everybody can write",
]
USES: dict[str, t.Callable[[str], object]] = {
    "open": open_private,
    "read": lambda path: read_whole(path, 100),
    "write": lambda path: write_whole(path, b"ours"),
    "check": check_target,
    "journal": lambda path: Journal(path, {"account_id": ACCOUNT}),
    "result file": lambda path: write_result_file(path, [], dict),
    "result file before the run": check_result_file,
    "journal in check mode": lambda path: Journal(path, {"account_id": ACCOUNT}, check_mode=True),
    "plan": read_plan,
    "dest": check_writable,
    "plan named by its digest": lambda path: keep_plan(
        path[:-3], {"account_id": ACCOUNT, "digest": "sha256:ab", "messages": []}, from_seconds(NOW), check_mode=False
    ),
    "state file": lambda path: Cursor(path, ACCOUNT),
    "lock of a state file": lambda path: Cursor(path[:-5], ACCOUNT),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_somebody_else_can_have_put_there_is_refused_and_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, use: str
) -> None:
    path = path.with_suffix({"plan named by its digest": ".ab", "lock of a state file": ".lock"}.get(use, ""))
    target = plant(path, kind, monkeypatch)
    if kind == "a directory that everybody can write" and use in ("read", "plan"):
        path.write_text("{}")
    before = (target.lstat().st_mode, sorted(path.parent.iterdir()))
    with pytest.raises((OSError, CloudflareError)) as caught:
        USES[use](str(path))
    if use == "state file":
        path.with_suffix(".lock").unlink(missing_ok=True)
    assert (target.lstat().st_mode, sorted(path.parent.iterdir())) == before
    assert target.read_text() == CONTENT
    assert not (path.parent.parent / "nowhere").exists()
    if isinstance(caught.value, CloudflareError):
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_pace_is_not_shared_through_such_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    folder = Path(tempfile.gettempdir()) / f"emailsec-cloudflare-{os.getuid()}"
    folder.mkdir(mode=0o700)
    target = plant(folder / "a.json", kind, monkeypatch)
    with SharedNumbers("a").held() as numbers:
        numbers["count"] = 1
    assert target.read_text() == CONTENT


def test_the_file_of_a_stranger_is_read_if_its_content_is_known(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(path, "a file of a stranger", monkeypatch)
    path.parent.chmod(0o777)
    assert read_whole(str(path), 100, anybodys=True) == CONTENT.encode()


@pytest.mark.parametrize("kind", ["a symbolic link", "a fifo", "a socket", "a link to a directory"])
def test_but_only_a_regular_file(path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    plant(path, kind, monkeypatch)
    with pytest.raises(OSError, match=r"symbolic link|not a regular file|No such device"):
        read_whole(str(path), 100, anybodys=True)


def test_a_file_of_root_is_as_good_as_ours(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("x")
    owned_by(monkeypatch, 0)
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    os.close(open_private(str(path)))
    assert read_whole(str(path), 1) == b"x"


def test_a_directory_may_be_a_link_and_have_the_sticky_bit(path: Path) -> None:
    path.parent.chmod(0o1777)
    link = path.parent.parent / "link"
    link.symlink_to(path.parent)
    write_whole(str(link / "file"), b"ours")
    assert read_whole(str(link / "file"), 4) == b"ours"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0o600, 0o600), (0o660, 0o660), (0o640, 0o640), (0o644, 0o600), (0o664, 0o600), (0o604, 0o600), (0o400, 0o600)],
)
def test_what_a_group_was_given_is_kept_and_what_others_can_read_is_closed(
    path: Path, mode: int, expected: int
) -> None:
    path.touch()
    if mode != 0o400:
        path.chmod(mode)
        os.close(open_private(str(path)))
        assert stat.S_IMODE(path.stat().st_mode) == expected
    path.chmod(mode)
    write_whole(str(path), b"new")
    assert (stat.S_IMODE(path.stat().st_mode), path.read_text()) == (expected, "new")


def test_a_reader_changes_no_mode(path: Path) -> None:
    path.touch()
    path.chmod(0o644)
    os.close(open_private(str(path), os.O_RDONLY))
    read_whole(str(path), 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_file_is_closed_to_others(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        os.close(open_private(str(path)))
        write_whole(f"{path}2", b"")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()] == [0o600, 0o600]


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("old")

    def full(_file: int) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(str(path), b"new")
    assert [file.read_text() for file in path.parent.iterdir()] == ["old"]


def test_no_more_is_read_than_may_be(path: Path) -> None:
    path.write_bytes(b"x" * 101)
    assert len(read_whole(str(path), 101)) == 101
    with pytest.raises(OSError, match="larger than"):
        read_whole(str(path), 100)


def test_members_of_a_group_share_a_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here as the member who does not own it, and so must not change its mode."""
    path.touch()
    path.chmod(0o660)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    monkeypatch.setattr(os, "fchmod", lambda *_arguments: pytest.fail("the mode is not ours to change"))
    Journal(str(path), {"run": "r", "account_id": ACCOUNT}, check_mode=True).write("intent", ids=[])
    assert path.read_text() == "", "check mode finds it usable, and writes nothing"
    Journal(str(path), {"run": "r", "account_id": ACCOUNT}).write("intent", ids=[])
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert json.loads(path.read_text())["event"] == "intent"


@pytest.mark.parametrize(
    ("mode", "folder", "groups", "taken"),
    [
        (0o660, 0o770, True, True),
        (0o660, 0o755, True, True),
        (0o660, 0o770, False, False),
        (0o640, 0o770, True, False),
        (0o660, 0o1777, True, False),
    ],
)
def test_the_file_of_another_user_is_taken_if_a_group_of_ours_shares_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, folder: int, groups: bool, taken: bool
) -> None:
    path.touch()
    path.chmod(mode)
    path.parent.chmod(folder)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    group = path.stat().st_gid
    monkeypatch.setattr(os, "getegid", lambda: group if groups else group + 1)
    monkeypatch.setattr(os, "getgroups", list)
    monkeypatch.setattr(_files, "_ROOT", 4712)
    if taken:
        os.close(open_private(str(path)))
    else:
        with pytest.raises(OSError, match="belongs to another user"):
            open_private(str(path))
