# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The emulated world: accounts and their mail, credentials, switches, and what happened."""

from __future__ import annotations

import asyncio
import random
import string
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from msgspec import Struct, convert
from msgspec.structs import replace

from .clock import Clock, utc
from .credentials import standard_credentials
from .faults import Faults
from .limits import RateLimits
from .lists import KINDS, Entry, List, admits
from .mail import Action, Fate, Mailbox, Message, MoveScript, Operation, Script, State
from .records import Delivery, Moved, Request
from .scenarios import ACCOUNTS, SCENARIOS
from .settings import Settings, changed
from .submissions import Submission, listed_disposition

_ALPHABET = string.ascii_letters + string.digits
DELIVERY_STATUSES = frozenset({"delivered", "quarantined", "rejected", "deferred", "bounced", "queued", "move_failed"})
_OPERATIONS: dict[str, tuple[Operation, str]] = {
    "released": ("QUARANTINE_RELEASE", "delivered"),
    "moved": ("MOVE", "moved"),
    "previewed": ("PREVIEW", "quarantined"),
}


class Account(Struct, frozen=True, eq=False):
    """A customer with its mail."""

    id: str
    name: str
    domain: str
    mailbox: Mailbox


class Poll(Struct):
    """A search that is answered later."""

    query: list[tuple[str, str]]
    left: int
    location: str


