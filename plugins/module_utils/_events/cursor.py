# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""How far a watcher has come: the time up to which all events were sent, and the ids near it. A file keeps it over restarts."""

from __future__ import annotations

import fcntl
import json
import os
import typing as t

from .._errors import InputError
from .._files import open_private, read_whole, write_whole

_SCHEMA = "emailsec.cloudflare/cursor"
_LARGEST = 64 * 1024 * 1024
_MOST = 100_000


class Cursor:
    """How far a watcher has come. All times are seconds since the epoch.

    newest: events were sent for all messages up to this time. None before the first poll.
    seen: the ids of messages in events, each with the time of the message.
    open: the ids of messages that are to be released and are still in quarantine, each with the time of the message, the time
        of its last event, and the number of its events.

    path: the file, or None to keep nothing. Raises InputError if the file cannot be used or is in use.
    """

    def __init__(self, path: str | None, account_id: str) -> None:
        self.newest: float | None = None
        self.seen: dict[str, float] = {}
        self.open: dict[str, list[float]] = {}
        self._account_id = account_id
        self._path = os.path.abspath(os.path.expanduser(path)) if path else None
        if self._path:
            self._lock = _locked(f"{self._path}.lock")
            self._read(self._path)

    def forget(self, before: float) -> bool:
        """Forget the ids of messages before a time, which no search finds again. Tell whether there were too many others."""
        self.seen = {name: moment for name, moment in self.seen.items() if moment >= before}
        crowded = len(self.seen) > _MOST
        if crowded:
            self.seen = dict(sorted(self.seen.items(), key=lambda item: item[1])[-_MOST:])
        return crowded

    def save(self) -> None:
        """Write the file, whole or not at all. Raises InputError."""
        if not self._path:
            return
        content = {
            "schema": _SCHEMA,
            "version": 1,
            "account_id": self._account_id,
            "newest": self.newest,
            "seen": self.seen,
            "open": self.open,
        }
        try:
            write_whole(self._path, json.dumps(content).encode())
        except OSError as error:
            raise InputError(f"state_file {self._path} cannot be written ({error.strerror})") from None

    def _read(self, path: str) -> None:
        try:
            content = json.loads(read_whole(path, _LARGEST))
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputError(f"state_file {path} cannot be read ({error.strerror})") from None
        except (ValueError, RecursionError):
            content = None
        if not _is_cursor(content):
            raise InputError(f"state_file {path} is not a file of this event source; move it away to start again")
        if content["account_id"] != self._account_id:
            raise InputError(
                f"state_file {path} belongs to account {content['account_id']!r:.40}; give each account its own file"
            )
        self.newest, self.seen, self.open = content["newest"], content["seen"], content["open"]


def _is_cursor(content: t.Any) -> bool:
    return (
        isinstance(content, dict)
        and (content.get("schema"), content.get("version")) == (_SCHEMA, 1)
        and all(isinstance(content.get(name), dict) for name in ("seen", "open"))
        and all(isinstance(row, list) and len(row) == 3 for row in content["open"].values())
        and all(isinstance(number, (int, float)) for row in content["open"].values() for number in row)
        and all(isinstance(moment, (int, float)) for moment in content["seen"].values())
        and (content.get("newest") is None or isinstance(content["newest"], (int, float)))
    )


def _locked(path: str) -> int:
    """Return the open lock file. It stays locked until this process ends."""
    try:
        file = open_private(path)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            f"another event source uses this state_file ({path} is locked); give each its own file"
        ) from None
    except OSError as error:
        raise InputError(f"state_file cannot be used: {path} cannot be opened ({error.strerror})") from None
    return file
