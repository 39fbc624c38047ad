# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What tells the entries of a list apart, compared as Cloudflare stores them."""

from __future__ import annotations

import ipaddress
import typing as t

from .._mail.addresses import plain_domain
from .._times import parse_time
from .kinds import ALWAYS, Kind, Row

Key = t.Tuple[str, ...]
_NO_TIME = float("inf")


def by_key(kind: Kind, rows: t.Iterable[Row]) -> dict[Key, list[Row]]:
    """Return stored entries by their key, those with the same key from the oldest to the newest."""
    found: dict[Key, list[Row]] = {}
    for row in sorted(rows, key=_age):
        found.setdefault(key_of(kind, row), []).append(row)
    return found


def _age(row: Row) -> tuple[float, str]:
    """Return what to sort by: when an entry was created, and its id if that is the same."""
    moment = parse_time(row["created_at"]) if isinstance(row.get("created_at"), str) else None
    return moment.timestamp() if moment else _NO_TIME, str(row.get("id"))


def key_of(kind: Kind, entry: Row) -> Key:
    """Return the key of an entry. The case of a regular expression counts; that of an address or a domain does not."""
    verbatim = kind.regex == ALWAYS or (kind.regex is not None and entry.get(kind.regex) is True)
    return _verbatim(kind, entry) if verbatim else _folded(kind, entry)


def keys_to_look_for(kind: Kind, entry: Row) -> list[Key]:
    """Return the keys under which the entry that is declared may be stored, the likeliest first.

    Whether it is a regular expression may be what changes.
    """
    if kind.regex is None or kind.regex == ALWAYS:
        return [key_of(kind, entry)]
    keys = [_folded(kind, entry), _verbatim(kind, entry)]
    return keys[::-1] if entry.get(kind.regex) is True else keys


def _verbatim(kind: Kind, entry: Row) -> Key:
    return ("verbatim", *(str(entry.get(name)) for name in kind.key))


def _folded(kind: Kind, entry: Row) -> Key:
    pattern_type = entry.get("pattern_type")
    texts = {name: str(entry.get(name)) for name in kind.key}
    folds = {name: _fold(text, pattern_type) for name, text in texts.items() if kind.fields[name].any_case}
    return ("folded", *{**texts, **folds}.values())


def _fold(text: str, pattern_type: t.Any) -> str:
    if pattern_type == "IP":
        try:
            return str(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError:
            return text.lower()
    return (plain_domain(text) if "@" not in text else None) or text.lower()
