# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The allow policies of a follow-up: narrow, for some days, and never twice."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.allowances import Allowances, allowances
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.declared import read_declared
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.difference import Wish, difference
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import Row

KIND = KINDS["allow_policies"]
TODAY = datetime.date(2026, 11, 22)
SENDER = "billing@partner.example"
OURS = "Sender of released mail, ticket INC-1 [expires 2026-12-06]"


def ask(
    *senders: str, ticket: str | None = "INC-1", stored: t.Sequence[Row] = (), today: datetime.date = TODAY
) -> Allowances:
    return allowances(senders, 14, ticket, stored, today)


def policy(comments: str | None = OURS, **fields: t.Any) -> Row:
    row = {"id": "id-1", "pattern": SENDER, "pattern_type": "EMAIL", "is_acceptable_sender": True, "comments": comments}
    return {**row, **fields}


def changes(found: Allowances, stored: t.Sequence[Row]) -> list[Row]:
    declared = read_declared(KIND, found.entries, TODAY)
    return [change.after for change in difference(Wish(KIND, declared, False, False, TODAY), stored).changes]


def test_a_policy_is_as_narrow_as_can_be() -> None:
    [made] = changes(ask(SENDER), [])
    assert made == {
        "pattern": SENDER,
        "pattern_type": "EMAIL",
        "is_regex": False,
        "is_acceptable_sender": True,
        "is_trusted_sender": False,
        "is_exempt_recipient": False,
        "verify_sender": True,
        "comments": OURS,
    }


def test_a_sender_gets_one_policy() -> None:
    found = ask(SENDER, "Billing@Partner.example", SENDER)
    assert (len(found.entries), found.senders, found.allowed, found.unsuitable) == (1, [SENDER], [], {})


@pytest.mark.parametrize("days", [0, 1, 13, 14])
def test_a_run_on_a_later_day_changes_nothing(days: int) -> None:
    made = [{**row, "id": "id-1"} for row in changes(ask(SENDER), [])]
    again = ask(SENDER, stored=made, today=TODAY + datetime.timedelta(days=days))
    assert (again.entries, again.allowed) == ([], [SENDER])


@pytest.mark.parametrize(
    "stored",
    [
        policy("made by hand"),
        policy(None, is_acceptable_sender=False, is_trusted_sender=True),
        policy("INC-0 [expires 2027-12-31]"),
        policy(pattern="BILLING@partner.example", comments=None),
    ],
)
def test_what_is_there_stays_as_it_is(stored: Row) -> None:
    found = ask(SENDER, stored=[stored])
    assert (found.entries, found.allowed) == ([], [SENDER])


@pytest.mark.parametrize("day", ["2026-11-01", "2026-11-30"])
def test_another_ticket_makes_it_last_longer(day: str) -> None:
    stored = [policy(f"Sender of released mail, ticket INC-0 [expires {day}]")]
    [changed] = changes(ask(SENDER, stored=stored), stored)
    assert (changed["id"], changed["comments"]) == ("id-1", OURS)


def test_a_policy_without_an_end_is_not_opened_by_a_release() -> None:
    found = ask(SENDER, stored=[policy("team", is_acceptable_sender=False, is_exempt_recipient=True)])
    assert (found.entries, list(found.unsuitable)) == ([], [SENDER])


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "partner.example",
        "@partner.example",
        "a@x.example, b@y.example",
        '"a b"@partner.example',
        "*@partner.example",
        "a@" + "x" * 64,
    ],
)
def test_only_one_plain_address_gets_a_policy(sender: str) -> None:
    found = ask(sender, SENDER)
    assert (found.senders, list(found.unsuitable)) == ([SENDER], [sender])


@pytest.mark.parametrize(
    "ticket", [None, "", "x" * 5000, "\u202e{{ 1 }}\n", "[expires 2099-01-01]", "INC-1 [expires 2099-01-01]"]
)
def test_no_ticket_can_break_the_comment(ticket: str | None) -> None:
    [made] = changes(ask(SENDER, ticket=ticket), [])
    assert made["comments"].endswith(" [expires 2026-12-06]")
    assert len(made["comments"]) < 1024
    stored = [{**made, "id": "id-1"}]
    assert ask(SENDER, ticket=ticket, stored=stored).entries == []
