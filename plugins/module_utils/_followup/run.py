# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""One run of a follow-up, from handles to the result. Knows nothing of Ansible."""

from __future__ import annotations

import types
import typing as t
import uuid

from .._api.client import Client
from .._clock import Clock
from .._errors import CloudflareError, InternalError
from .._mail.handles import Handle
from .._mail.message import Message, State
from .._mail.messages import Messages
from .._release.items import Item, resolve
from .._release.journal import Journal
from .outcome import AMBIGUOUS, NOT_ATTEMPTED, NOT_FOUND, Outcome
from .result import Result
from .work import Work, message_of


class Request(t.NamedTuple):
    """What is to be done.

    trail: who asked, who approved and so on, and what was asked for, recorded in each line of the journal.
    journal: path, or None.
    """

    handles: t.Sequence[Handle]
    check_mode: bool = False
    trail: t.Mapping[str, str | None] = types.MappingProxyType({})
    journal: str | None = None


class _Delivered(Messages[Message]):
    """Reads messages that are probably no longer in quarantine."""

    def find(self, handles: t.Iterable[Handle], released_first: bool = True) -> dict[Handle, list[Message]]:
        return super().find(handles, released_first)


def follow_up(client: Client, clock: Clock, request: Request, make: t.Callable[[Journal], Work]) -> Result:
    """Carry out a request. Raises JournalError before anything was sent; all else is in the result."""
    context = {"run": uuid.uuid4().hex, "account_id": client.account_id, **request.trail}
    journal = Journal(request.journal, context, request.check_mode, client.time, client.masker.mask)
    work = make(journal)
    items: list[Item] = []
    try:
        journal.take_turn(clock, client.max_wait)
        items = _found(work, _Delivered(client, clock, Message), request.handles)
        work.examine(work.open(items))
        if request.check_mode:
            for item in work.open(items):
                work.record(item, work.foretell(item))
        else:
            work.carry_out(work.open(items))
    except CloudflareError as error:
        work.halt(error)
    except Exception as error:  # whatever it is, no outcome may be lost
        work.halt(InternalError(error))
    finally:
        journal.close()
    items = items or [Item(handle) for handle in request.handles]  # if not even finding them went well
    work.finish(items)
    return Result(work.kind, request.handles, work.outcomes, work.error)


def _found(work: Work, messages: Messages[Message], handles: t.Sequence[Handle]) -> list[Item]:
    """Return the messages that the handles name. Those that cannot be used have their outcomes."""
    items, known = resolve(messages, handles, check_state=True, keep=True)
    for item, outcome in known.items():
        if outcome.status in (NOT_FOUND, AMBIGUOUS):
            work.record(item, Outcome(outcome.status, outcome.detail))
    for item in work.open(items):
        if message_of(item).state == State.UNREADABLE:
            work.record(item, Outcome(NOT_ATTEMPTED, "Its state could not be read, so nothing was sent."))
    return items
