# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source logpush as a server: what it takes, what it confirms, and what it turns away. Without a rulebook."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import logging
import runpy
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from logpush import SECRET, TRIAL, free_port, packed
from rulebooks import EXTENSIONS

ACCOUNT = "5d41402abc4b2a76b9719d911017c592"
HEADERS = {"X-Logpush-Secret": SECRET}


def alerts(*numbers: int) -> bytes:
    """Return a body with these alerts."""
    return packed(
        {"AlertID": f"4PfX{number:05d}Qz-2026-11-22T11:59:00", "MessageID": f"<{number}@a.example>"}
        for number in numbers
    )


class Server:
    """The event source, running. queue: holds one event, as ansible-rulebook's."""

    def __init__(self, session: aiohttp.ClientSession, queue: asyncio.Queue[dict[str, Any]], port: int) -> None:
        self.session = session
        self.queue = queue
        self.port = port

    async def post(self, content: bytes, **headers: str) -> tuple[int, str]:
        """Return status and text of the answer."""
        url = f"http://127.0.0.1:{self.port}/any/path"
        async with self.session.post(url, data=content, headers=HEADERS | headers) as answer:
            return answer.status, await answer.text()

    async def ids(self) -> list[str]:
        """Return the ids in the next event."""
        return (await asyncio.wait_for(self.queue.get(), 10))["quarantine"]["ids"]


def listen(queue: asyncio.Queue[dict[str, Any]], **arguments: Any) -> Coroutine[Any, Any, None]:
    """Return the event source as ansible-rulebook would run it."""
    main = runpy.run_path(str(EXTENSIONS / "plugins" / "event_source" / "logpush.py"))["main"]
    source: Coroutine[Any, Any, None] = main(queue, {"account_id": ACCOUNT, "secret": SECRET, **arguments})
    return source


def serve(test: Callable[[Server], Awaitable[None]], **arguments: Any) -> None:
    """Run the source, and a test with it."""

    async def run() -> None:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
        port = free_port()
        source = asyncio.create_task(listen(queue, port=port, **arguments))
        try:
            while not await listens(port):
                assert not source.done(), source.exception()
                await asyncio.sleep(0.02)
            async with aiohttp.ClientSession() as session:
                await asyncio.wait_for(test(Server(session, queue, port)), 30)
        finally:
            source.cancel()
            await asyncio.wait([source], timeout=10)
        assert source.done()

    asyncio.run(run())


async def listens(port: int) -> bool:
    """Tell whether somebody listens on the port."""
    try:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def test_a_request_is_confirmed_once_its_events_are_taken() -> None:
    async def test(server: Server) -> None:
        answer = asyncio.create_task(server.post(alerts(1, 2, 3)))
        assert await server.ids() == ["<1@a.example>"]
        # The second fits into the queue, the third does not.
        assert not (await asyncio.wait([answer], timeout=0.3))[0]
        assert [await server.ids() for _ in range(2)] == [["<2@a.example>"], ["<3@a.example>"]]
        assert await answer == (200, "3 new\n")
        assert await server.post(alerts(1, 2, 3)) == (200, "0 new\n")

    serve(test, batch_size=1)


def test_who_hangs_up_and_comes_again_loses_and_repeats_nothing() -> None:
    async def test(server: Server) -> None:
        impatient = asyncio.create_task(server.post(alerts(1, 2, 3)))
        assert await server.ids() == ["<1@a.example>"]
        impatient.cancel()
        again = asyncio.create_task(server.post(alerts(1, 2, 3)))
        assert [await server.ids() for _ in range(2)] == [["<2@a.example>"], ["<3@a.example>"]]
        assert await again == (200, "0 new\n")
        assert server.queue.empty()

    serve(test, batch_size=1)


