# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Makes a plan: selects messages, judges each, and seals the decisions."""

from __future__ import annotations

import typing as t

from .._errors import InputError
from .._mail.evidence import basic_evidence, full_evidence
from .._mail.handles import Handle
from .._mail.message import Message, State
from .._mail.messages import Messages
from .._times import from_seconds, parse_duration, to_text
from .document import SCHEMA, VERSION, Decision, seal
from .follow_up import FollowUp, follow_up_of
from .policy import Policy


class FixedRule:
    """The rules that no policy can change or override."""

    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    NOT_QUARANTINED = "not_quarantined"


class PlanRequest(t.NamedTuple):
    """What to plan: handles, or a search.

    search: the query parameters of the API.
    now: seconds since the epoch.
    asked: the options of the search as the user gave them, with relative times.
    limit: a search that finds more messages is refused.
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
    follow_up: FollowUp = FollowUp()


class MadePlan(t.NamedTuple):
    """A sealed plan, and the rules that refuse the whole plan, each with its reason in words."""

    plan: dict[str, t.Any]
    refusals: dict[str, str]


def make_plan(messages: Messages[Message], request: PlanRequest) -> MadePlan:
    """Return the plan for a request. Only reads. Raises InputError if the search finds too many messages."""
    now = from_seconds(request.now)
    entries = []
    releasable: list[tuple[dict[str, t.Any], Message]] = []
    for handles, candidates in _select(messages, request):
        entry: dict[str, t.Any] = {
            "handle": handles[0],
            "handles": handles,
            "recipients": [],
            "final_disposition": None,
            "overridden": [],
        }
        entries.append(entry)
        if len(candidates) != 1:
            rule = FixedRule.AMBIGUOUS if candidates else FixedRule.NOT_FOUND
            entry.update(
                decision=Decision.BLOCKED, rules=[rule], candidates=[basic_evidence(message) for message in candidates]
            )
            continue
        message = candidates[0]
        entry.update(basic_evidence(message))
        rules = request.policy.judge(message, now)
        entry["overridden"] = [rule for rule in rules if rule in request.policy.overrides]
        entry["rules"] = [rule for rule in rules if rule not in request.policy.overrides]
        if message.state != State.QUARANTINED:
            entry["rules"].insert(0, FixedRule.NOT_QUARANTINED)
            entry["state"] = message.state
        entry["decision"] = Decision.BLOCKED if entry["rules"] else Decision.RELEASE
        if not entry["rules"]:
            releasable.append((entry, message))
    refusals = request.policy.judge_whole([message for _entry, message in releasable], request.ticket, request.reason)
    for entry, _message in releasable if refusals else []:
        entry.update(decision=Decision.BLOCKED, rules=list(refusals))
    if request.evidence == "full" and not refusals:
        _add_full_evidence(messages, entries)
    created = from_seconds(request.now)
    plan = {
        "schema": SCHEMA,
        "version": VERSION,
        "account_id": request.account_id,
        "created_at": to_text(created),
        "expires_at": to_text(created + parse_duration(request.expires_in, "expires_in")),
        "requested_by": request.requested_by,
        "reason": request.reason,
        "ticket": request.ticket,
        "search": dict(request.asked) if request.asked is not None else None,
        "evidence": request.evidence,
        "policy": request.policy.as_data(),
        "refused_by": list(refusals),
        "summary": summary(entries),
        "messages": entries,
    }
    if request.follow_up:
        plan["follow_up"] = request.follow_up._asdict()
    return MadePlan(seal(plan), refusals)


def summary(entries: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Return the counts of a plan: decisions, recipients of the release, and refusals of each rule."""
    release = [entry for entry in entries if entry["decision"] == Decision.RELEASE]
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


def _select(messages: Messages[Message], request: PlanRequest) -> list[tuple[list[str], list[Message]]]:
    """Return the handles of each selected message, with the messages that they match."""
    if request.handles is None:
        found, truncated = messages.search(request.search or {}, request.limit)
        if truncated:
            raise InputError(
                f"The search finds more than {request.limit} messages; narrow it, because a plan must have all of them"
            )
        return [([message.key], [message]) for message in found]
    selected: dict[str, tuple[list[str], list[Message]]] = {}
    for handle, candidates in messages.find(request.handles).items():
        key = candidates[0].key if len(candidates) == 1 else handle.text
        selected.setdefault(key, ([], candidates))[0].append(handle.text)
    return list(selected.values())


def _add_full_evidence(messages: Messages[Message], entries: t.Sequence[dict[str, t.Any]]) -> None:
    known = [entry for entry in entries if entry.get("id")]
    for entry, details in zip(known, messages.detections([entry["id"] for entry in known])):
        entry["details"] = full_evidence(details) if details is not None else None


def sentence(made: MadePlan) -> str:
    """Return the decisions in one sentence."""
    counts = made.plan["summary"]
    rules = ", ".join(f"{rule} {number}" for rule, number in sorted(counts["rules"].items()))
    total, recipients = (
        f"{number} {word}{'s' if number != 1 else ''}"
        for number, word in ((counts["total"], "message"), (counts["recipients"], "recipient"))
    )
    decided = f"{total}: {counts['release']} to release to {recipients}, {counts['blocked']} blocked"
    if made.refusals:
        reasons = "; ".join(f"{rule}: {words}" for rule, words in made.refusals.items())
        return f"The whole plan is refused ({reasons}). {decided}."
    decided += f" ({rules})." if rules else "."
    return " ".join(filter(None, [decided, follow_up_of(made.plan).words()]))
