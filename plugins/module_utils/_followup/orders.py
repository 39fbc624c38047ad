# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Submissions: what is sent to have messages judged anew, what the answer says, and what is on record."""

from __future__ import annotations

import collections
import datetime
import typing as t

from .._api.client import Client
from .._errors import DoubtfulError
from .._json import mapping, string, strings
from .._mail.handles import postfix_part
from .._release.items import Item
from .._text import printable
from .._times import from_seconds, parse_time, to_text
from .action_log import Entry
from .submissions import Submissions
from .work import message_of

PATH = "submissions"
RECLASSIFICATION = "reclassification"
MISSED_DETECTION = "missed_detection"
# The verdicts of mail with a detection, by the words of messages
_DETECTIONS = ("MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPOOF", "SPAM", "BULK")
_MARGIN = datetime.timedelta(days=1)
_OLDEST = datetime.timedelta(days=365)


def verdict(item: Item) -> str | None:
    """Return Cloudflare's verdict on a message, by the words of submissions."""
    text = string(message_of(item).data["final_disposition"])
    return "MALICIOUS" if text == "MALICIOUS-BEC" else text


def order(item: Item, disposition: str) -> tuple[str, dict[str, t.Any]] | None:
    """Return the type of submission for a message and what it says of it, or None if the message lacks what is needed."""
    data = message_of(item).data
    judged = data["final_disposition"]
    if data["alert_id"] and judged != "NONE":
        return RECLASSIFICATION, {"alert_id": data["alert_id"], "expected_disposition": disposition}
    recipients = data["client_recipients"] or data["envelope_to"] or data["to"]
    postfix_id = postfix_id_of(item)
    if judged in _DETECTIONS or not (postfix_id and data["message_id"] and recipients):
        return None
    return MISSED_DETECTION, {
        "postfix_id": postfix_id,
        "message_id": data["message_id"],
        "recipient_emails": recipients,
        "expected_disposition": disposition,
    }


def postfix_id_of(item: Item) -> str | None:
    """Return the postfix id of a message, which the record knows it by."""
    return item.postfix_id or postfix_part(item.id)


# --- what the answer says ----------------------------------------------------------------------------------------------


class Verdict(t.NamedTuple):
    """What the answer says of one message. words: why it is not accepted."""

    accepted: bool
    words: str


def read_answer(result: object, items: t.Sequence[Item]) -> dict[Item, Verdict] | None:
    """Return what an answer certainly says of each message; None if it is garbled.

    Nothing is published about the id of an entry, so each id of a message counts. An id of no message counts only if there is
    one entry for one message.
    """
    rows = mapping(result).get("results") if isinstance(result, dict) else result
    if not isinstance(rows, list):
        return None
    owners: dict[str, list[Item]] = collections.defaultdict(list)
    for item in items:
        data = message_of(item).data
        for name in {item.id, postfix_id_of(item), data["alert_id"], data["message_id"]} - {None}:
            owners[str(name)].append(item)
    told: dict[Item, set[Verdict]] = collections.defaultdict(set)
    unclear: set[Item] = set()
    for row in rows:
        accepted, name = mapping(row).get("accepted"), string(mapping(row).get("id"))
        if not isinstance(accepted, bool):
            return None
        fitting = list(items) if len(rows) == len(items) == 1 else owners.get(name or "", [])
        if len(fitting) > 1:
            unclear.update(fitting)
        words = "" if accepted else printable(string(row.get("error")) or "no reason given")
        for item in fitting:
            told[item].add(Verdict(accepted, words))
    return {item: next(iter(said)) for item, said in told.items() if len(said) == 1 and item not in unclear}


# --- what is on record -------------------------------------------------------------------------------------------------


def recorded(client: Client, items: t.Iterable[Item], disposition: str, now: float) -> dict[str, dict[str, t.Any]]:
    """Return the newest submission on record of each postfix id that asks for this disposition."""
    moments = [parse_time(message_of(item).data["scanned_at"] or "") for item in items]
    known = [moment for moment in moments if moment]
    start = min(known) - _MARGIN if known and len(known) == len(moments) else from_seconds(now) - _OLDEST
    params = {"requested_disposition": disposition, "start": to_text(start)}
    submissions = Submissions(client)
    submissions.read(params)
    if submissions.truncated:
        raise DoubtfulError("the list of submissions came without its end")
    found: dict[str, dict[str, t.Any]] = {}
    for row in submissions.data()["entries"]:  # the newest first
        if row["original_postfix_id"] and (row["requested_disposition"] or "").upper() == disposition:
            found.setdefault(row["original_postfix_id"], row)
    return found


def logged(log: t.Iterable[Entry], disposition: str) -> dict[str, t.Any] | None:
    """Return a submission in an action log that asks for this disposition, in the words of the record, or None."""
    for entry in log:
        asked = (string(entry.properties.get("requested_disposition")) or "").upper()
        if entry.operation == "SUBMISSION" and entry.success is not False and asked == disposition:
            return {"submission_id": string(entry.properties.get("submission_id"))}
    return None


def description(row: t.Mapping[str, t.Any]) -> str:
    """Return a submission on record in words."""
    facts = [printable(fact, 60) for fact in strings([row.get("requested_at"), row.get("status"), row.get("outcome")])]
    name = printable(row.get("submission_id"), 60) or "without an id"
    return f"{name} ({', '.join(facts)})" if facts else name
