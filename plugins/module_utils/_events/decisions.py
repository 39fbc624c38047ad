# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What an event source proposes for messages: release them, ask for an approval, or keep them."""

from __future__ import annotations

import datetime
import typing as t

from .._mail.message import Message
from .._plan.policy import Policy
from .ids import name_of

# A message, with the names of the rules that refuse its release without an approval
Row = t.Tuple[Message, t.List[str]]


class Proposal:
    """The decisions in events."""

    RELEASE = "release"
    APPROVAL = "approval"
    KEEP = "keep"


class Policies(t.NamedTuple):
    """The policies of an event source.

    policy: messages that pass may be released. None: events have no decision.
    approval_policy: messages that pass may be released after an approval.
    """

    policy: Policy | None
    approval_policy: Policy

    def batches(
        self, messages: t.Iterable[Message], now: datetime.datetime, size: int
    ) -> t.Iterator[tuple[str | None, list[Row]]]:
        """Yield the decision and messages of each batch. All messages of a batch have the same decision."""
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
            return Proposal.KEEP, rules  # Without a name, an event cannot release it.
        if not rules:
            return Proposal.RELEASE, []
        return Proposal.KEEP if _refusals(self.approval_policy, message, now) else Proposal.APPROVAL, rules


def _refusals(policy: Policy, message: Message, now: datetime.datetime) -> list[str]:
    return [rule for rule in policy.judge(message, now) if rule not in policy.overrides]
