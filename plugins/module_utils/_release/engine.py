# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The release engine: sends each item at most once as far as anybody can know.

Work goes in rounds. A round sends batches; whatever got no plain answer is read back at its end, and only what then
still reads as quarantined goes into the next round. Nothing is ever sent again on a guess.
"""

from __future__ import annotations

import collections
import concurrent.futures
import re
import threading
import typing as t

from .._api.client import Client
from .._clock import Clock
from .._errors import (
    ApiError,
    AuthenticationError,
    CloudflareError,
    ConnectError,
    DoubtfulError,
    ForeignAnswerError,
    InputError,
    InternalError,
    InterruptError,
    JournalError,
    RateLimitError,
)
from .._mail.message import BriefMessage
from .._mail.messages import Messages
from .answer import Names, match, outcome_of, read_entries
from .items import Item
from .journal import Journal
from .outcome import BREAKING, FAILED, NOT_ATTEMPTED, RELEASED, UNDELIVERED, UNKNOWN, Outcome
from .settle import PASSED_OVER, REFUSED, SETTLE_TIME, UNANSWERED, Doubt, Witness, read_back

_PATH = "investigate/release"
AUTO = "auto"
ARRAY = "array"
OBJECT = "object"
_OTHER = {ARRAY: OBJECT, OBJECT: ARRAY}
# So many messages refused alone, and none ever accepted: the API refuses everything, and asking on is pointless.
_HOPELESS = 3
# Words that can only be about what kind of thing the body is, not about what is in it.
_ABOUT_THE_FORM = re.compile(
    r"\bunmarshal|\bdeseriali[sz]|\binvalid type\b|does not match the schema"
    r"|\b(expected|got|must be|should be|want|wanted|required) (an? )?(json )?(array|object|list|map|struct|sequence)\b"
    r"|\b(invalid|malformed) (request )?(body|json)\b|\bbody (is |was )?(invalid|malformed)\b"
    r"|\bids\W+((field|property|parameter) )?(is|are) (required|missing)\b|\bmissing (required )?(field|property|parameter)\W+ids\b",
    re.IGNORECASE,
)


class Options(t.NamedTuple):
    """How to release. See the documentation of the module message_release."""

    batch_size: int = 50
    concurrency: int = 4
    request_format: str = AUTO
    retries: int = 5
    stop_after_failures: int = 0
    settle_time: float = SETTLE_TIME


class Batch(t.NamedTuple):
    """Items that go in one request, and the body's forms that the API refused for them."""

    items: list[Item]
    refused_forms: frozenset[str] = frozenset()


class Unsettled(t.NamedTuple):
    """Items of a batch whose release call did not tell their outcome."""

    batch: Batch
    items: list[Item]
    doubt: Doubt
    words: str
    refusal: ApiError | None = None


