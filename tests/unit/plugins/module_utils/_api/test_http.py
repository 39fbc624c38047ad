# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP exchange over real sockets: was the request certainly not sent, or may it have been carried out?"""

from __future__ import annotations

import contextlib
import datetime
import gzip
import re
import socket
import ssl
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.envelope import read_envelope
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.http import Http
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.masking import Masker
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import (
    CertificateError,
    CloudflareError,
    ConnectError,
    DoubtfulError,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, TOKEN, investigate_id
from ansible_collections.emailsec.cloudflare.tests.unit.support.module import run_module
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Behaviour = t.Callable[[socket.socket], None]


def request(connection: socket.socket) -> bytes:
    """Receive one request, its body included."""
    received = b""
    while b"\r\n\r\n" not in received and not received.startswith(b"\x16"):  # 0x16 is how TLS begins
        received += connection.recv(65536) or b"\r\n\r\n"
    length = re.search(rb"Content-Length: (\d+)", received)
    missing = int(length.group(1)) - len(received.partition(b"\r\n\r\n")[2]) if length else 0
    while missing > 0:
        part = connection.recv(65536)
        missing -= len(part) or missing
        received += part
    return received


class Server:
    """Listens on loopback and treats each connection as told. received: what arrived, one entry for each connection."""

    def __init__(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[bytes] = []
        self._tls = tls
        self._behaviour = behaviour
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self.received.append(request(connection))
                self._behaviour(connection)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture
def serve() -> t.Iterator[t.Callable[[Behaviour], Server]]:
    """Start servers that end with the test."""
    servers: list[Server] = []

    def start(behaviour: Behaviour) -> Server:
        servers.append(Server(behaviour))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def serve_tls(tmp_path: Path) -> t.Iterator[t.Callable[[Behaviour], Server]]:
    """Start servers with a certificate that they signed themselves."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    servers: list[Server] = []

    def start(behaviour: Behaviour) -> Server:
        servers.append(Server(behaviour, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def exchange(port: int, *, scheme: str = "http", timeout: float = 5.0, **options: t.Any) -> t.Any:
    """Send one request and return the answer."""
    url = f"{scheme}://127.0.0.1:{port}/v4"
    http = Http(url, {"Authorization": "Bearer x"}, timeout=timeout, verify=True, connections=1)
    return http.exchange(options.pop("method", "GET"), url, **options)


def answer(body: bytes, *headers: str, length: int | None = None, status: str = "200 OK") -> Behaviour:
    """Return the behaviour of sending an answer and closing."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]

    def send(connection: socket.socket) -> None:
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    return send


def drip(connection: socket.socket) -> None:
    """Send a body byte by byte, each soon enough to keep a socket from timing out."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _number in range(40):
        connection.sendall(b" ")
        time.sleep(0.05)


def forever(head: bytes, part: bytes, pause: float = 0.05) -> Behaviour:
    """Return the behaviour of sending a part again and again, each soon enough to keep a socket from timing out."""

    def send(connection: socket.socket) -> None:
        connection.sendall(head)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            connection.sendall(part)
            time.sleep(pause)

    return send


def reset(connection: socket.socket) -> None:
    """Cut the connection without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def test_an_answer_is_read_to_its_end(serve: t.Any) -> None:
    reply = exchange(serve(answer(b"body" * 10_000, "cf-ray: r1", "Content-Type: text/plain")).port)
    assert (reply.status, reply.body, reply.cf_ray) == (200, b"body" * 10_000, "r1")
    assert reply.headers["content-type"] == "text/plain"


def test_a_compressed_answer_is_unpacked(serve: t.Any) -> None:
    reply = exchange(serve(answer(gzip.compress(b"body"), "Content-Encoding: gzip")).port)
    assert reply.body == b"body"


def test_a_chunked_answer_is_put_together(serve: t.Any) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"
    assert exchange(serve(lambda connection: connection.sendall(chunked)).port).body == b"body"


def test_the_body_is_json_and_the_parameters_are_encoded(serve: t.Any) -> None:
    server = serve(answer(b""))
    exchange(server.port, method="POST", params={"a": "b c&d"}, body={"ids": ["é"]})
    assert server.received[0].startswith(b"POST /v4?a=b+c%26d HTTP/1.1\r\n")
    assert server.received[0].endswith(b'\r\n\r\n{"ids": ["\\u00e9"]}')
    assert b"Authorization: Bearer x\r\n" in server.received[0]


DOUBTFUL: dict[str, Behaviour] = {
    "closed without a word": lambda connection: None,
    "reset": reset,
    "silence": lambda connection: time.sleep(0.6),
    "half a head": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nConte"),
    "half a body": answer(b'{"success": tr', length=500),
    "half a chunk": lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nabc"
    ),
    "no HTTP": lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"),
    "the words of a proxy": lambda connection: connection.sendall(b"Tunnel connection failed: 407\r\n"),
    "broken gzip": answer(b"\x1f\x8bnonsense", "Content-Encoding: gzip"),
    "slow drip": drip,
    "head drop by drop": forever(b"HTTP/1.1 200 OK\r\nA: ", b"x"),
    "head line by line": forever(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "head without end": forever(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0),
    "never more than continue": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunk size drop by drop": forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "trailer without end": forever(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n", b"A: b\r\n"
    ),
    "an encoding that was not asked for": answer(
        gzip.compress(gzip.compress(b'{"success": true}')), "Content-Encoding: gzip, gzip"
    ),
}


@pytest.mark.parametrize("behaviour", DOUBTFUL.values(), ids=DOUBTFUL.keys())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_once_the_request_is_out_no_answer_means_doubt(serve: t.Any, behaviour: Behaviour, method: str) -> None:
    start = time.monotonic()
    server = serve(behaviour)
    with pytest.raises(DoubtfulError):
        read_envelope(exchange(server.port, method=method, timeout=0.3))
    assert time.monotonic() - start < 1.5
    assert len(server.received) == 1, "nothing is sent twice"


def test_nobody_listening_means_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectError, match="could not connect"):
        exchange(port)


