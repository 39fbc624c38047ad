# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The allow policies that the follow-up of a release asks for: one for each sender, narrow, and for some days."""

from __future__ import annotations

import datetime
import re
import typing as t

from .._mail.addresses import Address, read_addresses
from .._text import printable
from . import expiry
from .keys import Key, key_of
from .kinds import COMMENTS, KINDS, Row

_KIND = KINDS["allow_policies"]
_LONGEST_TICKET = 200
_LONGEST_PATTERN = _KIND.fields["pattern"].longest or 0
# A pattern is no place for what needs quotation marks
_PLAIN = re.compile(r"[a-z0-9.!#$%&'+/=?^_`~-]+\Z")


class Allowances(t.NamedTuple):
    """What becomes of each sender.

    entries: what allow_policies has to declare. senders: of each entry, in the same order.
    allowed: senders that a policy lets through already. unsuitable: senders that no policy can be made for, with the reason.
    """

    entries: list[dict[str, t.Any]]
    senders: list[str]
    allowed: list[str]
    unsuitable: dict[str, str]


def allowances(
    senders: t.Iterable[str], days: int, ticket: str | None, stored: t.Iterable[Row], today: expiry.Day
) -> Allowances:
    """Return the policies that let these senders through for so many days, without those that are there.

    A policy of somebody else is never narrowed, widened or given an end. One that was made here before lasts longer only for
    another ticket, so that a release that runs again changes nothing.

    senders: addresses that have been authenticated as aligned.
    stored: the allow policies of the account, as the API returns them.
    """
    until = today + datetime.timedelta(days=days)
    known: dict[Key, list[Row]] = {}
    for row in stored:
        known.setdefault(key_of(_KIND, row), []).append(row)
    found = Allowances([], [], [], {})
    seen: set[Key] = set()
    for sender in dict.fromkeys(senders):
        address = _address(sender)
        if address is None:
            found.unsuitable[sender] = "it is not one plain address"
            continue
        entry = {"pattern": f"{address.local}@{address.domain}", "pattern_type": "EMAIL"}
        key = key_of(_KIND, entry)
        if key in seen:
            continue
        seen.add(key)
        rows = known.get(key, [])
        if any(_lets_through(row, ticket, until) for row in rows):
            found.allowed.append(sender)
            continue
        marked = [row for row in rows if expiry.split(row.get(COMMENTS))[1]]
        if len(marked) < len(rows):
            found.unsuitable[sender] = "there is a policy without an end for it, which does not allow it as a sender"
            continue
        found.senders.append(sender)
        found.entries.append(
            {
                **entry,
                "is_regex": False,
                "is_acceptable_sender": True,
                "is_trusted_sender": False,
                "is_exempt_recipient": False,
                "verify_sender": True,
                COMMENTS: _comments(ticket),
                "expires": until.isoformat(),
                "state": "present",
            }
        )
    return found


def _address(text: str) -> Address | None:
    addresses = read_addresses(text)
    if not addresses or len(addresses) != 1 or not _PLAIN.match(addresses[0].local):
        return None
    return addresses[0] if len("@".join(addresses[0])) <= _LONGEST_PATTERN else None


def _lets_through(row: Row, ticket: str | None, until: expiry.Day) -> bool:
    """Tell whether nothing needs to be done because of this policy."""
    text, day = expiry.split(row.get(COMMENTS))
    if not (row.get("is_acceptable_sender") or row.get("is_trusted_sender")):
        return False
    return day is None or day >= until or text == _comments(ticket)


def _comments(ticket: str | None) -> str:
    name = printable(ticket, _LONGEST_TICKET) if ticket else ""
    return f"Sender of released mail, ticket {name}" if name else "Sender of released mail"
