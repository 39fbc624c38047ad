# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What the kinds of follow-up have in common: the outcomes, the lines of the journal, and what ends a run early."""

from __future__ import annotations

import typing as t

from .._api.client import Client
from .._clock import Clock
from .._errors import CloudflareError, JournalError
from .._mail.message import Message
from .._release.items import Item
from .._release.journal import Journal
from .history import Record, latest
from .outcome import NOT_ATTEMPTED, UNKNOWN, Kind, Outcome

# Seconds in which a request of a run that was killed may still be at work
AT_WORK = 600.0


class Work:
    """One kind of follow-up in one run.

    outcomes: what became of the messages so far.
    error: what ended the run before its time, if anything did.
    settle_time: seconds that Cloudflare may take to show what was done.
    """

    kind: Kind

    def __init__(self, client: Client, clock: Clock, journal: Journal, settle_time: float) -> None:
        self.outcomes: dict[Item, Outcome] = {}
        self.error: CloudflareError | None = None
        self._client = client
        self._clock = clock
        self._journal = journal
        self._settle_time = settle_time

    def examine(self, items: t.Sequence[Item]) -> None:
        """Read what is needed to know which messages need nothing, and record their outcomes. Changes nothing."""
        raise NotImplementedError

    def foretell(self, item: Item) -> Outcome:
        """Return the outcome in check mode of a message that would be sent."""
        raise NotImplementedError

    def carry_out(self, items: t.Sequence[Item]) -> None:
        """Send what is needed for these messages. What has no outcome afterwards was cut short."""
        raise NotImplementedError

    def record(self, item: Item, outcome: Outcome) -> None:
        """Record what became of a message."""
        item.in_flight = False
        self.outcomes[item] = outcome

    def record_all(self, items: t.Iterable[Item], outcome: Outcome) -> None:
        """Record that the same became of several messages."""
        for item in items:
            self.record(item, outcome)

    def open(self, items: t.Iterable[Item]) -> list[Item]:
        """Return those of the messages that have no outcome yet."""
        return [item for item in items if item not in self.outcomes]

    def finish(self, items: t.Iterable[Item]) -> None:
        """Record the outcomes of the messages that a run that was cut short did not come to."""
        reason = str(self.error) if self.error else "a signal ended it"
        for item in self.open(items):
            if item.in_flight:
                self.record(item, Outcome(UNKNOWN, f"It was sent, and then the run stopped: {reason}."))
            else:
                self.record(item, Outcome(NOT_ATTEMPTED, f"The run stopped before it was sent: {reason}."))

    def halt(self, error: CloudflareError) -> None:
        """End the run early. The first error counts."""
        self.error = self.error or error

    @property
    def ending(self) -> bool:
        """Tell whether nothing more is to be sent."""
        return self.error is not None or self._clock.stopping

    def note(self, event: str, items: t.Iterable[Item], **fields: t.Any) -> None:
        """Write the outcomes of messages into the journal."""
        messages = []
        for item in items:
            outcome = self.outcomes.get(item)
            facts = {"status": outcome.status, **self.kind.facts, **outcome.facts} if outcome else {"status": None}
            messages.append({"id": item.id, "postfix_id": item.postfix_id, **facts})
        try:
            self._journal.write(f"{self.kind.verb}_{event}", messages=messages, **fields)
        except JournalError as error:
            self.halt(error)

    def records(self, items: t.Iterable[Item], age: float) -> dict[Item, Record]:
        """Return what earlier runs recorded of these messages within the last seconds."""
        items = list(items)
        now = self._client.time()
        names = {name for item in items for name in item.names}
        found = latest(self._journal.tail(), self.kind.verb, self._client.account_id, names, now - age, now)
        return {
            item: max((found[name] for name in item.names if name in found), key=lambda record: record.time)
            for item in items
            if any(name in found for name in item.names)
        }

    def wait_for(self, records: t.Iterable[Record], done: str) -> None:
        """Wait until Cloudflare shows what earlier runs did. done: the status of what was certainly done."""
        now, wait = self._client.time(), 0.0
        for record in records:
            age = max(0.0, now - record.time)
            if record.status == done:
                wait = max(wait, self._settle_time - age)
            elif record.status in (None, UNKNOWN) and age < AT_WORK:
                wait = max(wait, self._settle_time)  # the request may have ended just now
        if wait:
            self._clock.sleep(wait)


def message_of(item: Item) -> Message:
    """Return what was read of a message."""
    return t.cast(Message, item.message)
