# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""What a fault does to a request: each effect is handed the rest of the work as a function."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import format_datetime
from typing import Literal

from aiohttp import web
from msgspec import Struct, field

from . import mangling
from .clock import utc
from .envelope import JSON, answer, envelope, error
from .keys import WORLD
from .search import pending

Work = Callable[[], Awaitable[web.Response]]
When = Literal["before", "after"]  # the work
FOREVER = 3600.0
MEGABYTE = b" " * 2**20


def cut(request: web.Request, *, reset: bool = False) -> None:
    """Close the connection: after what was written, or at once with a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    if reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


def place(request: web.Request, location: str, path: str) -> str:
    """A URL of the path: `relative`, `absolute`, on the `other_host` (this server by its other name), or as given."""
    if location == "relative":
        return path
    here = request.host.rpartition(":")[0]
    there = "127.0.0.1" if here == "localhost" else "localhost"
    hosts = {"absolute": request.host, "other_host": request.host.replace(here, there)}
    return f"http://{hosts[location]}{path}" if location in hosts else location


async def stream(request: web.Request, response: web.StreamResponse, parts: AsyncIterator[bytes]) -> None:
    """Send a body in parts until the client has enough."""
    await response.prepare(request)
    try:
        async for part in parts:
            await response.write(part)
    except ConnectionError:
        pass


class _Effect(Struct, tag_field="action", forbid_unknown_fields=True, kw_only=True):
    async def apply(self, request: web.Request, work: Work) -> web.StreamResponse | None:
        """Answer the request, or None if no answer went out."""
        raise NotImplementedError


class Status(_Effect, tag="status"):
    """Answer with another status, instead of the work or after it."""

    status: int
    when: When = "before"
    body: Literal["json", "html", "text", "empty"] = "json"
    code: int = 10000
    message: str = "emulated fault"
    text: str | None = None  # the body, word for word
    content_type: str | None = None
    retry_after: int | None = None
    retry_after_date: int | None = None  # seconds from now, sent as an HTTP date
    headers: dict[str, str] = field(default_factory=dict)

    async def apply(self, request: web.Request, work: Work) -> web.StreamResponse:
        if self.when == "after":
            await work()
        title = f"{self.status} {self.message}"
        kinds = {
            "json": lambda: answer(envelope(None, [error(self.code, self.message)]), self.status),
            "html": lambda: web.Response(body=mangling.page(title), status=self.status, content_type="text/html"),
            "text": lambda: web.Response(text=f"error code: {self.code}", status=self.status),
            "empty": lambda: web.Response(status=self.status),
        }
        response = kinds[self.body]()
        if self.text is not None:
            response.text = self.text
        if self.content_type is not None:
            response.headers["Content-Type"] = self.content_type
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        if self.retry_after_date is not None:
            moment = utc(request.app[WORLD].clock.now() + self.retry_after_date)
            response.headers["Retry-After"] = format_datetime(moment, usegmt=True)
        response.headers.update(self.headers)
        return response


class Cut(_Effect, tag="cut"):
    """Close the connection without an answer."""

    when: When = "before"
    reset: bool = False

    async def apply(self, request: web.Request, work: Work) -> None:
        if self.when == "after":
            await work()
        cut(request, reset=self.reset)


class Hang(_Effect, tag="hang"):
    """Never answer: nothing is done (before), or all (after)."""

    when: When = "before"
    seconds: float = FOREVER

    async def apply(self, request: web.Request, work: Work) -> None:
        if self.when == "after":
            await work()
        await asyncio.sleep(self.seconds)
        cut(request)


class Delay(_Effect, tag="delay"):
    """Do the work late, and answer."""

    seconds: float

    async def apply(self, request: web.Request, work: Work) -> web.Response:
        await asyncio.sleep(self.seconds)
        return await work()


class Truncate(_Effect, tag="truncate"):
    """Close the connection in the middle of the answer, short of its length or of its last chunk."""

    chunked: bool = False

    async def apply(self, request: web.Request, work: Work) -> web.StreamResponse:
        whole = await work()
        body = _body(whole)
        response = web.StreamResponse(status=whole.status, headers={"Content-Type": JSON})
        if self.chunked:
            response.enable_chunked_encoding()
        else:
            response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        cut(request)
        return response


class Drip(_Effect, tag="drip"):
    """Send the answer in small parts with pauses."""

    size: int = 16
    pause: float = 0.1

    async def apply(self, request: web.Request, work: Work) -> web.StreamResponse:
        whole = await work()
        body = _body(whole)
        response = web.StreamResponse(status=whole.status, headers={"Content-Type": JSON})
        response.content_length = len(body)

        async def parts() -> AsyncIterator[bytes]:
            for start in range(0, len(body), self.size):
                yield body[start : start + self.size]
                await asyncio.sleep(self.pause)

        await stream(request, response, parts())
        return response


class Mangle(_Effect, tag="mangle"):
    """Do the work and spoil the answer; the kinds are in mangling.py."""

    kind: Literal[mangling.KINDS]  # type: ignore[valid-type]

    async def apply(self, request: web.Request, work: Work) -> web.Response:
        whole = await work()
        body, content_type = mangling.spoil(self.kind, _body(whole), request)
        return web.Response(body=body, status=whole.status, headers={"Content-Type": content_type})


class Pending(_Effect, tag="pending"):
    """Let a search be answered 202, `polls` times more at its Location, and only then with the result."""

    polls: int = 0
    location: str = "absolute"

    async def apply(self, request: web.Request, work: Work) -> web.Response:
        world = request.app[WORLD]
        cursor = f"poll-{next(world.numbers)}"
        location = place(request, self.location, f"{request.path}?cursor={cursor}")
        world.postpone(cursor, list(request.query.items()), self.polls, location)
        return pending(location)


class Redirect(_Effect, tag="redirect"):
    """Redirect to the same path, or to a URL."""

    status: int = 302
    location: str = "other_host"
    when: When = "before"

    async def apply(self, request: web.Request, work: Work) -> web.Response:
        if self.when == "after":
            await work()
        return web.Response(status=self.status, headers={"Location": place(request, self.location, request.path_qs)})


class Flood(_Effect, tag="flood"):
    """Answer with too much, after the work: a huge body, one without end, or one that grows when unpacked."""

    kind: Literal["huge", "endless", "gzip_bomb"]
    megabytes: int = 64

    async def apply(self, request: web.Request, work: Work) -> web.StreamResponse:
        await work()
        response = web.StreamResponse(headers={"Content-Type": JSON})
        if self.kind == "gzip_bomb":
            response.headers["Content-Encoding"] = "gzip"
        await stream(request, response, getattr(self, f"_{self.kind}")())
        if self.kind == "endless":
            cut(request)
        return response

    async def _huge(self) -> AsyncIterator[bytes]:
        yield b'{"success": true, "errors": [], "messages": [],'
        for _ in range(self.megabytes):
            yield MEGABYTE
        yield b'"result": []}'

    async def _endless(self) -> AsyncIterator[bytes]:
        yield b"["
        while True:
            yield MEGABYTE
            await asyncio.sleep(0)

    async def _gzip_bomb(self) -> AsyncIterator[bytes]:
        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        async for part in self._huge():
            yield packer.compress(part)
            await asyncio.sleep(0)
        yield packer.flush()


def _body(response: web.Response) -> bytes:
    assert isinstance(response.body, bytes)
    return response.body


Effect = Status | Cut | Hang | Delay | Truncate | Drip | Mangle | Pending | Redirect | Flood
