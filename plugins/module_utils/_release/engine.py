# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The release engine: sends each message at most once, as far as anybody can know.

The release rule: a message is sent again only after its state was read back and is still quarantined. Nothing is ever sent
again on a guess.

Work goes in rounds. A round sends batches (_send). Whatever got no plain answer is in doubt, and is read back at the end of
the round (_settle). Only what then still reads as quarantined goes into the next round.
"""

from __future__ import annotations

import collections
import concurrent.futures
import threading
import typing as t

from .._api.client import Client
from .._clock import Clock
from .._errors import (
    NOT_PROCESSED,
    ApiError,
    CloudflareError,
    DoubtfulError,
    ForeignAnswerError,
    InternalError,
    JournalError,
    SilentError,
)
from .._mail.message import BriefMessage
from .._mail.messages import Messages
from .answer import Names, match, outcome_of, read_entries
from .body import AUTO, Body, FormMemory, content, is_about_the_form, name_of
from .items import Item
from .journal import Journal
from .ledger import Ledger
from .outcome import BREAKING, Outcome, Status
from .settle import PASSED_OVER, REFUSED, SETTLE_TIME, UNANSWERED, Doubt, Witness, read_back

_PATH = "investigate/release"
# So many messages refused alone, and none ever accepted: the API refuses everything, and asking on is pointless.
_HOPELESS = 3
# So many batches in a row that could not be read back end the run: of those to which nobody answered, and of all.
_MOST_SILENT = 3
_MOST_UNREAD = 20


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


class Case(t.NamedTuple):
    """Items of a batch that its release call left in doubt.

    form: the body's form in which the batch was sent.
    words: what came instead of a plain answer.
    refusal: the error of the API, if it refused the batch.
    """

    batch: Batch
    form: str
    items: list[Item]
    doubt: Doubt
    words: str
    refusal: ApiError | None = None


class Releaser:
    """Sends items until each has its outcome in the ledger.

    error: what ended the run before its time, if anything did.
    """

    def __init__(
        self,
        client: Client,
        messages: Messages[BriefMessage],
        journal: Journal,
        clock: Clock,
        options: Options,
        ledger: Ledger,
    ) -> None:
        self.error: CloudflareError | None = None
        self._client = client
        self._messages = messages
        self._journal = journal
        self._clock = clock
        self._options = options
        self._ledger = ledger
        self._body = Body(options.request_format, FormMemory(client.notes, clock.time()))
        self._witness: Witness | None = None  # the newest message that was answered as released
        self._lock = threading.Lock()  # for error, witness and the cases of a round, which threads share
        self._lone_refusals = 0
        self._unread = 0  # batches in a row that could not be read back
        self._hopeless: ApiError | None = None

    def release(self, items: t.Sequence[Item]) -> None:
        """Send the items. Each has its outcome afterwards."""
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
        self._ledger.record_all((item, self._unfinished(item)) for item in items if item.outcome is None)

    @property
    def stopped_by_breaker(self) -> bool:
        """Tell whether stop_after_failures was reached."""
        return self._breaks_at(self._ledger.failures)

    def _breaks_at(self, failures: int) -> bool:
        return 0 < self._options.stop_after_failures <= failures

    @property
    def _ending(self) -> bool:
        return self.error is not None or self._hopeless is not None or self._clock.stopping or self.stopped_by_breaker

    # --- one round -------------------------------------------------------------------------------------------------

    def _round(self, waiting: collections.deque[Batch]) -> list[Case]:
        """Send waiting batches until none is left, or until those in doubt should be read back first."""
        cases: list[Case] = []
        # As long as the form of the body is a guess, one request finds out; several would all be refused.
        most = len(waiting) if self._body.form_known else 1
        batches = (waiting.popleft() for _number in range(most))

        def work() -> None:
            while True:
                with self._lock:
                    batch = None if self._ending or self._should_settle(cases) else next(batches, None)
                if batch is None:
                    return
                new = self._send(batch)
                with self._lock:
                    cases.extend(new)

        threads = min(self._options.concurrency, most)
        if threads == 1:
            work()
        else:
            with concurrent.futures.ThreadPoolExecutor(threads) as pool:
                for future in [pool.submit(work) for _number in range(threads)]:
                    future.result()
        return cases

    def _should_settle(self, cases: list[Case]) -> bool:
        """Tell whether what is in doubt could change what is to be sent next."""
        if not self._body.ever_accepted and any(case.refusal for case in cases):
            return True  # perhaps it refuses everything
        return self._breaks_at(self._ledger.failures + sum(len(case.items) for case in cases))

    def _send(self, batch: Batch) -> list[Case]:
        """Send one batch. Records the outcomes that the answer states, and returns what it leaves in doubt."""
        items, form = batch.items, self._body.form(batch.refused_forms)
        names = [name_of(item, form) for item in items]
        sent = self._clock.monotonic()
        try:
            self._journal.write("intent", ids=names, request_format=form)
            for item in items:
                item.in_flight = True
            envelope = self._client.post(_PATH, content(names, form))
        except NOT_PROCESSED as error:
            self._halt(error)
            for item in items:
                item.in_flight = False
            self._note("outcome", items, in_doubt=[])
            return []
        except ApiError as error:
            if self._body.may_change(form, batch.refused_forms) and is_about_the_form(error, names):
                return self._send(Batch(items, batch.refused_forms | {form}))
            return self._in_doubt(Case(batch, form, items, self._doubt(REFUSED, sent), str(error), error))
        except DoubtfulError as error:
            return self._in_doubt(Case(batch, form, items, self._doubt(UNANSWERED, sent), str(error)))
        self._body.accepted(form, items)
        self._unread = 0
        entries = read_entries(envelope.get("result"))
        if entries is None:
            return self._in_doubt(Case(batch, form, items, self._doubt(UNANSWERED, sent), "the answer is garbled"))
        silent = []
        for item, entry in zip(items, match(entries, [Names(item.id, item.postfix_id) for item in items])):
            if entry:
                item.learn(entry.id, entry.postfix_id)
            outcome = outcome_of(entry)
            if outcome is None:
                silent.append(item)
                continue
            self._ledger.record(item, outcome)
            self._body.delivered(form)
            if outcome.status == Status.RELEASED:
                with self._lock:
                    self._witness = Witness(item, self._clock.monotonic())
        words = "the answer names no outcome for it"
        return self._in_doubt(Case(batch, form, silent, self._doubt(PASSED_OVER, sent), words))

    def _doubt(self, failure: str, sent: float) -> Doubt:
        return Doubt(failure, self._clock.monotonic(), sent)

    def _in_doubt(self, case: Case) -> list[Case]:
        """Write down what a request came to. Returns the case if it is one."""
        self._note("outcome", case.batch.items, in_doubt=[case.words] if case.items else [])
        return [case] if case.items else []

    # --- after a round ---------------------------------------------------------------------------------------------

    def _settle(self, cases: t.Sequence[Case]) -> list[Batch]:
        """Find out what happened to the items in doubt. Returns what is to be sent again."""
        if not cases:
            return []
        start = self._clock.monotonic()
        together = trouble = self._read_back(cases, start)  # takes the fewest calls
        for case in cases:
            if together and len(cases) > 1 and not self._is_final(trouble):
                trouble = self._read_back([case], start)  # what cannot be read costs its own batch only
            if trouble:
                words = f"It was sent without a plain answer, and reading it back failed: {trouble}"
                unknown = Outcome(Status.UNKNOWN, words)
                self._ledger.record_all((item, unknown) for item in case.items if item.outcome is None)
        again = []
        for case in cases:
            for item in case.items:
                item.in_flight = False
            if any(item.outcome and item.outcome.changed for item in case.items):
                self._body.worked(case.form)
            left = [item for item in case.items if item.outcome is None]
            if left:
                again += self._after_refusal(case, left) if case.refusal else self._after_silence(case, left)
        self._note("settled", [item for case in cases for item in case.items])
        return again

    def _read_back(self, cases: t.Sequence[Case], start: float) -> CloudflareError | None:
        """Record what reading back shows of the items in doubt. Returns what kept them from being read, if anything did."""
        doubts = {item: case.doubt for case in cases for item in case.items if item.outcome is None}
        if not doubts:
            return None
        settle_time, server_time = self._options.settle_time, self._client.server_time
        try:
            self._ledger.record_all(
                read_back(self._messages, self._clock, doubts, settle_time, server_time, start, self._witness)
            )
        except CloudflareError as error:
            self._unread += len(cases) == 1
            if self._is_final(error):
                self._halt(error)
            return error
        self._unread = 0
        return None

    def _is_final(self, trouble: CloudflareError | None) -> bool:
        """Tell whether a trouble with reading back ends the run: nothing else would be read either."""
        silent = isinstance(trouble, (SilentError, ForeignAnswerError))
        return isinstance(trouble, NOT_PROCESSED) or self._unread >= (_MOST_SILENT if silent else _MOST_UNREAD)

    def _after_silence(self, case: Case, left: list[Item]) -> list[Batch]:
        """Send again what is still in quarantine, as often as retries allows."""
        again = []
        for item in left:
            item.fruitless += 1
            if item.fruitless > self._options.retries:
                times = "once" if item.fruitless == 1 else f"{item.fruitless} times"
                words = f"Sent {times}, last: {case.words}. Read back: still in quarantine."
                self._ledger.record(item, Outcome(Status.UNDELIVERED, words))
            else:
                if case.doubt.failure == PASSED_OVER and item.given_as_postfix_id:
                    item.sent_as += 1  # perhaps it goes by its other id
                again.append(item)
        return [Batch(again, case.batch.refused_forms)] if again else []

    def _after_refusal(self, case: Case, left: list[Item]) -> list[Batch]:
        """Take the culprit of a refused batch out, or narrow it down."""
        batch, refusal = case.batch, t.cast(ApiError, case.refusal)
        foreign = isinstance(refusal, ForeignAnswerError)
        # A page in Cloudflare's place, and success: false in an answer of HTTP 200, may be troubles that pass.
        passing = (foreign and refusal.status >= 400) or (refusal.status < 300 and len(left) == 1)
        if passing and all(item.fruitless < self._options.retries for item in left):
            for item in left:
                item.fruitless += 1
            return [Batch(left, batch.refused_forms)]
        if foreign:
            self._halt(refusal)
        elif len(left) < len(batch.items):
            return [Batch(left, batch.refused_forms)]  # what is no longer in doubt may have been the culprit
        elif self._body.may_change(case.form, batch.refused_forms):
            return [Batch(left, batch.refused_forms | {case.form})]
        elif len(left) > 1:
            middle = len(left) // 2
            return [Batch(left[:middle]), Batch(left[middle:])]
        elif self._body.may_rename(left[0], case.form):
            left[0].sent_as += 1
            return [Batch(left)]
        words = f"Cloudflare refuses to release it: {case.words}. Read back: still in quarantine."
        self._ledger.record_all((item, Outcome(Status.FAILED, words)) for item in left)
        self._lone_refusals += 1
        if not self._body.ever_accepted and self._lone_refusals >= _HOPELESS:
            self._hopeless = refusal
        return []

    def _unfinished(self, item: Item) -> Outcome:
        if self.error:
            reason = str(self.error)
        elif self._clock.stopping:
            reason = "a signal ended it"
        else:
            failures = self._ledger.failures
            reason = f"{failures} messages had ended as {', '.join(BREAKING)} (stop_after_failures)"
        if item.in_flight:
            return Outcome(Status.UNKNOWN, f"It was sent, and then the run stopped: {reason}.")
        if item.fruitless:
            return Outcome(
                Status.UNDELIVERED,
                f"Sent without effect and read back as still in quarantine; then the run stopped: {reason}.",
            )
        return Outcome(Status.NOT_ATTEMPTED, f"The run stopped before it was sent: {reason}.")

    # --- bookkeeping -----------------------------------------------------------------------------------------------

    def _halt(self, error: CloudflareError) -> None:
        with self._lock:
            self.error = self.error or error

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
