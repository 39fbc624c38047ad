# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Which allow policies follow a release: one for each proven sender, as narrow as possible, and with an end."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._followup.outcome import NOT_ATTEMPTED, UNKNOWN
from ...module_utils._mail.addresses import addresses_in_name, read_addresses
from ...module_utils._mail.authentication import ALIGNED, authenticated
from ...module_utils._text import printable
from .follow_up import Allow, Result, Target, left_out, row_of

_PLAIN = re.compile(r"[a-z0-9!#$%&'+/=^_`{|}~.-]+")  # the part before the at sign, without wildcards
_NARROW = {
    "is_acceptable_sender": True,
    "is_trusted_sender": False,
    "is_exempt_recipient": False,
    "verify_sender": True,
}
_LONGEST = 200  # characters of a ticket

Key = t.Tuple[str, str]


class Sender(t.NamedTuple):
    """The sender to allow, as a policy has it. Without a pattern, words say why there is none."""

    pattern_type: str
    pattern: str
    words: str = ""


class Decided(t.NamedTuple):
    """What is to be done for the senders of messages.

    entries: the policies to declare. rows: what is already known about messages. waiting: the messages of each policy.
    """

    entries: list[dict[str, t.Any]]
    rows: dict[str, dict[str, t.Any]]
    waiting: dict[Key, list[Target]]


def sender_of(seen: Result, domains: bool) -> Sender:
    """Return the one sender that a message shows, if it is proven. seen: the message. domains: take its domain."""
    shown = read_addresses(seen.get("from"))
    if shown is None or len(shown) != 1:
        return Sender("", "", "The message does not show exactly one sender.")
    named = addresses_in_name(seen.get("from_name"))
    if named is None or set(named) - set(shown):
        return Sender("", "", "The display name of the sender shows another address.")
    if not authenticated(ALIGNED, seen.get("validation") or {}, read_addresses(seen.get("envelope_from")), shown):
        return Sender("", "", "SPF, DKIM and DMARC do not prove the sender that the message shows.")
    (address,) = shown
    if domains:
        return Sender("DOMAIN", address.domain)
    if not _PLAIN.fullmatch(address.local):
        return Sender("", "", "The address of the sender has characters that are not safe in a policy.")
    return Sender("EMAIL", f"{address.local}@{address.domain}")


def decide(
    senders: t.Sequence[tuple[Target, Sender]], existing: t.Sequence[Result], today: str, last_day: str, ticket: str
) -> Decided:
    """Return the policies that are missing. What others declared stays as it is.

    senders: of each message. existing: the allow policies of the account. last_day: on which the new ones count.
    """
    known = {
        (entry["pattern_type"], entry["pattern"].lower()): entry for entry in existing if not entry.get("is_regex")
    }
    made = Decided([], {}, {})
    by_key: dict[Key, list[Target]] = {}
    for target, sender in senders:
        if sender.pattern:
            by_key.setdefault((sender.pattern_type, sender.pattern), []).append(target)
        else:
            made.rows[target.name] = _row(target, "", Allow.NOT_ALLOWED, f"{sender.words} No policy was made.")
    for key, members in by_key.items():
        entry, until = known.get(key), last_day
        status, words = "", ""
        if entry:
            status, words, until = _judged(entry, today, last_day, any(target.just_now for target in members))
        if status:
            made.rows.update((target.name, _row(target, key[1], status, words, until)) for target in members)
            continue
        made.waiting[key] = members
        made.entries.append(
            {
                "pattern_type": key[0],
                "pattern": entry["pattern"] if entry else key[1],
                **_NARROW,
                "comments": _comments(ticket),
                "expires": last_day,
            }
        )
    return made


def _judged(entry: Result, today: str, last_day: str, just_now: bool) -> tuple[str, str, str]:
    """Return what an existing policy means for a sender: status, words and its last day. No status: it is to be declared anew."""
    until = entry.get("expires") or ""
    if until and until < today:
        if just_now:
            return "", "", last_day
        return (
            Allow.ENDED,
            f"Its allow policy ended on {until}, and nothing was released now. It was not renewed.",
            until,
        )
    if not (entry.get("is_acceptable_sender") or entry.get("is_trusted_sender")):
        words = "A policy for it exists that does not let its mail through. It was left as it is. Change or delete it first."
        return Allow.FAILED, words, until
    is_ours = all(entry.get(name, not value) == value for name, value in _NARROW.items())
    if is_ours and just_now and until and until < last_day:
        return "", "", last_day
    return Allow.ALREADY_ALLOWED, f"A policy lets it through {f'until {until}' if until else 'without an end'}.", until


def _comments(ticket: str) -> str:
    return ": ".join(filter(None, [printable(ticket, _LONGEST), "released from quarantine"]))


def allowed(decided: Decided, result: Result, last_day: str, check_mode: bool) -> list[dict[str, t.Any]]:
    """Return a row for each message. result: of the module allow_policies, empty if there was nothing to declare."""
    rows = dict(decided.rows)
    there = {
        (entry["pattern_type"], entry["pattern"].lower())
        for entry in result.get("entries") or []
        if entry.get("expires") == last_day
    }
    status, words = left_out(result) if decided.entries else ("", "")
    if "created" in result and "entries" in result:  # it came as far as to send something
        status = Allow.FAILED if result.get("status") else UNKNOWN
    for key, members in decided.waiting.items():
        done = (Allow.WOULD_ALLOW, "A policy would be made.") if check_mode else (Allow.ALLOWED, "A policy was made.")
        found = done if key in there else (status, words)
        rows.update((target.name, _row(target, key[1], *found, last_day)) for target in members)
    return list(rows.values())


def unread(chosen: t.Sequence[Target], words: str) -> list[dict[str, t.Any]]:
    """Return the rows of messages for which nothing could be decided."""
    return [_row(target, "", NOT_ATTEMPTED, words) for target in chosen]


def _row(target: Target, sender: str, status: str, words: str, until: str = "") -> dict[str, t.Any]:
    return row_of(target, status, words, sender=sender, until=until if sender else "")
