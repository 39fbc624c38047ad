# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP surface: routes, and the layers around them (log, credentials, errors)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from . import handlers
from .errors import Refused
from .handlers import STORE
from .show import BASE
from .store import Logged, Store

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TOKEN = web.AppKey("token", str)
_PRODUCT = {"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}


def create_app(store: Store, token: str) -> web.Application:
    """The whole server."""
    app = web.Application(middlewares=[record, errors, authenticate])
    app[STORE], app[TOKEN] = store, token
    one, many, part = "/{endpoint}/{id:[0-9]+}/", "/{endpoint}/", "/{endpoint}/{id:[0-9]+}/{name}/"
    role = "/roles/{id:[0-9]+}/{kind:users|teams}/"
    for method, path, handler in (
        ("GET", "/ping/", handlers.ping),
        ("GET", "/project_updates/{id:[0-9]+}/", handlers.project_update),
        ("GET", role, handlers.members),
        ("POST", role, handlers.grant),
        ("GET", many, handlers.find_all),
        ("POST", many, handlers.create),
        ("GET", one, handlers.get),
        ("PATCH", one, handlers.change),
        ("DELETE", one, handlers.delete),
        ("GET", part, handlers.related),
        ("POST", part, handlers.relate),
        ("DELETE", part, handlers.unrelate),
    ):
        app.router.add_route(method, BASE + path, handler)
    return app


@web.middleware
async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write the request down, whatever becomes of it."""
    text = await request.text()
    response = await handler(request)
    response.headers.update(_PRODUCT)
    body = json.loads(text) if text else None
    request.app[STORE].log.append(Logged(request.method, request.path, request.query_string, body, response.status))
    return response


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with JSON also when something is refused."""
    try:
        return await handler(request)
    except Refused as refused:
        return web.json_response(refused.body, status=refused.status)
    except web.HTTPException as problem:
        return web.json_response({"detail": problem.reason}, status=problem.status)


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let nobody in without the token, but to /ping/."""
    given = request.headers.get("Authorization")
    if given != f"Bearer {request.app[TOKEN]}" and request.path != f"{BASE}/ping/":
        problem = "Authentication credentials were not provided." if given is None else "Invalid token."
        raise Refused(401, {"detail": problem})
    return await handler(request)
