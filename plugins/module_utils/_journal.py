# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""An append-only record of what was going to be sent and what became of it, one JSON object a line.

An intent is on the disk before its request leaves, so that whatever happens to this process, every request that may
have been sent is known. Several processes may share one file.
"""

from __future__ import annotations

import datetime
import json
import os
import stat
import threading
import typing as t

from ._errors import JournalError

try:
    import fcntl
except ImportError:  # not a POSIX system; Ansible's controllers are
    fcntl = None  # type: ignore[assignment]


class Journal:
    """Appends to the file at C(path), made with mode 0600 if it is not there. No path: nothing is recorded.

    context: fields that every line carries. Raises JournalError when the file cannot be written.
    """

    def __init__(self, path: str | None, context: t.Mapping[str, t.Any]) -> None:
        self._context = dict(context)
        self._path = path
        self._file: int | None = None
        self._lock = threading.Lock()
        if path is None:
            return
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                raise JournalError(f"The journal {path} is not a regular file. Nothing was sent.")
            os.fchmod(self._file, 0o600)
        except OSError as error:
            raise JournalError(f"The journal {path} cannot be written ({error.strerror}). Nothing was sent.") from None

    @staticmethod
    def check(path: str) -> None:
        """Raise JournalError if the file could not be written, without making it."""
        folder = os.path.dirname(os.path.abspath(path))
        place = path if os.path.lexists(path) else folder
        if os.path.isdir(path) or os.path.islink(path) or not os.access(place, os.W_OK):
            raise JournalError(f"The journal {path} cannot be written. Nothing was sent.")

    def write(self, event: str, **fields: t.Any) -> None:
        """Append one event and wait until it is on the disk."""
        if self._file is None:
            return
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **self._context, **fields}, sort_keys=False).encode() + b"\n"
        try:
            with self._lock:  # the file lock keeps out other processes, not other threads
                self._append(self._file, line)
        except OSError as error:
            raise JournalError(f"The journal {self._path} cannot be written ({error.strerror}), so no more is sent") from None

    @staticmethod
    def _append(file: int, line: bytes) -> None:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            # A process that was killed may have left half a line.
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                line = b"\n" + line
            while line:
                line = line[os.write(file, line) :]
            os.fsync(file)
        finally:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
