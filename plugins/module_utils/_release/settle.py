# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Finding out what happened to messages whose release got no plain answer, by reading their state back.

Cloudflare does not publish how long a release takes to show in the state. So a message that still reads as quarantined
counts as quarantined only when settle_time seconds have passed since the answer (or since it failed to come). A first look
after 4 seconds finds what shows sooner. A message that this run certainly released is read along as a witness: as long as
it still reads as quarantined, the state lags, and nothing else that the state says counts.
"""

from __future__ import annotations

import typing as t

from .._clock import Clock
from .._mail.handles import Handle
from .._mail.message import BriefMessage, State
from .._mail.messages import Messages
from .items import Item
from .outcome import Outcome, Status
from .whose import Whose, whose_release

SETTLE_TIME = 10.0
_FIRST_LOOK = 4.0
_PATIENCE = 6  # times settle_time, with a state that is seen to lag

# How a release call failed to tell the outcome.
REFUSED = "refused"  # an error of the API: most likely nothing was done
PASSED_OVER = "passed_over"  # answered, but not with an outcome for this message
UNANSWERED = "unanswered"  # anything may have happened, and may happen yet


class Doubt(t.NamedTuple):
    """Why the outcome of a release call is not known.

    failure: how the call failed to tell it.
    since: when that was, in seconds of the clock.
    sent: when the call began.
    """

    failure: str
    since: float
    sent: float


class Witness(t.NamedTuple):
    """A message that this run certainly released, and when that was answered."""

    item: Item
    since: float


def read_back(
    messages: Messages[BriefMessage],
    clock: Clock,
    doubts: t.Mapping[Item, Doubt],
    settle_time: float,
    server_time: t.Callable[[float], float | None],
    start: float,
    witness: Witness | None = None,
) -> t.Iterator[tuple[Item, Outcome]]:
    """Yield each item that no longer reads as quarantined, or whose state tells nothing, with its outcome.

    What is not yielded is certainly still in quarantine, as far as settle_time can be trusted. Raises whatever keeps the
    state from being read.

    server_time: returns the time of the server at a moment of the clock.
    start: since when there were no other doubts, in seconds of the clock.
    """
    doubts = dict(doubts)
    # What was refused has most likely not been done: with nobody to witness that, an early look would tell nothing.
    early = any(doubt.failure != REFUSED or (witness and doubt.since <= witness.since) for doubt in doubts.values())
    waited, enough, lags = min(_FIRST_LOOK if early else settle_time, settle_time), settle_time, False
    while doubts:
        clock.sleep(start + waited - clock.monotonic())
        handles = {item.read_as for item in doubts}
        found = messages.find(handles | {witness.item.read_as} if witness else handles)
        shown = _shows(witness, found)
        for item in list(doubts):
            outcome = _outcome(messages, item, server_time(doubts[item].sent), found[item.read_as])
            if outcome:
                del doubts[item]
                yield item, outcome
        if witness and shown is False:
            if waited >= _PATIENCE * settle_time:
                late = _late(clock.monotonic() - witness.since)
                yield from ((item, late) for item in doubts)
                return
            lags = True
            waited = min(max(settle_time, 2 * waited), _PATIENCE * settle_time)
            continue
        if witness and shown:
            if lags:
                enough = max(enough, waited + start - witness.since)  # the longest that the lag can be
            # What was answered before the witness, and does not show now, was not done.
            doubts = {
                item: doubt
                for item, doubt in doubts.items()
                if doubt.failure == UNANSWERED or doubt.since > witness.since
            }
            witness = None
        if waited >= enough:
            return
        waited = enough


def _shows(witness: Witness | None, found: t.Mapping[Handle, t.Sequence[BriefMessage]]) -> bool | None:
    """Tell whether the release of the witness shows, or None if that cannot be told."""
    candidates = found[witness.item.read_as] if witness else []
    return (
        candidates[0].state != State.QUARANTINED
        if len(candidates) == 1 and candidates[0].state != State.UNREADABLE
        else None
    )


def _late(seconds: float) -> Outcome:
    return Outcome(
        Status.UNKNOWN,
        "It was sent without a plain answer. It still reads as quarantined, but so does another message that was "
        f"released {seconds:.0f} s ago: Cloudflare is late to show releases. It was not sent again.",
    )


def _outcome(
    messages: Messages[BriefMessage], item: Item, sent: float | None, found: t.Sequence[BriefMessage]
) -> Outcome | None:
    """Return the outcome of an item, or None if it is still in quarantine. sent: when, by the clock of the server."""
    if not found and not item.was_read:
        return Outcome(Status.NOT_FOUND, "Cloudflare does not know it in this account.")
    if len(found) != 1 or found[0].state == State.UNREADABLE:
        return Outcome(Status.UNKNOWN, "It was sent without a plain answer, and its state cannot be read.")
    message, was_partly_delivered, was_quarantined = found[0], item.was_partly_delivered, item.was_quarantined
    item.read(message)
    if message.state == State.QUARANTINED and (was_partly_delivered or not message.partly_delivered):
        return None
    if message.state == State.NOT_QUARANTINED and not was_quarantined and not message.record_missing:
        return Outcome(Status.NOT_QUARANTINED, "Read back: it is not in quarantine, and no release is on record.")
    whose = Whose.OURS if was_quarantined else whose_release(messages, message, sent)
    if whose == Whose.UNCLEAR or (whose == Whose.NOBODYS and message.partly_delivered):
        return Outcome(
            Status.UNKNOWN,
            "It was sent without a plain answer, and has left quarantine. Cloudflare's record does not tell whether this run "
            "released it, or somebody before.",
        )
    if message.partly_delivered:
        words = "delivered to some recipients, still in quarantine for others"
        if whose == Whose.EARLIER:
            return Outcome(Status.PARTIAL, f"Read back: before this run, it was {words}.")
        return Outcome(Status.PARTIAL, f"Read back: {words}.", changed=True)
    if whose == Whose.EARLIER:
        return Outcome(Status.ALREADY_RELEASED, "Read back: it was released before this run.")
    if whose == Whose.NOBODYS:
        return Outcome(Status.NOT_QUARANTINED, "Read back: it is not in quarantine, and no release of it succeeded.")
    return _left(message)


def _left(message: BriefMessage) -> Outcome:
    """Return the outcome of a message that left quarantine; its delivery status tells more, if it is there."""
    status = set(message.delivery_status)
    lost = status & {"bounced", "rejected"}
    if lost and "delivered" in status:
        return Outcome(
            Status.PARTIAL, f"Read back: it has left quarantine, and was {' and '.join(sorted(status))}.", changed=True
        )
    if lost:
        return Outcome(Status.FAILED, f"Read back: it has left quarantine, but was {' and '.join(sorted(status))}.")
    if status == {"deferred"}:
        return Outcome(Status.UNDELIVERED, "Read back: it has left quarantine, but its delivery is deferred.")
    delivered = message.recipients if status == {"delivered"} else ()
    return Outcome(Status.RELEASED, "Read back: it has left quarantine.", delivered, changed=True)
