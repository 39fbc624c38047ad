# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guard rules: what each refuses, and that nothing refused is ever released."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import Message
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.policy import RULES, Policy

NOW = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)
OPEN = Policy(forbidden_dispositions=(), require_authentication=False)


def message(**fields: t.Any) -> Message:
    row = {
        "id": "4Xy-2026-11-20T10:00:00-11111111",
        "is_quarantined": True,
        "final_disposition": "SPAM",
        "from": "Bob@Shown.example",
        "envelope_from": "bounce@mailer.example",
        "client_recipients": ["alice@corp.example"],
        "envelope_to": ["ALICE@corp.example"],
        "scanned_at": "2026-11-20T10:00:00Z",
        "threat_categories": ["CredentialHarvester"],
        "validation": {"spf": "fail", "dkim": "none", "dmarc": "fail"},
    }
    return Message({**row, **fields})


@pytest.mark.parametrize(
    ("rules", "fields", "refused_by"),
    [
        ({}, {}, []),
        ({"forbidden_dispositions": ["spam"]}, {}, ["forbidden_dispositions"]),
        ({"forbidden_dispositions": ["MALICIOUS"]}, {"final_disposition": None}, ["forbidden_dispositions"]),
        ({"forbidden_dispositions": ["BULK"]}, {"final_disposition": "QUISHING"}, ["forbidden_dispositions"]),
        ({}, {"final_disposition": None}, []),
        ({"forbidden_threat_categories": ["credential harvester"]}, {}, ["forbidden_threat_categories"]),
        ({"forbidden_threat_categories": ["credentialharvester"]}, {}, ["forbidden_threat_categories"]),
        ({"max_age": "1h"}, {}, ["max_age"]),
        ({"max_age": "3h"}, {}, []),
        ({"max_age": "3h"}, {"scanned_at": None}, ["max_age"]),
        ({"min_age": "3h"}, {}, ["min_age"]),
        ({"min_age": "1h"}, {}, []),
        ({"min_age": "1h"}, {"scanned_at": "soon"}, ["min_age"]),
        ({"require_authentication": True}, {}, ["require_authentication"]),
        ({"require_authentication": True}, {"validation": None}, ["require_authentication"]),
        ({"require_authentication": True}, {"validation": {"dkim": "pass"}}, ["require_authentication"]),
        ({"require_authentication": "any"}, {"validation": {"dkim": "pass"}}, []),
        ({"protected_recipients": ["alice@corp.example"]}, {}, ["protected_recipients"]),
        ({"protected_recipients": ["*@board.example"]}, {"to": ["ceo@board.example"]}, ["protected_recipients"]),
        ({"protected_recipients": ["board.example"]}, {}, []),
        (
            {"protected_recipients": ["board.example"]},
            {"to": ["ceo+private@mail.Board.example"]},
            ["protected_recipients"],
        ),
        ({"protected_recipients": ["board.example"]}, {"to": ["undisclosed-recipients:;"]}, []),
        ({"protected_recipients": ["board.example"]}, {"to": ["postmaster"]}, ["protected_recipients"]),
        (
            {"protected_recipients": ["board.example"]},
            {"client_recipients": [], "envelope_to": []},
            ["protected_recipients"],
        ),
        ({"allowed_senders": ["shown.example"]}, {}, ["allowed_senders"]),
        ({"allowed_senders": ["shown.example", "*@mailer.example"]}, {}, []),
        ({"allowed_senders": ["*"]}, {"envelope_from": None}, ["allowed_senders"]),
        ({"denied_senders": ["shown.example"]}, {}, ["denied_senders"]),
        ({"denied_senders": ["bounce@mailer.example"]}, {}, ["denied_senders"]),
        ({"denied_senders": ["other.example"]}, {"from": None}, ["denied_senders"]),
        ({"denied_senders": ["other.example"]}, {"from": "a@@b"}, ["denied_senders"]),
        ({"denied_senders": ["other.example"]}, {"from": "a@x.example, b@sub.other.example"}, ["denied_senders"]),
        ({"denied_senders": ["other.example"]}, {"envelope_from": ""}, []),
        ({"denied_senders": ["other.example"]}, {}, []),
        ({"denied_senders": ["other.example"]}, {"from_name": "x@other.example"}, ["denied_senders"]),
        (
            {"denied_senders": ["other.example"]},
            {"from_name": "=?utf-8?q?x=40other=2Eexample?="},
            ["denied_senders"],
        ),
        ({"denied_senders": ["other.example"]}, {"from_name": "x@third.example"}, []),
        ({"denied_senders": ["other.example"]}, {"from_name": "sales @ Bob"}, []),
        ({"denied_senders": ["other.example"]}, {"from_name": "x@-.example"}, ["denied_senders"]),
        (
            {"allowed_senders": ["shown.example", "mailer.example"]},
            {"from_name": "x@other.example"},
            ["allowed_senders"],
        ),
        ({"allowed_senders": ["shown.example", "mailer.example"]}, {"from_name": "Bob, bob@shown.example"}, []),
        (
            {"denied_senders": ["other.example"]},
            {"envelope_from": "SRS0=h=t=other.example=x@fwd.example"},
            ["denied_senders"],
        ),
        (
            {"protected_recipients": ["ceo@corp.example"]},
            {"client_recipients": ["prvs=12ab=ceo@corp.example"]},
            ["protected_recipients"],
        ),
        ({"allowed_senders": ["shown.example", "mailer.example"]}, {"envelope_from": "<>"}, ["allowed_senders"]),
        (
            {"allowed_senders": ["shown.example", "mailer.example"]},
            {"from": "a@shown.example, b@x.example"},
            ["allowed_senders"],
        ),
        (
            {"allowed_senders": ["shown.example", "mailer.example"]},
            {"from": "a@sub.shown.example"},
            ["allowed_senders"],
        ),
    ],
)
def test_rule_refuses_what_it_names(rules: dict[str, t.Any], fields: dict[str, t.Any], refused_by: list[str]) -> None:
    assert OPEN._replace(**rules).judge(message(**fields), NOW) == refused_by


