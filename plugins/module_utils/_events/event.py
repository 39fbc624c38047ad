# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Makes events. Text that strangers wrote is made inert, because Ansible takes the values in events for templates."""

from __future__ import annotations

import typing as t

from .._mail.addresses import read_addresses
from .._mail.message import Message
from .._text import inert
from .ids import file_name, name_of, safe_handle

_IDS = ("postfix_id", "message_id", "alert_id")
_WORDS = ("scanned_at", "final_disposition", "from", "envelope_from", "subject")
_LISTS = ("detection_reasons", "threat_categories")
_MOST = 100  # of each list


def make_event(
    account_id: str, decision: str | None, messages: t.Sequence[tuple[Message, list[str]]]
) -> dict[str, t.Any]:
    """Return the event for messages with the same decision, each with the names of the rules that refuse it."""
    rows = [{**_facts(message), "rules": rules} for message, rules in messages]
    ids = [row["id"] for row in rows if row["id"]]
    facts = {
        "account_id": account_id,
        "decision": decision,
        "name": file_name(ids),
        "count": len(rows),
        "ids": ids,
        "messages": rows,
    }
    return {"quarantine": facts}


def _facts(message: Message) -> dict[str, t.Any]:
    data = message.data
    facts: dict[str, t.Any] = {"id": name_of(message)}
    facts.update({name: data[name] if safe_handle(data[name]) else None for name in _IDS})
    facts.update({name: None if data[name] is None else inert(data[name]) for name in _WORDS})
    facts.update({f"{name}_domain": _domain(data[name]) for name in ("from", "envelope_from")})
    facts.update({name: [inert(word) for word in data[name][:_MOST]] for name in _LISTS})
    facts["to"] = [inert(address) for address in message.all_recipients[:_MOST]]
    facts["validation"] = {
        name: None if word is None else inert(word) for name, word in data["validation"].items() if name != "comment"
    }
    return facts


def _domain(sender: str | None) -> str | None:
    """Return the domain of a sender, or None if it is unclear or there are several."""
    domains = {address.domain for address in read_addresses(sender) or ()}
    return domains.pop() if len(domains) == 1 else None
