# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The HTTP surface: routes, and the layers around them (log, faults, errors, admission)."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable
from email.utils import format_datetime

from aiohttp import web

from . import contract, handlers
from .clock import utc
from .control import control
from .credentials import Need, authenticate, authorize, present
from .envelope import JSON, ApiError, bad_request, no_route
from .keys import CREDENTIAL, QUERY, RECORD, WORLD
from .lists_api import routes
from .records import Request
from .submissions import review
from .world import World

BASE = "/client/v4"
_MAIL = "/accounts/{account_id}/email-security/investigate"
_SUBMISSIONS = "/accounts/{account_id}/email-security/submissions"
_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_SECRETS = frozenset({"authorization", "x-auth-key", "cookie"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Name, method, path as in the contract, what the credential needs, handler
ROUTES: tuple[tuple[str, str, str, Need, Handler], ...] = (
    ("accounts", "GET", "/accounts", "active", handlers.accounts),
    ("verify_user", "GET", "/user/tokens/verify", "identity", handlers.verify),
    ("verify_account", "GET", "/accounts/{account_id}/tokens/verify", "identity", handlers.verify),
    ("search", "GET", _MAIL, "read", handlers.find),
    ("release", "POST", f"{_MAIL}/release", "write", handlers.release),
    ("bulk_move", "POST", f"{_MAIL}/move", "write", handlers.move),
    ("get", "GET", f"{_MAIL}/{{investigate_id}}", "read", handlers.get),
    ("action_log", "GET", f"{_MAIL}/{{investigate_id}}/action_log", "read", handlers.action_log),
    ("detections", "GET", f"{_MAIL}/{{investigate_id}}/detections", "read", handlers.detections),
    ("trace", "GET", f"{_MAIL}/{{investigate_id}}/trace", "read", handlers.trace),
    ("raw", "GET", f"{_MAIL}/{{investigate_id}}/raw", "read", handlers.raw),
    ("preview", "GET", f"{_MAIL}/{{investigate_id}}/preview", "read", handlers.preview),
    ("move", "POST", f"{_MAIL}/{{investigate_id}}/move", "write", handlers.move),
    ("reclassify", "POST", f"{_MAIL}/{{investigate_id}}/reclassify", "write", handlers.reclassify),
    ("submissions", "GET", _SUBMISSIONS, "read", handlers.submissions),
    ("submit", "POST", _SUBMISSIONS, "write", handlers.submit),
    *routes(),
)
_NEEDS: dict[str | None, Need] = {name: need for name, _, _, need, _ in ROUTES}


def create_app(world: World) -> web.Application:
    """The whole server: the API below /client/v4, the control interface below /__emulator."""
    api = web.Application(middlewares=[record, fault, errors, admission], client_max_size=2**26)
    for name, method, path, _, handler in ROUTES:
        api.router.add_route(method, path, handler, name=name)
    api.on_response_prepare.append(edge_headers)
    api[WORLD] = world
    app = web.Application()
    app.add_subapp(BASE, api)
    app.add_subapp("/__emulator", control(world))
    return app


class Unanswered(web.Response):
    """Stands for no answer: the connection is closed already."""


@web.middleware
async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write the request down, whatever becomes of it."""
    world = request.app[WORLD]
    number = next(world.numbers)
    credential = present(request.headers, world.credentials.values())
    entry = Request(
        number=number,
        connection=world.connections.setdefault(request.transport, number) if request.transport else number,
        time=world.clock.now(),
        method=request.method,
        host=request.host,
        path=request.raw_path.partition("?")[0],
        query=list(request.query.items()),
        credential=credential.name if credential else None,
        headers={name.lower(): value for name, value in request.headers.items() if name.lower() not in _SECRETS},
        body=await request.read(),
        route=request.match_info.route.name,
    )
    world.requests.append(entry)
    request[RECORD], request[CREDENTIAL] = entry, credential
    began = time.perf_counter()
    if world.settings.latency:
        await asyncio.sleep(world.settings.latency)
    try:
        response = await handler(request)
        entry.status = None if isinstance(response, Unanswered) else response.status
        return response
    finally:
        entry.seconds = time.perf_counter() - began


@web.middleware
async def fault(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Apply the fault that was ordered for the request, if any."""
    entry = request[RECORD]
    hit = request.app[WORLD].faults.strike(entry)
    if hit is None:
        return await handler(request)
    entry.fault = type(hit.effect).__name__.lower()
    response = await hit.effect.apply(request, lambda: handler(request))  # type: ignore[arg-type, return-value]
    if response is None:
        return Unanswered()
    return response


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put errors into the envelope."""
    try:
        return await handler(request)
    except ApiError as problem:
        return problem.response()
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return no_route(request.path.removeprefix(BASE)).response()


@web.middleware
async def admission(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Route, credential, rate limit, permission and query, in this order."""
    world, entry = request.app[WORLD], request[RECORD]
    if request.match_info.http_exception is not None:
        return await handler(request)
    account = request.match_info.get("account_id")
    if account is not None and not _ACCOUNT.fullmatch(account):
        raise no_route(request.path.removeprefix(BASE))
    credential = authenticate(request.headers, request[CREDENTIAL])
    world.limits.count(credential.name, world.clock.now(), world.settings)
    authorize(credential, _NEEDS[entry.route], account, world.settings.forbidden_code)
    review(world)
    path = request.match_info.route.resource.canonical.removeprefix(BASE)  # type: ignore[union-attr]
    values, unknown, wrong = contract.read_query(request.method, path, entry.query)
    entry.violations += [f"{name}: not in the contract" for name in unknown] + wrong
    if unknown and world.settings.unknown_query == "refused":
        raise bad_request(f"{unknown[0]}: unknown query parameter")
    if wrong:
        raise bad_request(wrong[0])
    request[QUERY] = values
    return await handler(request)


async def edge_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What the edge adds to an answer: always cf-ray and the time, and on JSON how the credential stands."""
    world, credential = request.app[WORLD], request[CREDENTIAL]
    response.headers["Date"] = format_datetime(utc(world.clock.now()), usegmt=True)
    response.headers["cf-ray"] = f"{random.Random(request[RECORD].number).getrandbits(64):016x}-EMU"
    if response.content_type == JSON:
        name = credential.name if credential else ""
        response.headers.update(world.limits.headers(name, world.clock.now(), world.settings))
