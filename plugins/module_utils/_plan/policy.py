# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Guard rules: which messages may be released. Each refusal has the name of its rule."""

from __future__ import annotations

import collections
import datetime
import typing as t

from .._errors import InputError
from .._mail.addresses import Address, Addresses, addresses_in_name, read_addresses
from .._mail.authentication import ALIGNED, authenticated, read_level
from .._mail.message import Message
from .._mail.verdicts import category_forbidden, check_categories, check_dispositions, disposition_forbidden
from .._mail.wrapped import readings
from .._text import did_you_mean
from .._times import parse_duration, parse_time
from .patterns import all_fit, any_covered, parse_pattern

_CAPS = ("max_messages", "max_recipients", "max_per_sender")
_PATTERNS = ("protected_recipients", "allowed_senders", "denied_senders")


class Policy(t.NamedTuple):
    """The rules and their defaults. The documentation of message_plan says what each means.

    No other list of them is kept in Python: argument_spec makes the options of modules and event sources from this one.
    """

    max_messages: int = 50
    max_recipients: int = 500
    max_per_sender: int = 50
    forbidden_dispositions: t.Sequence[str] = ("MALICIOUS", "MALICIOUS-BEC")
    forbidden_threat_categories: t.Sequence[str] = ()
    max_age: str | None = None
    min_age: str | None = None
    require_authentication: bool | str | None = ALIGNED
    protected_recipients: t.Sequence[str] = ()
    allowed_senders: t.Sequence[str] = ()
    denied_senders: t.Sequence[str] = ()
    require_ticket: bool = False
    require_reason: bool = False
    overrides: t.Sequence[str] = ()

    def checked(self, title: str = "policy") -> Policy:
        """Return the policy with its values in the words of this release. Raises InputError for unusable values."""
        for name, default in self._field_defaults.items():
            for value in getattr(self, name) if isinstance(default, tuple) else ():
                if not isinstance(value, str):
                    raise InputError(f"{title}.{name} has {value!r:.40}, which is no text; put it in quotes")
        for name in _CAPS:
            if getattr(self, name) < 1:
                raise InputError(f"{title}.{name} must be at least 1")
        for name in ("max_age", "min_age"):
            if getattr(self, name):
                parse_duration(getattr(self, name), f"{title}.{name}")
        unknown = [did_you_mean(rule, RULES) for rule in self.overrides if rule not in RULES]
        if unknown:
            raise InputError(
                f"{title}.overrides has unknown rules: {', '.join(unknown)}; the rules are {', '.join(RULES)}"
            )
        _check(f"{title}.forbidden_dispositions", check_dispositions, self.forbidden_dispositions)
        _check(f"{title}.forbidden_threat_categories", check_categories, self.forbidden_threat_categories)
        for name in _PATTERNS:
            for pattern in getattr(self, name):
                _check(f"{title}.{name}", parse_pattern, pattern)
        return self._replace(
            require_authentication=_check(f"{title}.require_authentication", read_level, self.require_authentication)
        )

    def as_data(self) -> dict[str, t.Any]:
        """Return the rules as plain data for a plan."""
        return {
            name: list(value) if isinstance(value, (tuple, list)) else value for name, value in self._asdict().items()
        }

    def judge(self, message: Message, now: datetime.datetime) -> list[str]:
        """Return the names of the rules that refuse a message, also of those that are overridden."""
        data = message.data
        envelope, shown = senders = _senders(message)
        in_name = addresses_in_name(data["from_name"])
        named = senders if in_name == () else (*senders, in_name)
        # Without recipients, nobody knows who gets the message.
        recipients = [read_addresses(address) for address in message.all_recipients] or [None]
        refusals = {
            "forbidden_dispositions": disposition_forbidden(data["final_disposition"], self.forbidden_dispositions),
            "forbidden_threat_categories": category_forbidden(
                data["threat_categories"], self.forbidden_threat_categories
            ),
            "max_age": self._age_refused(message, now, self.max_age, "max_age"),
            "min_age": self._age_refused(message, now, self.min_age, "min_age"),
            "require_authentication": not authenticated(
                read_level(self.require_authentication), data["validation"], envelope, shown
            ),
            "protected_recipients": any_covered(self.protected_recipients, recipients),
            "allowed_senders": bool(self.allowed_senders) and not all_fit(self.allowed_senders, named),
            "denied_senders": any_covered(self.denied_senders, named),
        }
        return [rule for rule, refused in refusals.items() if refused]

    def judge_whole(self, messages: t.Sequence[Message], ticket: str | None, reason: str | None) -> dict[str, str]:
        """Return the rules that refuse to release these messages together, each with its reason in words."""
        recipients = sum(len(message.all_recipients) for message in messages)
        # A message counts for its envelope sender and for the one that it shows: to change one of them is no way around the rule.
        per_sender = collections.Counter(sender for message in messages for sender in _everyone(message))
        most = max(per_sender.values(), default=0)
        refusals = {
            "max_messages": (
                len(messages) > self.max_messages,
                f"{len(messages)} messages, but at most {self.max_messages} are allowed",
            ),
            "max_recipients": (
                recipients > self.max_recipients,
                f"{recipients} recipients, but at most {self.max_recipients} are allowed",
            ),
            "max_per_sender": (
                most > self.max_per_sender,
                f"{most} messages of one sender, but at most {self.max_per_sender} are allowed",
            ),
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
            return True  # its age is unknown
        age, duration = now - scanned, parse_duration(limit, rule)
        return age > duration if rule == "max_age" else age < duration


RULES = tuple(name for name in Policy._fields if name != "overrides")


def argument_spec() -> dict[str, dict[str, t.Any]]:
    """Return the rules as an argument spec of Ansible."""
    return {name: _option(name, default) for name, default in Policy._field_defaults.items()}


def _option(name: str, default: t.Any) -> dict[str, t.Any]:
    if name == "require_authentication":  # a word, true or false; read_level reads them all
        return {"type": "raw", "default": default}
    if default is None:
        return {"type": "str"}
    if isinstance(default, tuple):
        return {"type": "list", "elements": "str", "default": list(default)}
    return {"type": type(default).__name__, "default": default}


def _senders(message: Message) -> tuple[Addresses, Addresses]:
    """Return the envelope sender (empty for a bounce) and the senders that a message shows (None if it shows none)."""
    return read_addresses(message.data["envelope_from"]), read_addresses(message.data["from"]) or None


def _everyone(message: Message) -> set[Address | None]:
    """Return all senders of a message, each once and without its tag. All that are unknown count as one, None."""
    found = [address for addresses in _senders(message) for address in addresses or ()]
    return {reading.untagged if reading else None for address in found for reading in readings(address)} or {None}


def _check(name: str, check: t.Callable[[t.Any], t.Any], value: t.Any) -> t.Any:
    try:
        return check(value)
    except InputError as error:
        raise InputError(f"{name} {error}") from None
