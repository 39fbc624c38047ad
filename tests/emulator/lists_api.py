# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The endpoints of the settings lists, made from their table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web

from .credentials import Need
from .envelope import ApiError, answer, bad_request, envelope, error
from .handlers import json_body, numbered_page
from .keys import QUERY, WORLD
from .lists import KINDS, Entry, Kind, List, body_flaw

_PAGING = frozenset({"page", "per_page", "order", "direction", "search"})
_LARGEST = 1000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes() -> Iterator[tuple[str, str, str, Need, Handler]]:
    """Name, method, path, need and handler of every endpoint of every list."""
    for kind in KINDS.values():
        one = f"{kind.path}/{{{kind.item}}}"
        yield f"list_{kind.name}", "GET", kind.path, "read", _list(kind)
        yield f"create_{kind.name}", "POST", kind.path, "write", _single(kind, "posts")
        if kind.batch:
            yield f"batch_{kind.name}", "POST", f"{kind.path}/batch", "write", _batch(kind)
        yield f"get_{kind.name}", "GET", one, "read", _get(kind)
        yield f"edit_{kind.name}", "PATCH", one, "write", _single(kind, "patches")
        if kind.replace:
            yield f"replace_{kind.name}", "PUT", one, "write", _single(kind, "puts")
        yield f"delete_{kind.name}", "DELETE", one, "write", _single(kind, "deletes")


def _list_of(request: web.Request, kind: Kind) -> List:
    return request.app[WORLD].list_of(kind.name, request.match_info["account_id"])


def _list(kind: Kind) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        query = request[QUERY]
        entries = _list_of(request, kind).seen(request.app[WORLD].clock.now())
        for name in query.keys() - _PAGING:
            entries = [entry for entry in entries if entry.get(name) == query[name]]
        if words := query.get("search", "").lower():
            entries = [entry for entry in entries if any(words in text.lower() for text in _texts(entry))]
        order = query.get("order", "created_at")
        entries = sorted(entries, key=lambda entry: str(entry.get(order)), reverse=query.get("direction") == "desc")
        return numbered_page(entries, query)

    return handler


def _texts(entry: Entry) -> list[str]:
    return [entry[name] for name in ("pattern", "name", "email", "domain", "comments") if entry.get(name)]


def _get(kind: Kind) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        found = _list_of(request, kind).seen(request.app[WORLD].clock.now())
        wanted = request.match_info[kind.item]
        for entry in found:
            if entry["id"] == wanted:
                return answer(envelope(entry))
        raise ApiError(404, error(1001, f"entry {wanted} not found"))

    return handler


def _single(kind: Kind, operation: str) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        order = {} if operation == "deletes" else await json_body(request)
        if wrong := body_flaw(kind, operation, order):
            raise bad_request(wrong[1], wrong[0])
        if operation != "posts":
            order = {**order, "id": request.match_info[kind.item]}
        try:
            done = _carry_out(request, kind, {operation: [order]})
        except ApiError as refused:
            for entry in refused.errors:
                if "source" in entry:
                    entry["source"]["pointer"] = entry["source"]["pointer"].removeprefix(f"/{operation}/0")
            raise
        return answer(envelope(done[operation][0]), 201 if operation == "posts" else 200)

    return handler


def _batch(kind: Kind) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        body = await json_body(request)
        for name in kind.batch:
            if not isinstance(body, dict) or not isinstance(body.get(name), list):
                raise bad_request(f"{name} must be an array", f"/{name}")
            if len(body[name]) > _LARGEST:
                raise bad_request(f"{name} has more than {_LARGEST} entries", f"/{name}")
            for index, order in enumerate(body[name]):
                if name != "posts" and not (isinstance(order, dict) and isinstance(order.get("id"), str)):
                    raise bad_request("id is missing", f"/{name}/{index}/id")
                if wrong := body_flaw(kind, name, order):
                    raise bad_request(wrong[1], f"/{name}/{index}{wrong[0]}")
        if unknown := body.keys() - set(kind.batch):
            raise bad_request("unknown member", f"/{min(unknown)}")
        done = _carry_out(request, kind, body)
        return answer(envelope({name: done[name] for name in kind.batch}))

    return handler


def _carry_out(request: web.Request, kind: Kind, body: dict[str, Any]) -> dict[str, list[Entry]]:
    world = request.app[WORLD]
    return _list_of(request, kind).change(body, world.clock.now(), world.settings.state_lag)
