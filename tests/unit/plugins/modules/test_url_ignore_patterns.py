# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""url_ignore_patterns against a list that answers scripted HTTP: what only this list has."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import ListServer


@pytest.fixture
def server(script: Script) -> ListServer:
    """The list of the account."""
    server = ListServer(KINDS["url_ignore_patterns"])
    script.server = server
    return server


def test_the_list_is_read_without_an_order(run: Runner, server: ListServer, script: Script) -> None:
    done = run("url_ignore_patterns", entries=[{"pattern": r"https://x\.example/.*"}])
    assert script.sent[0].query == {"page": "1", "per_page": "1000"}
    assert server.writes[0].body["posts"] == [{"pattern": r"https://x\.example/.*"}]
    assert done.result["created"] == 1


def test_the_case_of_a_pattern_counts(run: Runner, server: ListServer) -> None:
    server.add({"pattern": "https://x/A"})
    assert run("url_ignore_patterns", entries=[{"pattern": "https://x/a"}]).result["created"] == 1


def test_a_pattern_must_be_an_expression(run: Runner, server: ListServer) -> None:
    done = run("url_ignore_patterns", entries=[{"pattern": "https://x/["}])
    assert "pattern: it is not a regular expression" in done.result["msg"]