def test_strangers_learn_nothing_and_are_not_read(caplog: pytest.LogCaptureFixture) -> None:
    async def test(server: Server) -> None:
        for headers in ({"X-Logpush-Secret": "wrong"}, {"X-Logpush-Secret": ""}):
            assert (await server.post(b"x" * 5_000, **headers))[0] == 401
        async with server.session.get(f"http://127.0.0.1:{server.port}/", headers=HEADERS) as answer:
            assert answer.status == 405

    serve(test, max_bytes=1024)
    assert len([record for record in caplog.records if "without the right secret" in record.message]) == 1
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (packed([TRIAL]), 200),
        (b'{"AlertID": "4PfX00001Qz-2026-11-22T11:59:00"}', 200),
        (b"AlertID,From\n1,2\n", 400),
        (alerts(1)[:-9], 400),
        (b" " * 5_000, 413),
        (gzip.compress(b" " * 5_000, mtime=0), 413),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    caplog: pytest.LogCaptureFixture, content: bytes, status: int
) -> None:
    async def test(server: Server) -> None:
        # Packed or not is seen, not believed: Cloudflare does not say whether it tells in a header.
        for header in ({}, {"Content-Encoding": "gzip"}):
            assert (await server.post(content, **header))[0] == status
        while not server.queue.empty():
            await server.queue.get()
        assert (await server.post(alerts(2)))[0] == 200, "it goes on"

    serve(test, max_bytes=4096)
    assert len([record for record in caplog.records if "was refused" in record.message]) == (0 if status == 200 else 2)
    assert "Traceback" not in caplog.text


def test_no_more_of_a_body_is_taken_in_than_may_be() -> None:
    async def test(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"POST / HTTP/1.1\r\nHost: x\r\nX-Logpush-Secret: {SECRET}\r\nContent-Length: 999999999\r\n\r\n".encode()
        )
        writer.write(b" " * 100_000)
        assert b" 413 " in await asyncio.wait_for(reader.readline(), 10), "it does not wait for the rest"
        writer.close()

    serve(test, max_bytes=4096)


def test_a_connection_that_is_cut_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def test(server: Server) -> None:
        _reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"POST / HTTP/1.1\r\nHost: x\r\nX-Logpush-Secret: {SECRET}\r\nContent-Length: 9999\r\n\r\n{{".encode()
        )
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()
        assert (await server.post(alerts(1)))[0] == 200, "it does not wait for the other"

    with caplog.at_level(logging.WARNING):
        serve(test)
    assert [record.message for record in caplog.records] == [
        "A request was refused: the request did not arrive as a whole"
    ]
    assert not caplog.records[0].exc_info


def test_too_many_at_once_are_sent_away() -> None:
    async def test(server: Server) -> None:
        assert (await server.post(alerts(1)))[0] == 200, "there is room for its event"
        waiting = [asyncio.create_task(server.post(alerts(number))) for number in range(2, 19)]
        turned_away, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result()[0] for task in turned_away] == [503]
        told = {name for _ in range(17) for name in await server.ids()}
        assert [task.result()[0] for task in (await asyncio.wait(waiting))[0]].count(200) == 16
        assert len(told) == 17

    serve(test)


def test_tls(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "key.pem", tmp_path / "cert.pem")

    async def test(server: Server) -> None:
        context = ssl.create_default_context(cadata=certificate)
        url = f"https://localhost:{server.port}/"
        async with server.session.post(url, data=packed([TRIAL]), headers=HEADERS, ssl=context) as answer:
            assert answer.status == 200

    serve(test, certfile=str(tmp_path / "cert.pem"), keyfile=str(tmp_path / "key.pem"))


def make_certificate(key_file: Path, file: Path, password: bytes | None = None) -> str:
    """Write a certificate for localhost with its key, and return it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))
    file.write_bytes(pem)
    return pem.decode()


def test_what_cannot_work_ends_it_at_once(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        for place in ({"host": "192.0.2.1"}, {"port": other.getsockname()[1]}):
            with pytest.raises(Exception, match="cannot be listened on"):
                end(place)
    make_certificate(tmp_path / "key.pem", tmp_path / "cert.pem", b"password")
    for keyfile in ("key.pem", "nowhere.pem", "cert.pem"):
        with pytest.raises(Exception, match="certfile and keyfile cannot be used"):
            end({"certfile": str(tmp_path / "cert.pem"), "keyfile": str(tmp_path / keyfile)})


def end(arguments: dict[str, Any]) -> None:
    """Run the source until it ends by itself."""
    asyncio.run(asyncio.wait_for(listen(asyncio.Queue(1), **{"port": free_port(), **arguments}), 10))
