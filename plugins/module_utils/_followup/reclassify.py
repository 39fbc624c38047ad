# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Tells Cloudflare that a verdict is wrong. What was sent once is never sent again in the same run, whatever was answered."""

from __future__ import annotations

import collections
import typing as t

from .._api.client import Client
from .._clock import Clock
from .._errors import (
    NOT_PROCESSED,
    ApiError,
    AuthenticationError,
    CloudflareError,
    DoubtfulError,
    ForeignAnswerError,
    RateLimitError,
)
from .._json import string
from .._mail.messages import path_of
from .._release.items import Item
from .._release.journal import Journal
from .._times import from_seconds, to_text
from .action_log import UnreadableLog, read_logs
from .orders import PATH, description, logged, order, postfix_id_of, read_answer, recorded, verdict
from .outcome import AMBIGUOUS, NOT_ATTEMPTED, NOT_FOUND, UNKNOWN, Kind, Outcome
from .work import Work, message_of

SUBMITTED = "submitted"
ALREADY_SUBMITTED = "already_submitted"
AGREED = "agreed"
REFUSED = "refused"
WOULD_SUBMIT = "would_submit"

STATUSES = (
    SUBMITTED, ALREADY_SUBMITTED, AGREED, REFUSED, NOT_FOUND, AMBIGUOUS, UNKNOWN, NOT_ATTEMPTED, WOULD_SUBMIT,
)  # fmt: skip
# Statuses that need a person. They fail the task by default.
FAIL_ON = (REFUSED, NOT_FOUND, AMBIGUOUS, UNKNOWN, NOT_ATTEMPTED)

_MOST = 100  # messages in one call
_FIRST_LOOK = 4.0  # seconds until the first look at the record
_DAY = 86400.0
# What a server answers that has no such call
_NO_CALL = (404, 405)

Request = t.Callable[[], t.Dict[str, t.Any]]


class Case(t.NamedTuple):
    """Messages of a call whose answer does not tell what became of them.

    words: what came instead of a plain answer.
    refused: the API refused the whole call.
    """

    items: list[Item]
    words: str
    refused: bool = False


