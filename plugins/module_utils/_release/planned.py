# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Applying a plan: its entries as items of a run, held against what Cloudflare says now."""

from __future__ import annotations

import os
import pwd
import typing as t

from .._errors import InputError
from .._json import rows, string
from .._mail.handles import Handle, parse_handle
from .._mail.message import Message, State
from .._plan.document import DRIFT, Decision, drift
from .._plan.make import FixedRule
from .items import Item, ambiguous, not_found, not_quarantined
from .outcome import Outcome, Status


def planned_handles(plan: t.Mapping[str, t.Any]) -> list[Handle]:
    """Return the handles of exactly those messages that the plan releases."""
    return [parse_handle(entry["id"]) for entry in plan["messages"] if entry["decision"] == Decision.RELEASE]


def narrow(plan: t.Mapping[str, t.Any], ids: t.Collection[str]) -> dict[str, t.Any]:
    """Return the plan with only these of the messages that it releases. Raises InputError for an id that is none of them."""
    entries = {entry["id"]: entry for entry in plan["messages"] if entry["decision"] == Decision.RELEASE}
    strangers = [text for text in ids if text not in entries]
    if strangers:
        raise InputError(
            f"only names what the plan does not release: {', '.join(strangers[:5]):.200}. Nothing was sent."
        )
    chosen = set(ids)
    return {**plan, "messages": [entry for name, entry in entries.items() if name in chosen]}


def audit_trail(given: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any]) -> dict[str, str | None]:
    """Return who asked for a release, approved and started it, and why. What is not given is as the plan has it, if there is one."""
    asked = {name: given[name] or string(plan.get(name)) for name in ("ticket", "reason", "requested_by")}
    return {**asked, "started_by": given["started_by"] or this_user(), "approved_by": given["approved_by"] or None}


def this_user() -> str:
    """Return the name of the system user, or the number of one without a name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in containers
        return str(os.getuid())


def drifted(plan: t.Mapping[str, t.Any], items: t.Iterable[Item]) -> t.Iterator[tuple[Item, Outcome]]:
    """Yield each item still to be sent that is no longer what was approved, with its outcome."""
    entries = {entry["id"]: entry for entry in plan["messages"] if entry["decision"] == Decision.RELEASE}
    for item in items:
        if item.outcome is None and item.message is not None:
            change = drift(entries[item.handles[0].text], t.cast(Message, item.message))
            if change:
                words = f"It is not as it was when the plan was made: {change}. Nothing was sent."
                yield item, Outcome(Status.BLOCKED, words, rule=DRIFT)


def blocked(plan: t.Mapping[str, t.Any]) -> t.Iterator[tuple[Item, Outcome]]:
    """Yield each entry that the plan does not release as an item with its outcome. Only what the policy refused is blocked."""
    for entry in plan["messages"]:
        if entry["decision"] != Decision.RELEASE:
            item = Item(Handle(entry["handle"], ""))
            item.learn(string(entry.get("id")), string(entry.get("postfix_id")))
            outcome = _fixed(entry) or Outcome(Status.BLOCKED, "", rule=entry["rules"][0])
            words = f"The plan blocks it: {', '.join(entry['rules'])}. {outcome.detail}"
            yield item, outcome._replace(detail=words.strip())


def _fixed(entry: t.Mapping[str, t.Any]) -> Outcome | None:
    """Return the outcome of an entry that no policy decided about, the same as without a plan. None for all others."""
    rule = entry["rules"][0]
    if rule == FixedRule.NOT_FOUND:
        return not_found(Handle(entry["handle"], ""))
    if rule == FixedRule.AMBIGUOUS:
        return ambiguous(
            [string(row.get("id")) or string(row.get("postfix_id")) or "?" for row in rows(entry.get("candidates"))]
        )
    if rule != FixedRule.NOT_QUARANTINED:
        return None
    # Plans of release 0.4.0 do not have the state. Then only what was read counts.
    unread = None if not entry.get("delivery_status") else State.NOT_QUARANTINED
    return not_quarantined(entry.get("state", unread))
