# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Making a plan: select messages, judge each, and seal what was decided."""

from __future__ import annotations

import typing as t

from .._errors import InputError
from .._mail.evidence import basic_evidence, full_evidence
from .._mail.handles import Handle
from .._mail.message import QUARANTINED, Message
from .._mail.messages import Messages
from .._times import from_seconds, parse_duration, to_text
from .document import BLOCKED, RELEASE, SCHEMA, VERSION, seal
from .policy import Policy

# Reasons to leave a message out that no policy can override.
NOT_FOUND = "not_found"
AMBIGUOUS = "ambiguous"
NOT_IN_QUARANTINE = "not_quarantined"


class Wish(t.NamedTuple):
    """What is to be planned: handles, or a search (query parameters), and for whom.

    asked: the search as it was asked for, with relative times as such. limit: a search that finds more than this is refused. now: seconds since the epoch.
    """

    account_id: str
    handles: t.Sequence[Handle] | None
    search: t.Mapping[str, str] | None
    policy: Policy
    now: float
    asked: t.Mapping[str, t.Any] | None = None
    limit: int = 10_000
    expires_in: str = "24h"
    evidence: str = "basic"
    requested_by: str | None = None
    reason: str | None = None
    ticket: str | None = None


class Planned(t.NamedTuple):
    """A sealed plan, and the rules that refuse it as a whole, each with the reason in words."""

    plan: dict[str, t.Any]
    refusals: dict[str, str]


def make_plan(messages: Messages, wish: Wish) -> Planned:
    """Return the plan for a wish. Reads only. Raises InputError when the selection is too large to be whole."""
    now = from_seconds(wish.now)
    entries = []
    releasable: list[tuple[dict[str, t.Any], Message]] = []
    for handles, candidates in _select(messages, wish):
        entry: dict[str, t.Any] = {
            "handle": handles[0],
            "handles": handles,
            "recipients": [],
            "final_disposition": None,
            "overridden": [],
        }
        entries.append(entry)
        if len(candidates) != 1:
            rule = AMBIGUOUS if candidates else NOT_FOUND
            entry.update(decision=BLOCKED, rules=[rule], candidates=[basic_evidence(message) for message in candidates])
            continue
        message = candidates[0]
        entry.update(basic_evidence(message))
        rules = wish.policy.judge(message, now)
        entry["overridden"] = [rule for rule in rules if rule in wish.policy.overrides]
        entry["rules"] = [rule for rule in rules if rule not in wish.policy.overrides]
        if message.state != QUARANTINED:
            entry["rules"].insert(0, NOT_IN_QUARANTINE)
        entry["decision"] = BLOCKED if entry["rules"] else RELEASE
        if not entry["rules"]:
            releasable.append((entry, message))
    refusals = wish.policy.judge_whole([message for _entry, message in releasable], wish.ticket, wish.reason)
    for entry, _message in releasable if refusals else []:
        entry.update(decision=BLOCKED, rules=list(refusals))
    if wish.evidence == "full" and not refusals:
        _add_full_evidence(messages, entries)
    created = from_seconds(wish.now)
    plan = {
        "schema": SCHEMA,
        "version": VERSION,
        "account_id": wish.account_id,
        "created_at": to_text(created),
        "expires_at": to_text(created + parse_duration(wish.expires_in, "expires_in")),
        "requested_by": wish.requested_by,
        "reason": wish.reason,
        "ticket": wish.ticket,
        "search": dict(wish.asked) if wish.asked is not None else None,
        "evidence": wish.evidence,
        "policy": wish.policy.as_data(),
        "refused_by": list(refusals),
        "summary": summary(entries),
        "messages": entries,
    }
    return Planned(seal(plan), refusals)


def summary(entries: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Return the counts of a plan: decisions, recipients to be reached, and refusals per rule."""
    release = [entry for entry in entries if entry["decision"] == RELEASE]
    rules: dict[str, int] = {}
    for entry in entries:
        for rule in entry["rules"]:
            rules[rule] = rules.get(rule, 0) + 1
    return {
        "total": len(entries),
        "release": len(release),
        "blocked": len(entries) - len(release),
        "recipients": sum(len(entry["recipients"]) for entry in release),
        "rules": rules,
    }


def _select(messages: Messages, wish: Wish) -> list[tuple[list[str], list[Message]]]:
    """Return the handles that name each selected message with the messages they fit."""
    if wish.handles is None:
        found, truncated = messages.search(wish.search or {}, wish.limit)
        if truncated:
            raise InputError(
                f"The search finds more than {wish.limit} messages; narrow it, as no plan may hold only a part of what was asked for"
            )
        return [([message.key], [message]) for message in found]
    selected: dict[str, tuple[list[str], list[Message]]] = {}
    for handle, candidates in messages.find(wish.handles).items():
        key = candidates[0].key if len(candidates) == 1 else handle.text
        selected.setdefault(key, ([], candidates))[0].append(handle.text)
    return list(selected.values())


def _add_full_evidence(messages: Messages, entries: t.Sequence[dict[str, t.Any]]) -> None:
    known = [entry for entry in entries if entry.get("id")]
    for entry, details in zip(known, messages.detections([entry["id"] for entry in known])):
        entry["details"] = full_evidence(details) if details is not None else None


def sentence(planned: Planned) -> str:
    """Return what was decided in one sentence."""
    counts = planned.plan["summary"]
    rules = ", ".join(f"{rule} {number}" for rule, number in sorted(counts["rules"].items()))
    total, recipients = (
        f"{number} {word}{'s' if number != 1 else ''}"
        for number, word in ((counts["total"], "message"), (counts["recipients"], "recipient"))
    )
    decided = f"{total}: {counts['release']} to release to {recipients}, {counts['blocked']} blocked"
    if planned.refusals:
        reasons = "; ".join(f"{rule}: {words}" for rule, words in planned.refusals.items())
        return f"The whole plan is refused ({reasons}). {decided}."
    return f"{decided} ({rules})." if rules else f"{decided}."
