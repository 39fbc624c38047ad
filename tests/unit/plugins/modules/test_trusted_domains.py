# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""trusted_domains against a list that answers scripted HTTP: what only this list has."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import ListServer, Row


@pytest.fixture
def server(script: Script) -> ListServer:
    """The list of the account."""
    server = ListServer(KINDS["trusted_domains"])
    script.server = server
    return server


@pytest.mark.parametrize(
    ("entry", "broad"),
    [
        ({"pattern": "com"}, True),
        ({"pattern": "co.uk"}, True),
        ({"pattern": "*"}, True),
        ({"pattern": "*.com"}, True),
        ({"pattern": ".*", "is_regex": True}, True),
        ({"pattern": r".*\.museum", "is_regex": True}, True),
        ({"pattern": "partner.example"}, False),
        ({"pattern": r"(mail|news)\.partner\.example", "is_regex": True}, False),
    ],
)
def test_nobody_trusts_a_public_suffix_by_mistake(run: Runner, server: ListServer, entry: Row, broad: bool) -> None:
    done = run("trusted_domains", entries=[entry])
    assert done.failed is broad
    assert bool(server.rows) is not broad


def test_a_new_entry_gets_its_defaults(run: Runner, server: ListServer) -> None:
    run("trusted_domains", entries=[{"pattern": "x.example"}])
    defaults = {"is_regex": False, "is_recent": False, "is_similarity": False}
    assert server.writes[0].body["posts"] == [{"pattern": "x.example", **defaults}]


def test_an_address_is_no_domain(run: Runner, server: ListServer) -> None:
    done = run("trusted_domains", entries=[{"pattern": "a@x.example"}])
    assert "pattern: it is not a domain" in done.result["msg"]
    assert server.writes == []
