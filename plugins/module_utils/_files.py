# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reads and writes files that no stranger can have put there: they belong to this user, to root, or to a group of this user.

A file that is refused raises an OSError with the reason as its strerror.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import typing as t

_ROOT = 0
_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0)  # does not wait for the other end of a FIFO


def open_private(path: str, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """Open a file, or create it with mode 0600. A file that everybody can read becomes readable for its owner only."""
    check_folder(path)
    file = _opened(path, flags)
    found = os.fstat(file)
    if flags & os.O_RDWR and found.st_mode & 0o007 and found.st_uid == os.geteuid():
        os.fchmod(file, 0o600)
    return file


def read_whole(path: str, most: int, anybodys: bool = False) -> bytes:
    """Return the content of a file. anybodys: it may belong to anybody, because its digest is known."""
    if not anybodys:
        check_folder(path)
    with os.fdopen(_opened(path, os.O_RDONLY, anybodys), "rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 1024 // 1024} MiB")
    return content


def write_whole(path: str, content: bytes) -> None:
    """Write a file as write_parts does."""
    write_parts(path, [content])


def write_parts(path: str, parts: t.Iterable[bytes]) -> None:
    """Write a file, whole or not at all, with mode 0600. If it replaces a file that its group can use, the group still can."""
    before = check_target(path)
    file, temporary = tempfile.mkstemp(prefix=".new-", dir=os.path.dirname(os.path.abspath(path)))  # with mode 0600
    try:
        with os.fdopen(file, "wb") as stream:
            if before and before.st_mode & 0o070 and not before.st_mode & 0o007:
                with contextlib.suppress(OSError):  # this user is not in that group
                    os.fchown(file, -1, before.st_gid)
                    os.fchmod(file, 0o600 | before.st_mode & 0o060)
            stream.writelines(parts)
            stream.flush()
            os.fsync(file)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def make_folder(path: str) -> None:
    """Make a directory with mode 0700, and those above it that are missing. One that is there must be ours or root's."""
    above = os.path.dirname(os.path.abspath(path))
    if not os.path.exists(above):
        make_folder(above)
    check_folder(path)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.EPERM, "it is a symbolic link")
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if found.st_uid not in (os.geteuid(), _ROOT):
        raise OSError(errno.EPERM, "it belongs to another user")


def check_folder(path: str) -> None:
    """Raise OSError if the directory of a path is none, or if everybody can replace files in it."""
    mode = os.stat(os.path.dirname(os.path.abspath(path))).st_mode
    if not stat.S_ISDIR(mode):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise OSError(errno.EPERM, "everybody can write to its directory, which has no sticky bit")


def check_target(path: str, replaced: bool = True) -> os.stat_result | None:
    """Return the file at a path, or None. Raises OSError if no file can be written there. Changes nothing.

    replaced: the file would be replaced, not appended to.
    """
    check_folder(path)
    found: os.stat_result | None = None
    with contextlib.suppress(FileNotFoundError):
        found = os.lstat(path)
        _check(found, path)
    if not os.access(path if found and not replaced else os.path.dirname(os.path.abspath(path)), os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    return found


def _opened(path: str, flags: int, anybodys: bool = False) -> int:
    try:
        file = os.open(path, flags | _FLAGS, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):  # the latter on FreeBSD
            raise OSError(error.errno, "it is a symbolic link") from None
        raise
    try:
        _check(os.fstat(file), path, anybodys)
    except OSError:
        os.close(file)
        raise
    return file


def _check(found: os.stat_result, path: str, anybodys: bool = False) -> None:
    if stat.S_ISLNK(found.st_mode):
        flaw = "it is a symbolic link"
    elif not stat.S_ISREG(found.st_mode):
        flaw = "it is not a regular file"
    elif anybodys:
        return
    elif found.st_nlink > 1:
        flaw = "it has more than one name (hard links)"
    elif found.st_uid not in (os.geteuid(), _ROOT) and not _is_shared(found, path):
        flaw = "it belongs to another user, who does not share it with a group of yours"
    elif found.st_mode & stat.S_IWOTH:
        flaw = "everybody can write to it"
    else:
        return
    raise OSError(errno.EPERM, flaw)


def _is_shared(found: os.stat_result, path: str) -> bool:
    """Tell whether its owner shares a file with a group of ours, and nobody outside of that group can have put it there."""
    folder = os.stat(os.path.dirname(os.path.abspath(path)))
    by_group = not folder.st_mode & stat.S_IWGRP or folder.st_gid == found.st_gid
    ours = found.st_gid in (os.getegid(), *os.getgroups())
    return bool(found.st_mode & stat.S_IWGRP and ours and by_group and not folder.st_mode & stat.S_IWOTH)
