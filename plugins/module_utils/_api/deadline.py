# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Connections that tell when they are being made, and that have a deadline for a whole answer.

watch makes the connections of a pool manager of urllib3 (2.x or 1.26) work by way of classes of this file. A timeout of requests
and urllib3 is for each single read, however many there are. Here the head, the body and the end of an answer must arrive within
the timeout, counted from the end of the request.
"""

from __future__ import annotations

import http.client
import io
import time
import typing as t


def watch(manager: t.Any, connecting: t.Callable[[bool], None]) -> None:
    """Let the connections of a pool manager, or of a proxy manager, read each answer in limited time.

    connecting: called with True before a connection is made (TCP, the tunnel of a proxy, and TLS), and with False right before a
    request is sent.
    """
    manager.pool_classes_by_scheme = {
        scheme: type(
            pool.__name__,
            (pool,),
            {
                "ConnectionCls": type(
                    "Connection", (_Watched, pool.ConnectionCls), {"connecting": staticmethod(connecting)}
                )
            },
        )
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


class _Answer(http.client.HTTPResponse):
    """An answer that has to arrive within the timeout of its socket."""

    def __init__(self, sock: t.Any, *args: t.Any, **options: t.Any) -> None:
        super().__init__(t.cast(t.Any, _Arriving(sock)), *args, **options)


class _Watched:
    """What a connection of urllib3 does differently."""

    response_class = _Answer
    connecting: t.Callable[[bool], None]
    sock: t.Any

    def connect(self) -> None:
        self.connecting(True)
        super().connect()  # type: ignore[misc]

    def endheaders(self, *args: t.Any, **options: t.Any) -> None:
        if self.sock is None:
            self.connect()
        self.connecting(False)
        super().endheaders(*args, **options)  # type: ignore[misc]


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
