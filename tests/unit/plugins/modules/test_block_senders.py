# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""block_senders against a list that answers scripted HTTP: what only this list has."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import ListServer, Row


@pytest.fixture
def server(script: Script) -> ListServer:
    """The list of the account."""
    server = ListServer(KINDS["block_senders"])
    script.server = server
    return server


@pytest.mark.parametrize(
    ("entry", "broad"),
    [
        ({"pattern": "com", "pattern_type": "DOMAIN"}, False),
        ({"pattern": r".*\.top$", "pattern_type": "DOMAIN", "is_regex": True}, False),
        ({"pattern": ".*", "pattern_type": "EMAIL", "is_regex": True}, True),
        ({"pattern": r"\S+@\S+", "pattern_type": "EMAIL", "is_regex": True}, True),
        ({"pattern": "*", "pattern_type": "EMAIL"}, True),
        ({"pattern": "0.0.0.0/0", "pattern_type": "IP"}, True),
        ({"pattern": "::/0", "pattern_type": "IP"}, True),
        ({"pattern": "198.51.100.0/24", "pattern_type": "IP"}, False),
    ],
)
def test_nobody_blocks_all_mail_by_mistake(run: Runner, server: ListServer, entry: Row, broad: bool) -> None:
    done = run("block_senders", entries=[entry])
    assert done.failed is broad
    assert bool(server.rows) is not broad
    assert not run("block_senders", entries=[entry], allow_broad=True).failed


def test_a_new_entry_gets_its_defaults(run: Runner, server: ListServer) -> None:
    run("block_senders", entries=[{"pattern": "a@x.example", "pattern_type": "EMAIL"}])
    assert server.writes[0].body["posts"] == [{"pattern": "a@x.example", "pattern_type": "EMAIL", "is_regex": False}]
