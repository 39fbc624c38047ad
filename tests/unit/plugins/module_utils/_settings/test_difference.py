# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any declared state is reached from any stored state in the fewest writes, and a second run writes nothing."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings import expiry
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.declared import read_declared
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.difference import (
    CREATE,
    DELETE,
    UPDATE,
    Change,
    Wish,
    difference,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.keys import by_key, key_of, keys_to_look_for
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.lists import as_entry, inventory
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.requests import next_request
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import Row
from ansible_collections.emailsec.cloudflare.tests.unit.support.wishes import TODAY, entries_of, rows_of
from hypothesis import given
from hypothesis import strategies as st


def plain(value: t.Any) -> t.Any:
    """Return a value as it is compared: the order in a list does not count."""
    return {item.lower() for item in value} if isinstance(value, list) else value


def carried_out(rows: list[Row], changes: t.Iterable[t.Any]) -> list[Row]:
    """Return the rows after these changes."""
    known = {row["id"]: row for row in rows}
    for number, change in enumerate(changes):
        if change.verb == CREATE:
            known[f"new-{number}"] = {"id": f"new-{number}", "created_at": "2026-11-22T12:00:00Z", **change.fields}
        elif change.verb == UPDATE:
            known[change.before["id"]] = change.after
        else:
            del known[change.before["id"]]
    return list(known.values())


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_every_state_is_reached_in_the_fewest_writes(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    rows = data.draw(rows_of(kind))
    declared = read_declared(kind, data.draw(entries_of(kind)), TODAY)
    wish = Wish(kind, declared, data.draw(st.booleans()), data.draw(st.booleans()), TODAY)
    changes = difference(wish, rows).changes
    after = carried_out(rows, changes)

    # A second run writes nothing.
    again = difference(wish, after)
    assert again.changes == []
    # What is declared is there, once at least, and what is absent is not.
    managed = [row for row in after if kind.is_managed(row)]
    for entry in declared:
        found = [row for row in managed if key_of(kind, row) in keys_to_look_for(kind, entry.fields)]
        assert bool(found) is not entry.absent
        if not entry.absent:
            shown = as_entry(kind, again.stored[entry.number])
            for field, value in entry.fields.items():
                if field not in kind.key:
                    assert plain(shown[field]) == plain(value)
            if entry.text is not None:
                kept = expiry.bare(entry.text) if entry.forever else entry.text
                assert shown.get(kind.comments or "", "") == (kept.rstrip() if "expires" in shown else kept)
            if entry.day:
                assert shown["expires"] == entry.day.isoformat()
    # Each entry is touched once at most, only if it has to be, and never if it is not managed.
    touched = [change.before["id"] for change in changes if change.verb != CREATE]
    assert len(touched) == len(set(touched))
    assert all(kind.is_managed(change.before) for change in changes if change.verb != CREATE)
    assert all(change.fields for change in changes if change.verb == UPDATE)
    assert not {change.entry.number for change in changes if change.verb == CREATE and change.entry} & {
        change.entry.number for change in changes if change.verb == UPDATE and change.entry
    }
    wanted = {row["id"] for row in again.stored.values()}
    for row in rows:
        gone = row["id"] not in {other["id"] for other in after}
        expired = kind.comments and expiry.is_past(expiry.split(row.get(kind.comments))[1], TODAY)
        if gone and not any(entry.absent for entry in declared):
            assert wish.purge or (wish.remove_expired and expired)
        if wish.purge and kind.is_managed(row):
            assert gone is (row["id"] not in wanted)


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_what_an_account_has_can_be_declared(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    rows = data.draw(rows_of(kind))
    entries, unmanaged, duplicates = inventory(kind, {row["id"]: row for row in rows})
    assert len(entries) + len(unmanaged) + len(duplicates) == len(rows)
    # What has expired counts as absent, and a regular expression may have the text of a pattern.
    entries = [entry for entry in entries if entry.get("expires", "2027") > "2026-11-22"]
    keys = [key_of(kind, {**entry, kind.regex or "": False}) for entry in entries]
    if len(set(keys)) == len(keys):
        wish = Wish(kind, read_declared(kind, entries, TODAY), False, False, TODAY)
        assert difference(wish, rows).changes == []


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("sizes", [(0, 0, 1), (1000, 1, 1000), (1, 1001, 0), (2100, 0, 1001), (0, 0, 2001)])
def test_changes_take_as_few_requests_as_can_be(name: str, sizes: tuple[int, int, int]) -> None:
    kind = KINDS[name]
    changes = [
        Change(verb, None, {"id": f"{verb}{n}"}, {})
        for verb, size in zip((CREATE, UPDATE, DELETE), sizes, strict=True)
        for n in range(size)
    ]
    if not kind.batch or len(kind.batch) == 1:
        changes = changes[:20] + [change for change in changes[20:] if change.verb == DELETE]
    count, left = 0, changes
    while left:
        request = next_request(kind, left)
        sent = request.changes
        assert sent
        assert all(len(members) <= 1000 for members in request.members.values())
        if kind.guarded and any(change.verb == DELETE for change in sent):
            assert all(change.verb == DELETE for change in left)
        done = {id(change) for change in sent}
        left = [change for change in left if id(change) not in done]
        count += 1
    numbers = [sum(change.verb == verb for change in changes) for verb in (CREATE, UPDATE, DELETE)]
    pages = [-(-number // 1000) for number in numbers]
    if not kind.batch:
        assert count == len(changes)
    elif len(kind.batch) == 1:
        assert count == numbers[0] + numbers[1] + pages[2]
    else:
        assert count == (max(pages[:2]) + pages[2] if kind.guarded else max(pages))


def test_the_oldest_of_several_is_kept() -> None:
    kind = KINDS["allow_policies"]
    rows = [
        {"id": name, "created_at": created, "pattern": "a@x.example", "pattern_type": "EMAIL"}
        for name, created in (
            ("young", "2026-02-01T00:00:00Z"),
            ("old", "2026-01-01T00:00:00.5Z"),
            ("odd", None),
            ("odder", "x"),
            ("older", "2026-02-01T00:00:00Z"),
        )
    ]
    for order in itertools.permutations(rows):
        [same] = by_key(kind, order).values()
        # Of those of one moment, always the same one: the order of the pages may change while a run reads back.
        assert [row["id"] for row in same] == ["old", "older", "young", "odd", "odder"]
