# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source logpush as a server: what it takes, what it confirms, and what it turns away. Without a rulebook."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import logging
import os
import random
import runpy
import socket
import ssl
import sys
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
        ids: list[str] = (await asyncio.wait_for(self.queue.get(), 10))["quarantine"]["ids"]
        return ids


def listen(
    queue: asyncio.Queue[dict[str, Any]], hurry: dict[str, Any] | None = None, **arguments: Any
) -> Coroutine[Any, Any, None]:
    """Return the event source as ansible-rulebook would run it, or with other limits."""
    source = runpy.run_path(str(EXTENSIONS / "plugins" / "event_source" / "logpush.py"))
    given = {"account_id": ACCOUNT, "secret": SECRET, **arguments}
    running: Coroutine[Any, Any, None] = source["main"](queue, given)
    if hurry is not None:
        running.close()
        limits = dict(hurry)
        patience = limits.pop("patience", 60)
        running = source["_run"](queue, given, source["_library"]("_events.connections").Limits(**limits), patience)
    return running


def serve(test: Callable[[Server], Awaitable[None]], hurry: dict[str, Any] | None = None, **arguments: Any) -> None:
    """Run the source, and a test with it. hurry: its limits."""

    async def run() -> None:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
        port = free_port()
        source = asyncio.create_task(listen(queue, hurry, port=port, **arguments))
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
    refusals = [record.message for record in caplog.records if "Requests were refused" in record.message]
    assert len(refusals) == (0 if status == 200 else 1), "once a minute"
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
        "Requests were refused (the request did not arrive completely): 1"
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


HEAD = f"POST / HTTP/1.1\r\nHost: x\r\nX-Logpush-Secret: {SECRET}\r\n".encode()
STRANGER = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n"


