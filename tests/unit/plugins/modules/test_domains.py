# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""domains against a list that answers scripted HTTP: what only this list has."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import ListServer, Row


@pytest.fixture
def server(script: Script) -> ListServer:
    """The list of the account."""
    server = ListServer(KINDS["domains"])
    script.server = server
    return server


CORP: Row = {
    "domain": "corp.example",
    "allowed_delivery_modes": ["DIRECT"],
    "drop_dispositions": ["MALICIOUS"],
    "ip_restrictions": [],
    "regions": ["GLOBAL"],
    "status": "active",
}
NEW = {"domain": "new.example", "allowed_delivery_modes": ["BCC"]}


def test_a_change_leaves_the_rest(run: Runner, server: ListServer) -> None:
    server.add(CORP)
    done = run("domains", entries=[{"domain": "CORP.example", "drop_dispositions": ["SPAM", "MALICIOUS"]}])
    body = {
        "deletes": [],
        "puts": [],
        "posts": [],
        "patches": [{"id": "id-1", "drop_dispositions": ["SPAM", "MALICIOUS"]}],
    }
    assert [sent.body for sent in server.writes] == [body]
    assert done.result["updated"] == 1
    assert not run("domains", entries=[{"domain": "corp.example", "drop_dispositions": ["MALICIOUS", "SPAM"]}]).result[
        "changed"
    ]


@pytest.mark.parametrize(
    "options", [{"entries": [], "purge": True}, {"entries": [{"domain": "corp.example", "state": "absent"}]}]
)
def test_no_domain_is_deleted_unless_asked_for_twice(
    run: Runner, server: ListServer, script: Script, options: Row
) -> None:
    server.add(CORP)
    done = run("domains", **options)
    assert "would delete domains, but manage_existence is not set. Nothing was sent." in done.result["msg"]
    assert script.sent == []
    assert run("domains", manage_existence=True, **options).result["deleted"] == 1


def test_no_domain_is_created_unless_asked_for_twice(run: Runner, server: ListServer) -> None:
    done = run("domains", entries=[NEW])
    assert (
        "entries[0] (new.example), domain: there is no such domain, and manage_existence is not set"
        in done.result["msg"]
    )
    assert server.writes == []
    assert run("domains", entries=[NEW], manage_existence=True).result["created"] == 1
    defaults = {"ip_restrictions": [], "drop_dispositions": [], "regions": ["GLOBAL"]}
    assert server.writes[0].body["posts"] == [{**NEW, **defaults}]


def test_deletions_are_a_batch_of_their_own_and_the_last(run: Runner, server: ListServer) -> None:
    server.add(CORP)
    run("domains", entries=[NEW], purge=True, manage_existence=True)
    assert [[name for name, orders in sent.body.items() if orders] for sent in server.writes] == [
        ["posts"],
        ["deletes"],
    ]


def test_what_somebody_else_deleted_meanwhile_is_not_counted(run: Runner, server: ListServer) -> None:
    def overtaken(server: ListServer, sent: Sent) -> Reply:
        server.rows.clear()
        return Reply(refusal(1001, "not found", source={"pointer": "/deletes/0/id"}), 404)

    server.add(CORP)
    server.faults = [overtaken]
    done = run("domains", entries=[], purge=True, manage_existence=True)
    assert (done.failed, done.result["changed"], done.result["deleted"]) == (False, False, 0)


def test_domains_do_not_expire(run: Runner, server: ListServer) -> None:
    assert "expires" in run("domains", entries=[{**NEW, "expires": "2026-12-10"}]).result["msg"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"lookback_hops": 21}, "lookback_hops: it must be from 1 to 20"),
        ({"lookback_hops": 0}, "lookback_hops: it must be from 1 to 20"),
        ({"ip_restrictions": ["192.0.2.0/33"]}, "ip_restrictions: '192.0.2.0/33' is not an IP address or a CIDR block"),
        ({"ip_restrictions": ["192.0.2.1"] * 101}, "ip_restrictions: it has 101 elements"),
        ({"regions": []}, "regions: the list is empty"),
        ({"allowed_delivery_modes": ["FAX"]}, "value of allowed_delivery_modes must be one or more of"),
    ],
)
def test_wrong_fields_are_named(run: Runner, server: ListServer, script: Script, fields: Row, words: str) -> None:
    assert words in run("domains", entries=[{**NEW, **fields}]).result["msg"]
    assert script.sent == []
