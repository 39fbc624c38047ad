# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""content_policies against a list that answers scripted HTTP: what only this list has."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import ListServer


@pytest.fixture
def server(script: Script) -> ListServer:
    """The list of the account."""
    server = ListServer(KINDS["content_policies"])
    script.server = server
    return server


POLICY = {"name": "Gift cards", "pattern": "gift.?cards", "targets": ["BODY", "SUBJECT", "BODY"]}


def test_the_order_of_targets_does_not_count(run: Runner, server: ListServer) -> None:
    run("content_policies", entries=[POLICY])
    assert server.rows[0]["targets"] == ["BODY", "SUBJECT"]
    assert server.rows[0]["enabled"] is True
    assert not run("content_policies", entries=[{**POLICY, "targets": ["SUBJECT", "BODY"]}]).result["changed"]
    run("content_policies", entries=[{"name": "Gift cards", "targets": ["BODY"]}])
    assert server.writes[-1].body["patches"] == [{"id": "id-1", "targets": ["BODY"]}]


def test_the_case_of_a_name_counts(run: Runner, server: ListServer) -> None:
    run("content_policies", entries=[POLICY])
    assert run("content_policies", entries=[{**POLICY, "name": "GIFT CARDS"}]).result["created"] == 1


def test_the_pattern_must_be_an_expression(run: Runner, server: ListServer) -> None:
    done = run("content_policies", entries=[{**POLICY, "pattern": "("}])
    assert "entries[0] (Gift cards), pattern: it is not a regular expression" in done.result["msg"]
    assert server.writes == []


def test_the_expiry_is_in_the_notes(run: Runner, server: ListServer) -> None:
    run("content_policies", entries=[{**POLICY, "notes": "INC-1", "expires": "2026-12-10"}])
    assert server.rows[0]["notes"] == "INC-1 [expires 2026-12-10]"