async def knock(
    server: Server, content: bytes, times: int = 1
) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Return connections that sent something."""
    connections = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(times)]
    for _reader, writer in connections:
        writer.write(content)
    return connections


async def is_closed(reader: asyncio.StreamReader, patience: float = 5) -> bool:
    """Tell whether the other side closes a connection in time."""
    try:
        while await asyncio.wait_for(reader.read(9999), patience):
            pass
    except ConnectionError:
        pass
    except asyncio.TimeoutError:  # noqa: UP041 - before Python 3.11, it is another
        return False
    return True


def descriptors() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


def test_connections_that_never_finish_their_head_shut_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    async def test(server: Server) -> None:
        before = descriptors()
        for start in (b"", b"P", HEAD):
            connections = await knock(server, start, 300)
            assert (await server.post(alerts(len(start))))[0] == 200
            await server.ids()
            assert descriptors() - before < 300 + 2 * 60, "theirs, and no more than 50 of ours"
            for _reader, writer in connections:
                writer.close()

    serve(test, {"connections": 50})
    assert {record.message.rpartition(":")[0] for record in caplog.records if record.levelno >= logging.WARNING} == {
        "There were more than 50 connections at once, and the oldest was closed"
    }
    assert len(caplog.records) < 10


NARROW = """
import asyncio, logging, resource, runpy, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
logging.basicConfig(level=logging.INFO)
main = runpy.run_path(sys.argv[1])["main"]
asyncio.run(main(asyncio.Queue(9), {"account_id": sys.argv[2], "secret": sys.argv[3], "port": int(sys.argv[4])}))
"""


def test_a_process_without_free_files_goes_on_and_says_so_once(tmp_path: Path) -> None:
    port = free_port()

    async def run() -> None:
        source = EXTENSIONS / "plugins" / "event_source" / "logpush.py"
        with (tmp_path / "log.txt").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", NARROW, source, ACCOUNT, SECRET, str(port), stderr=log
            )  # fmt: skip
        try:
            while not await listens(port):
                await asyncio.sleep(0.1)
            async with aiohttp.ClientSession() as session:
                server = Server(session, asyncio.Queue(), port)
                connections = await knock(server, HEAD, 100)
                assert (await asyncio.wait_for(server.post(alerts(1)), 30))[0] == 200
                for _reader, writer in connections:
                    writer.close()
        finally:
            process.kill()
            await process.wait()

    asyncio.run(run())
    log_text = (tmp_path / "log.txt").read_text()
    assert log_text.count("Connections could not be accepted (Too many open files)") == 1
    assert len(log_text) < 2_000, log_text


def test_a_head_that_drips_is_cut_off_as_a_whole(caplog: pytest.LogCaptureFixture) -> None:
    async def test(server: Server) -> None:
        [(reader, writer)] = await knock(server, HEAD)
        closed = asyncio.create_task(is_closed(reader))
        while not closed.done():
            writer.write(b"X")
            await asyncio.sleep(0.05)
        assert await closed

    serve(test, {"seconds": 0.5})
    assert [
        record.message
        for record in caplog.records
        if record.name.startswith("emailsec") and record.levelno >= logging.WARNING
    ] == ["Connections were closed because a request or its answer took more than 0.5 seconds: 1"]


def test_a_head_that_does_not_end_is_cut_off() -> None:
    async def test(server: Server) -> None:
        for content in (b"x" * 20_000, HEAD + b"X-A: b\r\n" * 5_000, b"\r\n" * 10_000):
            [(reader, _writer)] = await knock(server, content)
            assert await is_closed(reader)

    serve(test, {"seconds": 1})


def test_no_body_is_waited_for_before_the_secret_is_known() -> None:
    async def test(server: Server) -> None:
        [(reader, writer)] = await knock(server, STRANGER)
        assert b" 401 " in await asyncio.wait_for(reader.readline(), 1)
        assert await is_closed(reader, 1)
        writer.close()

    serve(test)


def test_a_body_that_drips_is_cut_off_as_a_whole() -> None:
    async def test(server: Server) -> None:
        [(reader, writer)] = await knock(server, HEAD + b"Content-Length: 1000\r\n\r\n")
        answer = asyncio.create_task(reader.readline())
        while not answer.done():
            writer.write(b" ")
            await asyncio.sleep(0.05)
        assert b" 408 " in await answer
        assert await is_closed(reader)

    serve(test, {"patience": 0.5, "seconds": 0.3})


def test_a_connection_is_for_one_request() -> None:
    async def test(server: Server) -> None:
        body = packed([TRIAL])
        request = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        [(reader, _writer)] = await knock(server, request * 500)
        assert (await asyncio.wait_for(reader.read(), 5)).count(b"HTTP/1.1 ") == 1

    serve(test)


def test_who_does_not_take_the_answer_is_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    certificate = make_certificate(tmp_path / "key.pem", tmp_path / "cert.pem")

    def ask(port: int) -> ssl.SSLSocket:
        context = ssl.create_default_context(cadata=certificate)
        client = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
        client.sendall(STRANGER)
        return client

    async def test(server: Server) -> None:
        with await asyncio.to_thread(ask, server.port):
            while "its answer took more than 0.5 seconds: 1" not in caplog.text:
                await asyncio.sleep(0.05)

    with caplog.at_level(logging.WARNING):
        serve(test, {"seconds": 0.5}, certfile=str(tmp_path / "cert.pem"), keyfile=str(tmp_path / "key.pem"))


def test_a_continuation_is_offered_to_who_has_the_secret() -> None:
    async def test(server: Server) -> None:
        body = packed([TRIAL])
        wish = f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        [(reader, writer)] = await knock(server, HEAD + wish)
        assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(body)
        assert b" 200 " in await reader.readline()
        [(reader, _writer)] = await knock(server, b"POST / HTTP/1.1\r\nHost: x\r\n" + wish)
        assert b" 401 " in await reader.readline()

    serve(test)


def test_nonsense_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    rng = random.Random(10)

    async def test(server: Server) -> None:
        samples = [
            b"GET / HTTP/9.9",
            b"\x16\x03\x01\x02\x00",
            b"POST / HTTP/1.1\r\nA b: c",
            HEAD + b"Content-Length: -1",
            b"BREW x",
        ]
        samples += [
            HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5",
            HEAD + b"Upgrade: websocket\r\nConnection: upgrade",
        ]
        samples += [bytes(rng.choices(range(256), k=rng.randrange(200))) for _ in range(200)]
        for sample in samples:
            [(reader, writer)] = await knock(server, sample + b"\r\n\r\nzz\r\n\r\n")
            writer.write_eof()
            assert await is_closed(reader)
        assert (await server.post(alerts(1)))[0] == 200

    with caplog.at_level(logging.WARNING):
        serve(test)
    assert len(caplog.records) < 10, caplog.text
    assert "Traceback" not in caplog.text
    assert len(caplog.text) < 2_000


def test_tls_that_is_never_finished_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_certificate(tmp_path / "key.pem", tmp_path / "cert.pem")

    async def test(server: Server) -> None:
        before = descriptors()
        for content in (b"", b"\x16\x03\x01\x02\x00\x01"):
            for reader, writer in await knock(server, content, 20):
                assert await is_closed(reader)
                writer.close()
        for reader, writer in await knock(server, b"GET / HTTP/1.0\r\n\r\n", 20):
            assert await is_closed(reader)
            writer.close()
        await asyncio.sleep(0.1)
        assert descriptors() <= before

    with caplog.at_level(logging.WARNING):
        serve(test, {"seconds": 0.5}, certfile=str(tmp_path / "cert.pem"), keyfile=str(tmp_path / "key.pem"))
    assert len(caplog.records) < 5, caplog.text


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
    now = datetime.datetime.now(datetime.UTC)
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
            with pytest.raises(Exception, match="cannot listen on"):
                end(place)
    make_certificate(tmp_path / "key.pem", tmp_path / "cert.pem", b"password")
    for keyfile in ("key.pem", "nowhere.pem", "cert.pem"):
        with pytest.raises(Exception, match="certfile and keyfile cannot be used"):
            end({"certfile": str(tmp_path / "cert.pem"), "keyfile": str(tmp_path / keyfile)})


def end(arguments: dict[str, Any]) -> None:
    """Run the source until it ends by itself."""
    asyncio.run(asyncio.wait_for(listen(asyncio.Queue(1), **{"port": free_port(), **arguments}), 10))
