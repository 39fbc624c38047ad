# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Moves delivered messages between the folders of their mailboxes.

A move whose answer is lost is never sent again in the same run: the action log tells what happened, or the outcome is unknown.
Only what the API refused, and what the action log then does not show, is sent again, to find the culprit of a refused request.
"""

from __future__ import annotations

import collections
import typing as t

from .._api.client import Client
from .._clock import Clock
from .._errors import NOT_PROCESSED, ApiError, CloudflareError, DoubtfulError, ForeignAnswerError
from .._mail.handles import postfix_part
from .._release.body import is_about_the_form
from .._release.items import Item
from .._release.journal import Journal
from .._text import printable
from .._times import from_seconds, to_text
from . import move_answer
from .action_log import Entry, UnreadableLog, new_entries, read_logs
from .folders import FOLDERS, is_folder, option_name
from .history import Record
from .outcome import AMBIGUOUS, NOT_ATTEMPTED, NOT_FOUND, UNKNOWN, Kind, Outcome
from .work import AT_WORK, Work, message_of

MOVED = "moved"
PARTIAL = "partial"
FAILED = "failed"
ALREADY_MOVED = "already_moved"
QUARANTINED = "quarantined"
WOULD_MOVE = "would_move"

STATUSES = (
    MOVED, PARTIAL, FAILED, ALREADY_MOVED, QUARANTINED, NOT_FOUND, AMBIGUOUS, UNKNOWN, NOT_ATTEMPTED, WOULD_MOVE,
)  # fmt: skip
# Statuses that need a person. They fail the task by default.
FAIL_ON = (PARTIAL, FAILED, QUARANTINED, NOT_FOUND, AMBIGUOUS, UNKNOWN, NOT_ATTEMPTED)

_PATH = "investigate/move"
_OPERATION = "MOVE"
_IDS, _POSTFIX_IDS = "ids", "postfix_ids"
_OTHER = {_IDS: _POSTFIX_IDS, _POSTFIX_IDS: _IDS}
_FIRST_LOOK = 4.0  # seconds until the first look into the action log
_MOST_EARLY = 100  # messages for which this look is worth its reads
_MOST_WORDS = 5  # mailboxes whose reasons are in the detail
_HOPELESS = 3  # messages that were refused alone, and none was ever accepted


class Batch(t.NamedTuple):
    """Messages that go in one request. form: the form of the body to try, if it is not the usual one."""

    items: list[Item]
    form: str | None = None


class Case(t.NamedTuple):
    """Messages of a request whose answer does not tell what became of them.

    form: the form of the body in which it was sent.
    words: what came instead of a plain answer.
    refusal: the error of the API, if it refused the request.
    """

    batch: Batch
    form: str
    items: list[Item]
    words: str
    refusal: ApiError | None = None


class Mover(Work):
    """Moves messages to one folder."""

    kind = Kind("move", STATUSES, {"moved": [], "failed": []})

    def __init__(
        self, client: Client, clock: Clock, journal: Journal, settle_time: float, destination: str, batch_size: int
    ) -> None:
        super().__init__(client, clock, journal, settle_time)
        self._destination = destination
        self._batch_size = batch_size
        self._before: dict[Item, list[Entry]] = {}  # the moves that the action log had before this run
        self._form = _IDS
        self._form_known = self._ever_accepted = False
        self._lone_refusals = 0
        self._asked_at = 0.0  # when the last request was answered, or not, in seconds of the clock

    # --- before anything is sent -----------------------------------------------------------------------------------

    def examine(self, items: t.Sequence[Item]) -> None:
        """Record the outcomes of the messages that are in quarantine or where they should be."""
        for item in items:
            if message_of(item).is_quarantined:
                some = (
                    "for some recipients, and others have it"
                    if message_of(item).partly_delivered
                    else "and was never delivered"
                )
                self.record(item, Outcome(QUARANTINED, f"It is in quarantine {some}. Nothing was sent."))
        records = self.records(self.open(items), AT_WORK)
        self.wait_for(records.values(), MOVED)
        logged = [
            item
            for item in self.open(items)
            if item in records or message_of(item).record_missing or _OPERATION in message_of(item).operations
        ]
        for item, log in self._logs(logged).items():
            if isinstance(log, UnreadableLog) and not log.refused:
                words = f"Its action log could not be read ({log.words}), so nothing was sent."
                self.record(item, Outcome(NOT_ATTEMPTED, words))
                continue
            before = self._before[item] = [] if isinstance(log, UnreadableLog) else log  # older servers have none
            moved = self._already_moved(before, records.get(item))
            if moved:
                self.record(item, Outcome(ALREADY_MOVED, moved))

    def _already_moved(self, moves: list[Entry], record: Record | None) -> str | None:
        """Return where it is known from that a message is where it should be, or None."""
        last = _newest(entry for entry in moves if entry.success)
        if record and (last is None or (last.time or 0) < record.time - self._settle_time):
            # The action log does not show it yet.
            if record.status != MOVED or record.line.get("destination") != self._destination:
                return None
            return (
                f"The journal records this move at {to_text(from_seconds(record.time))}, though Cloudflare does not show it yet. "
                "Nothing was sent."
            )
        if last is None or not is_folder(last.folder, self._destination):
            return None
        # Each mailbox may have an entry of its own: a failure of the same move means that one was left out.
        failed = [entry for entry in moves if entry.success is False and is_folder(entry.folder, self._destination)]
        if any((entry.time or 0) >= (last.time or 0) for entry in failed):
            return None
        return "The action log shows that it was moved there before this run. Nothing was sent."

    def foretell(self, item: Item) -> Outcome:
        """Return the outcome in check mode."""
        return Outcome(WOULD_MOVE, "It would be moved.", self._change(item, self._destination))

    def _change(self, item: Item, after: str) -> tuple[str, str]:
        last = _newest(entry for entry in self._before.get(item, []) if entry.success)
        return (option_name(last.folder) if last else "delivered"), after

    # --- sending ---------------------------------------------------------------------------------------------------

    def carry_out(self, items: t.Sequence[Item]) -> None:
        """Move the messages."""
        if any(item.id is None for item in items):
            self._form = _POSTFIX_IDS  # such a server is from before there were investigate ids
        size = self._batch_size
        waiting = collections.deque(Batch(list(items[start : start + size])) for start in range(0, len(items), size))
        while waiting and not self.ending:
            cases: list[Case] = []
            # As long as nothing was ever accepted, a refusal is looked into before more is sent.
            while waiting and not self.ending and (self._ever_accepted or not any(case.refusal for case in cases)):
                cases += self._send(waiting.popleft())
            waiting.extendleft(reversed(self._settle(cases)))

    def _send(self, batch: Batch) -> list[Case]:
        """Send one request. Records the outcomes that the answer states, and returns what it leaves in doubt."""
        items = batch.items
        form = batch.form or self._form
        names = [_name(item, form) for item in items]
        try:
            self._journal.write(f"{self.kind.verb}_intent", ids=names, request_format=form)
            for item in items:
                item.in_flight = True
            envelope = self._client.post(_PATH, {"destination": FOLDERS[self._destination], form: names})
        except NOT_PROCESSED as error:
            self.halt(error)
            for item in items:
                item.in_flight = False
            self.note("outcome", items, in_doubt=[])
            return []
        except ApiError as error:
            if error.status < 300:
                return self._in_doubt(Case(batch, form, items, str(error)))  # done or not, nobody can tell
            if not self._form_known and _is_about_the_form(error, names):
                self._form, self._form_known = _OTHER[form], True
                if batch.form is None:
                    return self._send(batch)
            return self._in_doubt(Case(batch, form, items, str(error), error))
        except DoubtfulError as error:
            return self._in_doubt(Case(batch, form, items, str(error)))
        entries = move_answer.read_entries(envelope.get("result"))
        if entries is None:
            return self._in_doubt(Case(batch, form, items, "the answer is garbled"))
        self._form, self._form_known, self._ever_accepted = form, True, True
        for item, told in move_answer.match(entries, items, self._destination).items():
            self.record(item, self._outcome(item, told))
        return self._in_doubt(Case(batch, form, self.open(items), "the answer does not tell what became of it"))

    def _outcome(self, item: Item, entries: list[move_answer.Entry]) -> Outcome:
        """Return the outcome that an answer states."""
        reasons = {entry.recipient or "": entry.reason for entry in entries if not entry.success}
        moved = list(dict.fromkeys(entry.recipient or "" for entry in entries if entry.recipient not in reasons))
        facts = {"moved": moved, "failed": list(reasons)}
        words = "; ".join(f"{printable(name, 100)} ({reason})" for name, reason in list(reasons.items())[:_MOST_WORDS])
        if not reasons:
            return Outcome(MOVED, "Moved in every mailbox of the answer.", self._change(item, self._destination), facts)
        if moved:
            return Outcome(PARTIAL, f"Not moved in some mailboxes: {words}.", self._change(item, PARTIAL), facts)
        return Outcome(FAILED, f"Moved in no mailbox: {words}.", None, facts)

    def _in_doubt(self, case: Case) -> list[Case]:
        """Write down what a request came to. Returns the case if it is one."""
        self.note("outcome", case.batch.items, in_doubt=[case.words] if case.items else [])
        return [case] if case.items else []

    # --- after lost answers and refusals ---------------------------------------------------------------------------

    def _settle(self, cases: t.Sequence[Case]) -> list[Batch]:
        """Find out in the action log what happened. Returns what is to be sent again: only what was refused and not done."""
        if not cases:
            return []
        self._asked_at = self._clock.monotonic()
        doubts = [item for case in cases for item in case.items]
        try:
            # What was refused has most likely not been done.
            early = [item for case in cases if not case.refusal for item in case.items]
            if len(early) <= _MOST_EARLY:
                self._read_back(early, _FIRST_LOOK)
            self._read_back(doubts, self._settle_time, last=True)
        except CloudflareError as error:
            self.halt(error)
            words = f"It was sent without a plain answer, and reading its action log failed: {error}"
            self.record_all(self.open(doubts), Outcome(UNKNOWN, words))
        hurried = self._clock.monotonic() < self._asked_at + self._settle_time  # a signal cut the pause short
        again = []
        for case in cases:
            left = self.open(case.items)
            for item in left:
                item.in_flight = False
            if left and case.refusal and not hurried:
                again += self._after_refusal(case, left, case.refusal)
            else:
                words = (
                    f"It was sent without a plain answer ({case.words}), and its action log does not show the move. It may "
                    "or may not have been moved, and was not sent again."
                )
                self.record_all(left, Outcome(UNKNOWN, words))
        self.note("settled", doubts)
        return again

    def _read_back(self, items: t.Iterable[Item], wait: float, last: bool = False) -> None:
        """Record what the action logs show so many seconds after the requests. last: they are not looked at again."""
        if not self.open(items):
            return
        self._clock.sleep(self._asked_at + min(wait, self._settle_time) - self._clock.monotonic())
        for item, log in self._logs(self.open(items)).items():
            outcome = self._logged(item, log, last)
            if outcome:
                self.record(item, outcome)

    def _logged(self, item: Item, log: list[Entry] | UnreadableLog, last: bool) -> Outcome | None:
        """Return the outcome that an action log shows, or None if it shows none (yet). last: it is not looked at again."""
        if isinstance(log, UnreadableLog):
            words = f"It was sent without a plain answer, and its action log cannot be read: {log.words}."
            return Outcome(UNKNOWN, words) if last else None
        new = [
            entry
            for entry in new_entries(self._before.get(item, []), log)
            if is_folder(entry.folder, self._destination)
        ]
        done = [entry for entry in new if entry.success]
        failed = [entry for entry in new if entry.success is False]
        mailboxes = message_of(item).all_recipients
        complete = len(done) + len(failed) >= len(mailboxes)
        if not (done or failed) or not (complete or last):
            return None
        if done and failed:
            words = "The action log shows that it was moved in some mailboxes, but not in all."
            return Outcome(PARTIAL, words, self._change(item, PARTIAL))
        if done:
            facts = {"moved": mailboxes} if complete else {}
            return Outcome(MOVED, "The action log shows the move.", self._change(item, self._destination), facts)
        if complete:
            return Outcome(FAILED, "The action log shows that the move failed.", None, {"failed": mailboxes})
        words = "The action log shows a failed move, but not in which of its mailboxes."
        return Outcome(UNKNOWN, f"It was sent without a plain answer. {words}")

    def _after_refusal(self, case: Case, left: list[Item], refusal: ApiError) -> list[Batch]:
        """Take the culprit of a refused request out, or narrow it down."""
        if isinstance(refusal, ForeignAnswerError) or refusal.no_route:
            self.halt(refusal)
        elif len(left) < len(case.batch.items):
            return [Batch(left)]  # what is no longer in doubt may have been the culprit
        elif not self._form_known and case.batch.form is None:
            return [Batch(left, _OTHER[case.form])]
        elif len(left) > 1:
            middle = len(left) // 2
            return [Batch(left[:middle]), Batch(left[middle:])]
        words = f"Cloudflare refuses to move it: {case.words}. The action log does not show the move."
        self.record_all(left, Outcome(FAILED, words))
        self._lone_refusals += 1
        if not self._ever_accepted and self._lone_refusals >= _HOPELESS:
            self.halt(refusal)
        return []

    def _logs(self, items: t.Sequence[Item]) -> dict[Item, list[Entry] | UnreadableLog]:
        """Return the moves in the action logs of the messages."""
        logs = read_logs(self._client, [item.names[0] for item in items])
        found: dict[Item, list[Entry] | UnreadableLog] = {}
        for item in items:
            log = logs[item.names[0]]
            found[item] = (
                log if isinstance(log, UnreadableLog) else [entry for entry in log if entry.operation == _OPERATION]
            )
        return found


def _newest(entries: t.Iterable[Entry]) -> Entry | None:
    """Return the newest of some actions, or None if there is none or their order is not known."""
    found = sorted(entries, key=lambda entry: entry.time or 0, reverse=True)
    if len(found) > 1 and any(entry.time is None for entry in found):
        return None
    rivals = [entry for entry in found if entry.time == found[0].time and entry.folder != found[0].folder]
    return found[0] if found and not rivals else None


def _name(item: Item, form: str) -> str:
    """Return the id by which a message is sent."""
    if form == _POSTFIX_IDS:
        return item.postfix_id or postfix_part(item.id) or item.names[0]
    return item.names[0]


def _is_about_the_form(error: ApiError, names: t.Sequence[str]) -> bool:
    """Tell whether a refusal is certainly about the field that holds the ids, and not about one of them."""
    if is_about_the_form(error, names):
        return True
    words = " ".join(entry["message"] for entry in error.errors)
    pointers = [entry["source"]["pointer"] for entry in error.errors if "source" in entry]
    asks = _POSTFIX_IDS in words or f"/{_POSTFIX_IDS}" in pointers
    return error.status in (400, 415, 422) and asks and not any(name in words for name in names)
