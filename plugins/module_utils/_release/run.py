# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""One run of message_release, from handles to the result. Knows nothing of Ansible."""

from __future__ import annotations

import collections
import types
import typing as t
import uuid

from .._api.client import Client
from .._clock import Clock
from .._errors import CloudflareError
from .._mail.handles import Handle
from .._mail.message import BriefMessage, Message
from .._mail.messages import Messages
from .delivery import verify_delivery
from .engine import Options, Releaser
from .items import Item, collect
from .journal import Journal
from .outcome import NOT_ATTEMPTED, STATUSES, WOULD_RELEASE, Outcome
from .planned import block_drifted, blocked_items
from .resume import resume


class Request(t.NamedTuple):
    """What is to be released and how.

    plan: release its entries; handles are then those of the plan. verify_delivery: seconds to follow what was released.
    trail: who asked, who approved and so on, recorded in each line of the journal. journal: path, or None.
    """

    handles: t.Sequence[Handle]
    options: Options
    check_mode: bool = False
    check_state: bool = True
    plan: t.Mapping[str, t.Any] | None = None
    trail: t.Mapping[str, str | None] = types.MappingProxyType({})
    verify_delivery: float = 0
    journal: str | None = None


class Row(t.NamedTuple):
    """What became of one handle: less than half of what the item weighs."""

    handle: str
    id: str | None
    postfix_id: str | None
    outcome: Outcome
    delivery: str | None

    def as_data(self) -> dict[str, t.Any]:
        """Return the row as the result gives it."""
        return {
            "handle": self.handle,
            "id": self.id,
            "postfix_id": self.postfix_id,
            **self.outcome.facts(),
            "detail": self.outcome.detail,
            "rule": self.outcome.rule,
            "delivery": self.delivery,
            "changed": self.outcome.changed,
        }


class Rows(t.Sequence[t.Dict[str, t.Any]]):
    """The rows of a result as data, each made when it is asked for: Ansible makes its own copy of them all."""

    def __init__(self, rows: t.Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: t.Any) -> t.Any:
        return self._rows[index].as_data()


class Report:
    """What became of every handle, what ended the run early, if anything did, and warnings."""

    def __init__(
        self,
        handles: t.Sequence[Handle],
        items: t.Sequence[Item],
        error: CloudflareError | None,
        warnings: t.Sequence[str],
    ) -> None:
        self.error = error
        self.warnings = warnings
        position = {handle.text: index for index, handle in enumerate(handles)}
        rows = [
            Row(handle.text, item.id, item.postfix_id, t.cast(Outcome, item.outcome), item.delivery)
            for item in items
            for handle in item.handles
        ]
        rows.sort(key=lambda row: position[row.handle])
        self.rows = Rows(rows)
        self._statuses = [row.outcome.status for row in rows]
        self.changed = any(item.outcome.changed for item in items if item.outcome)
        # Two handles of one message give two rows, but it was delivered once.
        self._recipients = sum(len(item.outcome.delivered) for item in items if item.outcome)

    def result(self) -> dict[str, t.Any]:
        """Return the module's result but for C(api_calls) and C(diff)."""
        return {"changed": self.changed, "msg": self.sentence(), "messages": self.rows, "summary": self.summary()}

    def summary(self) -> dict[str, int]:
        """Return the number of rows per status."""
        return count(self._statuses, self._recipients)

    def sentence(self) -> str:
        """Return the outcome in one sentence."""
        sentence = in_words(self.summary())
        return f"{self.error.sentence()} {sentence}" if self.error else sentence

    def fails(self, fail_on: t.Collection[str]) -> bool:
        """Tell whether a row has one of these statuses."""
        return not set(self._statuses).isdisjoint(fail_on)

    def diff(self) -> dict[str, dict[str, str]]:
        """Return before and after, per message that changed (or would)."""
        after = {
            row["handle"]: "released" if row["status"] == WOULD_RELEASE else row["status"]
            for row in self.rows
            if row["changed"]
        }
        return {"before": dict.fromkeys(after, "quarantined"), "after": after}


def release_messages(client: Client, clock: Clock, request: Request) -> Report:
    """Carry out a request. Raises InputError or JournalError before anything was sent; all else is in the report."""
    digest = request.plan["digest"] if request.plan is not None else None
    context = {"run": uuid.uuid4().hex, "account_id": client.account_id, **request.trail, "plan_digest": digest}
    journal = Journal(request.journal, context, request.check_mode, clock.time, client.masker.mask)
    # What was planned is held against all that the plan says.
    kind = BriefMessage if request.plan is None else Message
    messages: Messages[BriefMessage] = Messages(client, clock, kind, request.options.concurrency)
    items: list[Item] = []
    warnings: list[str] = []
    error: CloudflareError | None = None
    try:
        journal.take_turn(clock, client.max_wait)
        read_state = request.check_state or request.check_mode or request.plan is not None
        items = collect(messages, request.handles, read_state)
        if read_state:
            resume(messages, clock, journal, items, request.options.settle_time)
        if request.plan is not None:
            block_drifted(request.plan, items)
        todo = [item for item in items if item.outcome is None]
        if request.check_mode:
            for item in todo:
                item.outcome = Outcome(WOULD_RELEASE, "In quarantine; it would be released.", changed=True)
        else:
            releaser = Releaser(client, messages, journal, clock, request.options)
            releaser.release(todo)
            error = releaser.error
            if request.verify_delivery and not error:
                warnings = _verify(messages, clock, todo, request.verify_delivery)
    except CloudflareError as caught:
        error = caught
    finally:
        journal.close()
    items = items or [Item(handle) for handle in request.handles]  # if not even collecting them went well
    for item in items:
        item.outcome = item.outcome or Outcome(NOT_ATTEMPTED, f"The run stopped before anything was sent: {error}")
    blocked = blocked_items(request.plan) if request.plan is not None else []
    return Report([*request.handles, *(item.handles[0] for item in blocked)], [*items, *blocked], error, warnings)


def _verify(messages: Messages[BriefMessage], clock: Clock, items: t.Sequence[Item], seconds: float) -> list[str]:
    """Follow the deliveries. What was released stays released when that fails; returns a warning."""
    try:
        verify_delivery(messages, clock, items, seconds)
    except CloudflareError as error:
        return [f"The delivery could not be followed to its end: {error.sentence()}"]
    return []


def count(statuses: t.Iterable[str], recipients: int) -> dict[str, int]:
    """Return the number of rows per status, and how many recipients were reached."""
    counts = collections.Counter(statuses)
    return {
        **{status: counts[status] for status in STATUSES},
        "total": sum(counts.values()),
        "recipients_delivered": recipients,
    }


def in_words(counts: t.Mapping[str, int]) -> str:
    """Return such counts in one sentence."""
    total, recipients = counts["total"], counts["recipients_delivered"]
    if not total:
        return "Nothing to release: the list of messages is empty."
    parts = [f"{counts[status]} {status}" for status in STATUSES if counts[status]]
    reached = f", {recipients} recipient{'s' if recipients != 1 else ''} reached" if recipients else ""
    return f"{total} message{'s' if total != 1 else ''}: {', '.join(parts)}{reached}."