class World:
    """All state. `reset` builds it anew, the same for the same scenario, size and seed."""

    def __init__(self, scenario: str = "default", *, messages: int = 1000, seed: int = 0, **settings: Any) -> None:
        self._origin = (scenario, messages, seed, changed(Settings(), settings))
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened."""
        scenario, messages, seed, self.settings = self._origin
        self.clock = Clock()
        self.random = random.Random(seed)
        self.faults = Faults()
        self.limits = RateLimits()
        self.requests: list[Request] = []
        self.deliveries: list[Delivery] = []
        self.moves: list[Moved] = []
        self.submissions: list[Submission] = []
        self.verdicts: list[tuple[float, Message, str]] = []  # to come: when, of which message, which
        self.polls: dict[str, Poll] = {}
        self.lists: dict[tuple[str, str], List] = {}  # by account and kind
        self.numbers = count(1)
        self.connections: WeakKeyDictionary[asyncio.Transport, int] = WeakKeyDictionary()  # to their first request
        self.accounts = {id: Account(id, name, domain, Mailbox()) for id, name, domain in ACCOUNTS}
        self.credentials = standard_credentials(list(self.accounts))
        SCENARIOS[scenario](self, messages)

    @property
    def first_account(self) -> str:
        """The id of the account that is meant when none is named."""
        return next(iter(self.accounts))

    def configure(self, **changes: Any) -> None:
        """Change settings; unknown names and values raise msgspec.ValidationError."""
        self.settings = changed(self.settings, changes)

    def compose(self, *, age: float = 3600.0, state: str = "quarantined", **fields: Any) -> Message:
        """A message from some fields; `age` in seconds and `state` in one word make up the rest."""
        scanned_at = convert(fields.pop("scanned_at", utc(int(self.clock.now() - age))), datetime)
        fields.setdefault("postfix_id", "4" + "".join(self.random.choices(_ALPHABET, k=self.random.choice((14, 15)))))
        fields.setdefault("serial", f"{self.random.randrange(10**8):08}")
        fields.setdefault("sender", "news@shop.example")
        fields.setdefault("message_id", f"<{fields['postfix_id'].lower()}@{fields['sender'].rpartition('@')[2]}>")
        history = [(0.0, _state(state, scanned_at.timestamp() + 60))]
        return convert({**fields, "scanned_at": scanned_at, "history": history}, Message)

    def add(self, messages: Iterable[Message], account: str | None = None) -> None:
        """Put messages into the mailbox of an account."""
        account, messages = account or self.first_account, list(messages)
        self.accounts[account].mailbox.add(messages)
        for message in messages:
            if message.is_phish_submission:
                self.add_submission(
                    account,
                    message,
                    type="User",
                    requested="MALICIOUS",
                    at=message.scanned_at.timestamp() + 60,
                    requested_by=message.recipients[0],
                    fate=Fate(after=None),
                )

    def add_message(self, account: str | None = None, **fields: Any) -> Message:
        """Put one message into quarantine, or elsewhere; the fields are those of `compose` and of Message."""
        if "recipients" not in fields:
            fields["recipients"] = [f"alice@{self.accounts[account or self.first_account].domain}"]
        message = self.compose(**fields)
        policies = self.list_of("allow_policies", account).entries
        if "state" not in fields and (kind := admits(policies, message)):
            message = self.compose(**{**fields, "state": "delivered", "allowlisted": kind})
        self.add([message], account)
        return message

    def list_of(self, kind: str, account: str | None = None) -> List:
        """A settings list of an account, by its name in the API."""
        place = (account or self.first_account, kind)
        return self.lists.setdefault(place, List(KINDS[kind], self.random))

    def add_entries(self, kind: str, *entries: Entry, account: str | None = None) -> list[Entry]:
        """Put entries into a settings list without asking whether the API would take them."""
        return self.list_of(kind, account).put(entries, self.clock.now())

    def add_account(self, name: str, id: str | None = None) -> Account:
        """Add an account that those credentials can see that could see all accounts so far."""
        account = Account(id or f"{self.random.getrandbits(128):032x}", name, "new.example", Mailbox())
        for key, known in self.credentials.items():
            if known.accounts >= self.accounts.keys():
                self.credentials[key] = replace(known, accounts=known.accounts | {account.id})
        self.accounts[account.id] = account
        return account

    def find(self, message_id: str) -> Message:
        """The message with that investigate or postfix id, of any account; else KeyError."""
        for account in self.accounts.values():
            if message := account.mailbox.get(message_id, "both"):
                return message
        raise KeyError(message_id)

    def enter(self, message_id: str, state: str) -> None:
        """Let a message enter a state as if somebody else had acted."""
        now = self.clock.now()
        self.find(message_id).change(_state(state, now), now)

    def remove(self, message_id: str) -> None:
        """Forget a message, as if its time in the quarantine were over."""
        message = self.find(message_id)
        for account in self.accounts.values():
            account.mailbox.remove(message)

    def script(self, message_id: str, *outcomes: Any) -> None:
        """Fix the outcomes of the next releases of a message; the last one stays."""
        self.find(message_id).script = convert(outcomes, list[Script])

    def script_move(self, message_id: str, *outcomes: Any) -> None:
        """Fix the outcomes of the next moves of a message; the last one stays."""
        self.find(message_id).moves = convert(outcomes, list[MoveScript])

    def add_submission(
        self, account: str, message: Message, *, requested: str, at: float | None = None, **traits: Any
    ) -> Submission:
        """Put a submission on record; one that was just made is seen after `state_lag`."""
        now = self.clock.now() if at is None else at
        submission = Submission(
            id=f"sub-{len(self.submissions) + 1}",
            account=account,
            message=message,
            requested=requested,
            original=listed_disposition(message.disposition),
            at=now,
            visible_from=now + (self.settings.state_lag if at is None else 0),
            **traits,
        )
        self.submissions.append(submission)
        return submission

    def destine(self, message_id: str, *fates: Any) -> None:
        """Fix what becomes of the next submissions of a message; the last one stays."""
        self.find(message_id).fates = convert(fates, list[Fate])

    def judge(self, message_id: str, disposition: str, after: float = 0.0) -> None:
        """Let Cloudflare change its verdict on a message, so many seconds from now."""
        self.verdicts.append((self.clock.now() + after, self.find(message_id), disposition))

    def deliver(self, account: str, message: Message, recipients: list[str], now: float) -> None:
        """Count a copy for each recipient."""
        self.deliveries += [
            Delivery(account=account, message_id=message.id, recipient=recipient, time=now) for recipient in recipients
        ]

    def postpone(self, cursor: str, query: list[tuple[str, str]], polls: int, location: str) -> None:
        """Keep a search that is answered when its cursor was asked for often enough."""
        self.polls[cursor] = Poll(query, polls, location)

    def delivered(self) -> Counter[tuple[str, str]]:
        """How many copies went out for each message id and recipient."""
        return Counter((delivery.message_id, delivery.recipient) for delivery in self.deliveries)


def _state(word: str, acted: float) -> State:
    """The state that a word stands for: a delivery status, or an operation that was done."""
    if word in DELIVERY_STATUSES:
        return State(word == "quarantined", (word,))
    operation, status = _OPERATIONS[word]
    folder = "JunkEmail" if operation == "MOVE" else None
    action = Action(operation=operation, at=acted, folder=folder, requested_by="analyst@example.com")
    return State(status == "quarantined", (status,), (action,))
