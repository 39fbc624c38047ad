# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold after a run, held against what the emulator knows. Each function returns the violations, in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emulator import Emulator
from emulator.mail import Message
from emulator.records import Request

Copies = Counter[tuple[str, str]]
DONE = ("released", "already_released", "not_quarantined", "partial", "undelivered", "failed")


def nobody_got_it_twice(copies: Copies) -> Iterator[str]:
    """The promise."""
    for (message_id, recipient), number in copies.items():
        if number > 1:
            yield f"{recipient} got {message_id} {number} times"


def it_ended(hung: bool) -> Iterator[str]:
    """A run ends by itself, however bad the weather."""
    if hung:
        yield "it hung, and had to be killed"


def the_result_is_whole(result: Mapping[str, Any] | None, handles: Sequence[str]) -> Iterator[str]:
    """Every handle has one row, in the order given, and the counts are those of the rows."""
    if result is None:
        yield "there is no result"
        return
    rows = result.get("messages")
    if rows is None:
        yield f"the result has no messages: {result.get('msg')}"
        return
    if [row["handle"] for row in rows] != list(dict.fromkeys(handles)):
        yield "the handles of the result are not those given"
    counted = Counter(row["status"] for row in rows)
    summary = {name: number for name, number in result["summary"].items() if number}
    summary.pop("recipients_delivered", None)
    if summary != {**counted, "total": len(rows)}:
        yield f"the summary {summary} is not that of the rows {dict(counted)}"
    if result["changed"] != any(row["changed"] for row in rows):
        yield "changed is not that of the rows"


def each_status_is_true(
    rows: Sequence[Mapping[str, Any]],
    messages: Mapping[str, Message],
    before: Copies,
    now: Copies,
    *,
    lags: bool,
) -> Iterator[str]:
    """What a row says is what happened. before: copies that are not of this run; now: all of them.

    lags: the state that it reads is behind.
    """
    for row in rows:
        message = messages.get(row["handle"])
        if message is None:
            if row["status"] not in ("not_found", "failed", "undelivered", "unknown", "not_attempted"):
                yield f"{row['handle']} does not exist, and is said to be {row['status']}"
            continue
        new = {address for address in message.recipients if now[message.id, address] > before[message.id, address]}
        old = {address for address in message.recipients if before[message.id, address]}
        uncertain = ("unknown", "would_release")
        true = {
            "released": bool(new),
            "partial": bool(new or old),
            "undelivered": not new,
            "failed": not new,
            "already_released": not new and _has_left(message, old),
            "not_quarantined": not new and not message.is_quarantined,
            "not_found": False,
            "unknown": True,
            "not_attempted": not new,
            "would_release": not new and (lags or message.is_quarantined),
        }[row["status"]]
        if not true:
            yield f"{row['handle']} is said to be {row['status']} ({row['detail']}); new copies for {sorted(new)}, old for {sorted(old)}"
        if row["changed"] != bool(new) and row["status"] not in uncertain:
            yield f"{row['handle']}: changed is {row['changed']}, new copies for {sorted(new)} (status {row['status']})"
        if not set(row["delivered"]) <= new | old:
            yield f"{row['handle']}: {row['delivered']} are said to have it, {sorted(new | old)} do"


def _has_left(message: Message, old: set[str]) -> bool:
    return bool(old) or (not message.is_quarantined and "QUARANTINE_RELEASE" in message.state.operations)


def enough_was_released(mail: Sequence[Message], copies: Copies, share: float) -> Iterator[str]:
    """At least this share of the messages reached all of their recipients."""
    released = sum(all(copies[message.id, address] for address in message.recipients) for message in mail)
    if released < share * len(mail):
        yield f"only {released} of {len(mail)} messages were released"


def the_work_is_done(
    rows: Sequence[Mapping[str, Any]], messages: Mapping[str, Message], scripted: set[str], copies: Copies
) -> Iterator[str]:
    """A run without faults leaves nothing open, and has delivered whatever nothing was scripted to keep back."""
    for row in rows:
        message = messages.get(row["handle"])
        if message is None:
            continue
        if row["status"] not in DONE:
            yield f"{row['handle']} is left {row['status']} by a run without faults: {row['detail']}"
        missing = [address for address in message.recipients if not copies[message.id, address]]
        if missing and message.id not in scripted:
            yield f"{row['handle']} is {row['status']} ({row['detail']}), and {missing} never got it"


def nothing_was_sent(emulator: Emulator, earlier: int, before: Copies) -> Iterator[str]:
    """What check mode promises. earlier: requests before it."""
    sent = [request for request in emulator.requests[earlier:] if request.method != "GET"]
    if sent or emulator.deliveries != before:
        yield f"check mode sent {len(sent)} requests that write"


def no_secret_is_in(text: str, secret: str) -> Iterator[str]:
    """Neither in what was printed nor in the journal."""
    if secret in text:
        yield "a secret was printed or written"


def the_journal_agrees(path: Path, emulator: Emulator) -> Iterator[str]:
    """It is valid; it has an intent for each time that an id was sent; what it calls released was delivered."""
    intended: Counter[str] = Counter()
    # Without a file nothing may have been sent.
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else [], 1):
        try:
            entry = json.loads(line)
        except ValueError:
            yield f"line {number} of the journal is no JSON: {line[:80]}"
            continue
        intended.update(entry.get("ids", []))
        for told in entry.get("messages", []):
            copies = sum(number for (message_id, _), number in emulator.deliveries.items() if message_id == told["id"])
            if told["status"] == "released" and told["id"] and not copies:
                yield f"line {number} of the journal calls {told['id']} released, and nobody got it"
    # One intent covers the repetitions of a request that was refused by HTTP 429, which is certainly not processed.
    honoured = [request for request in emulator.requests if request.status != 429]
    unannounced = (ids_sent(honoured) - intended).keys() | (ids_sent(emulator.requests).keys() - intended.keys())
    if unannounced:
        yield f"{sorted(unannounced)[:3]} were sent without an intent in the journal"


def ids_sent(requests: Sequence[Request]) -> Counter[str]:
    """The ids that release calls named, and how often."""
    bodies = [json.loads(request.body) for request in requests if request.route == "release"]
    return Counter(name for body in bodies for name in (body["ids"] if isinstance(body, dict) else body))
