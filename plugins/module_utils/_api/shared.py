# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""A few numbers that all threads of a process share and, through a locked file, all processes of a user."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import tempfile
import threading
import typing as t

from .._files import open_private

_LARGEST = 4096
Numbers = t.Dict[str, float]


class SharedNumbers:
    """Numbers by name, in the file emailsec-cloudflare-UID/NAME.json in the temporary directory.

    If no private file can be made, only the threads share the numbers. Other processes then send some requests that the rate
    limit refuses; nothing else changes.
    """

    def __init__(self, name: str | None = None) -> None:
        self._lock = threading.Lock()
        self._numbers: Numbers = {}
        self._path: str | None = None
        if name:
            folder = os.path.join(tempfile.gettempdir(), f"emailsec-cloudflare-{os.getuid()}")
            with contextlib.suppress(OSError):
                if _is_private(folder):
                    self._path = os.path.join(folder, f"{name}.json")

    @contextlib.contextmanager
    def held(self) -> t.Iterator[Numbers]:
        """Give the numbers, to be read and changed while nobody else can."""
        with self._lock:
            file = self._open()
            if file is None:
                yield self._numbers
                return
            try:
                before = _read(file)
                numbers = dict(before)
                yield numbers
                if numbers != before:
                    _write(file, numbers)
            finally:
                os.close(file)  # this also unlocks it

    def _open(self) -> int | None:
        if self._path is None:
            return None
        try:
            file = open_private(self._path)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            self._path = None
            return None
        return file


def _is_private(folder: str) -> bool:
    """Make the folder if it is missing. Tell whether it belongs to this user, and only this user has access."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077


def _read(file: int) -> Numbers:
    try:
        content = json.loads(os.pread(file, _LARGEST, 0))
        return {str(name): float(value) for name, value in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _write(file: int, numbers: Numbers) -> None:
    text = json.dumps(numbers).encode()
    with contextlib.suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, text, 0)