class Reclassifier(Work):
    """Asks for one disposition for messages."""

    kind = Kind("reclassify", STATUSES, {"submission_id": None})

    def __init__(self, client: Client, clock: Clock, journal: Journal, settle_time: float, disposition: str) -> None:
        super().__init__(client, clock, journal, settle_time)
        self._wanted = disposition
        self._disposition = disposition.upper()
        self._has_record = True  # the server has a list of submissions
        self._has_call = True  # the server takes submissions

    # --- before anything is sent -----------------------------------------------------------------------------------

    def examine(self, items: t.Sequence[Item]) -> None:
        """Record the outcomes of the messages whose verdict is right, or that were submitted before."""
        for item in items:
            judged = verdict(item)
            if (judged or "NONE") == self._disposition and (judged or not message_of(item).data["alert_id"]):
                words = f"Cloudflare's verdict on it is already {self._wanted}. Nothing was sent."
                self.record(item, Outcome(AGREED, words))
        asked = self.open(items)
        if not asked:
            return
        records = self.records(asked, _DAY)
        self.wait_for(records.values(), SUBMITTED)
        for item, row in self._on_record(asked).items():
            words = f"Submission {description(row)} asks for this already. Nothing was sent."
            facts = {"submission_id": string(row.get("submission_id"))}
            self.record(item, Outcome(ALREADY_SUBMITTED, words, None, facts))
        for item, record in records.items():
            same = record.line.get("expected_disposition") == self._wanted
            if item not in self.outcomes and record.status == SUBMITTED and same:
                words = (
                    f"The journal records this submission at {to_text(from_seconds(record.time))}, though Cloudflare does not "
                    "show it yet. Nothing was sent."
                )
                self.record(item, Outcome(ALREADY_SUBMITTED, words))

    def _on_record(self, items: t.Sequence[Item], read_logs_of_all: bool = False) -> dict[Item, t.Mapping[str, t.Any]]:
        """Return the submissions of these messages that ask for the disposition.

        read_logs_of_all: read the action log of each message that is not in the list, not only where it has a submission.
        """
        rows: t.Mapping[str, t.Mapping[str, t.Any]] = {}
        try:
            if self._has_record:
                rows = recorded(self._client, items, self._disposition, self._client.time())
        except (AuthenticationError, ForeignAnswerError, RateLimitError):
            raise
        except ApiError as error:
            if error.status not in _NO_CALL:
                raise
            self._has_record = False
        found = {item: rows[name] for item in items for name in [postfix_id_of(item) or ""] if name in rows}
        # The list may not have it (any more), or there is none.
        every = read_logs_of_all or not self._has_record
        others = [item for item in items if item not in found and (every or _is_logged(item))]
        logs = read_logs(self._client, [item.names[0] for item in others])
        for item in others:
            log = logs[item.names[0]]
            row = None if isinstance(log, UnreadableLog) else logged(log, self._disposition)
            if row:
                found[item] = row
        return found

    def foretell(self, item: Item) -> Outcome:
        """Return the outcome in check mode."""
        return Outcome(WOULD_SUBMIT, f"It would be submitted as {self._wanted}.", self._change(item))

    def _change(self, item: Item) -> tuple[str, str]:
        return f"verdict {(verdict(item) or 'unknown').lower()}", f"submitted as {self._wanted}"

    # --- sending ---------------------------------------------------------------------------------------------------

    def carry_out(self, items: t.Sequence[Item]) -> None:
        """Submit the messages."""
        cases: list[Case] = []
        groups: dict[str, list[Item]] = collections.defaultdict(list)
        alone: list[Item] = []
        for item in items:
            asked = order(item, self._disposition)
            if asked:
                groups[asked[0]].append(item)
            else:
                alone.append(item)
        for kind, members in groups.items():
            for start in range(0, len(members), _MOST):
                batch = members[start : start + _MOST]
                if self._has_call and not self.ending:
                    cases += self._submit(kind, batch)
                if not self._has_call:
                    alone += self.open(batch)
        for item in alone:
            if not self.ending:
                cases += self._reclassify(item)
        self._settle(cases)

    def _submit(self, kind: str, batch: list[Item]) -> list[Case]:
        """Submit messages in one call. Records what the answer states, and returns what it leaves in doubt."""
        orders = [asked[1] for asked in (order(item, self._disposition) for item in batch) if asked]
        body = {"type": kind, "messages": orders}
        return self._send(batch, lambda: self._client.post(PATH, body, accepted=True), call=True)

    def _reclassify(self, item: Item) -> list[Case]:
        """Send one message by the deprecated call, which older servers have."""
        path = path_of(item.names[0], "reclassify")
        body = {"expected_disposition": self._disposition}
        return self._send([item], lambda: self._client.post(path, body, accepted=True), call=False)

    def _send(self, batch: list[Item], request: Request, call: bool) -> list[Case]:
        """Send one request. call: it is the one that older servers do not have."""
        try:
            self._journal.write(f"{self.kind.verb}_intent", ids=[item.names[0] for item in batch])
            for item in batch:
                item.in_flight = True
            envelope = request()
        except NOT_PROCESSED as error:
            self.halt(error)
            for item in batch:
                item.in_flight = False
            return self._in_doubt(batch, Case([], ""))
        except ApiError as error:
            if call and (error.no_route or error.status == 405):
                self._has_call = False
                for item in batch:
                    item.in_flight = False
                return self._in_doubt(batch, Case([], ""))
            if isinstance(error, ForeignAnswerError):
                self.halt(error)
            return self._in_doubt(batch, Case(batch, str(error), refused=error.status >= 400))
        except DoubtfulError as error:
            return self._in_doubt(batch, Case(batch, str(error)))
        if not call:
            self.record(batch[0], self._submitted(batch[0], None))
            return self._in_doubt(batch, Case([], ""))
        told = read_answer(envelope.get("result"), batch)
        if told is None:
            return self._in_doubt(batch, Case(batch, "the answer is garbled"))
        for item, said in told.items():
            refused = Outcome(REFUSED, f"Cloudflare does not take it: {said.words}.")
            self.record(item, self._submitted(item, None) if said.accepted else refused)
        return self._in_doubt(batch, Case(self.open(batch), "the answer does not tell what became of it"))

    def _submitted(self, item: Item, submission_id: str | None) -> Outcome:
        words = f"Accepted by Cloudflare as {self._wanted}."
        return Outcome(SUBMITTED, words, self._change(item), {"submission_id": submission_id})

    def _in_doubt(self, batch: list[Item], case: Case) -> list[Case]:
        """Write down what a request came to. Returns the case if it is one."""
        self.note("outcome", batch, in_doubt=[case.words] if case.items else [])
        return [case] if case.items else []

    # --- after lost answers and refusals ---------------------------------------------------------------------------

    def _settle(self, cases: t.Sequence[Case]) -> None:
        """Find out by the record what happened. Nothing is sent again."""
        doubts = [item for case in cases for item in case.items]
        if not doubts:
            return
        start = self._clock.monotonic()
        looks = dict.fromkeys([min(_FIRST_LOOK, self._settle_time), self._settle_time])
        trouble, ended = "", False
        for wait in looks:
            self._clock.sleep(start + wait - self._clock.monotonic())
            try:
                found = self._on_record(self.open(doubts), read_logs_of_all=wait == self._settle_time)
                trouble = ""
            except DoubtfulError as error:
                found, trouble = {}, f" ({error})"
            except CloudflareError as error:
                self.halt(error)
                found, trouble, ended = {}, f" ({error})", True
            for item, row in found.items():
                self.record(item, self._submitted(item, string(row.get("submission_id"))))
            if ended or self._clock.stopping or not self.open(doubts):
                break
        hurried = self._clock.monotonic() < start + self._settle_time  # a signal cut the pause short
        for case in cases:
            for item in self.open(case.items):
                if case.refused and not trouble and not hurried:
                    others = f" The call had {len(case.items)} messages." if len(case.items) > 1 else ""
                    self.record(item, Outcome(REFUSED, f"Cloudflare refused the call: {case.words}.{others}"))
                else:
                    words = (
                        f"It was sent without a plain answer ({case.words}), and Cloudflare's record does not show it{trouble}. "
                        "It may or may not have been submitted, and was not sent again."
                    )
                    self.record(item, Outcome(UNKNOWN, words))
        self.note("settled", doubts)


def _is_logged(item: Item) -> bool:
    """Tell whether the action log of a message has or may have a submission."""
    message = message_of(item)
    return message.record_missing or "SUBMISSION" in message.operations
