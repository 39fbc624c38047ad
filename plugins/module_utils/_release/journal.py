# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""An append-only record of what was going to be sent and what became of it, one JSON object a line.

An intent is on the disk before its request leaves, so that whatever happens to this process, every request that may
have been sent is known to the next run. Several processes may share one file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
import typing as t

from .._clock import Clock
from .._errors import InterruptError, JournalError
from .._files import check_target, open_private
from .._times import from_seconds
from .history import Record, latest

_TAIL = 16 * 1024 * 1024  # bytes of it that are read back
_TURN_POLL = 0.5


class Journal:
    """Appends to a private file. Raises JournalError when the file cannot be written.

    path: where the file is. Without one, nothing is recorded.
    context: fields that every line has, account_id among them.
    check_mode: the file is only read, and not made.
    now: returns the seconds since the epoch, for all runs by the same clock.
    mask: takes secrets out of what is written.
    """

    def __init__(
        self,
        path: str | None,
        context: t.Mapping[str, t.Any],
        check_mode: bool = False,
        now: t.Callable[[], float] = time.time,
        mask: t.Callable[[dict[str, t.Any]], dict[str, t.Any]] = dict,
    ) -> None:
        self.now = now
        self._mask = mask
        self._context = dict(context)
        self._path = path
        self._check_mode = check_mode
        self._file: int | None = None
        self._lock = threading.Lock()
        if path is None:
            return
        try:
            if check_mode and check_target(path, replaced=False) is None:
                return
            self._file = open_private(path, os.O_RDONLY if check_mode else os.O_RDWR | os.O_APPEND | os.O_CREAT)
        except OSError as error:
            raise JournalError(f"The journal {path} cannot be written ({error.strerror}). Nothing was sent.") from None

    def take_turn(self, clock: Clock, patience: float) -> None:
        """Wait until no other run with this journal works on the account, at most patience seconds.

        The turn ends when the journal is closed, or with the process. Raises JournalError or InterruptError.
        """
        if self._file is None or self._check_mode:
            return
        end = clock.monotonic() + patience
        place = 1 + int(hashlib.sha256(str(self._context.get("account_id")).encode()).hexdigest()[:14], 16)
        while True:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
                return
            except OSError as error:
                if not isinstance(
                    error, (BlockingIOError, PermissionError)
                ):  # how systems say that somebody else has it
                    raise JournalError(
                        f"The journal {self._path} cannot be locked ({error.strerror}). Nothing was sent."
                    ) from None
                if clock.monotonic() >= end:
                    raise JournalError(
                        f"Another run that uses the journal {self._path} is at work on this account and was not done after "
                        f"{patience:.0f} s (max_wait). Nothing was sent."
                    ) from None
            clock.sleep(_TURN_POLL)
            if clock.stopping:
                raise InterruptError("stopped by a signal while another run was at work on this account")

    def recent(self, names: t.Container[str]) -> dict[str, Record]:
        """Return the newest record of each of these ids."""
        return latest(self.tail(), str(self._context.get("account_id")), names, self.now())

    def tail(self) -> list[bytes]:
        """Return the lines at the end of the file."""
        if self._file is None:
            return []
        try:
            size = os.fstat(self._file).st_size
            return os.pread(self._file, _TAIL, max(0, size - _TAIL)).splitlines()
        except OSError as error:
            raise JournalError(
                f"The journal {self._path} cannot be read ({error.strerror}). Nothing was sent."
            ) from None

    def write(self, event: str, **fields: t.Any) -> None:
        """Append one event and wait until it is on the disk."""
        if self._file is None or self._check_mode:
            return
        now = from_seconds(self.now()).isoformat(timespec="milliseconds")
        line = (
            json.dumps(self._mask({"time": now, "event": event, **self._context, **fields}), sort_keys=False).encode()
            + b"\n"
        )
        try:
            with self._lock:  # the file lock keeps out other processes, not other threads
                self._append(self._file, line)
        except OSError as error:
            raise JournalError(
                f"The journal {self._path} cannot be written ({error.strerror}), so no more is sent"
            ) from None

    @staticmethod
    def _append(file: int, line: bytes) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, 0)
        try:
            # A process that was killed may have left half a line.
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                line = b"\n" + line
            while line:
                line = line[os.write(file, line) :]
            os.fsync(file)
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN, 1, 0)

    def close(self) -> None:
        """Close the file, which ends the turn."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
