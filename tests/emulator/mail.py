# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Messages, what became of them, and the mailbox that keeps them in order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

Operation = Literal["PREVIEW", "QUARANTINE_RELEASE", "SUBMISSION", "MOVE"]
DETECTIONS = frozenset({"MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPOOF", "SPAM", "BULK"})


class Action(Struct, frozen=True, kw_only=True):
    """One entry of the action log."""

    operation: Operation
    at: float
    success: bool = True
    folder: str | None = None
    requested_by: str | None = None
    submission: dict[str, str] | None = None  # of a SUBMISSION: its id, its kind and the verdict it asks for


class State(Struct, frozen=True):
    """What may change about a message."""

    is_quarantined: bool
    delivery_status: tuple[str, ...]
    actions: tuple[Action, ...] = ()

    @property
    def operations(self) -> list[Operation]:
        """Each operation in the action log, once."""
        return list(dict.fromkeys(action.operation for action in self.actions))


class Outcome(Struct, frozen=True, forbid_unknown_fields=True):
    """A release that is carried out: everybody not named is delivered to; `answer` is what the response says of it."""

    failed: tuple[str, ...] = ()
    undelivered: tuple[str, ...] = ()
    answer: Literal["lists", "empty", "null", "omitted"] = "lists"


class MoveOutcome(Struct, frozen=True, forbid_unknown_fields=True):
    """A move that is carried out but in these mailboxes (`*`: all), each with its reason; `answer`: which are told of."""

    failed: dict[str, str] = field(default_factory=dict)
    answer: Literal["entries", "half", "omitted"] = "entries"


MoveScript = Literal["refuse_400", "refuse_404"] | MoveOutcome
Script = Literal["deliver", "failed", "undelivered", "refuse_400", "refuse_404", "omitted", "empty", "null"] | Outcome


class Fate(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a submission: it is refused in these words, or ends so many seconds later with this verdict."""

    refused: str | None = None
    disposition: str | None = None  # None: the verdict that it asks for
    after: float | None = 3600.0  # None: never


class Attachment(Struct, frozen=True):
    """A file of a message."""

    name: str
    content_type: str
    size: int
    sha256: str
    disposition: str | None = None


class Message(Struct, kw_only=True, forbid_unknown_fields=True):
    """One e-mail; named as in the API, except where one name stands for several of its fields."""

    postfix_id: str
    serial: str
    scanned_at: datetime
    history: list[tuple[float, State]]  # since when readers see it, oldest first
    recipients: tuple[str, ...]
    sender: str
    sender_name: str | None = None
    envelope_sender: str | None = None  # if it is not the sender
    subject: str | None = None
    message_id: str | None = None
    disposition: str | None = "SPAM"
    reasons: tuple[str, ...] = ()
    threats: tuple[str, ...] = ()
    validation: dict[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    links: tuple[str, ...] = ()
    helo_ip: str = "192.0.2.25"
    delivery_mode: str = "DIRECT"
    allowlisted: str | None = None
    is_phish_submission: bool = False
    script: list[Script] = field(default_factory=list)  # outcomes of the next releases; the last one stays
    moves: list[MoveScript] = field(default_factory=list)  # outcomes of the next moves; the last one stays
    folders: dict[str, str] = field(default_factory=dict)  # where it was moved to in each mailbox
    fates: list[Fate] = field(default_factory=list)  # of the next submissions; the last one stays

    @property
    def alert_id(self) -> str:
        """The postfix id with the scan time."""
        return f"{self.postfix_id}-{self.scanned_at:%Y-%m-%dT%H:%M:%S}"

    @property
    def id(self) -> str:
        """The investigate id."""
        return f"{self.alert_id}-{self.serial}"

    @property
    def state(self) -> State:
        """What is true now."""
        return self.history[-1][1]

    @property
    def is_quarantined(self) -> bool:
        """Whether it is in quarantine now, whatever readers see."""
        return self.state.is_quarantined

    def seen(self, now: float) -> State:
        """What readers see now."""
        return next(state for since, state in reversed(self.history) if since <= now)

    def change(self, state: State, visible_from: float) -> None:
        """Enter a new state, which readers see later, and never before the one it came from."""
        self.history.append((max(visible_from, self.history[-1][0]), state))

    def log(self, action: Action, lag: float = 0.0) -> None:
        """Record an action that changes nothing else; readers see it that many seconds later."""
        now = self.state
        self.change(State(now.is_quarantined, now.delivery_status, (*now.actions, action)), action.at + lag)

    @property
    def order(self) -> tuple[float, str]:
        """The key that sorts the newest message first."""
        return -self.scanned_at.timestamp(), self.id


class Mailbox:
    """The messages of one account, newest first."""

    def __init__(self) -> None:
        self._ordered: list[Message] = []
        self._by_id: dict[str, Message] = {}
        self._by_postfix_id: dict[str, Message] = {}

    def __iter__(self) -> Iterator[Message]:
        return iter(self._ordered)

    def add(self, messages: Iterable[Message]) -> None:
        """Take in messages; readers in another thread see the list before or after, never between."""
        new = list(messages)
        self._by_id.update({message.id: message for message in new})
        self._by_postfix_id.update({message.postfix_id: message for message in new})
        self._ordered = sorted([*self._ordered, *new], key=lambda message: message.order)

    def remove(self, message: Message) -> None:
        """Drop the message, if it is here."""
        self._by_id.pop(message.id, None)
        self._by_postfix_id.pop(message.postfix_id, None)
        self._ordered = [other for other in self._ordered if other is not message]

    def get(self, handle: str, kind: str = "investigate") -> Message | None:
        """The message with that id, of the kind `investigate`, `postfix` or `both`."""
        found = self._by_id.get(handle) if kind != "postfix" else None
        return found or (self._by_postfix_id.get(handle) if kind != "investigate" else None)

    def after(self, order: tuple[float, str] | None) -> Iterator[Message]:
        """The messages behind that place, or all."""
        messages = self._ordered
        start = 0 if order is None else bisect_right(messages, order, key=lambda message: message.order)
        return (messages[index] for index in range(start, len(messages)))
