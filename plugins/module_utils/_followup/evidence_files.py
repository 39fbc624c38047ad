# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Where evidence is kept: one directory for each message, which no id can lead out of."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import urllib.parse

from .._errors import InputError
from .._files import make_folder, read_whole, write_whole

_LONGEST_NAME = 200  # file systems take 255


def check_dest(dest: str) -> str:
    """Return the real path of the directory for evidence. Raises InputError if nothing can be written there. Makes nothing."""
    try:
        path = os.path.realpath(dest)
        place = path
        while not _is_there(place):
            place = os.path.dirname(place)
        mode = os.stat(place).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise OSError(errno.EPERM, f"everybody can write to {place}, which has no sticky bit")
        if not dest or not os.access(place, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"No evidence can be saved in dest ({dest}): {why}. Nothing was sent.") from None
    return path


def folder_name(message_id: str) -> str:
    """Return the name of the directory of a message. Different ids have different names."""
    name = urllib.parse.quote(message_id, safe="", errors="replace")
    if not name.strip("."):
        name = name.replace(".", "%2E") or "%"
    elif name.startswith("."):
        name = f"%2E{name[1:]}"
    if len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(message_id.encode(errors="replace")).hexdigest()
        return f"{name[: _LONGEST_NAME - len(digest) - 1]}%{digest}"
    return name


def holds(path: str, content: bytes) -> bool:
    """Tell whether a file has exactly this content. Raises OSError if it is not one of ours."""
    return kept(path, len(content)) == content


def kept(path: str, most: int) -> bytes | None:
    """Return the content of a file, or None if there is none or it is larger. Raises OSError if it is not one of ours."""
    try:
        return read_whole(path, most)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.EFBIG:
            return None
        raise


def keep(path: str, content: bytes) -> None:
    """Write a file, whole or not at all, with the directories that it needs. Raises OSError."""
    make_folder(os.path.dirname(path))
    write_whole(path, content)


def _is_there(path: str) -> bool:
    """Tell whether a directory is there. Raises OSError if something else is, or the path cannot be one."""
    try:
        if not stat.S_ISDIR(os.stat(path).st_mode):
            raise OSError(errno.ENOTDIR, f"{path} is not a directory")
    except FileNotFoundError:
        return False
    return True
