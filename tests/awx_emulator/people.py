# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who asks, and what that person may do (awx/main/access.py)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from .errors import Refused

if TYPE_CHECKING:
    from .store import Item, Store

# What else a role lets somebody do with a template
_READS = ("read", "execute", "admin", "approval")


def forbidden() -> Refused:
    """Somebody may not do this."""
    return Refused(403, {"detail": "You do not have permission to perform this action."})


def who(store: Store, token: str, given: str | None) -> Item:
    """The user who asks: the administrator by the token, and others by name and password."""
    users = {user["username"]: user for user in store.all("users")}
    if given == f"Bearer {token}":
        return users["admin"]
    if given and given.startswith("Basic "):
        name, _, password = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
        if name in users and password and users[name]["password"] == password:
            return users[name]
    problem = "Authentication credentials were not provided." if given is None else "Invalid token."
    raise Refused(401, {"detail": problem})


def may(store: Store, user: Item, what: str, endpoint: str, number: int) -> bool:
    """Whether somebody may do what a role is for: read, execute, admin or approval."""
    if user["username"] == "admin":
        return True
    held = {
        name.removesuffix("_role")
        for name, role in store.roles.get((endpoint, number), {}).items()
        if _holds(store, user, role)
    }
    return bool(held & ({"admin", what} if what != "read" else set(_READS)))


def _holds(store: Store, user: Item, role: int) -> bool:
    teams = [
        team
        for team in store.items["teams"]
        if user["id"] in store.members.get((store.roles["teams", team]["member_role"], "users"), [])
    ]
    return user["id"] in store.members.get((role, "users"), []) or any(
        team in store.members.get((role, "teams"), []) for team in teams
    )
