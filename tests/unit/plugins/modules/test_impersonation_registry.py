# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""impersonation_registry against a list that answers scripted HTTP: what only this list has."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import ListServer


@pytest.fixture
def server(script: Script) -> ListServer:
    """The list of the account."""
    server = ListServer(KINDS["impersonation_registry"])
    script.server = server
    return server


JANE = {"name": "Jane Doe", "email": "jane.doe@corp.example"}
SYNCED = {"name": "Sync", "email": "s@corp.example", "directory_id": 1, "directory_node_id": 2}


def test_changes_go_out_one_by_one_and_deletions_last(run: Runner, server: ListServer) -> None:
    server.add({**JANE, "email": "old@corp.example"})
    server.add({**JANE, "email": "kept@corp.example"})
    entries = [{"email": "old@corp.example", "state": "absent"}, {"email": "KEPT@corp.example", "name": "J. Doe"}, JANE]
    assert not run("impersonation_registry", entries=entries).failed
    path = "settings/impersonation_registry"
    assert [(sent.method, sent.path, sent.body) for sent in server.writes] == [
        ("POST", path, {**JANE, "is_email_regex": False}),
        ("PATCH", f"{path}/id-2", {"name": "J. Doe"}),
        ("DELETE", f"{path}/id-1", None),
    ]


def test_what_a_directory_synchronizes_is_never_touched(run: Runner, server: ListServer) -> None:
    server.add(SYNCED)
    done = run("impersonation_registry", entries=[], purge=True)
    assert (done.result["changed"], server.writes) == (False, [])


def test_a_refusal_in_the_middle_keeps_what_was_done(run: Runner, server: ListServer) -> None:
    server.add(SYNCED)
    entries = [JANE, {"name": "Sync", "email": "s@corp.example"}, {"name": "Third", "email": "third@corp.example"}]
    done = run("impersonation_registry", entries=entries)
    assert "because of entries[1] (s@corp.example)" in done.result["msg"]
    assert "2 changes were not made" in done.result["msg"]
    assert (done.result["created"], done.result["changed"], len(server.writes)) == (1, True, 2)


@pytest.mark.parametrize(
    ("email", "words"), [("jane", "it is not an address"), (" j@corp.example", "blanks around it")]
)
def test_wrong_addresses_are_named(run: Runner, server: ListServer, email: str, words: str) -> None:
    done = run("impersonation_registry", entries=[{**JANE, "email": email}])
    assert words in done.result["msg"]
    assert server.writes == []
