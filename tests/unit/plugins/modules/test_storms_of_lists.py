# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole modules through lost answers: every declared state is reached, nothing is made twice, and the numbers are true."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.declared import read_declared
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.difference import Wish, difference
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import (
    SAMPLES,
    ListServer,
    lost_after_work,
    lost_before_work,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.wishes import TODAY, entries_of, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = [name for name in KINDS if len(KINDS[name].batch) > 1]


def no_fault(_server: ListServer, _sent: Sent) -> None:
    """Let the server work."""


FAULTS = st.lists(st.sampled_from([no_fault, lost_after_work, lost_before_work]), max_size=5)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=settings().max_examples // 3)
@given(data=st.data())
def test_every_state_is_reached_through_lost_answers(
    run: Runner, script: Script, name: str, data: st.DataObject
) -> None:
    kind = KINDS[name]
    # No task gives a null for a choice.
    drawn = data.draw(entries_of(kind))
    entries = [{field: value for field, value in entry.items() if value is not None} for entry in drawn]
    # An entry of a directory with the key of a declared one is refused, and has a test of its own.
    rows = [
        {key: value for key, value in row.items() if key != "directory_node_id"} for row in data.draw(rows_of(kind))
    ]
    purge = data.draw(st.booleans())
    server = script.server = ListServer(kind, rows)
    server.faults = faults = data.draw(FAULTS)
    lost = sum(fault is not no_fault for fault in faults)
    wish = Wish(kind, read_declared(kind, entries, TODAY), purge, False, TODAY)
    changes = difference(wish, server.rows).changes
    options: dict[str, t.Any] = {"purge": purge, "allow_broad": True, "max_deletions": 99}
    options |= {"manage_existence": True} if kind.guarded else {}

    done = run(name, entries=entries, **options)
    assert not done.failed, done.result
    assert difference(wish, server.rows).changes == []
    told = {
        verb: done.result[word] for verb, word in (("create", "created"), ("update", "updated"), ("delete", "deleted"))
    }
    assert told == {verb: sum(change.verb == verb for change in changes) for verb in told}
    calm = ListServer(kind, rows)
    script.server = calm
    run(name, entries=entries, **options)
    # A lost answer costs the one write that was lost, at most.
    assert len(calm.writes) <= len(server.writes) <= len(calm.writes) + lost
    calm.writes.clear()
    assert not run(name, entries=entries, **options).result["changed"]
    assert calm.writes == []


@pytest.mark.parametrize("name", NAMES)
def test_full_batches_are_not_repeated_after_lost_answers(run: Runner, script: Script, name: str) -> None:
    kind = KINDS[name]
    server = script.server = ListServer(kind)
    sample = {field: value for field, value in SAMPLES[name][0].items() if field in kind.fields and value is not None}
    ending = "@x.example" if "pattern_type" in kind.key else ".example"
    entries = [{**sample, kind.key[-1]: f"u{number}{ending}"} for number in range(2100)]
    options: dict[str, t.Any] = {"manage_existence": True} if kind.guarded else {}
    for faults, member, more in (
        ([no_fault, lost_after_work, lost_before_work], "posts", {"entries": entries}),
        (
            [lost_before_work, no_fault, lost_after_work],
            "deletes",
            {"entries": [], "purge": True, "max_deletions": 2100},
        ),
    ):
        server.writes, server.faults = [], list(faults)
        done = run(name, **options, **more)
        assert not done.failed
        word = {"posts": "created", "deletes": "deleted"}[member]
        assert (done.result[word], len(server.rows)) == (2100, 2100 if member == "posts" else 0)
        sizes = [len(sent.body[member]) for sent in server.writes]
        assert sizes == ([1000, 1000, 100, 100] if member == "posts" else [1000, 1000, 1000, 100])
