# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sending_domain_restrictions against a list that answers scripted HTTP: what only this list has."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import ListServer


@pytest.fixture
def server(script: Script) -> ListServer:
    """The list of the account."""
    server = ListServer(KINDS["sending_domain_restrictions"])
    script.server = server
    return server


def test_only_deletions_go_out_as_a_batch(run: Runner, server: ListServer) -> None:
    for number in range(3):
        server.add({"domain": f"old{number}.example", "exclude": []})
    done = run("sending_domain_restrictions", entries=[{"domain": "new.example"}], purge=True)
    path = "settings/sending_domain_restrictions"
    assert [(sent.method, sent.path, sent.body) for sent in server.writes] == [
        ("POST", path, {"domain": "new.example", "exclude": []}),
        ("POST", f"{path}/batch", {"deletes": [{"id": "id-1"}, {"id": "id-2"}, {"id": "id-3"}]}),
    ]
    assert (done.result["created"], done.result["deleted"]) == (1, 3)


def test_the_order_and_case_of_sub_domains_do_not_count(run: Runner, server: ListServer) -> None:
    server.add({"domain": "X.example", "exclude": ["a.x.example", "B.x.example"]})
    same = {"domain": "x.example", "exclude": ["b.x.example", "a.x.example"]}
    assert not run("sending_domain_restrictions", entries=[same]).result["changed"]
    assert run("sending_domain_restrictions", entries=[{**same, "exclude": []}]).result["updated"] == 1
    assert server.writes[-1].body == {"exclude": []}


@pytest.mark.parametrize("exclude", ["y.example", "x.example", "ax.example", "not a domain"])
def test_only_sub_domains_are_excluded(run: Runner, server: ListServer, exclude: str) -> None:
    done = run("sending_domain_restrictions", entries=[{"domain": "x.example", "exclude": [exclude]}])
    assert f"exclude: '{exclude}' is no sub-domain of x.example" in done.result["msg"]
    assert server.writes == []
