# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The connections of a server that takes one request from each. A client that is not admitted yet gets little time and room."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import socket
import ssl
import typing as t

_HEAD_ENDS = b"\r\n\r\n"
# After the system refused to accept a connection, for example because too many files are open
_PAUSE = 0.01


class Limits(t.NamedTuple):
    """connections: that wait to be admitted. seconds: for TLS and the whole head, and again to take the answer. head: its bytes."""

    connections: int = 256
    seconds: float = 10.0
    head: int = 16 * 1024


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a listener for each address of the host. Raises OSError."""
    with contextlib.ExitStack() as opened:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listeners = [
            opened.enter_context(socket.create_server(address, family=family))  # type: ignore[arg-type]
            for family, _type, _protocol, _name, address in dict.fromkeys(found)
        ]
        opened.pop_all()
    return listeners


class Door:
    """Accepts connections and serves each by a protocol of its own, such as aiohttp makes.

    When too many wait, the one that has waited longest is closed: a client that sends its request without delay gets through.
    seldom: warns of what is repeated, with its count.
    """

    def __init__(
        self,
        make_protocol: t.Callable[[], asyncio.Protocol],
        limits: Limits,
        tls: ssl.SSLContext | None,
        seldom: t.Callable[[str], None],
    ) -> None:
        self._make_protocol = make_protocol
        self._limits = limits
        self._tls = tls
        self._seldom = seldom
        self._visits: set[_Visit] = set()
        # With what closes each in time; the first waits longest.
        self._waiting: dict[_Visit, asyncio.TimerHandle] = {}

    async def accept(self, listener: socket.socket) -> None:
        """Accept connections until cancelled."""
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        while True:
            try:
                connection, _address = await loop.sock_accept(listener)
            except OSError as problem:
                self._make_room(f"Connections could not be accepted ({problem.strerror})")
                await asyncio.sleep(_PAUSE)
                continue
            if len(self._waiting) >= self._limits.connections:
                self._make_room(
                    f"There were more than {self._limits.connections} connections at once, and the oldest was closed"
                )
            visit = _Visit(self._make_protocol(), self._limits.head)
            visit.task = loop.create_task(self._serve(visit, connection))
            visit.task.add_done_callback(functools.partial(self._leave, visit, connection))
            self._visits.add(visit)
            self._wait(visit)
            await asyncio.sleep(0)  # The others have their turn, however many come.

    @contextlib.contextmanager
    def admitted(self, transport: asyncio.Transport | None) -> t.Iterator[None]:
        """Let a connection take its time; afterwards, it has to take its answer and go."""
        visit = t.cast("_Visit | None", transport and transport.get_protocol())
        if visit in self._waiting:
            self._waiting.pop(visit).cancel()
        try:
            yield
        finally:
            if visit in self._visits:
                self._wait(visit)

    async def close(self) -> None:
        """Close all connections."""
        tasks = [visit.task for visit in self._visits]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wait(self, visit: _Visit) -> None:
        self._waiting[visit] = asyncio.get_running_loop().call_later(self._limits.seconds, self._be_late, visit)

    def _make_room(self, reason: str) -> None:
        self._seldom(reason)
        for visit in tuple(itertools.islice(self._waiting, 1)):
            self._dismiss(visit)

    def _be_late(self, visit: _Visit) -> None:
        self._seldom(
            f"Connections were closed, as a request or its answer took more than {self._limits.seconds:g} seconds"
        )
        self._dismiss(visit)

    def _dismiss(self, visit: _Visit) -> None:
        self._waiting.pop(visit).cancel()
        visit.task.cancel()

    async def _serve(self, visit: _Visit, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: visit, connection, ssl=self._tls)
        except OSError:
            self._seldom("Connections failed before a request")
            return
        await visit.over.wait()
        if visit.too_long:
            self._seldom(
                f"Connections were closed, as the head of their request has more than {self._limits.head} bytes"
            )

    def _leave(self, visit: _Visit, connection: socket.socket, _task: asyncio.Task[None]) -> None:
        self._visits.discard(visit)
        if visit in self._waiting:
            self._waiting.pop(visit).cancel()
        if visit.transport:
            visit.transport.abort()
        connection.close()


class _Visit(asyncio.Protocol):
    """A connection. Its protocol gets the head of the request once it is whole."""

    transport: asyncio.Transport | None = None
    task: asyncio.Task[None]
    too_long = False

    def __init__(self, protocol: asyncio.Protocol, longest: int) -> None:
        self._protocol = protocol
        self._longest = longest
        self._head: bytearray | None = bytearray()
        self.over = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = t.cast(asyncio.Transport, transport)
        self._protocol.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Collect the head; then pass everything on."""
        if self._head is not None:
            searched = max(0, len(self._head) - len(_HEAD_ENDS))
            self._head += data if self._head else data.lstrip(b"\r\n")
            end = self._head.find(_HEAD_ENDS, searched)
            self.too_long = (len(self._head) if end < 0 else end) > self._longest
            if self.too_long:
                self.over.set()
            if end < 0 or self.too_long:
                return
            data, self._head = bytes(self._head), None
        self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._protocol.connection_lost(exc)
        self.over.set()
