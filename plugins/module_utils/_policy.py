# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Guard rules: which messages may go out, each refusal with the name of its rule."""

from __future__ import annotations

import datetime
import fnmatch
import typing as t

from ._errors import InputError
from ._message import Message
from ._times import parse_duration, parse_time

RULES = (
    "max_messages", "max_recipients", "max_per_sender",
    "forbidden_dispositions", "forbidden_threat_categories", "max_age", "min_age",
    "require_authentication", "protected_recipients", "allowed_senders", "denied_senders",
    "require_ticket", "require_reason",
)  # fmt: skip


class Policy(t.NamedTuple):
    """The rules with their defaults; see the documentation of the module message_plan for what each means."""

    max_messages: int = 50
    max_recipients: int = 500
    max_per_sender: int = 50
    forbidden_dispositions: t.Sequence[str] = ("MALICIOUS", "MALICIOUS-BEC")
    forbidden_threat_categories: t.Sequence[str] = ()
    max_age: str | None = None
    min_age: str | None = None
    require_authentication: bool = True
    protected_recipients: t.Sequence[str] = ()
    allowed_senders: t.Sequence[str] = ()
    denied_senders: t.Sequence[str] = ()
    require_ticket: bool = False
    require_reason: bool = False
    overrides: t.Sequence[str] = ()

    def checked(self) -> Policy:
        """Return the policy itself. Raises InputError for values that no rule can work with."""
        for name in ("max_messages", "max_recipients", "max_per_sender"):
            if getattr(self, name) < 1:
                raise InputError(f"policy.{name} must be at least 1")
        for name in ("max_age", "min_age"):
            if getattr(self, name):
                parse_duration(getattr(self, name), f"policy.{name}")
        unknown = sorted(set(self.overrides) - set(RULES))
        if unknown:
            raise InputError(f"policy.overrides names no rule: {', '.join(unknown)}; the rules are {', '.join(RULES)}")
        return self

    def as_data(self) -> dict[str, t.Any]:
        """Return the rules as plain data, for the plan."""
        return {name: list(value) if isinstance(value, (tuple, list)) else value for name, value in self._asdict().items()}

    def judge(self, message: Message, now: datetime.datetime) -> list[str]:
        """Return the names of the rules that refuse a message, those that are overridden included."""
        data = message.data
        senders = [data["envelope_from"], data["from"]]
        recipients = all_recipients(message)
        refusals = {
            "forbidden_dispositions": _meet([data["final_disposition"]], self.forbidden_dispositions),
            "forbidden_threat_categories": _meet(data["threat_categories"], self.forbidden_threat_categories),
            "max_age": self._age_refused(message, now, self.max_age, "max_age"),
            "min_age": self._age_refused(message, now, self.min_age, "min_age"),
            "require_authentication": self.require_authentication and not authenticated(message),
            "protected_recipients": any(fits(recipient, self.protected_recipients) for recipient in recipients),
            "allowed_senders": bool(self.allowed_senders) and not all(fits(sender, self.allowed_senders) for sender in senders),
            "denied_senders": any(fits(sender, self.denied_senders) for sender in senders),
        }
        return [rule for rule, refused in refusals.items() if refused]

    def judge_whole(self, messages: t.Sequence[Message], ticket: str | None, reason: str | None) -> dict[str, str]:
        """Return the rules that refuse to release these messages together, each with the reason in words."""
        recipients = sum(len(all_recipients(message)) for message in messages)
        per_sender: dict[str, int] = {}
        for message in messages:
            sender = (message.data["envelope_from"] or message.data["from"] or "").lower()
            per_sender[sender] = per_sender.get(sender, 0) + 1
        most = max(per_sender.values(), default=0)
        refusals = {
            "max_messages": (len(messages) > self.max_messages, f"{len(messages)} messages, and {self.max_messages} are allowed"),
            "max_recipients": (recipients > self.max_recipients, f"{recipients} recipients, and {self.max_recipients} are allowed"),
            "max_per_sender": (most > self.max_per_sender, f"{most} messages of one sender, and {self.max_per_sender} are allowed"),
            "require_ticket": (self.require_ticket and not (ticket or "").strip(), "no ticket is given"),
            "require_reason": (self.require_reason and not (reason or "").strip(), "no reason is given"),
        }
        return {rule: words for rule, (refused, words) in refusals.items() if refused and rule not in self.overrides}

    @staticmethod
    def _age_refused(message: Message, now: datetime.datetime, limit: str | None, rule: str) -> bool:
        if not limit:
            return False
        scanned = parse_time(message.data["scanned_at"] or "")
        if scanned is None:
            return True  # no telling, so no release
        age, duration = now - scanned, parse_duration(limit, rule)
        return age > duration if rule == "max_age" else age < duration


def all_recipients(message: Message) -> list[str]:
    """Return everybody the message is or may be for, each once, whatever the case."""
    data = message.data
    addresses = [*data["envelope_to"], *data["client_recipients"], *data["to"]]
    return list({address.lower(): address for address in addresses}.values())


def authenticated(message: Message) -> bool:
    """Tell whether any of SPF, DKIM and DMARC passes."""
    return "pass" in {message.data["validation"][name] for name in ("spf", "dkim", "dmarc")}


def fits(address: str | None, patterns: t.Iterable[str]) -> bool:
    """Tell whether an address fits a pattern: an address or a domain, with C(*) and C(?); case does not count.

    A missing address fits none.
    """
    if not address:
        return False
    address = address.strip().lower()
    domain = address.rpartition("@")[2]
    return any(
        fnmatch.fnmatchcase(address if "@" in pattern else domain, pattern.strip().lower()) for pattern in patterns
    )


def _meet(values: t.Iterable[str | None], forbidden: t.Iterable[str]) -> bool:
    return not {value.lower() for value in values if value}.isdisjoint(value.lower() for value in forbidden)
