# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The plan: what is to be released, why it was held, and who decided what; sealed by a digest.

The digest is SHA-256 over the plan as canonical JSON (keys sorted, no white space, ASCII only). It shows that the plan is
the one that was approved to whoever got the digest on another way; it is no signature.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import typing as t

from .._errors import InputError
from .._mail.handles import parse_handle
from .._mail.message import Message
from .._mail.verdicts import got_worse
from .._times import parse_time, to_text

SCHEMA = "emailsec.cloudflare/plan"
VERSION = 1
RELEASE = "release"
BLOCKED = "blocked"
DRIFT = "drift"
LONGEST = datetime.timedelta(days=90)  # of a plan, from when it is made to when it expires
LARGEST = (
    48 * 1024 * 1024
)  # bytes; 10,000 messages with full evidence, ten links each, take 36 MiB and a million values
_MOST_VALUES = 3_000_000
_SKEW = datetime.timedelta(minutes=5)  # between the clocks of two machines


def digest(plan: t.Mapping[str, t.Any]) -> str:
    """Return the digest of a plan, whatever its own C(digest) says."""
    content = {name: value for name, value in plan.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def seal(plan: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the plan with its digest."""
    return {**plan, "digest": digest(plan)}


def same_decisions(left: t.Mapping[str, t.Any], right: t.Mapping[str, t.Any]) -> bool:
    """Tell whether two plans differ in nothing but their times."""
    times = dict.fromkeys(("created_at", "expires_at"))
    return digest({**left, **times}) == digest({**right, **times})  # as == takes true for 1


def parse_plan(text: bytes, name: str) -> dict[str, t.Any]:
    """Return the plan in a text, if it is one and its digest is right. Raises InputError, which calls it C(name)."""
    flaw = too_large(text)
    try:
        plan = json.loads(text, object_pairs_hook=_once) if not flaw else None
    except (ValueError, RecursionError):
        plan = None
    flaw = flaw or _flaw(plan)
    if flaw:
        raise InputError(f"{name} is no plan of this collection: {flaw}. Nothing was sent.")
    return t.cast("dict[str, t.Any]", plan)


def parse_digest(text: str) -> str:
    """Return a digest as plans have it, from what a person pasted. Raises InputError for anything else, above all for nothing."""
    found = re.fullmatch("(?:sha256:)?([0-9a-f]{64})", text.strip().lower())
    if not found:
        problem = f"not {text!r:.80}" if text.strip() else "and it is empty, so no plan was approved"
        raise InputError(f"plan_digest must be sha256: and 64 hexadecimal digits, {problem}. Nothing was sent.")
    return f"sha256:{found[1]}"


def too_large(text: bytes) -> str | None:
    """Return why a text would take too much memory to be read as a plan, or None. What may be read takes less than 400 MiB."""
    if len(text) > LARGEST:
        return f"it is larger than {LARGEST // 1024 // 1024} MiB"
    return (
        f"it has more than {_MOST_VALUES} values" if sum(map(text.count, (b",", b"[", b"{"))) > _MOST_VALUES else None
    )


def check_plan(plan: t.Mapping[str, t.Any], account_id: str, now: datetime.datetime, pin: str | None) -> None:
    """Raise InputError unless the plan may be applied: to this account, now, and if it is the one that C(pin) names."""
    if pin is not None and not is_pinned(plan, pin):
        raise InputError(
            f"The plan is not the one that was approved: its digest is {plan['digest']}, and plan_digest is {pin!r:.80}. "
            "No file beside it has the approved plan either"
        )
    if plan["account_id"] != account_id:
        raise InputError(f"The plan is for account {plan['account_id']!r:.80}, not for {account_id}")
    created, expires = t.cast(datetime.datetime, parse_time(plan["created_at"])), expiry(plan)
    if created > now + _SKEW:
        raise InputError(
            f"The plan says that it was made at {to_text(created)}, and that is in the future. Make a new one, and check the clock of this "
            "machine and of the one that made it"
        )
    if expires > created + LONGEST:
        raise InputError(
            f"The plan lasts until {to_text(expires)}, longer than the {LONGEST.days} days that expires_in allows; make a new one"
        )
    if expires <= now:
        raise InputError(f"The plan expired at {to_text(expires)}; make a new one")


def is_pinned(plan: t.Mapping[str, t.Any], pin: str) -> bool:
    """Tell whether a plan has this digest, given with or without the name of the algorithm."""
    return bool(parse_digest(pin) == plan["digest"])


def expiry(plan: t.Mapping[str, t.Any]) -> datetime.datetime:
    """Return until when a plan may be applied."""
    return t.cast(datetime.datetime, parse_time(plan["expires_at"]))


def drift(entry: t.Mapping[str, t.Any], message: Message) -> str | None:
    """Return what changed for the worse since the plan was made, in words, or None."""
    before, after = entry["final_disposition"], message.data["final_disposition"]
    if got_worse(before, after):
        return f"the verdict was {before} and is {after}"
    if {address.lower() for address in entry["recipients"]} != {address.lower() for address in message.all_recipients}:
        return "its recipients are not those of the plan"
    for name, words in (
        ("from", "the sender shown is not that of the plan"),
        ("envelope_from", "the envelope sender is not that of the plan"),
    ):
        if name in entry and entry[name] != message.data[name]:
            return words
    validation = entry.get("validation")
    if not isinstance(validation, dict):
        return None
    for name, now in message.data["validation"].items():
        if name in ("spf", "dkim", "dmarc") and now not in (validation.get(name), "pass"):
            return f"its result of {name.upper()} is worse than that of the plan"
    return None


def _once(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    """Return a JSON object. Raises ValueError if it names something twice, as another reader could take the other value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _flaw(plan: t.Any) -> str | None:
    """Return what keeps parsed JSON from being a plan, or None."""
    if not isinstance(plan, dict) or plan.get("schema") != SCHEMA:
        return "it does not say so"
    if type(plan.get("version")) is not int or plan["version"] != VERSION:
        return f"it is of version {plan.get('version')!r:.20}, and this release reads version {VERSION}"
    if not isinstance(plan.get("account_id"), str) or not isinstance(plan.get("digest"), str):
        return "account_id or digest is missing"
    for name in ("created_at", "expires_at"):
        if not isinstance(plan.get(name), str) or parse_time(plan[name]) is None:
            return f"{name} is no time"
    entries = plan.get("messages")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and _is_entry(entry) for entry in entries):
        return "its messages are garbled"
    try:
        actual = digest(plan)
    except (ValueError, RecursionError):
        return "it holds what JSON cannot say"
    if actual != plan["digest"]:
        return f"it was changed after it was made (its digest is {actual}, and it says {plan['digest']!r:.80})"
    names = [entry["id"] for entry in entries if entry["decision"] == RELEASE]
    return "it names a message twice" if len(set(names)) < len(names) else None


def _is_entry(entry: t.Mapping[str, t.Any]) -> bool:
    rules, recipients, disposition = entry.get("rules"), entry.get("recipients"), entry.get("final_disposition")
    shown = (entry.get("detection_reasons") or [], entry.get("overridden") or [])
    lists = all(
        isinstance(value, list) and all(isinstance(item, str) for item in value)
        for value in (rules, recipients, *shown)
    )
    if not lists or not isinstance(entry.get("validation") or {}, dict):
        return False
    if not (disposition is None or isinstance(disposition, str)):
        return False
    if entry.get("decision") == BLOCKED:
        return bool(rules) and isinstance(entry.get("handle"), str) and isinstance(entry.get("id") or "", str)
    if entry.get("decision") != RELEASE or rules:
        return False
    try:
        return bool(parse_handle(entry.get("id")).text == entry["id"])  # so that no message has two ids
    except InputError:
        return False
