# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""From handles to items: each message of a run once, however many handles name it."""

from __future__ import annotations

import typing as t

from .._mail.handles import INVESTIGATE_ID, POSTFIX_ID, Handle
from .._mail.message import BriefMessage, State
from .._mail.messages import Messages
from .outcome import Outcome, Status

_MOST_CANDIDATES = 10


class Item:
    """One message of a run.

    handles: all handles that name it.
    id, postfix_id: as far as known.
    message: what was last read of it, if that is still needed.
    was_read, was_quarantined, was_partly_delivered: what was read of it in this run.
    outcome: what became of it, or None while that is open. Only the ledger sets it.
    sent_as: which of its names is sent.
    in_flight: it was sent, and what came of it is not known yet.
    fruitless: how often it was sent without effect.
    delivery: what was seen of it after its release.
    """

    __slots__ = (
        "delivery",
        "fruitless",
        "handles",
        "id",
        "in_flight",
        "message",
        "outcome",
        "postfix_id",
        "sent_as",
        "was_partly_delivered",
        "was_quarantined",
        "was_read",
    )

    def __init__(self, handle: Handle, message: BriefMessage | None = None) -> None:
        self.handles = [handle]
        self.id: str | None = None
        self.postfix_id: str | None = None
        self.message = message
        self.was_read = self.was_quarantined = self.was_partly_delivered = False
        self.outcome: Outcome | None = None
        self.sent_as = 0
        self.in_flight = False
        self.fruitless = 0
        self.delivery: str | None = None
        if message is None:
            self.id = handle.text if handle.kind == INVESTIGATE_ID else None
            self.postfix_id = handle.text if handle.kind == POSTFIX_ID else None
        else:
            self.read(message)
        if self.id == handle.text:
            self.id = handle.text  # one text in place of two equal ones

    @property
    def names(self) -> list[str]:
        """Return the ids it is known by."""
        return [name for name in (self.id, self.postfix_id) if name]

    def learn(self, message_id: str | None, postfix_id: str | None) -> None:
        """Take over ids that an answer told."""
        self.id = self.id or message_id
        self.postfix_id = self.postfix_id or postfix_id

    def read(self, message: BriefMessage) -> None:
        """Take over what was read of it."""
        self.learn(message.id, message.postfix_id)
        self.was_read = True
        self.was_quarantined = self.was_quarantined or message.state == State.QUARANTINED
        self.was_partly_delivered = message.partly_delivered

    @property
    def read_as(self) -> Handle:
        """Return the handle to read it back by."""
        return Handle(self.id, INVESTIGATE_ID) if self.id else Handle(self.postfix_id or "", POSTFIX_ID)

    @property
    def given_as_postfix_id(self) -> bool:
        """Tell whether its postfix id is the only id that the user gave."""
        return {handle.kind for handle in self.handles} == {POSTFIX_ID}


def resolve(
    messages: Messages[BriefMessage], handles: t.Sequence[Handle], check_state: bool, keep: bool = False
) -> tuple[list[Item], dict[Item, Outcome]]:
    """Return the items that the handles name, and the outcomes of those with nothing to send.

    Without check_state, only what cannot be sent unread is read: what is or may be a Message-ID, and everything when handles are of
    several kinds and could name the same message.

    keep: the items keep what was read of them.
    """
    read_all = check_state or len({handle.kind for handle in handles}) > 1
    found = messages.find([handle for handle in handles if read_all or not handle.looks_like_id])
    # Older servers leave the investigate id out. Only then can two messages of one postfix id be the same.
    ids_missing = any(message.id is None for candidates in found.values() for message in candidates)
    by_postfix_id: dict[str | None, Item] = {}
    # By an id of the message, or by the handle itself where it has no message: it may be the id of one that another handle found.
    known: dict[str | Handle, Item] = {}
    items: list[Item] = []
    outcomes: dict[Item, Outcome] = {}
    for handle in handles:
        candidates = found.pop(handle, None)  # with 100,000 messages, each is freed as soon as it is read
        message = candidates[0] if candidates and len(candidates) == 1 else None
        key = (message and (message.id or message.postfix_id)) or handle
        twin = known.get(key) or (message and _nameless(by_postfix_id.get(message.postfix_id), message))
        if message and twin:
            twin.handles.append(handle)
            twin.learn(message.id, message.postfix_id)
            known[key] = twin
            continue
        item = Item(handle, message)
        items.append(item)
        known[key] = item
        outcome: Outcome | None = None
        if message:
            if not keep:
                item.message = None
            if ids_missing:
                by_postfix_id[item.postfix_id] = item
            if check_state or not item.names:
                outcome = nothing_to_send(message)
        elif candidates is not None:
            outcome = _ambiguous(candidates) if candidates else _not_found(handle)
        if outcome:
            outcomes[item] = outcome
    return items, outcomes


def _nameless(item: Item | None, message: BriefMessage) -> Item | None:
    """Return the item of the same postfix id if one of both came without an investigate id, as from older servers."""
    return item if item and message.postfix_id and not (item.id and message.id) else None


def _not_found(handle: Handle) -> Outcome:
    hint = (
        " It looks like an alert id; message_info with alert_id finds the message."
        if handle.looks_like_alert_id
        else ""
    )
    return Outcome(Status.NOT_FOUND, f"Cloudflare does not know it in this account.{hint}")


def _ambiguous(candidates: t.Sequence[BriefMessage]) -> Outcome:
    ids = ", ".join(message.key for message in candidates[:_MOST_CANDIDATES])
    return Outcome(
        Status.AMBIGUOUS,
        f"It fits {len(candidates)} messages and none was touched. Give the id of the one you mean: {ids}",
    )


def nothing_to_send(message: BriefMessage) -> Outcome | None:
    """Return the outcome of a message that is not to be sent, or None for one that is."""
    if message.partly_delivered:
        return Outcome(
            Status.PARTIAL,
            "A release before this run delivered it to some recipients and others still have it in quarantine. Nothing was "
            "sent, as the first could get it twice; check_state=false sends it anyway.",
        )
    if message.state == State.QUARANTINED:
        return None
    if message.state == State.RELEASED:
        return Outcome(Status.ALREADY_RELEASED, "It was released before this run; nothing was sent.")
    if message.state == State.NOT_QUARANTINED:
        return Outcome(
            Status.NOT_QUARANTINED, "It is not in quarantine, and no release is on record; nothing was sent."
        )
    return Outcome(Status.NOT_ATTEMPTED, "Its state could not be read, so nothing was sent.")
