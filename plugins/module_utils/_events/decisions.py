# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What an event source proposes to do with messages: release them, have it approved, or keep them."""

from __future__ import annotations

import datetime
import typing as t

from .._mail.message import Message
from .._plan.policy import Policy
from .naming import name_of

RELEASE = "release"
APPROVAL = "approval"
KEEP = "keep"
# A message, with the names of the rules that refuse to release it without an approval
Row = t.Tuple[Message, t.List[str]]


class Policies(t.NamedTuple):
    """policy: what it lets pass may be released. approval_policy: what it lets pass may be released once somebody approves."""

    policy: Policy | None
    approval_policy: Policy

    def batches(
        self, messages: t.Iterable[Message], now: datetime.datetime, size: int
    ) -> t.Iterator[tuple[str | None, list[Row]]]:
        """Return messages that are decided alike together, in batches, with what is to be done: None without a policy."""
        alike: dict[str | None, list[Row]] = {}
        for message in messages:
            decision, rules = self._decide(message, now)
            alike.setdefault(decision, []).append((message, rules))
        for decision, rows in alike.items():
            for first in range(0, len(rows), size):
                yield decision, rows[first : first + size]

    def _decide(self, message: Message, now: datetime.datetime) -> tuple[str | None, list[str]]:
        if self.policy is None:
            return None, []
        rules = _refusals(self.policy, message, now)
        if not name_of(message):
            return KEEP, rules  # What has no name cannot be released.
        if not rules:
            return RELEASE, []
        return KEEP if _refusals(self.approval_policy, message, now) else APPROVAL, rules


def _refusals(policy: Policy, message: Message, now: datetime.datetime) -> list[str]:
    return [rule for rule in policy.judge(message, now) if rule not in policy.overrides]
