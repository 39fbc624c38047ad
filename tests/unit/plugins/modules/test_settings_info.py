# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""settings_info from the arguments to the printed result, and what it returns given back to the modules."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import SAMPLES, ListServer, Row
from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import check_result, documentation


@pytest.fixture
def servers(script: Script) -> dict[str, ListServer]:
    """All lists of the account, each with its samples."""
    servers = {name: ListServer(kind, SAMPLES[name]) for name, kind in KINDS.items()}

    def answer(sent: Sent) -> Reply:
        return servers[sent.path.split("/")[1]](sent)

    script.server = answer
    return servers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("purge", [False, True])
def test_what_is_read_can_be_given_back_without_a_change(
    run: Runner, servers: dict[str, ListServer], kind: str, purge: bool
) -> None:
    read = run("settings_info", kinds=[kind]).result
    assert len(read["settings"][kind]) + len(read["unmanaged"][kind]) == len(SAMPLES[kind])
    guarded: Row = {"manage_existence": True} if KINDS[kind].guarded else {}
    done = run(kind, entries=read["settings"][kind], purge=purge, **guarded)
    assert not done.failed, done.result
    assert not done.result["changed"]
    assert servers[kind].writes == []


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.comments])
def test_the_mark_of_expiry_is_apart_from_the_comments(run: Runner, servers: dict[str, ListServer], kind: str) -> None:
    remarks = str(KINDS[kind].comments)
    servers[kind].rows = [{**SAMPLES[kind][0], "id": "id-1", remarks: "INC-1 [expires 2026-12-10]"}]
    [entry] = run("settings_info", kinds=[kind]).result["settings"][kind]
    assert (entry[remarks], entry["expires"]) == ("INC-1", "2026-12-10")


def test_all_lists_are_read_unless_some_are_named(run: Runner, servers: dict[str, ListServer]) -> None:
    done = run("settings_info").result
    assert list(done["settings"]) == list(KINDS)
    assert done["api_calls"] == len(KINDS)
    assert run("settings_info", kinds=[]).result["settings"] == {}


def test_duplicates_and_what_cannot_be_declared_are_apart(run: Runner, servers: dict[str, ListServer]) -> None:
    kind = "allow_policies"
    first, *_more = SAMPLES[kind]
    servers[kind].rows = []
    for row in (first, {**first, "pattern": first["pattern"].upper()}, {**first, "pattern_type": "UNKNOWN"}):
        servers[kind].add(row)
    done = run("settings_info", kinds=[kind]).result
    assert [entry["pattern"] for entry in done["settings"][kind]] == [first["pattern"]]
    assert [entry["id"] for entry in done["duplicates"][kind]] == [f"id-{len(SAMPLES[kind]) + 2}"]
    assert [entry["pattern_type"] for entry in done["unmanaged"][kind]] == ["UNKNOWN"]


@pytest.mark.parametrize("refused", [False, True])
def test_it_returns_what_it_documents(
    run: Runner, servers: dict[str, ListServer], script: Script, refused: bool
) -> None:
    told = documentation("settings_info", "RETURN")
    conditions = {"always", "success"}
    if refused:
        script.server = lambda _sent: Reply(refusal(10000, "Authentication error"), 403)
        conditions = {"always", "when the API refused a request"}
        told["msg"] = {"returned": "always", "type": "str"}
    done: t.Any = run("settings_info")
    check_result(done.result, told, conditions)
