# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Storms against the stage that allows senders: each policy is there once at most, as narrow and as short as asked for."""

from __future__ import annotations

import typing as t

from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.allowing import (
    Sender,
    allowed,
    decide,
)
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.follow_up import Target
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import (
    ListServer,
    Row,
    lost_after_work,
    lost_before_work,
)
from hypothesis import given
from hypothesis import strategies as st

TODAY, LAST_DAY = "2026-11-22", "2026-12-06"
ADDRESSES = [f"{name}@north.example" for name in ("anna", "ben", "carl", "dora")]
NARROW = {
    "is_regex": False,
    "is_acceptable_sender": True,
    "is_trusted_sender": False,
    "is_exempt_recipient": False,
    "verify_sender": True,
}


def somebody_else(server: ListServer, sent: Sent) -> Reply:
    """Declare the same sender a moment earlier, in other letters and wider."""
    for order in sent.body["posts"][:1]:
        server.add({**order, "pattern": order["pattern"].title(), "is_trusted_sender": True, "comments": "by somebody"})
    return server.work(sent)


def seen_late(server: ListServer, sent: Sent) -> Reply:
    """Do the work and lose the answer. The next reading does not show it."""
    answer = lost_after_work(server, sent)
    server.late = 1
    return answer


def refused(_server: ListServer, _sent: Sent) -> Reply:
    """Refuse it."""
    return Reply(refusal(1001, "not now", source={"pointer": "/posts/0/pattern"}), 400)


def limited(_server: ListServer, _sent: Sent) -> Reply:
    """Ask to wait for longer than anybody waits."""
    return Reply(refusal(971, "slow down"), 429, {"Retry-After": "9999"})


FAULTS = [lost_after_work, lost_before_work, somebody_else, seen_late, refused, limited]


def stored() -> st.SearchStrategy[list[Row]]:
    """Draw policies that others made, and ended ones of an earlier release."""
    comments = st.sampled_from([None, "by hand", "x [expires 2026-11-01]", "x [expires 2027-01-01]"])
    fields = st.fixed_dictionaries(
        {
            "pattern": st.sampled_from([*ADDRESSES, "Anna@North.example"]),
            "is_trusted_sender": st.booleans(),
            "comments": comments,
        }
    )
    return st.lists(fields, max_size=3).map(lambda found: [{"pattern_type": "EMAIL", **NARROW, **row} for row in found])


@given(
    rows=stored(),
    faults=st.lists(st.sampled_from(FAULTS), max_size=4),
    names=st.sets(st.sampled_from(ADDRESSES), min_size=1),
    just_now=st.booleans(),
)
def test_policies_are_there_once_and_never_wider(
    run: Runner, script: Script, rows: list[Row], faults: list[t.Any], names: set[str], just_now: bool
) -> None:
    server = script.server = ListServer(KINDS["allow_policies"], rows)
    before = {row["id"]: dict(row) for row in server.rows}
    senders = [(Target(f"id-{name}", name, just_now, None), Sender("EMAIL", name)) for name in sorted(names)]

    def stage() -> list[dict[str, t.Any]]:
        known = run("settings_info", kinds=["allow_policies"]).result["settings"]["allow_policies"]
        decided = decide(senders, known, TODAY, LAST_DAY, "INC-7")
        made = run("allow_policies", entries=decided.entries).result if decided.entries else {}
        return allowed(decided, made, LAST_DAY, check_mode=False)

    server.faults = list(faults)
    told = stage()
    for row in told:
        judge(server, row)
    server.faults, server.late = [], 0
    again = stage()
    assert {row["status"] for row in again} <= {"allowed", "already_allowed", "ended", "failed"}
    for row in again:
        judge(server, row)
    writes = len(server.writes)
    stage()
    assert len(server.writes) == writes
    # What was there stays, or is one of the senders, renewed because its policy was over or ended too soon.
    there = {row["id"]: row for row in server.rows}
    assert before.keys() <= there.keys()
    for name, old in before.items():
        if there[name] != old:
            assert just_now
            assert old["pattern"].lower() in names
            assert "[expires" in old["comments"]
            assert narrow(there[name])
    for row in server.rows:
        if row["id"] not in before:
            assert row["pattern"].lower() in names
            # The task had already said what it wants when somebody else came.
            assert narrow(row) or somebody_else in faults
    keys = [row["pattern"].lower() for row in server.rows if row["id"] not in before]
    assert len(keys) == len(set(keys))
    assert not set(keys) & {row["pattern"].lower() for row in before.values()}


def narrow(row: Row) -> bool:
    """Tell whether a policy is as the role makes them."""
    return {name: row.get(name) for name in NARROW} == NARROW and row["comments"].endswith(f"[expires {LAST_DAY}]")


def judge(server: ListServer, row: dict[str, t.Any]) -> None:
    """Fail if the row of a message is not true."""
    found = [stored for stored in server.rows if stored["pattern"].lower() == row["sender"]]
    if row["status"] == "allowed":
        assert any(narrow(stored) for stored in found), row
    if row["status"] == "already_allowed":
        assert found, row
