# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""One run of message_release, from handles to the result. Knows nothing of Ansible."""

from __future__ import annotations

import types
import typing as t
import uuid

from .._api.client import Client
from .._clock import Clock
from .._errors import CloudflareError
from .._mail.handles import Handle
from .._mail.message import BriefMessage, Message
from .._mail.messages import Messages
from .delivery import follow
from .engine import Options, Releaser
from .items import Item, resolve
from .journal import Journal
from .ledger import Ledger
from .outcome import Outcome, Status
from .planned import blocked, drifted
from .result import RunResult
from .resume import resume


class ReleaseRequest(t.NamedTuple):
    """What is to be released and how.

    plan: release its entries. The handles are then those of the plan.
    trail: who asked, who approved and so on, recorded in each line of the journal.
    verify_delivery: seconds to follow what was released.
    journal: path, or None.
    """

    handles: t.Sequence[Handle]
    options: Options
    check_mode: bool = False
    check_state: bool = True
    plan: t.Mapping[str, t.Any] | None = None
    trail: t.Mapping[str, str | None] = types.MappingProxyType({})
    verify_delivery: float = 0
    journal: str | None = None


def release_messages(client: Client, clock: Clock, request: ReleaseRequest) -> RunResult:
    """Carry out a request. Raises InputError or JournalError before anything was sent; all else is in the result."""
    plan, options = request.plan, request.options
    digest = plan["digest"] if plan is not None else None
    context = {"run": uuid.uuid4().hex, "account_id": client.account_id, **request.trail, "plan_digest": digest}
    journal = Journal(request.journal, context, request.check_mode, client.time, client.masker.mask)
    # What was planned is held against all that the plan says.
    kind = BriefMessage if plan is None else Message
    messages: Messages[BriefMessage] = Messages(client, clock, kind, options.concurrency)
    ledger = Ledger()
    items: list[Item] = []
    warnings: list[str] = []
    error: CloudflareError | None = None
    try:
        journal.take_turn(clock, client.max_wait)
        read_state = request.check_state or request.check_mode or plan is not None
        items, known = resolve(messages, request.handles, read_state, keep=plan is not None)
        ledger.record_all(known.items())
        if read_state:
            ledger.record_all(resume(messages, clock, journal, items, options.settle_time))
        if plan is not None:
            ledger.record_all(drifted(plan, items))
        todo = [item for item in items if item.outcome is None]
        if request.check_mode:
            foretold = Outcome(Status.WOULD_RELEASE, "In quarantine; it would be released.", changed=True)
            ledger.record_all((item, foretold) for item in todo)
        else:
            releaser = Releaser(client, messages, journal, clock, options, ledger)
            releaser.release(todo)
            error = releaser.error
            if request.verify_delivery and not error:
                warnings = _follow(messages, clock, todo, request.verify_delivery, ledger)
    except CloudflareError as caught:
        error = caught
    finally:
        journal.close()
    items = items or [Item(handle) for handle in request.handles]  # if not even resolving them went well
    stopped = Outcome(Status.NOT_ATTEMPTED, f"The run stopped before anything was sent: {error}")
    ledger.record_all((item, stopped) for item in items if item.outcome is None)
    refused = dict(blocked(plan)) if plan is not None else {}
    ledger.record_all(refused.items())
    handles = [*request.handles, *(item.handles[0] for item in refused)]
    return RunResult(handles, [*items, *refused], error, warnings)


def _follow(
    messages: Messages[BriefMessage], clock: Clock, items: t.Iterable[Item], seconds: float, ledger: Ledger
) -> list[str]:
    """Follow the deliveries. What was released stays released when that fails; returns a warning."""
    try:
        ledger.record_all(follow(messages, clock, items, seconds))
    except CloudflareError as error:
        return [f"The delivery could not be followed to its end: {error.sentence()}"]
    return []
