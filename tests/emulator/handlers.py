# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The endpoints."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from . import contract
from .credentials import Credential, invalid_token
from .envelope import JSON, ApiError, answer, bad_request, envelope, error, no_message, no_route
from .keys import CREDENTIAL, QUERY, WORLD
from .mail import DETECTIONS, Action, Message, State
from .moves import Move
from .moves import read_body as read_move
from .release import Release
from .search import pending, search
from .submissions import listed
from .submissions import reclassify as reclassified
from .submissions import submit as submitted
from .views import action_view, detections_view, message_view, preview_view, raw_view, trace_view
from .world import World


async def accounts(request: web.Request) -> web.Response:
    """GET /accounts."""
    world, credential, query = _context(request)
    if credential.kind == "account":
        raise ApiError(400, error(1001, "List accounts endpoint does not support account owned tokens."))
    found = [
        {"id": account.id, "name": account.name, "type": "enterprise", "settings": {}}
        for account in world.accounts.values()
        if account.id in credential.accounts and query.get("name", account.name) == account.name
    ]
    found.sort(key=lambda account: str(account["name"]), reverse=query.get("direction") == "desc")
    return numbered_page(found, query)


async def verify(request: web.Request) -> web.Response:
    """GET /user/tokens/verify and /accounts/{account_id}/tokens/verify, each for its own kind of token."""
    _, credential, _ = _context(request)
    account = request.match_info.get("account_id")
    if credential.kind != ("user" if account is None else "account") or account not in (None, *credential.accounts):
        raise invalid_token()
    body = envelope({"id": credential.id, "status": credential.status})
    if credential.status == "active":
        body["messages"] = [{"code": 10000, "message": "This API Token is valid and active"}]
    return answer(body)


async def find(request: web.Request) -> web.Response:
    """GET investigate."""
    world, _, query = _context(request)
    poll = world.polls.get(query.get("cursor", ""))
    if poll is not None:
        if poll.left > 0:
            poll.left -= 1
            return pending(poll.location)
        query, _, _ = contract.read_query("get", "/accounts/{account_id}/email-security/investigate", poll.query)
    mailbox = world.accounts[request.match_info["account_id"]].mailbox
    found, info = search(mailbox, query, world.clock.now(), world.settings)
    views = [message_view(message, state, world.settings) for message, state in found]
    return answer(envelope(views, result_info=info))


async def get(request: web.Request) -> web.Response:
    """GET investigate/{investigate_id}."""
    world, _, query = _context(request)
    message, state = _message(request)
    if query.get("submission") and not message.is_phish_submission:
        raise no_message(message.id)
    return answer(envelope(message_view(message, state, world.settings)))


async def action_log(request: web.Request) -> web.Response:
    """GET investigate/{investigate_id}/action_log."""
    _, state = _message(request)
    return numbered_page([action_view(action) for action in state.actions], request[QUERY])


async def detections(request: web.Request) -> web.Response:
    """GET investigate/{investigate_id}/detections."""
    return answer(envelope(detections_view(*_message(request))))


async def trace(request: web.Request) -> web.Response:
    """GET investigate/{investigate_id}/trace."""
    return answer(envelope(trace_view(*_message(request))))


async def raw(request: web.Request) -> web.Response:
    """GET investigate/{investigate_id}/raw; only for a message with a detection."""
    return answer(envelope(raw_view(_detected(request))))


async def preview(request: web.Request) -> web.Response:
    """GET investigate/{investigate_id}/preview; only for a message with a detection. It is logged as an action."""
    world, credential, _ = _context(request)
    message = _detected(request)
    message.log(Action(operation="PREVIEW", at=world.clock.now(), requested_by=credential.email))
    return answer(envelope(preview_view(message)))


async def release(request: web.Request) -> web.Response:
    """POST investigate/release."""
    world, credential, _ = _context(request)
    body = await json_body(request)
    return answer(envelope(await Release(world, request.match_info["account_id"], credential.email).run(body)))


async def move(request: web.Request) -> web.Response:
    """POST investigate/move and investigate/{investigate_id}/move; mail in quarantine cannot be moved."""
    world, credential, _ = _context(request)
    body = await json_body(request)
    single = request.match_info.get("investigate_id")
    if single and (wrong := contract.flaw("MoveRequest", body)):
        raise bad_request(wrong[1], wrong[0])
    handles, kind = ([_message(request)[0].id], "investigate") if single else read_move(body, world.settings)
    moved = Move(world, request.match_info["account_id"], credential.email, body["destination"])
    return answer(envelope(moved.run(handles, kind)))


async def reclassify(request: web.Request) -> web.Response:
    """POST investigate/{investigate_id}/reclassify, deprecated."""
    world, credential, _ = _context(request)
    message, _ = _message(request)
    reclassified(world, request.match_info["account_id"], credential.email, message, await json_body(request))
    return answer(envelope({}), 202)


async def submit(request: web.Request) -> web.Response:
    """POST submissions."""
    world, credential, _ = _context(request)
    if not world.settings.post_submissions:
        raise no_route(request.path.removeprefix("/client/v4"))
    results = submitted(world, request.match_info["account_id"], credential.email, await json_body(request))
    return answer(envelope({"results": results}), 202)


async def submissions(request: web.Request) -> web.Response:
    """GET submissions."""
    world, _, query = _context(request)
    return numbered_page(listed(world, request.match_info["account_id"], query), query)


def _context(request: web.Request) -> tuple[World, Credential, dict[str, Any]]:
    credential = request[CREDENTIAL]
    assert credential is not None
    return request.app[WORLD], credential, request[QUERY]


def _message(request: web.Request, handle: str | None = None) -> tuple[Message, State]:
    """The message of the path or with that id, and its state as readers see it."""
    world = request.app[WORLD]
    handle = handle or request.match_info["investigate_id"]
    kind = "both" if world.settings.get_by_postfix_id else "investigate"
    message = world.accounts[request.match_info["account_id"]].mailbox.get(handle, kind)
    if message is None:
        raise no_message(handle)
    return message, message.seen(world.clock.now())


def _detected(request: web.Request) -> Message:
    message, _ = _message(request)
    if message.disposition not in DETECTIONS:
        raise no_message(message.id)
    return message


async def json_body(request: web.Request) -> Any:
    """The JSON that a request has as its body."""
    if request.content_type != JSON:
        raise bad_request("the content type must be application/json")
    try:
        return json.loads(await request.read())
    except ValueError:
        raise bad_request("the body is not JSON") from None


def numbered_page(items: list[Any], query: dict[str, Any]) -> web.Response:
    """One page of a list with page numbers."""
    page, per_page = query.get("page", 1), query.get("per_page", 20)
    shown = items[(page - 1) * per_page : page * per_page]
    info = {
        "page": page,
        "per_page": per_page,
        "count": len(shown),
        "total_count": len(items),
        "total_pages": -(-len(items) // per_page),
    }
    return answer(envelope(shown, result_info=info))
