# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source for alerts of Cloudflare Email Security that Cloudflare's Logpush sends."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import ssl
import sys
import types
from pathlib import Path
from typing import Any

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

DOCUMENTATION = r"""
---
short_description: Receive alerts of Cloudflare Email Security from Cloudflare's Logpush
description:
  - Listens for the requests of a Logpush job for the dataset C(email_security_alerts) with an HTTP destination, and sends events. The
    body can also be a single alert or a list of alerts as JSON. The path of the URL is ignored.
  - Needs no token and sends no requests to Cloudflare. An alert says that a message was detected, not that it is in quarantine. The
    event source M(emailsec.cloudflare.quarantine) reads the quarantine itself.
  - Events have the same form as those of M(emailsec.cloudflare.quarantine). C(quarantine.ids) holds Message-IDs, because alerts have no
    other ID that can be released. If a message has no Message-ID, or one that could be mistaken for another ID, a path or a
    template, the first part of the alert ID is used, or else the message has no entry. C(quarantine.name) is a name that is always
    safe as a file name.
  - C(quarantine.decision) is the result of I(policy) and I(approval_policy) for the data in the alert. Let the playbook judge
    again, as it asks Cloudflare for the current state.
  - A request is confirmed once all its events are in the queue. Cloudflare sends unconfirmed requests again. An event for the same
    alert is sent only once, as long as the rulebook runs.
  - A client without the secret has ten seconds for its request. At most 256 connections of such clients are open at the same
    time. Each connection serves one request.
  - Text from strangers is made harmless, as in M(emailsec.cloudflare.quarantine).
options:
  account_id:
    description: ID of the Cloudflare account of the alerts. If not set, the environment variable E(CLOUDFLARE_ACCOUNT_ID) is used.
    type: str
  secret:
    description:
      - Secret that the header must contain, at least 16 characters. If not set, the environment variable
        E(CLOUDFLARE_LOGPUSH_SECRET) is used, which is the better place.
    type: str
  header:
    description: Name of the header with the secret. In the URL of the Logpush job, set it with C(header_X-Logpush-Secret=...).
    type: str
    default: X-Logpush-Secret
  host:
    description: Address to listen on.
    type: str
    default: 127.0.0.1
  port:
    description: Port to listen on.
    type: int
    required: true
  certfile:
    description:
      - Path of a PEM file with the certificate and its chain. Cloudflare requires HTTPS with a trusted certificate. Without this
        option, a proxy in front of the source must provide it.
    type: path
  keyfile:
    description: Path of a PEM file with the private key, if I(certfile) does not contain it.
    type: path
  max_bytes:
    description:
      - Maximum size of the unpacked body of a request in bytes, 1024 to 1073741824. Set C(max_upload_bytes) of the job to less.
      - Whatever its size, a request can have at most 10000 records with 1000000 values in total.
    type: int
    default: 16777216
  batch_size:
    description: Maximum number of messages in one event, 1 to 1000.
    type: int
    default: 50
  policy:
    description: Rules for messages to release without asking, as in the option I(policy) of M(emailsec.cloudflare.message_plan). A
      message that passes has the decision C(release). With an empty dictionary or null, the rules have their defaults. If not set,
      events have no decision.
    type: dict
  approval_policy:
    description: Rules for the remaining messages. A message that passes these rules but not I(policy) has the decision
      C(approval). By default, the default rules.
    type: dict
"""

EXAMPLES = r"""
- name: Alerts
  emailsec.cloudflare.logpush:
    account_id: "{{ emailsec.account_id }}"
    port: "{{ emailsec.port }}"
    policy: "{{ emailsec.policy }}"
    approval_policy: "{{ emailsec.approval_policy }}"
"""

_LOG = logging.getLogger("emailsec.cloudflare.logpush")
# Seconds for the body of a request to arrive
_BODY_TIMEOUT = 60.0
_MOST_AT_ONCE = 16


