# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The connections of a server, each for one request. A client without the secret gets little time and memory."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import socket
import ssl
import typing as t

_HEAD_ENDS = b"\r\n\r\n"
# Seconds to wait after the system refused a connection, for example because too many files are open
_PAUSE = 0.01


class Limits(t.NamedTuple):
    """The limits for clients that are not admitted yet.

    connections: how many may wait.
    seconds: for TLS and the head of the request, and again for the answer.
    head: bytes of the head.
    """

    connections: int = 256
    seconds: float = 10.0
    head: int = 16 * 1024


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a listener for each address of a host. Raises OSError."""
    with contextlib.ExitStack() as opened:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listeners = [
            opened.enter_context(socket.create_server(address, family=family))
            for family, _type, _protocol, _name, address in dict.fromkeys(found)
        ]
        opened.pop_all()
    return listeners


class Connections:
    """Accepts connections, each with a protocol of its own, such as those of aiohttp.

    If too many wait, the oldest is closed, so a client that sends its request without delay is served.

    warn: called with each warning. Clients can cause many.
    """

    def __init__(
        self,
        make_protocol: t.Callable[[], asyncio.Protocol],
        limits: Limits,
        tls: ssl.SSLContext | None,
        warn: t.Callable[[str], None],
    ) -> None:
        self._make_protocol = make_protocol
        self._limits = limits
        self._tls = tls
        self._warn = warn
        self._clients: set[_Client] = set()
        # Each with the timer that closes it. The first has waited longest.
        self._waiting: dict[_Client, asyncio.TimerHandle] = {}

    async def accept(self, listener: socket.socket) -> None:
        """Accept connections until this is cancelled."""
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
            client = _Client(self._make_protocol(), self._limits.head)
            client.task = loop.create_task(self._serve(client, connection))
            client.task.add_done_callback(functools.partial(self._leave, client, connection))
            self._clients.add(client)
            self._wait(client)
            await asyncio.sleep(0)  # Lets the others run, however many connections come.

    @contextlib.contextmanager
    def admitted(self, transport: asyncio.Transport | None) -> t.Iterator[None]:
        """Stop the timer of a connection, and start it again afterwards for the answer."""
        client = t.cast("_Client | None", transport and transport.get_protocol())
        if client in self._waiting:
            self._waiting.pop(client).cancel()
        try:
            yield
        finally:
            if client in self._clients:
                self._wait(client)

    async def close(self) -> None:
        """Close all connections."""
        tasks = [client.task for client in self._clients]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wait(self, client: _Client) -> None:
        self._waiting[client] = asyncio.get_running_loop().call_later(self._limits.seconds, self._be_late, client)

    def _make_room(self, reason: str) -> None:
        self._warn(reason)
        for client in tuple(itertools.islice(self._waiting, 1)):
            self._dismiss(client)

    def _be_late(self, client: _Client) -> None:
        self._warn(
            f"Connections were closed because a request or its answer took more than {self._limits.seconds:g} seconds"
        )
        self._dismiss(client)

    def _dismiss(self, client: _Client) -> None:
        self._waiting.pop(client).cancel()
        client.task.cancel()

    async def _serve(self, client: _Client, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: client, connection, ssl=self._tls)
        except OSError:
            self._warn("Connections failed before a request")
            return
        await client.over.wait()
        if client.too_long:
            self._warn(
                f"Connections were closed because the head of their request has more than {self._limits.head} bytes"
            )

    def _leave(self, client: _Client, connection: socket.socket, _task: asyncio.Task[None]) -> None:
        self._clients.discard(client)
        if client in self._waiting:
            self._waiting.pop(client).cancel()
        if client.transport:
            client.transport.abort()
        connection.close()


class _Client(asyncio.Protocol):
    """A client. Its protocol gets the head of the request once it is complete."""

    transport: asyncio.Transport | None = None
    task: asyncio.Task[None]
    too_long = False

    def __init__(self, protocol: asyncio.Protocol, longest: int) -> None:
        self._protocol = protocol
        self._longest = longest
        self._head: bytearray | None = bytearray()
        self.over = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the protocol."""
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
        """Tell the protocol, and end."""
        self._protocol.connection_lost(exc)
        self.over.set()
