# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong between the module and Cloudflare: each function draws one kind of trouble as orders for faults."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from emulator.mangling import KINDS

Order = dict[str, Any]
# Spoiled answers that hide which messages there are, without a sign that they do.
SILENT = ("half", "foreign_ids", "without_ids", "wrong_types")
TIMEOUT = 1.5  # seconds of the module's option
STORMY = 0.2  # how many of all requests fail in bad weather
LATE = 1.8  # seconds: longer than the module waits, and over long before it would send again


def _hits(rnd: random.Random) -> Order:
    return {"times": rnd.randint(1, 3), "skip": rnd.randint(0, 2)}


def rate_limit(rnd: random.Random) -> Order:
    """HTTP 429, with the seconds to wait, a date, or neither."""
    told = rnd.choice([{"retry_after": 1}, {"retry_after": 0}, {"retry_after_date": 1}, {}])
    body = rnd.choice(["json", "html"])
    return {"action": "status", "status": 429, "code": 971, "body": body, "route": _route(rnd), **told, **_hits(rnd)}


def server_error(rnd: random.Random) -> Order:
    """An error of the server or the edge, before or after the work."""
    return {
        "action": "status",
        "status": rnd.choice([500, 502, 503, 504, 520, 524]),
        "body": rnd.choice(["html", "html", "json", "text", "empty"]),
        "when": rnd.choice(["before", "after"]),
        "route": _route(rnd),
        **_hits(rnd),
    }


def cut(rnd: random.Random) -> Order:
    """The connection is closed or reset without an answer."""
    when = rnd.choice(["before", "after"])
    return {"action": "cut", "when": when, "reset": rnd.random() < 0.5, "route": _route(rnd), **_hits(rnd)}


def truncate(rnd: random.Random) -> Order:
    """The connection is closed in the middle of the answer."""
    return {"action": "truncate", "chunked": rnd.random() < 0.5, "route": _route(rnd), **_hits(rnd)}


def hang(rnd: random.Random) -> Order:
    """No answer as long as the module waits."""
    when = rnd.choice(["before", "after"])
    return {
        "action": "hang",
        "when": when,
        "seconds": 10,
        "route": _route(rnd),
        "times": rnd.randint(1, 2),
        "skip": rnd.randint(0, 2),
    }


def delay(rnd: random.Random) -> Order:
    """The work is done when the module has given up waiting."""
    return {"action": "delay", "seconds": LATE, "route": "release", **_hits(rnd)}


def drip(rnd: random.Random) -> Order:
    """The answer comes in small parts."""
    return {"action": "drip", "size": 64, "pause": 0.05, "route": _route(rnd), "times": 1, "skip": rnd.randint(0, 2)}


def mangle(rnd: random.Random) -> Order:
    """The work is done, and the answer is spoiled."""
    return {"action": "mangle", "kind": rnd.choice(KINDS), "route": "release", **_hits(rnd)}


def mangle_read(rnd: random.Random) -> Order:
    """A read is answered with something else."""
    kind = rnd.choice([kind for kind in KINDS if kind not in (*SILENT, "repeated_cursor")])
    return {"action": "mangle", "kind": kind, "route": rnd.choice(["search", "get"]), **_hits(rnd)}


def repeated_cursor(_rnd: random.Random) -> Order:
    """A search that leads in a circle."""
    return {"action": "mangle", "kind": "repeated_cursor", "route": "search", "times": None}


def nothing_said(rnd: random.Random) -> Order:
    """The work is done, and the answer is an empty body or success: false."""
    empty = {"action": "status", "status": rnd.choice([200, 202, 204]), "body": "empty", "when": "after"}
    return {**rnd.choice([empty, {"action": "mangle", "kind": "failure"}]), "route": "release", **_hits(rnd)}


def pending(rnd: random.Random) -> Order:
    """A search is answered 202, with a place to ask at, which may be another host."""
    location = rnd.choice(["absolute", "relative", "other_host"])
    return {"action": "pending", "polls": rnd.randint(0, 2), "location": location, "route": "search", **_hits(rnd)}


def redirect(rnd: random.Random) -> Order:
    """A redirect to another host, before or after the work."""
    return {"action": "redirect", "when": rnd.choice(["before", "after"]), "route": _route(rnd), **_hits(rnd)}


def revoked(rnd: random.Random) -> Order:
    """The credential is revoked in the middle of the run."""
    return {
        "action": "status",
        "status": rnd.choice([401, 403]),
        "code": 10000,
        "times": None,
        "skip": rnd.randint(0, 6),
    }


def refused(rnd: random.Random) -> Order:
    """A release call is refused as a whole, before or after the work."""
    status, when = rnd.choice([400, 404, 409, 422]), rnd.choice(["before", "after"])
    return {
        "action": "status",
        "status": status,
        "when": when,
        "code": 1234,
        "message": "not now",
        "route": "release",
        **_hits(rnd),
    }


def weather(rnd: random.Random) -> list[Order]:
    """Several kinds at once, for as long as the run lasts: one request in five fails."""
    kinds: list[Order] = [
        {"action": "status", "status": 200, "body": "json", "when": "before"},  # success: false
        {"action": "status", "status": 200, "body": "json", "when": "after"},
        {"action": "status", "status": 201, "body": "json"},
        {"action": "status", "status": 429, "code": 971, "retry_after": 0},
        *({"action": "status", "status": status, "body": body, "when": rnd.choice(["before", "after"])}
          for status, body in [(200, "empty"), (200, "html"), (204, "empty"), (500, "json"), (502, "html"), (520, "html"), (504, "text")]),
        *({"action": "cut", "when": when, "reset": rnd.random() < 0.5} for when in ("before", "after")),
        {"action": "truncate", "chunked": rnd.random() < 0.5},
        {"action": "hang", "when": rnd.choice(["before", "after"]), "seconds": 10},
        *({"action": "mangle", "kind": kind} for kind in KINDS if kind not in (*SILENT, "repeated_cursor", "reversed")),
    ]  # fmt: skip
    drawn = rnd.sample(kinds, 5)
    each = 1 - (1 - STORMY) ** (1 / len(drawn))
    return [{**order, "times": None, "probability": each, "seed": rnd.randrange(10**6)} for order in drawn]


def striking(trouble: Callable[[random.Random], Order], rnd: random.Random) -> Order:
    """Draw a trouble so that it strikes the first request that it suits, whatever a run may leave out."""
    order = trouble(rnd)
    if trouble is mangle_read:  # not every run searches, and not every run gets a message
        return {**order, "skip": 0, "route": None, "method": "GET"}
    route = order["route"] if trouble in OF_READS or order.get("route") == "release" else None
    return {**order, "skip": 0, "route": route}


def _route(rnd: random.Random) -> str | None:
    return rnd.choice(["release", "release", "search", "get", None])


TROUBLES: tuple[Callable[[random.Random], Order], ...] = (
    rate_limit,
    server_error,
    cut,
    truncate,
    hang,
    delay,
    drip,
    mangle,
    mangle_read,
    repeated_cursor,
    nothing_said,
    pending,
    redirect,
    revoked,
    refused,
)
OF_READS = (mangle_read, repeated_cursor, pending)
