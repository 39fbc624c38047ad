# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source that takes alerts of Cloudflare Email Security, which Cloudflare's Logpush sends to it."""

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
short_description: Take alerts of Cloudflare Email Security from Cloudflare's Logpush
description:
  - Listens for the requests of a Logpush job of the dataset C(email_security_alerts) with an HTTP destination, and puts events
    into the queue. One alert as JSON, or a list of them, is taken as well. The path of the URL does not matter.
  - Needs no token and asks Cloudflare nothing. An alert says that a message was detected, not that it is in quarantine; the
    event source M(emailsec.cloudflare.quarantine) knows that.
  - Events have the shape of those of M(emailsec.cloudflare.quarantine). C(quarantine.ids) has Message-IDs, as alerts have no
    other id that a release takes. Where a message has none, or one that could be taken for another id, a path or a template, it has
    what the id of the alert begins with, or no entry. C(quarantine.name) is a safe name for files.
  - C(quarantine.decision) is what I(policy) and I(approval_policy) make of what the alert tells. Have the playbook judge again;
    it asks Cloudflare what is true.
  - A request is confirmed once all its events are in the queue. What is not confirmed, Cloudflare sends again, and an alert
    that comes again is told of once, as long as the rulebook runs.
  - A client without the secret has ten seconds for its request, and at most 256 connections of such clients are open at the same
    time. Each connection is for one request.
  - Text that strangers wrote is inert, as with M(emailsec.cloudflare.quarantine).
options:
  account_id:
    description: The Cloudflare account that the alerts are of. If not set, the environment variable E(CLOUDFLARE_ACCOUNT_ID).
    type: str
  secret:
    description:
      - What the header must hold, 16 characters or more. If not set, the environment variable E(CLOUDFLARE_LOGPUSH_SECRET), which
        is the better place.
    type: str
  header:
    description: Name of the header with the secret. In the URL of the job it is given as C(header_X-Logpush-Secret=...).
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
      - PEM file with the certificate and those that it is signed with. Cloudflare wants HTTPS with a certificate that is trusted;
        without this, something before it has to provide that.
    type: path
  keyfile:
    description: PEM file with the certificate's key, if I(certfile) does not have it.
    type: path
  max_bytes:
    description:
      - How large the body of a request may be, unpacked, 1024 to 1073741824. Give the job a smaller C(max_upload_bytes).
      - A request may have up to 10000 records with 1000000 values in all, whatever its size.
    type: int
    default: 16777216
  batch_size:
    description: How many messages one event may tell of, 1 to 1000.
    type: int
    default: 50
  policy:
    description: Rules of the option I(policy) of M(emailsec.cloudflare.message_plan). What they let pass is C(release).
    type: dict
  approval_policy:
    description: Likewise; what they let pass, and I(policy) does not, is C(approval). By default the default rules.
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
# Seconds that the body of a request may take to arrive
_PATIENCE = 60.0
_MOST_AT_ONCE = 16


def _library(name: str) -> Any:
    """Import a module of the collection. ansible-rulebook runs this file by its path, and knows no ansible_collections."""
    package = "emailsec_cloudflare"
    if package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(Path(__file__).parents[4] / "plugins" / "module_utils")]
    return importlib.import_module(f"{package}.{name}")


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Listen until the rulebook ends."""
    await _run(queue, args, _library("_events.door").Limits(), _PATIENCE)


async def _run(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any], limits: Any, patience: float) -> None:
    """Listen until cancelled. patience: seconds that the body of a request may take to arrive."""
    clock, input_error = _library("_clock").Clock(), _library("_errors").InputError
    seldom = _library("_events.seldom").Seldom(clock, _LOG.warning)
    receiver, gate, address = _library("_events.push_source").make_receiver(args, clock, _LOG.warning, seldom)
    # One body at a time is in memory. A few others wait on the wire; Cloudflare sends again what is turned away.
    turn, places = asyncio.Lock(), asyncio.Semaphore(_MOST_AT_ONCE)

    async def answer(request: web.BaseRequest) -> web.Response:
        response = await take(request)
        response.force_close()  # One request is all that a connection is for.
        return response

    async def take(request: web.BaseRequest) -> web.Response:
        if not gate.admits(request.headers):
            return web.Response(status=401)
        if request.method != "POST":
            return web.Response(status=405)
        if places.locked():
            return web.Response(status=503)
        with door.admitted(request.transport):
            async with places, turn:
                try:
                    return web.Response(text=f"{await tell(request)} new\n")
                except _library("_events.alerts").TooMuchError as problem:
                    status, reason = 413, str(problem)
                except input_error as problem:
                    status, reason = 400, str(problem)
                except (asyncio.TimeoutError, ClientError, ConnectionError):
                    status, reason = 408, "the request did not arrive as a whole"
        # What was refused is lost, or Cloudflare sends it again.
        seldom(f"Requests were refused ({reason})")
        return web.Response(status=status, text=f"{reason}\n")

    async def tell(request: web.BaseRequest) -> int:
        events = receiver.events(await asyncio.wait_for(_body(request, address.max_bytes), patience))
        told = 0
        while event := await asyncio.to_thread(next, events, None):
            await queue.put(event)
            told += event["quarantine"]["count"]
        return told

    # Bodies are unpacked elsewhere, within bounds. Nothing is kept of requests, as what they hold is private.
    server = web.Server(answer, access_log=None, logger=_logger(seldom), auto_decompress=False, lingering_time=0)
    door = _library("_events.door").Door(server, limits, _tls(address, input_error), seldom)
    try:
        listeners = _library("_events.door").listen(address.host, address.port)
    except OSError as problem:
        raise input_error(f"{address.host} port {address.port} cannot be listened on ({problem.strerror})") from None
    _LOG.info("Listening on %s port %d", address.host, address.port)
    try:
        await asyncio.gather(*map(door.accept, listeners))
    finally:
        for listener in listeners:
            listener.close()
        await server.shutdown(1)
        await door.close()


async def _body(request: web.BaseRequest, most: int) -> bytes:
    """Return the body of a request, but no more than a byte too many."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > most:
            break
    return bytes(body[: most + 1])


def _logger(seldom: Any) -> logging.Logger:
    """Return what aiohttp writes to. That somebody sends what is no HTTP is counted; anything else is worth a traceback."""

    def is_failure(record: logging.LogRecord) -> bool:
        problem = record.exc_info and record.exc_info[1]
        if problem and not isinstance(problem, HttpProcessingError):
            return True
        seldom("Requests were refused that are not valid HTTP")
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
        context.load_cert_chain(address.certfile, address.keyfile or None, password="")  # asks nobody for one
    except OSError as problem:  # among them what is wrong with the files' contents
        raise input_error(f"certfile and keyfile cannot be used ({problem.strerror or problem})") from None
    return context


if __name__ == "__main__":

    class _Printer:
        async def put(self, event: dict[str, Any]) -> None:
            """Show an event."""
            print(event)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(_Printer(), {"port": 5080}))  # type: ignore[arg-type]