def test_defaults_refuse_malicious_and_unauthenticated_mail() -> None:
    assert Policy().judge(message(final_disposition="MALICIOUS-BEC"), NOW) == [
        "forbidden_dispositions",
        "require_authentication",
    ]


def test_caps_refuse_the_whole_and_say_by_how_much() -> None:
    many = [message(client_recipients=["a@x.example", "b@x.example"], envelope_to=[])] * 3
    policy = OPEN._replace(max_messages=2, max_recipients=5, max_per_sender=1, require_ticket=True, require_reason=True)
    assert policy.judge_whole(many, ticket=" ", reason=None) == {
        "max_messages": "3 messages, but at most 2 are allowed",
        "max_recipients": "6 recipients, but at most 5 are allowed",
        "max_per_sender": "3 messages of one sender, but at most 1 are allowed",
        "require_ticket": "no ticket is given",
        "require_reason": "no reason is given",
    }
    assert policy._replace(overrides=RULES).judge_whole(many, None, None) == {}
    assert policy.judge_whole(many[:1], "INC-1", "known good") == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"forbidden_dispositions": ["MALICOUS"]},
        {"forbidden_dispositions": ["MALICIOUS*"]},
        {"forbidden_dispositions": [True]},
        {"forbidden_threat_categories": [" "]},
        {"forbidden_threat_categories": ["Phish, Fraud"]},
        {"forbidden_threat_categories": ["*Harvester"]},
        {"denied_senders": [7]},
        {"denied_senders": [False]},
        {"protected_recipients": [None]},
        {"protected_recipients": ["ceo@"]},
        {"allowed_senders": [""]},
        {"require_authentication": "strict"},
        {"max_messages": 0},
        {"max_age": "soon"},
        {"min_age": "0h"},
        {"overrides": ["max_mesages"]},
        {"overrides": ["not_found"]},
    ],
)
def test_a_policy_that_no_rule_can_work_with_is_an_error(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(InputError, match=r"policy\."):
        Policy(**wrong).checked()


def test_a_sender_is_counted_whatever_it_varies() -> None:
    def most(*rows: dict[str, t.Any]) -> dict[str, str]:
        return OPEN._replace(max_per_sender=2).judge_whole([message(**row) for row in rows], None, None)

    assert "max_per_sender" in most(*({"envelope_from": f"bounce-{number}@mailer.example"} for number in range(3)))
    assert "max_per_sender" in most(*({"from": f"{number}@shown.example"} for number in range(3)))
    tagged = [{"from": f"news+{number}@shown.example", "envelope_from": ""} for number in range(3)]
    assert "max_per_sender" in most(*tagged)
    batv = ({"from": "", "envelope_from": f"prvs={number}=bob@mailer.example"} for number in range(3))
    assert "max_per_sender" in most(*batv)
    assert "max_per_sender" in most(*({"from": f"garbage {number}", "envelope_from": None} for number in range(3)))
    assert most(*tagged[:2], {"from": "b@shown.example", "envelope_from": "b@mailer.example"}) == {}


def test_the_policy_of_a_plan_says_the_level() -> None:
    assert Policy().checked().as_data()["require_authentication"] == "aligned"
    assert OPEN.checked().as_data()["require_authentication"] == "none"
