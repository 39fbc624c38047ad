# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that are too much, in a process of its own whose memory is measured."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
import time
import typing as t

import pytest

# What 64 MiB of body, the interpreter and the libraries may take in all; an unbounded read takes several times as much.
MOST = 400
SECONDS = 1.0
CLIENT = f"""
import json, resource, sys, time
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.envelope import read_envelope
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.http import Http

url = f"http://127.0.0.1:{{sys.argv[1]}}/v4"
start, error = time.monotonic(), None
try:
    read_envelope(Http(url, {{}}, timeout={SECONDS}, verify=True, connections=1).exchange("POST", url, body=[]))
except BaseException as caught:
    error = caught
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps([type(error).__name__, str(error), peak, time.monotonic() - start]))
"""
MEGABYTE = b" " * 2**20
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(MEGABYTE * 256)

# How each answer begins, what then follows without end or, if it is the second, once.
FLOODS: dict[str, tuple[bytes, bytes]] = {
    "body": (OK + b"\r\n", MEGABYTE),
    "body behind a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", MEGABYTE),
    "one line of the head": (OK + b"A: ", MEGABYTE),
    "lines of the head": (OK, b"A: b\r\n" * 2**17),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" * 2**14),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2**14),
    "size of a chunk": (CHUNKED, b"0" * 2**20),
    "chunks": (CHUNKED, b"100000\r\n" + MEGABYTE + b"\r\n"),
    "trailer": (CHUNKED + b"0\r\n", b"A: b\r\n" * 2**17),
    "gzip": (OK + b"Content-Encoding: gzip\r\n\r\n", BOMB),
    "gzip in gzip": (OK + b"Content-Encoding: gzip, gzip\r\n\r\n", gzip.compress(BOMB * 8)),
    "gzip behind a redirect": (b"HTTP/1.1 307 X\r\nLocation: /\r\nContent-Encoding: gzip\r\n\r\n", BOMB),
}


def flood(server: socket.socket, begin: bytes, part: bytes) -> None:
    """Answer one request with more than anybody wants."""
    connection, _address = server.accept()
    with connection:
        connection.recv(65536)
        try:
            connection.sendall(begin)
            end = time.monotonic() + 4 * SECONDS
            while time.monotonic() < end:
                connection.sendall(part)
        except OSError:
            pass  # the client has had enough


@pytest.mark.parametrize(("begin", "part"), FLOODS.values(), ids=FLOODS.keys())
def test_an_endless_answer_ends_in_doubt_in_bounded_time_and_memory(begin: bytes, part: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=flood, args=(server, begin, part), daemon=True)
        thread.start()
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, str(server.getsockname()[1])],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        thread.join()
    error, words, peak, seconds = t.cast("tuple[str, str, int, float]", json.loads(done.stdout))
    assert error in ("DoubtfulError", "SilentError"), words
    assert words.isprintable()
    assert len(words) < 500
    assert peak < MOST
    assert seconds < 3 * SECONDS