class Releaser:
    """Sends items and settles their outcomes.

    error: what ended the run before its time, if anything did.
    """

    def __init__(
        self, client: Client, messages: Messages[BriefMessage], journal: Journal, clock: Clock, options: Options
    ) -> None:
        self.error: CloudflareError | None = None
        self._client = client
        self._messages = messages
        self._journal = journal
        self._clock = clock
        self._options = options
        self._lock = threading.Lock()
        self._form = ARRAY if options.request_format == AUTO else options.request_format
        self._form_proven = options.request_format != AUTO
        self._accepted: set[bool] = set()  # what was accepted so far: investigate ids (True), postfix ids (False)
        self._lone_refusals = 0
        self._hopeless: ApiError | None = None
        self._failures = 0
        self._witness: Witness | None = None  # the newest message that was answered as released

    def release(self, items: t.Sequence[Item]) -> None:
        """Send the items; each has its outcome afterwards."""
        size = self._options.batch_size
        waiting = collections.deque(Batch(list(items[start : start + size])) for start in range(0, len(items), size))
        try:
            while waiting and not self._ending:
                again = self._settle(self._round(waiting))
                waiting.extendleft(reversed(again))
        except Exception as error:  # whatever it is, no outcome may be lost
            self._halt(InternalError(error))
        if self._hopeless and waiting:
            self._halt(self._hopeless)
        for item in items:
            if item.outcome is None:
                self._end(item, self._unfinished(item))

    @property
    def stopped_by_breaker(self) -> bool:
        """Tell whether stop_after_failures was reached."""
        return 0 < self._options.stop_after_failures <= self._failures

    @property
    def _ending(self) -> bool:
        return self.error is not None or self._hopeless is not None or self._clock.stopping or self.stopped_by_breaker

    # --- one round -------------------------------------------------------------------------------------------------

    def _round(self, waiting: collections.deque[Batch]) -> list[Unsettled]:
        """Send waiting batches until none is left, or until the doubts should be settled first."""
        doubts: list[Unsettled] = []
        # As long as the form of the body is a guess, one request finds out; several would all be refused.
        most = len(waiting) if self._form_proven else 1
        batches = (waiting.popleft() for _number in range(most))

        def work() -> None:
            while True:
                with self._lock:
                    batch = None if self._ending or self._should_settle(doubts) else next(batches, None)
                if batch is None:
                    return
                new = self._send(batch)
                with self._lock:
                    doubts.extend(new)

        threads = min(self._options.concurrency, most)
        if threads == 1:
            work()
        else:
            with concurrent.futures.ThreadPoolExecutor(threads) as pool:
                for future in [pool.submit(work) for _number in range(threads)]:
                    future.result()
        return doubts

    def _should_settle(self, doubts: list[Unsettled]) -> bool:
        """Tell whether what is in doubt could change what is to be sent next."""
        if not self._accepted and any(case.doubt.failure == REFUSED for case in doubts):
            return True  # perhaps it refuses everything
        breaker = self._options.stop_after_failures
        return 0 < breaker <= self._failures + sum(len(case.items) for case in doubts)

    def _send(self, batch: Batch) -> list[Unsettled]:
        """Send one batch. Ends the items that the answer names and returns the others."""
        form = self._form_for(batch)
        names = [_name(item, form) for item in batch.items]
        try:
            self._journal.write("intent", ids=names, request_format=form)
            for item in batch.items:
                item.in_flight = True
            envelope = self._client.post(_PATH, names if form == ARRAY else {"ids": names})
        except (AuthenticationError, RateLimitError, ConnectError, InputError, InterruptError, JournalError) as error:
            self._halt(error)
            for item in batch.items:
                item.in_flight = False  # certainly not processed
            return self._unsettled(batch, [], REFUSED, str(error))
        except ApiError as error:
            if self._may_change_form(batch, form) and _is_about_the_form(error, names):
                return self._send(Batch(batch.items, batch.refused_forms | {form}))
            return self._unsettled(batch, batch.items, REFUSED, str(error), error)
        except DoubtfulError as error:
            return self._unsettled(batch, batch.items, UNANSWERED, str(error))
        with self._lock:
            self._form, self._form_proven = form, True
            self._accepted |= {name == item.id for item, name in zip(batch.items, names)}
        entries = read_entries(envelope.get("result"))
        if entries is None:
            return self._unsettled(batch, batch.items, UNANSWERED, "the answer is garbled")
        silent = []
        for item, entry in zip(batch.items, match(entries, [Names(item.id, item.postfix_id) for item in batch.items])):
            if entry:
                item.learn(entry.id, entry.postfix_id)
            outcome = outcome_of(entry)
            if outcome:
                self._end(item, outcome)
                if outcome.status == RELEASED:
                    self._witness = Witness(item, self._clock.monotonic())
            else:
                silent.append(item)
        return self._unsettled(batch, silent, PASSED_OVER, "the answer names no outcome for it")

    # --- after a round ---------------------------------------------------------------------------------------------

    def _settle(self, doubts: t.Sequence[Unsettled]) -> list[Batch]:
        """Find out what happened to the items in doubt. Returns what is to be sent again."""
        if not doubts:
            return []
        items = {item: case.doubt for case in doubts for item in case.items}
        try:
            read_back(self._messages, self._clock, items, self._options.settle_time, self._witness)
        except CloudflareError as error:
            self._halt(error)
            for item in items:
                item.outcome = item.outcome or Outcome(
                    UNKNOWN, f"It was sent without a plain answer, and reading it back failed: {error}"
                )
        again = []
        for case in doubts:
            for item in case.items:
                item.in_flight = False
                if item.outcome:
                    self._end(item, item.outcome)
            if any(item.outcome and item.outcome.changed for item in case.items):
                self._form, self._form_proven = self._form_for(case.batch), True
            left = [item for item in case.items if item.outcome is None]
            if left:
                again += self._after_refusal(case, left) if case.refusal else self._after_silence(case, left)
        self._note("settled", items)
        return again

    def _after_silence(self, case: Unsettled, left: list[Item]) -> list[Batch]:
        """Send again what is still in quarantine, as often as C(retries) allows."""
        again = []
        for item in left:
            item.doubts += 1
            if item.doubts > self._options.retries:
                times = "once" if item.doubts == 1 else f"{item.doubts} times"
                self._end(
                    item, Outcome(UNDELIVERED, f"Sent {times}, last: {case.words}. Read back: still in quarantine.")
                )
            else:
                if case.doubt.failure == PASSED_OVER and item.given_as_postfix_id:
                    item.sent_as += 1  # perhaps it goes by its other id
                again.append(item)
        return [Batch(again, case.batch.refused_forms)] if again else []

    def _after_refusal(self, case: Unsettled, left: list[Item]) -> list[Batch]:
        """Take the culprit of a refused batch out, or narrow it down."""
        batch, refusal = case.batch, t.cast(ApiError, case.refusal)
        form = self._form_for(batch)
        if isinstance(refusal, ForeignAnswerError):
            self._halt(refusal)
        elif len(left) < len(batch.items):
            return [Batch(left, batch.refused_forms)]  # what reading back has settled may have been the culprit
        elif self._may_change_form(batch, form):
            return [Batch(left, batch.refused_forms | {form})]
        elif len(left) > 1:
            middle = len(left) // 2
            return [Batch(left[:middle]), Batch(left[middle:])]
        elif left[0].sent_as + 1 < len(left[0].names) and not self._takes(left[0], form):
            left[0].sent_as += 1
            return [Batch(left)]
        for item in left:
            self._end(
                item,
                Outcome(FAILED, f"Cloudflare refuses to release it: {case.words}. Read back: still in quarantine."),
            )
        self._lone_refusals += 1
        if not self._accepted and self._lone_refusals >= _HOPELESS:
            self._hopeless = refusal
        return []

    def _takes(self, item: Item, form: str) -> bool:
        """Tell whether the server has accepted ids of the kind by which the item was sent."""
        return (_name(item, form) == item.id) in self._accepted

    def _form_for(self, batch: Batch) -> str:
        return _OTHER[self._form] if self._form in batch.refused_forms else self._form

    def _may_change_form(self, batch: Batch, form: str) -> bool:
        return not self._form_proven and _OTHER[form] not in batch.refused_forms

    def _unfinished(self, item: Item) -> Outcome:
        if self.error:
            reason = str(self.error)
        elif self._clock.stopping:
            reason = "a signal ended it"
        else:
            reason = f"{self._failures} messages had ended as {', '.join(BREAKING)} (stop_after_failures)"
        if item.in_flight:
            return Outcome(UNKNOWN, f"It was sent, and then the run stopped: {reason}.")
        if item.doubts:
            return Outcome(
                UNDELIVERED,
                f"Sent without effect and read back as still in quarantine; then the run stopped: {reason}.",
            )
        return Outcome(NOT_ATTEMPTED, f"The run stopped before it was sent: {reason}.")

    # --- bookkeeping -----------------------------------------------------------------------------------------------

    def _end(self, item: Item, outcome: Outcome) -> None:
        with self._lock:
            item.outcome = outcome
            self._failures += outcome.status in BREAKING

    def _halt(self, error: CloudflareError) -> None:
        with self._lock:
            self.error = self.error or error

    def _unsettled(
        self, batch: Batch, items: list[Item], failure: str, words: str, refusal: ApiError | None = None
    ) -> list[Unsettled]:
        """Record what a request came to; returns what it left open."""
        self._note("outcome", batch.items, in_doubt=[words] if items else [])
        return [Unsettled(batch, items, Doubt(failure, self._clock.monotonic()), words, refusal)] if items else []

    def _note(self, event: str, items: t.Iterable[Item], **fields: t.Any) -> None:
        messages = [
            {
                "id": item.id,
                "postfix_id": item.postfix_id,
                **(item.outcome.facts() if item.outcome else {"status": None}),
            }
            for item in items
        ]
        try:
            self._journal.write(event, messages=messages, **fields)
        except JournalError as error:
            self._halt(error)


def _name(item: Item, form: str) -> str:
    """Return the id to send.

    The array is the form of the time of postfix ids, so an id given as such goes into it as it is; the object takes
    investigate ids. If that id is refused, C(sent_as) moves on to the other one.
    """
    names = item.names
    if form == ARRAY and item.given_as_postfix_id:
        names.reverse()
    return names[item.sent_as % len(names)]


def _is_about_the_form(error: ApiError, names: t.Sequence[str]) -> bool:
    """Tell whether a refusal is certainly about the body's form: it points at the body and names none of its ids."""
    if error.status not in (400, 415, 422) or isinstance(error, ForeignAnswerError):
        return False
    pointers = [entry["source"]["pointer"] for entry in error.errors if "source" in entry]
    words = " ".join(entry["message"] for entry in error.errors)
    if any(name in words for name in names):
        return False
    return any(pointer in ("", "/", "/ids") for pointer in pointers) or bool(_ABOUT_THE_FORM.search(words))
