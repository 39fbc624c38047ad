# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The plan: what is to be released, why it was held, and what was decided. It is sealed with a digest.

The digest is SHA-256 over the plan as canonical JSON (sorted keys, no white space, ASCII only). It proves that a plan is the
approved one to everybody who got the digest through a separate channel. It is not a signature.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import typing as t

from .._errors import InputError
from .._json import mapping
from .._mail.handles import parse_handle
from .._mail.message import Message
from .._mail.verdicts import got_worse
from .._times import CLOCK_SKEW, parse_time, to_text
from .follow_up import is_sound

SCHEMA = "emailsec.cloudflare/plan"
VERSION = 1
DRIFT = "drift"  # the rule that blocks a message that changed since the plan
LONGEST = datetime.timedelta(days=90)  # from the time a plan is made until it expires
# In bytes. 10,000 messages with full evidence and ten links each have 36 MiB and a million values.
LARGEST = 48 * 1024 * 1024
_MOST_VALUES = 3_000_000


class Decision:
    """What a plan decides about a message."""

    RELEASE = "release"
    BLOCKED = "blocked"


def digest(plan: t.Mapping[str, t.Any]) -> str:
    """Return the digest of a plan. The field digest in the plan does not count."""
    content = {name: value for name, value in plan.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def seal(plan: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the plan with its digest."""
    return {**plan, "digest": digest(plan)}


def same_decisions(left: t.Mapping[str, t.Any], right: t.Mapping[str, t.Any]) -> bool:
    """Tell whether two plans are the same except for their times."""
    times = dict.fromkeys(("created_at", "expires_at"))
    return digest({**left, **times}) == digest({**right, **times})  # because == takes true for 1


def parse_plan(text: bytes, name: str) -> dict[str, t.Any]:
    """Return the plan in a text, with its digest checked. Raises InputError. name: what errors call the text."""
    flaw = too_large(text)
    try:
        plan = json.loads(text, object_pairs_hook=_once) if not flaw else None
    except (ValueError, RecursionError):
        plan = None
    flaw = flaw or _flaw(plan)
    if flaw:
        raise InputError(f"{name} is not a plan of this collection: {flaw}. Nothing was sent.")
    return t.cast("dict[str, t.Any]", plan)


def parse_digest(text: str) -> str:
    """Return the digest that a person gave, in the form that plans have. Raises InputError for any other text and for none."""
    found = re.fullmatch("(?:sha256:)?([0-9a-f]{64})", text.strip().lower())
    if not found:
        problem = f"not {text!r:.80}" if text.strip() else "but it is empty, so no plan was approved"
        raise InputError(f"plan_digest must be sha256: and 64 hexadecimal digits, {problem}. Nothing was sent.")
    return f"sha256:{found[1]}"


def too_large(text: bytes) -> str | None:
    """Return why a text is too large for a plan, or None. The largest plan takes less than 400 MiB of memory."""
    if len(text) > LARGEST:
        return f"it is larger than {LARGEST // 1024 // 1024} MiB"
    return (
        f"it has more than {_MOST_VALUES} values" if sum(map(text.count, (b",", b"[", b"{"))) > _MOST_VALUES else None
    )


def check_plan(plan: t.Mapping[str, t.Any], account_id: str, now: datetime.datetime, pin: str | None) -> None:
    """Raise InputError unless a plan may be applied to this account now. pin: the digest that was approved, or None."""
    if pin is not None and not is_pinned(plan, pin):
        raise InputError(
            f"The plan is not the approved one: its digest is {plan['digest']}, but plan_digest is {pin!r:.80}. "
            "No file beside it has the approved plan"
        )
    if plan["account_id"] != account_id:
        raise InputError(f"The plan is for account {plan['account_id']!r:.80}, not for {account_id}")
    created, expires = t.cast(datetime.datetime, parse_time(plan["created_at"])), expiry(plan)
    if created > now + CLOCK_SKEW:
        raise InputError(
            f"The plan was made in the future, at {to_text(created)}. Check the clocks of this machine and of the one that made "
            "the plan, then make a new plan"
        )
    if expires > created + LONGEST:
        raise InputError(
            f"The plan expires at {to_text(expires)}, later than the {LONGEST.days} days that expires_in allows; make a new one"
        )
    if expires <= now:
        raise InputError(f"The plan expired at {to_text(expires)}; make a new one")


def is_pinned(plan: t.Mapping[str, t.Any], pin: str) -> bool:
    """Tell whether a plan has this digest, written with or without sha256."""
    return bool(parse_digest(pin) == plan["digest"])


def expiry(plan: t.Mapping[str, t.Any]) -> datetime.datetime:
    """Return when a plan expires."""
    return t.cast(datetime.datetime, parse_time(plan["expires_at"]))


def drift(entry: t.Mapping[str, t.Any], message: Message) -> str | None:
    """Return in words what is worse than in the plan, or None."""
    before, after = entry["final_disposition"], message.data["final_disposition"]
    if got_worse(before, after):
        return f"the verdict was {before} and is now {after}"
    if {address.lower() for address in entry["recipients"]} != {address.lower() for address in message.all_recipients}:
        return "its recipients differ from the plan"
    for name, words in (
        ("from", "the sender it shows differs from the plan"),
        ("envelope_from", "its envelope sender differs from the plan"),
    ):
        if name in entry and entry[name] != message.data[name]:
            return words
    if isinstance(entry.get("validation"), dict):
        for name in ("spf", "dkim", "dmarc"):
            if message.data["validation"][name] not in (entry["validation"].get(name), "pass"):
                return f"its result of {name.upper()} is worse than in the plan"
    return None


def _once(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    """Return a JSON object. Raises ValueError if a name is in it twice, because other programs may use the other value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is in an object twice")
    return found


def _flaw(plan: t.Any) -> str | None:
    """Return why parsed JSON is not a plan, or None."""
    if mapping(plan).get("schema") != SCHEMA:
        return f"its schema is not {SCHEMA}"
    version = plan.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version != VERSION:
        return f"it has version {version!r:.20}, but this release reads version {VERSION}"
    if not isinstance(plan.get("account_id"), str) or not isinstance(plan.get("digest"), str):
        return "account_id or digest is missing"
    for name in ("created_at", "expires_at"):
        if not isinstance(plan.get(name), str) or parse_time(plan[name]) is None:
            return f"{name} is not a time"
    entries = plan.get("messages")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and _is_entry(entry) for entry in entries):
        return "its messages are garbled"
    if "follow_up" in plan and not is_sound(plan["follow_up"]):
        return "what it says is to be done after the release is garbled"
    try:
        actual = digest(plan)
    except (ValueError, RecursionError):
        return "it has values that JSON does not allow"
    if actual != plan["digest"]:
        return f"it was changed after it was made (its digest is {actual}, but it says {plan['digest']!r:.80})"
    names = [entry["id"] for entry in entries if entry["decision"] == Decision.RELEASE]
    return "it has a message twice" if len(set(names)) < len(names) else None


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
    if entry.get("decision") == Decision.BLOCKED:
        return bool(rules) and isinstance(entry.get("handle"), str) and isinstance(entry.get("id") or "", str)
    if entry.get("decision") != Decision.RELEASE or rules:
        return False
    try:
        return bool(parse_handle(entry.get("id")).text == entry["id"])  # otherwise a message could have two ids
    except InputError:
        return False
