# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Makes an account have what a task declares. A write without a plain answer is never repeated before the list was read again."""

from __future__ import annotations

import typing as t

from .._api.client import Client
from .._clock import Clock
from .._errors import (
    ApiError,
    AuthenticationError,
    CloudflareError,
    DoubtfulError,
    ForeignAnswerError,
    InputError,
    InterruptError,
    RateLimitError,
)
from .._text import first_few, printable
from .difference import CREATE, DELETE, Change, Difference, Wish, difference
from .kinds import Kind
from .lists import Rows, read_list
from .outcome import Outcome
from .patterns import breadth
from .requests import Request, next_request

_MOST_PROBLEMS = 5
SETTLE_TIME = 3.0  # seconds: the list may lag behind a change


class Limits(t.NamedTuple):
    """What a run may do, and how often it tries again."""

    max_deletions: int
    allow_broad: bool
    manage_existence: bool
    retries: int


def apply(client: Client, clock: Clock, wish: Wish, limits: Limits, check_mode: bool) -> Outcome:
    """Make the changes. Raises an error only before the first write; later ones are in the outcome."""
    _check_existence(wish, limits)
    rows = read_list(client, wish.kind)
    outcome = Outcome(wish, difference(wish, rows.values()), check_mode)
    _check(wish, limits, outcome.found)
    if not check_mode:
        try:
            _write(client, clock, outcome, rows, limits.retries)
        except CloudflareError as error:
            outcome.error = error
    return outcome


def _check_existence(wish: Wish, limits: Limits) -> None:
    deleting = [entry.name for entry in wish.entries if entry.absent] or (["purge"] if wish.purge else [])
    if wish.kind.guarded and not limits.manage_existence and deleting:
        raise InputError(
            f"{deleting[0]} would delete {wish.kind.name}, but manage_existence is not set. Nothing was sent."
        )


def _check(wish: Wish, limits: Limits, found: Difference) -> None:
    """Raise InputError for changes that must not be made."""
    kind, problems = wish.kind, []
    deletions = [kind.title(change.before) for change in found.changes if change.verb == DELETE]
    if len(deletions) > limits.max_deletions:
        problems.append(
            f"{len(deletions)} entries would be deleted ({first_few(deletions, 3, printable)}), but max_deletions is {limits.max_deletions}"
        )
    for change in found.changes:
        problems += [f"{change.entry.name}, {problem}" for problem in _problems(wish, limits, change) if change.entry]
    if problems:
        raise InputError(f"{'; '.join(problems[:_MOST_PROBLEMS])}. Nothing was changed.")


def _problems(wish: Wish, limits: Limits, change: Change) -> t.Iterator[str]:
    """Yield why a creation or an update must not be made, as "field: words"."""
    kind, after = wish.kind, change.after
    if change.verb == DELETE:
        return
    if change.verb == CREATE and kind.guarded and not limits.manage_existence:
        yield f"{kind.key[-1]}: there is no such {kind.noun}, and manage_existence is not set"
    for name, field in kind.fields.items():
        if change.verb == CREATE and field.needed and after.get(name) is None:
            yield f"{name}: a new {kind.noun} needs it"
    text = change.fields.get(kind.comments) if kind.comments else None
    longest = kind.fields[kind.comments].longest if kind.comments else None
    if text is not None and longest is not None and len(text) > longest:
        yield f"{kind.comments}: with the mark of its expiry it has {len(text)} characters, but Cloudflare takes at most {longest}"
    broad = None if limits.allow_broad else breadth(kind, after)
    if broad:
        yield f"{kind.key[-1]}: {broad}; set allow_broad if that is meant"


def _write(client: Client, clock: Clock, outcome: Outcome, rows: Rows, retries: int) -> None:
    """Send what is left until nothing is."""
    kind, failures = outcome.wish.kind, 0
    doubted: set[object] = set()  # the targets of what was sent without a plain answer
    while outcome.left:
        if clock.stopping:
            raise InterruptError("stopped by a signal")
        request = next_request(kind, outcome.left)
        failure: CloudflareError = DoubtfulError("the answer does not say that all was done")
        try:
            rows = request.confirmed(client.change(request.method, request.path, request.body), rows)
            outcome.look(rows)
            if not outcome.unfinished(request.changes):
                continue
        except (AuthenticationError, RateLimitError):
            raise
        except (DoubtfulError, ApiError) as error:
            failure = error
        failures += 1
        sent = outcome.missing(request.changes)
        if isinstance(failure, ApiError) and _refuses(failure):
            refusal = _refusal(outcome, request, failure)
            clock.sleep(SETTLE_TIME)  # what was done before, by this run or by others, may be the reason
            rows = _read_after(client, kind, refusal)
            outcome.look(rows)
            still = outcome.missing(request.changes)
            culprit, _field = request.culprit(failure)
            # Of a batch that is not atomic, some may have been made before the one that was refused.
            unmade = sent if not kind.guarded else [culprit] if culprit else []
            outcome.made_by_others([change for change in unmade if change.target not in doubted])
            if failures > retries or (still == sent if culprit is None else culprit in still):
                outcome.uncertain = [change for change in still if change.target in doubted]
                raise refusal
            continue
        doubted.update(change.target for change in sent)
        outcome.uncertain = sent
        clock.sleep(SETTLE_TIME)
        rows = read_list(client, kind)
        outcome.uncertain = []
        outcome.look(rows)
        if failures > retries and outcome.missing(request.changes):
            raise failure


def _refuses(error: ApiError) -> bool:
    """Tell whether nothing was done: not after success: false with HTTP 200, or an answer that is not from the API."""
    return error.status >= 400 and not isinstance(error, ForeignAnswerError)


def _read_after(client: Client, kind: Kind, refusal: ApiError) -> Rows:
    """Return the list. If it cannot be read, raise the refusal: that tells more."""
    try:
        return read_list(client, kind)
    except CloudflareError:
        raise refusal from None


def _refusal(outcome: Outcome, request: Request, error: ApiError) -> ApiError:
    """Return the error for a request that Cloudflare refused, with the entry that it names."""
    kind, number = outcome.wish.kind, len(request.changes)
    what = f"a change of {kind.name}" if number == 1 else f"{number} changes of {kind.name} that were sent together"
    culprit, field = request.culprit(error)
    if culprit:
        name = culprit.entry.name if culprit.entry else printable(kind.title(culprit.before), 80)
        what += f" because of {name}" + (f", {field}" if field else "")
    words = f"Cloudflare refused {what}: {error}"
    return ApiError(words, status=error.status, errors=error.errors, cf_ray=error.cf_ray)
