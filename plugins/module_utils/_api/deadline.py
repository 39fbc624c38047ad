# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""A deadline for a whole answer. A timeout of requests and urllib3 is for each single read, however many there are.

limit_time makes the connections of a pool manager of urllib3 (2.x or 1.26) read their answers by way of classes of this file:
the head, the body and the end of an answer must arrive within the timeout, counted from the end of the request.
"""

from __future__ import annotations

import http.client
import io
import time
import typing as t


def limit_time(manager: t.Any) -> None:
    """Let the connections of a pool manager, or of a proxy manager, read each answer in limited time."""
    manager.pool_classes_by_scheme = {
        scheme: type(
            pool.__name__,
            (pool,),
            {"ConnectionCls": type("Connection", (pool.ConnectionCls,), {"response_class": _Answer})},
        )
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


class _Answer(http.client.HTTPResponse):
    """An answer that has to arrive within the timeout of its socket."""

    def __init__(self, sock: t.Any, *args: t.Any, **options: t.Any) -> None:
        super().__init__(t.cast(t.Any, _Arriving(sock)), *args, **options)


class _Arriving(io.RawIOBase):
    """The bytes that arrive at a socket until its timeout, counted from now on, is over."""

    def __init__(self, sock: t.Any) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        timeout = sock.gettimeout()
        self._deadline = time.monotonic() + timeout if timeout else None

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return itself as the file that http.client reads."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        if self._deadline is None:
            return t.cast("int | None", self._raw.readinto(buffer))
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        timeout = self._sock.gettimeout()
        self._sock.settimeout(left)
        try:
            return t.cast("int | None", self._raw.readinto(buffer))
        finally:
            self._sock.settimeout(timeout)

    def close(self) -> None:
        self._raw.close()
        super().close()
