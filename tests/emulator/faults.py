# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Faults on order: which requests they hit, and how often."""

from __future__ import annotations

import random
from typing import Any

from msgspec import Struct, convert, to_builtins

from .effects import Effect
from .records import Request


class Fault(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An effect on the requests that match all of the given traits."""

    effect: Effect
    route: str | None = None  # search, get, release, ... see app.ROUTES
    method: str | None = None
    message_id: str | None = None  # in the path or the body
    account_id: str | None = None
    credential: str | None = None  # by name
    skip: int = 0  # let the first ones pass
    times: int | None = 1  # hit so many, None for all
    probability: float = 1.0
    seed: int = 0
    seen: int = 0
    hits: int = 0

    def matches(self, request: Request) -> bool:
        """Whether the request has all of the traits."""
        wanted = ((self.route, request.route), (self.method, request.method), (self.credential, request.credential))
        text = f"{request.path}\n{request.body.decode('utf-8', 'replace')}".replace("%3A", ":")
        parts = (f"/accounts/{self.account_id}/" if self.account_id else "", self.message_id or "")
        return all(want in (None, have) for want, have in wanted) and all(part in text for part in parts)

    def strikes(self) -> bool:
        """Count a matching request; whether it is hit."""
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        if self.probability < 1 and random.Random(f"{self.seed}/{self.seen}").random() >= self.probability:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults in the order in which they were added; at most one hits a request."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, action: str, **traits: Any) -> Fault:
        """Order a fault: an action with its parameters, and the traits of the requests to hit."""
        parameters = {name: traits.pop(name) for name in traits.keys() - Fault.__struct_fields__}
        fault = convert({**traits, "effect": {"action": action, **parameters}}, Fault)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        self._faults = []

    def strike(self, request: Request) -> Fault | None:
        """The fault that hits the request, if any."""
        return next((fault for fault in self._faults if fault.matches(request) and fault.strikes()), None)

    def as_json(self) -> list[dict[str, Any]]:
        """For the control interface."""
        plain: list[dict[str, Any]] = to_builtins(self._faults)
        return plain
