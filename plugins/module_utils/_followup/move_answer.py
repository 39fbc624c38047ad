# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reading the answer to a move: which entry is about which message.

An entry has no investigate id, only the Message-ID and the mailbox. It counts for a message if both fit this message and no
other one of the request. Every other entry makes unclear what happened to all messages that it may be about.
"""

from __future__ import annotations

import collections
import typing as t

from .._json import string
from .._release.items import Item
from .._text import printable
from .folders import is_folder
from .work import message_of


class Entry(t.NamedTuple):
    """What the answer says of one mailbox. reason: its words for a failure."""

    message_id: str | None
    recipient: str | None
    folder: str | None
    success: bool
    reason: str


def read_entries(result: object) -> list[Entry] | None:
    """Return the entries of a move answer's result, which may also be a single object; None if it is garbled."""
    rows = [result] if isinstance(result, dict) else result
    if not isinstance(rows, list):
        return None
    entries = []
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("success"), bool):
            return None
        entries.append(
            Entry(
                (string(row.get("message_id")) or "").strip().strip("<>") or None,
                (string(row.get("recipient")) or "").strip() or None,
                string(row.get("destination")),
                row["success"],
                printable(string(row.get("status")) or "no reason given", 100),
            )
        )
    return entries


def match(entries: t.Iterable[Entry], items: t.Sequence[Item], destination: str) -> dict[Item, list[Entry]]:
    """Return for each message what the answer certainly says of it. A message that the answer leaves unclear is not there."""
    by_message_id: dict[str, list[Item]] = collections.defaultdict(list)
    mailboxes: dict[Item, set[str]] = {}
    for item in items:
        message = message_of(item)
        if message.message_id:
            by_message_id[message.message_id.strip().strip("<>")].append(item)
        mailboxes[item] = {address.lower() for address in message.all_recipients}
    told: dict[Item, list[Entry]] = collections.defaultdict(list)
    unclear: set[Item] = set()
    for entry in entries:
        named = by_message_id[entry.message_id] if entry.message_id else list(items)
        fitting = [item for item in named if entry.recipient and entry.recipient.lower() in mailboxes[item]]
        certain = len(fitting) == 1 and (entry.message_id is not None or len(items) == 1)
        if certain and (entry.folder is None or not entry.success or is_folder(entry.folder, destination)):
            told[fitting[0]].append(entry)
        else:
            unclear.update(fitting or named)
    return {item: found for item, found in told.items() if item not in unclear}
