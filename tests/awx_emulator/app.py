# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP surface: routes, and the layers around them (log, credentials, errors)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from . import handlers, running
from .errors import Refused
from .handlers import STORE, TOKEN, user
from .people import forbidden, may
from .show import BASE
from .store import Logged, Store

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PRODUCT = {"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}


def create_app(store: Store, token: str) -> web.Application:
    """The whole server."""
    app = web.Application(middlewares=[record, errors, authenticate])
    app[STORE], app[TOKEN] = store, token
    one, many, part = "/{endpoint}/{id:[0-9]+}/", "/{endpoint}/", "/{endpoint}/{id:[0-9]+}/{name}/"
    role = "/roles/{id:[0-9]+}/{kind:users|teams}/"
    records = "/{records:jobs|workflow_jobs|workflow_approvals}/{id:[0-9]+}/"
    for method, path, handler in (
        ("GET", "/ping/", handlers.ping),
        ("POST", "/{endpoint:job_templates|workflow_job_templates}/{id:[0-9]+}/launch/", running.launch),
        ("GET", records, running.look),
        ("GET", records + "stdout/", running.stdout),
        ("GET", records + "workflow_nodes/", running.nodes),
        ("POST", records + "cancel/", running.cancel),
        ("POST", records + "relaunch/", running.relaunch),
        ("POST", records + "{answer:approve|deny}/", running.answer),
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
    """Let nobody in who is not known, but to /ping/, and let only the administrator set up anything."""
    if request.path == f"{BASE}/ping/":
        return await handler(request)
    store = request.app[STORE]
    person = user(request)
    # What runs has rules of its own. Of the rest, others may see the templates that they have a role on.
    parts = request.match_info
    if _is_of_the_setup(request) and person["username"] != "admin":
        one = request.method == "GET" and "id" in parts and "endpoint" in parts
        if not one or not may(store, person, "read", parts["endpoint"], int(parts["id"])):
            raise forbidden()
    return await handler(request)


def _is_of_the_setup(request: web.Request) -> bool:
    """Whether a request is for what was set up, and not for what runs."""
    return "records" not in request.match_info and not request.path.endswith("/launch/")
