# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draws settings lists as accounts have them, and entries as people declare them."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.keys import key_of
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import Kind
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import Row
from hypothesis import strategies as st

TODAY = datetime.date(2026, 11, 22)
DAYS = st.sampled_from(["2026-11-21", "2026-11-22", "2027-01-01"])
TEXTS = st.sampled_from(["", "x", "a  b", " x ", "x [expires 2026-11-21]", "[expires 2027-01-01]", "\u00e9 \U0001f600"])
KEYS: dict[str, list[str]] = {
    "EMAIL": ["a@x.example", "A@X.example", "b@x.example"],
    "DOMAIN": ["x.example", "X.example.", "y.example"],
    "trusted_domains": ["x.example", "X.example", "y.example"],
    "content_policies": ["one", "One", "two"],
    "impersonation_registry": ["a@x.example", "A@X.example", "b@x.example"],
    "sending_domain_restrictions": ["x.example", "X.example.", "X.EXAMPLE"],
    "url_ignore_patterns": ["x", "X", "y"],
    "domains": ["x.example", "X.example.", "y.example"],
}


def keys(kind: Kind) -> st.SearchStrategy[Row]:
    """Return the fields of a key."""
    if "pattern_type" in kind.key:
        pairs = [{"pattern_type": name, "pattern": text} for name in ("EMAIL", "DOMAIN") for text in KEYS[name]]
        return st.sampled_from(pairs)
    return st.sampled_from([{kind.key[0]: text} for text in KEYS[kind.name]])


def values(kind: Kind, name: str) -> st.SearchStrategy[t.Any]:
    """Return values of a field that is not in the key."""
    field = kind.fields[name]
    if field.type == "bool":
        return st.booleans()
    if field.type == "int":
        return st.integers(1, 3)
    others = {
        "exclude": ("a.x.example", "A.x.example", "b.x.example"),
        "ip_restrictions": ("192.0.2.1", "192.0.2.0/24"),
    }
    some = st.sampled_from(field.choices or others.get(name, ("x", "y")))
    return (
        st.lists(some, min_size=1, max_size=3) if field.type == "list" else (TEXTS if name == kind.comments else some)
    )


def rows_of(kind: Kind) -> st.SearchStrategy[list[Row]]:
    """Return lists as accounts may have them: with fields missing or null, duplicates, and entries that a directory keeps."""
    more = {name: st.none() | values(kind, name) for name in kind.fields if name not in kind.key}
    more["directory_node_id"] = st.none() | st.just(7)
    row = st.tuples(keys(kind), st.fixed_dictionaries({}, optional=more)).map(lambda parts: {**parts[0], **parts[1]})
    rows = st.lists(row, max_size=6)
    return rows.map(
        lambda found: [
            {"id": f"id-{number}", "created_at": f"2026-01-0{number + 1}T00:00:00Z", **row}
            for number, row in enumerate(found)
        ]
    )


def entries_of(kind: Kind) -> st.SearchStrategy[list[Row]]:
    """Return declared entries with different keys."""
    more = {
        name: values(kind, name) if field.needed else st.none() | values(kind, name)
        for name, field in kind.fields.items()
        if name not in kind.key
    }
    more["state"] = st.sampled_from(["present", "absent"])
    if kind.comments:
        more["expires"] = st.none() | st.just("never") | DAYS
    needed = {name for name, field in kind.fields.items() if field.needed and name not in kind.key} | {"state"}
    others = st.fixed_dictionaries({name: more.pop(name) for name in list(more) if name in needed}, optional=more)
    entry = st.tuples(keys(kind), others).map(lambda parts: {**parts[0], **parts[1]})
    return st.lists(entry, max_size=4, unique_by=lambda found: key_of(kind, {**found, kind.regex or "": False})[1:])
