# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from . import surveys
from .errors import Refused, invalid, not_found
from .finding import find, page
from .people import who
from .schema import LINKS, RESOURCES, SURVEYED
from .show import BASE, shown
from .store import Item, Store

STORE = web.AppKey("store", Store)
TOKEN = web.AppKey("token", str)


def user(request: web.Request) -> Item:
    """Who asks."""
    return who(request.app[STORE], request.app[TOKEN], request.headers.get("Authorization"))


async def ping(_request: web.Request) -> web.Response:
    """GET ping: the one thing that takes no credential."""
    return web.json_response({"version": "24.6.1", "active_node": "awx", "ha": False})


async def find_all(request: web.Request) -> web.Response:
    """GET a list."""
    store = request.app[STORE]
    items = find(store, _endpoint(request), request.query)
    return web.json_response(page([shown(store, item) for item in items], request.path, request.query))


async def create(request: web.Request) -> web.Response:
    """POST to a list."""
    store, endpoint = request.app[STORE], _endpoint(request)
    if endpoint not in RESOURCES or endpoint in ("workflow_approval_templates", "instances"):
        raise web.HTTPMethodNotAllowed(request.method, ["GET"])
    return web.json_response(shown(store, store.create(endpoint, await _body(request))), status=201)


async def get(request: web.Request) -> web.Response:
    """GET one object. A project gets on with its update meanwhile."""
    store, endpoint = request.app[STORE], _endpoint(request)
    item = store.item(endpoint, _id(request))
    if endpoint == "projects":
        store.go_on(item["id"])
    return web.json_response(shown(store, item))


async def change(request: web.Request) -> web.Response:
    """PATCH one object."""
    store, endpoint = request.app[STORE], _endpoint(request)
    return web.json_response(shown(store, store.change(endpoint, _id(request), await _body(request))))


async def delete(request: web.Request) -> web.Response:
    """DELETE one object. Inventories go later, in the background."""
    endpoint = _endpoint(request)
    request.app[STORE].delete(endpoint, _id(request))
    if endpoint == "inventories":
        request.app[STORE].slow_removals = 2
    return web.Response(status=202 if endpoint == "inventories" else 204)


async def related(request: web.Request) -> web.Response:
    """GET a related list, or a survey."""
    store, endpoint, number, name = _related(request)
    if name == "survey_spec" and endpoint in SURVEYED:
        return web.json_response(store.surveys.get((endpoint, number), {}))
    target = _target(endpoint, name)
    items = [shown(store, store.item(target, each)) for each in store.listed(endpoint, number, name)]
    return web.json_response(page(items, request.path, request.query))


async def relate(request: web.Request) -> web.Response:
    """POST to a related list: associate, or disassociate; and what else can be done with an object."""
    store, endpoint, number, name = _related(request)
    body = await _body(request)
    if name == "survey_spec" and endpoint in SURVEYED:
        surveys.check(body)
        store.surveys[endpoint, number] = body
        return web.Response(status=200)
    if name == "create_approval_template" and endpoint == "workflow_job_template_nodes":
        item = store.create("workflow_approval_templates", body)
        store.items[endpoint][number]["unified_job_template"] = item["id"]
        return web.json_response(shown(store, item), status=201)
    if name == "update" and endpoint == "projects":
        update = store.start_update(store.item(endpoint, number))
        return web.json_response(update | {"url": f"{BASE}/project_updates/{update['id']}/"}, status=202)
    target = _target(endpoint, name)
    if not isinstance(body.get("id"), int):
        raise Refused(400, {"msg": '"id" field must be an integer.'})
    store.item(target, body["id"])
    ids = store.listed(endpoint, number, name)
    if body.get("disassociate"):
        ids[:] = [each for each in ids if each != body["id"]]
    elif body["id"] not in ids:
        _check_link(store, number, name, body["id"])
        ids.append(body["id"])
    return web.Response(status=204)


async def unrelate(request: web.Request) -> web.Response:
    """DELETE a survey."""
    store, endpoint, number, name = _related(request)
    if name != "survey_spec" or endpoint not in SURVEYED:
        raise not_found()
    store.surveys.pop((endpoint, number), None)
    return web.Response(status=200)


async def project_update(request: web.Request) -> web.Response:
    """GET the update of a project, which gets on meanwhile."""
    store = request.app[STORE]
    update = store.updates.get(int(request.match_info["id"]))
    if update is None:
        raise not_found()
    store.go_on(update["project"])
    failed = update["status"] == "failed"
    view = update | {
        "type": "project_update",
        "failed": failed,
        "finished": update["status"] in ("successful", "failed"),
    }
    return web.json_response(view | {"scm_revision": store.items["projects"][update["project"]]["scm_revision"]})


async def members(request: web.Request) -> web.Response:
    """GET who has a role, users or teams."""
    store, role, kind = _role(request)
    items = [shown(store, store.item(kind, each)) for each in store.members.get((role, kind), [])]
    return web.json_response(page(items, request.path, request.query))


async def grant(request: web.Request) -> web.Response:
    """POST who is to have a role, or not any more."""
    store, role, kind = _role(request)
    body = await _body(request)
    number = store.item(kind, body["id"])["id"]
    had = [each for each in store.members.get((role, kind), []) if each != number]
    store.members[role, kind] = had if body.get("disassociate") else [*had, number]
    return web.Response(status=204)


def _check_link(store: Store, number: int, name: str, other: int) -> None:
    """Refuse a second link between two nodes, and a circle of nodes."""
    if name not in LINKS:
        return
    nodes = "workflow_job_template_nodes"
    if any(other in store.listed(nodes, number, each) for each in LINKS):
        raise Refused(400, {"Error": "Relationship not allowed."})
    seen, ahead = set(), [other]
    while ahead:
        node = ahead.pop()
        seen.add(node)
        ahead += [each for link in LINKS for each in store.listed(nodes, node, link) if each not in seen]
    if number in seen:
        raise Refused(400, {"Error": "Cycle detected."})


def _endpoint(request: web.Request) -> str:
    endpoint = request.match_info["endpoint"]
    if endpoint not in RESOURCES and endpoint != "unified_job_templates":
        raise not_found()
    return endpoint


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


def _related(request: web.Request) -> tuple[Store, str, int, str]:
    store, endpoint, number = request.app[STORE], _endpoint(request), _id(request)
    store.item(endpoint, number)
    return store, endpoint, number, request.match_info["name"]


def _target(endpoint: str, name: str) -> str:
    try:
        return RESOURCES[endpoint].lists[name]
    except KeyError:
        raise not_found() from None


def _role(request: web.Request) -> tuple[Store, int, str]:
    store, role = request.app[STORE], _id(request)
    if not any(role in roles.values() for roles in store.roles.values()):
        raise not_found()
    return store, role, request.match_info["kind"]


async def _body(request: web.Request) -> Item:
    try:
        body: Any = json.loads(await request.text())
    except ValueError:
        raise Refused(400, {"detail": "JSON parse error"}) from None
    if not isinstance(body, dict):
        raise invalid("non_field_errors", "Invalid data. Expected a dictionary.")
    return body