def _library(name: str) -> Any:
    """Import a module of the collection. ansible-rulebook runs this file by its path, without ansible_collections."""
    package = "emailsec_cloudflare"
    if package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(Path(__file__).parents[4] / "plugins" / "module_utils")]
    return importlib.import_module(f"{package}.{name}")


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Listen until the rulebook ends."""
    await _run(queue, args, _library("_events.connections").Limits(), _BODY_TIMEOUT)


async def _run(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any], limits: Any, body_timeout: float) -> None:
    """Listen until this is cancelled. body_timeout: seconds for the body of a request to arrive."""
    clock, input_error = _library("_clock").Clock(), _library("_errors").InputError
    warn = _library("_events.limited_warnings").LimitedWarnings(clock, _LOG.warning)
    receiver, secret, address = _library("_events.logpush_source").make_receiver(args, clock, _LOG.warning, warn)
    # One body at a time is in memory, and a few others wait. Cloudflare sends a refused request again.
    turn, places = asyncio.Lock(), asyncio.Semaphore(_MOST_AT_ONCE)

    async def answer(request: web.BaseRequest) -> web.Response:
        response = await take(request)
        response.force_close()  # Each connection is for one request.
        return response

    async def take(request: web.BaseRequest) -> web.Response:
        if not secret.admits(request.headers):
            return web.Response(status=401)
        if request.method != "POST":
            return web.Response(status=405)
        if places.locked():
            return web.Response(status=503)
        with connections.admitted(request.transport):
            async with places, turn:
                try:
                    return web.Response(text=f"{await send(request)} new\n")
                except _library("_events.alerts").TooMuchError as problem:
                    status, reason = 413, str(problem)
                except input_error as problem:
                    status, reason = 400, str(problem)
                except (asyncio.TimeoutError, ClientError, ConnectionError):
                    status, reason = 408, "the request did not arrive completely"
        # Cloudflare may send a refused request again. Otherwise its alerts are lost.
        warn(f"Requests were refused ({reason})")
        return web.Response(status=status, text=f"{reason}\n")

    async def send(request: web.BaseRequest) -> int:
        events = receiver.events(await asyncio.wait_for(_body(request, address.max_bytes), body_timeout))
        count = 0
        while event := await asyncio.to_thread(next, events, None):
            await queue.put(event)
            count += event["quarantine"]["count"]
        return count

    # The library unpacks bodies, within limits. There is no log of requests, because they are private.
    server = web.Server(answer, access_log=None, logger=_logger(warn), auto_decompress=False, lingering_time=0)
    connections = _library("_events.connections").Connections(server, limits, _tls(address, input_error), warn)
    try:
        listeners = _library("_events.connections").listen(address.host, address.port)
    except OSError as problem:
        raise input_error(f"cannot listen on {address.host} port {address.port} ({problem.strerror})") from None
    _LOG.info("Listening on %s port %d", address.host, address.port)
    try:
        await asyncio.gather(*map(connections.accept, listeners))
    finally:
        for listener in listeners:
            listener.close()
        await server.shutdown(1)
        await connections.close()


async def _body(request: web.BaseRequest, most: int) -> bytes:
    """Return the body of a request, or its first most + 1 bytes."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > most:
            break
    return bytes(body[: most + 1])


def _logger(warn: Any) -> logging.Logger:
    """Return the logger for aiohttp. It counts requests that are not HTTP, and logs anything else with its traceback."""

    def is_failure(record: logging.LogRecord) -> bool:
        problem = record.exc_info and record.exc_info[1]
        if problem and not isinstance(problem, HttpProcessingError):
            return True
        warn("Requests were refused because they are not valid HTTP")
        return False

    logger = logging.Logger(f"{_LOG.name}.http")
    logger.parent = _LOG
    logger.addFilter(is_failure)
    return logger


def _tls(address: Any, input_error: type[Exception]) -> ssl.SSLContext | None:
    if not address.certfile:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(address.certfile, address.keyfile or None, password="")  # never asks for one
    except OSError as problem:  # also for wrong contents
        raise input_error(f"certfile and keyfile cannot be used ({problem.strerror or problem})") from None
    return context


if __name__ == "__main__":

    class _Printer:
        async def put(self, event: dict[str, Any]) -> None:
            """Show an event."""
            print(event)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(_Printer(), {"port": 5080}))  # type: ignore[arg-type]
