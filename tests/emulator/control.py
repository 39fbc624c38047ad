# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The control interface below /__emulator, for tests in other processes. README.md documents it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from .envelope import answer
from .keys import WORLD
from .mail import Message
from .submissions import review
from .world import World

routes = web.RouteTableDef()


def control(world: World) -> web.Application:
    """The application that serves it."""
    app = web.Application(middlewares=[mistakes], client_max_size=2**26)
    app[WORLD] = world
    app.add_routes(routes)
    return app


@web.middleware
async def mistakes(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer a wrong order with 400 and the reason."""
    try:
        return await handler(request)
    except (msgspec.ValidationError, ValueError, TypeError, KeyError) as problem:
        return answer({"error": f"{type(problem).__name__}: {problem}"}, 400)


@routes.get("/")
async def overview(request: web.Request) -> web.Response:
    """Accounts and credentials, with their secrets."""
    return answer(describe(request.app[WORLD]))


@routes.get("/requests")
async def requests(request: web.Request) -> web.Response:
    """The log, optionally of one ?route= only."""
    route = request.query.get("route")
    log = request.app[WORLD].requests
    return answer([entry.as_json() for entry in log if route in (None, entry.route)])


@routes.delete("/requests")
async def forget_requests(request: web.Request) -> web.Response:
    """Empty the log."""
    request.app[WORLD].requests = []
    return answer({})


@routes.get("/deliveries")
async def deliveries(request: web.Request) -> web.Response:
    """Copies per message and recipient, and each delivery in order."""
    world = request.app[WORLD]
    counts: dict[str, dict[str, int]] = {}
    for (message_id, recipient), number in world.delivered().items():
        counts.setdefault(message_id, {})[recipient] = number
    return answer({"counts": counts, "log": msgspec.to_builtins(world.deliveries)})


@routes.get("/messages")
async def messages(request: web.Request) -> web.Response:
    """The messages of ?account= (default: the first), newest first, as they really are."""
    world = request.app[WORLD]
    account = request.query.get("account", world.first_account)
    return answer([message_json(message) for message in world.accounts[account].mailbox])


@routes.post("/messages")
async def add_messages(request: web.Request) -> web.Response:
    """Add messages; the body is one or a list of them."""
    world = request.app[WORLD]
    orders = await request.json()
    added = [world.add_message(**order) for order in (orders if isinstance(orders, list) else [orders])]
    return answer([message_json(message) for message in added])


@routes.patch("/messages/{id}")
async def enter(request: web.Request) -> web.Response:
    """Let a message enter a state as if somebody else had acted, or get another verdict, now or `after` seconds."""
    world, message_id = request.app[WORLD], request.match_info["id"]
    order = await request.json()
    if "disposition" in order:
        world.judge(message_id, order["disposition"], order.get("after", 0.0))
        review(world)
    else:
        world.enter(message_id, order["state"])
    return answer(message_json(world.find(message_id)))


@routes.delete("/messages/{id}")
async def remove(request: web.Request) -> web.Response:
    """Forget a message."""
    request.app[WORLD].remove(request.match_info["id"])
    return answer({})


@routes.post("/outcomes")
async def script(request: web.Request) -> web.Response:
    """Fix the outcomes of the next releases of messages: {id: [outcome, ...]}."""
    for message_id, outcomes in (await request.json()).items():
        request.app[WORLD].script(message_id, *outcomes)
    return answer({})


@routes.get("/moves")
async def moves(request: web.Request) -> web.Response:
    """Every message that was moved in a mailbox, in order."""
    return answer(msgspec.to_builtins(request.app[WORLD].moves))


@routes.post("/moves")
async def script_moves(request: web.Request) -> web.Response:
    """Fix the outcomes of the next moves of messages: {id: [outcome, ...]}."""
    for message_id, outcomes in (await request.json()).items():
        request.app[WORLD].script_move(message_id, *outcomes)
    return answer({})


@routes.get("/submissions")
async def submissions(request: web.Request) -> web.Response:
    """All submissions as they truly are, oldest first."""
    world = request.app[WORLD]
    review(world)
    return answer([{"account": submission.account, **submission.view()} for submission in world.submissions])


@routes.post("/fates")
async def destine(request: web.Request) -> web.Response:
    """Fix what becomes of the next submissions of messages: {id: [fate, ...]}."""
    for message_id, fates in (await request.json()).items():
        request.app[WORLD].destine(message_id, *fates)
    return answer({})


@routes.get("/lists/{kind}")
async def entries(request: web.Request) -> web.Response:
    """The entries of a settings list of ?account= (default: the first), the oldest first."""
    return answer(request.app[WORLD].list_of(request.match_info["kind"], request.query.get("account")).entries)


@routes.post("/lists/{kind}")
async def add_entries(request: web.Request) -> web.Response:
    """Put entries into a settings list, also such as the API would refuse; the body is a list of them."""
    account = request.query.get("account")
    return answer(request.app[WORLD].add_entries(request.match_info["kind"], *await request.json(), account=account))


@routes.get("/faults")
async def faults(request: web.Request) -> web.Response:
    """The faults with their counters."""
    return answer(request.app[WORLD].faults.as_json())


@routes.post("/faults")
async def add_faults(request: web.Request) -> web.Response:
    """Order faults; the body is one or a list of them."""
    world = request.app[WORLD]
    orders = await request.json()
    for order in orders if isinstance(orders, list) else [orders]:
        world.faults.add(**order)
    return answer(world.faults.as_json())


@routes.delete("/faults")
async def clear_faults(request: web.Request) -> web.Response:
    """Take all faults back."""
    request.app[WORLD].faults.clear()
    return answer([])


@routes.get("/settings")
async def settings(request: web.Request) -> web.Response:
    """All settings."""
    return answer(msgspec.to_builtins(request.app[WORLD].settings))


@routes.patch("/settings")
async def configure(request: web.Request) -> web.Response:
    """Change some settings."""
    world = request.app[WORLD]
    world.configure(**await request.json())
    return answer(msgspec.to_builtins(world.settings))


@routes.post("/clock")
async def advance(request: web.Request) -> web.Response:
    """Move the time forward: {"advance": seconds}."""
    clock = request.app[WORLD].clock
    clock.advance((await request.json())["advance"])
    return answer({"now": clock.now()})


@routes.post("/reset")
async def reset(request: web.Request) -> web.Response:
    """Back to the beginning."""
    request.app[WORLD].reset()
    return answer({})


def message_json(message: Message) -> dict[str, Any]:
    """A message for tests: what identifies it, and its true state."""
    return {
        "id": message.id,
        "postfix_id": message.postfix_id,
        "alert_id": message.alert_id,
        "message_id": message.message_id,
        "subject": message.subject,
        "sender": message.sender,
        "recipients": list(message.recipients),
        "disposition": message.disposition,
        "is_quarantined": message.is_quarantined,
        "delivery_status": list(message.state.delivery_status),
        "operations": message.state.operations,
        "folders": message.folders,
    }


def describe(world: World) -> dict[str, Any]:
    """The accounts and credentials of a world."""
    return {
        "accounts": [
            {"id": account.id, "name": account.name, "domain": account.domain} for account in world.accounts.values()
        ],
        "credentials": {
            name: {"kind": credential.kind, "status": credential.status, **credential.environment}
            for name, credential in world.credentials.items()
        },
    }