def test_a_name_that_does_not_resolve_means_that_nothing_was_sent() -> None:
    url = "http://nowhere.invalid/v4"
    http = Http(url, {}, timeout=2, verify=True, connections=1)
    with pytest.raises(ConnectError, match=r"nowhere\.invalid"):
        http.exchange("POST", url, body=[])


def test_plain_http_where_tls_was_expected_means_that_nothing_was_sent(serve: t.Any) -> None:
    server = serve(answer(b"", status="400 Bad Request"))
    with pytest.raises(ConnectError, match="TLS") as caught:
        exchange(server.port, scheme="https", method="POST", body=[])
    assert not isinstance(caught.value, CertificateError)


def reset_in_the_middle(connection: socket.socket) -> None:
    """Cut the connection after half a record of TLS."""
    connection.sendall(b"\x16\x03\x03\x00\x40\x02\x00")
    reset(connection)


HANDSHAKES: dict[str, tuple[Behaviour, str]] = {
    "silence": (lambda connection: time.sleep(1.5), r"no connection to 127\.0\.0\.1:\d+ within 0\.3 s"),
    "closed": (lambda connection: None, "could not connect|no TLS connection"),
    "reset": (reset, "could not connect"),
    "reset in the middle": (reset_in_the_middle, "could not connect|no TLS connection"),
    "drop by drop": (forever(b"\x16\x03\x03\x40\x00", b"x"), r"no connection to .* within 0\.3 s"),
    "plain HTTP": (answer(b"", status="400 Bad Request"), "no TLS connection"),
    "another protocol": (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"), "no TLS connection"),
    "an alert": (lambda connection: connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28"), "no TLS connection"),
    "an internal error": (lambda connection: connection.sendall(b"\x15\x03\x03\x00\x02\x02\x50"), "no TLS connection"),
}


@pytest.mark.parametrize(("behaviour", "words"), HANDSHAKES.values(), ids=HANDSHAKES.keys())
@pytest.mark.parametrize("through_proxy", [False, True])
def test_before_the_handshake_ends_nothing_was_sent(
    serve: t.Any, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour, words: str, through_proxy: bool
) -> None:
    def tunnel(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        request(connection)
        behaviour(connection)

    server = serve(tunnel if through_proxy else behaviour)
    if through_proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    url = "https://api.example/v4" if through_proxy else f"https://127.0.0.1:{server.port}/v4"
    start = time.monotonic()
    http = Http(url, {"Authorization": "Bearer x"}, timeout=0.3, verify=True, connections=1)
    with pytest.raises(ConnectError, match=words.replace(r"127\.0\.0\.1:\d+", ".*")) as caught:
        http.exchange("POST", url, body=["id"])
    assert not isinstance(caught.value, CertificateError)
    assert "larger timeout" not in str(caught.value)
    assert time.monotonic() - start < 1.4
    assert not any(b"Bearer" in received for received in server.received)


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda connection: time.sleep(1.5),
        lambda connection: None,
        reset,
        forever(b"HTTP/1.1 200 OK\r\nA: ", b"x"),
        answer(b"", status="503 Service Unavailable"),
    ],
    ids=["silence", "closed", "reset", "drop by drop", "refused"],
)
def test_a_proxy_that_opens_no_tunnel_means_that_nothing_was_sent(
    serve: t.Any, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    server = serve(behaviour)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    url = "https://api.example/v4"
    start = time.monotonic()
    with pytest.raises(ConnectError, match=r"api\.example"):
        Http(url, {}, timeout=0.3, verify=True, connections=1).exchange("POST", url, body=["id"])
    assert time.monotonic() - start < 1.4


def test_an_alert_after_the_request_means_doubt(serve_tls: t.Any) -> None:
    """The words of such an error are those of a failed handshake."""

    def alert(connection: ssl.SSLSocket) -> None:
        raw = socket.socket(fileno=connection.detach())
        raw.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
        raw.close()

    server = serve_tls(alert)
    url = f"https://127.0.0.1:{server.port}/v4"
    with pytest.raises(DoubtfulError):
        Http(url, {}, timeout=2, verify=False, connections=1).exchange("POST", url, body=["id"])
    assert len(server.received) == 1


def test_a_certificate_that_nobody_vouches_for_is_named(serve_tls: t.Any) -> None:
    server = serve_tls(answer(b""))
    with pytest.raises(CertificateError, match=r"certificate .* was not accepted"):
        exchange(server.port, scheme="https", method="POST", body=["id"])
    assert not any(server.received)


def test_a_release_that_never_got_a_handshake_is_not_attempted(
    capsys: pytest.CaptureFixture[str], serve: t.Any
) -> None:
    server, clock = serve(lambda connection: time.sleep(0.4)), FakeClock()
    url = f"https://127.0.0.1:{server.port}"
    options = {
        "account_id": ACCOUNT,
        "api_token": TOKEN,
        "api_url": url,
        "messages": [investigate_id(1)],
        "check_state": False,
    }
    done = run_module(capsys, clock, "message_release", {**options, "timeout": 0.2, "retries": 2})
    assert (done.failed, done.statuses) == (True, ["not_attempted"])
    assert "within 0.2 s" in done.result["msg"]
    assert done.result["api_calls"] == 0
    assert len(clock.naps) == 2, "what was not sent is tried again"


def test_a_redirect_is_not_followed(serve: t.Any) -> None:
    server = serve(answer(b"", "Location: /elsewhere", status="302 Found"))
    assert exchange(server.port).status == 302
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "proxy",
    [
        "http://bob:S3cret~Odd@127.0.0.1:1", "http://bob:S3cret~Odd@nowhere.invalid:3128", "socks5://bob:S3cret~Odd@127.0.0.1:1",
        "http://bob:S3cret~Odd@127.0.0.1:99999", "bob:S3cret~Odd@127.0.0.1:1", "http://bob:S3cret[Odd@127.0.0.1:1", "://bob:S3cret~Odd",
        "http://bob:S3cret~Odd@", "ftp://bob:S3cret~Odd@127.0.0.1:1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_password_of_a_proxy_is_never_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, proxy: str, variable: str
) -> None:
    monkeypatch.setenv(variable, proxy)
    options = {"account_id": ACCOUNT, "api_token": TOKEN, "messages": [investigate_id(1)], "retries": 0, "timeout": 2}
    done = run_module(capsys, FakeClock(), "message_release", options)
    assert done.failed
    assert done.statuses == ["not_attempted"]
    assert "S3cret" not in done.printed
    assert "Traceback" not in done.printed


def test_a_proxy_that_asks_for_a_password_is_named_as_the_obstacle(
    serve: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answer(b"", status="407 Proxy Authentication Required"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    url = "https://api.cloudflare.com/v4"
    http = Http(url, {"Authorization": "Bearer x"}, timeout=2, verify=True, connections=1)
    with pytest.raises(ConnectError, match=r"through the proxy .*407"):
        http.exchange("POST", url, body=[])
    assert b"Bearer" not in server.received[0], "the credential is for Cloudflare, not for the proxy"


def test_a_ca_bundle_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(CloudflareError, match="REQUESTS_CA_BUNDLE"):
        exchange(1, scheme="https")


@pytest.mark.parametrize(
    "location",
    [
        "/elsewhere",
        "https://evil.example/",
        "//evil.example",
        "http://[",
        "\x00",
        "javascript:1",
        "http://x@127.0.0.1:1/",
    ],
)
def test_nobody_looks_where_a_redirect_leads(serve: t.Any, location: str) -> None:
    server = serve(answer(b"words", f"Location: {location}", status="307 Temporary Redirect"))
    with pytest.raises(CloudflareError, match="redirects are not followed"):
        read_envelope(exchange(server.port, method="POST", body=["id"]))
    assert len(server.received) == 1


def test_a_redirect_through_a_proxy_in_drops_ends_in_time(serve: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(forever(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", b" "))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
    start = time.monotonic()
    with pytest.raises(DoubtfulError):
        Http("http://api.example/v4", {}, timeout=0.3, verify=True, connections=1).exchange(
            "GET", "http://api.example/v4"
        )
    assert time.monotonic() - start < 1.5


def test_a_slow_answer_leaves_the_next_request_its_whole_time(serve: t.Any) -> None:
    def twice(connection: socket.socket) -> None:
        for _number in range(2):
            time.sleep(0.4)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
            connection.recv(65536)

    server = serve(twice)
    url = f"http://127.0.0.1:{server.port}/"
    http = Http(url, {}, timeout=0.7, verify=True, connections=1)
    assert [http.exchange("GET", url).body for _number in range(2)] == [b"1", b"1"]


def test_a_connection_is_kept_for_the_next_request(serve: t.Any) -> None:
    def twice(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2")

    server = serve(twice)
    url = f"http://127.0.0.1:{server.port}/"
    http = Http(url, {}, timeout=2, verify=True, connections=1)
    bodies = [http.exchange("GET", url).body for _number in range(2)]
    assert bodies == [b"1", b"2"]
    assert len(server.received) == 1


def test_a_credential_that_the_server_repeats_is_masked(serve: t.Any) -> None:
    server = serve(answer(b"", f"cf-ray: {TOKEN}", f"Location: /{TOKEN}", f"Content-Type: text/{TOKEN}"))
    url = f"http://127.0.0.1:{server.port}/"
    reply = Http(url, {}, timeout=2, verify=True, connections=1, masker=Masker([TOKEN])).exchange("GET", url)
    assert TOKEN not in f"{reply} {reply.headers}"
    assert reply.headers["location"] == "/********"
