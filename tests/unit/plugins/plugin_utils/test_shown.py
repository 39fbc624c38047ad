# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an approver is shown: no sender can pass for another, and the evidence is in every form."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.document import parse_plan, seal
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._plan_lines import plan_lines
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._report_csv import report_csv
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._report_html import report_html
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._shown import address, addresses, message_lines
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import as_json, values
from hypothesis import given
from hypothesis import strategies as st

PLAN = {
    "schema": "emailsec.cloudflare/plan",
    "version": 1,
    "account_id": "5a1c0f3e9b7d42468ace13579bdf0246",
    "created_at": "2026-11-22T10:00:00Z",
    "expires_at": "2026-11-23T10:00:00Z",
}
BLOCKED: dict[str, t.Any] = {"decision": "blocked", "rules": ["max_age"], "recipients": [], "from": "a@x.example"}
RELEASED: dict[str, t.Any] = {"decision": "release", "rules": [], "recipients": [], "from": "a@x.example"}
LABELS = ".".join(["l" * 60] * 6)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a@x.example", "a@x.example"),
        (" <a@x.example> ", "a@x.example"),
        ("j\u00f6rg@b\u00fccher.example", "j\u00f6rg@b\u00fccher.example"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("<>", "<>"),
        ("", ""),
        (None, ""),
        ("ceo@partner.example@evil.example", '"ceo@partner.example"@evil.example'),
        ("ceo\uff20partner.example@evil.example", '"ceo\uff20partner.example"@evil.example'),
        (
            "ceo@partner.example" + "." * 900 + "@evil.example",
            '"ceo@partner.example' + "." * 13 + "\u2026" + "." * 31 + '"@evil.example',
        ),
        ("x" * 65 + "@evil.example", "x" * 32 + "\u2026" + "x" * 31 + "@evil.example"),
        (
            f"ceo@partner.example.{LABELS}.evil.example",
            f"ceo@partner.example.{LABELS}.evil.example"[:64] + "\u2026" + f".{LABELS}.evil.example"[-194:],
        ),
        ("Boss <a@x.example>", 'a@x.example ("Boss")'),
        ('"Doe, Jane" <a@x.example>', 'a@x.example ("Doe, Jane")'),
        ("ceo@partner.example <x@evil.example>", 'x@evil.example ("ceo@partner.example")'),
        ('"ceo@partner.example, \\"" <x@evil.example>', 'x@evil.example ("ceo@partner.example, \\")'),
        ('"ceo@partner.example <"@evil.example', '"ceo@partner.example <"@evil.example'),
        ("ceo@partner.example, x@evil.example", 'not a plain address: "ceo@partner.example, x@evil.example"'),
        ("ceo@partner.example, B <x@evil.example>", 'not a plain address: "ceo@partner.example, B <x@evil.example>"'),
        ("x@evil.example (ceo@partner.example)", 'not a plain address: "x@evil.example (ceo@partner.example)"'),
        ("ceo@partner.example <>", 'not a plain address: "ceo@partner.example <>"'),
        ("x@evil.example\u2800ceo@partner.example", '"x@evil.example\ufffdceo"@partner.example'),
        ("x@evil.example\u2215partner.example", 'not a plain address: "x@evil.example\u2215partner.example"'),
        ("x@partner\u200b.example", 'not a plain address: "x@partner\ufffd.example"'),
        ('x"; to: "y', "not a plain address: \"x'; to: 'y\""),
        ("nobody", 'not a plain address: "nobody"'),
        (7, 'not a plain address: "7"'),
    ],
)
def test_an_address_is_shown_so_that_its_domain_is_seen(text: t.Any, shown: str) -> None:
    assert address(text) == shown


@given(st.text(min_size=1, max_size=3000, alphabet="ab.@\"'<>,;: \u2800()"))
def test_whatever_stands_before_it_the_domain_is_never_cut_off(before: str) -> None:
    shown = address(before + "@evil.example")
    assert len(shown) < 500
    assert shown.endswith(("@evil.example", '@evil.example"'))


def test_a_display_name_stands_in_quotes_behind_the_address() -> None:
    assert address("x@evil.example", "ceo@partner.example") == 'x@evil.example ("ceo@partner.example")'
    assert address("x@evil.example", '" <ceo@partner.example>') == 'x@evil.example ("\' <ceo@partner.example>")'
    assert address("x@evil.example", "n" * 100) == 'x@evil.example ("' + "n" * 60 + '\u2026 (cut)")'
    assert address("x@evil.example", "X@evil.example") == address("x@evil.example", " ") == "x@evil.example"


def test_a_list_of_addresses_says_how_many_are_left_out() -> None:
    many = [f"{number}@x.example" for number in range(500)]
    assert addresses(many) == ", ".join(many[:10]) + " and 490 more"
    assert addresses(many, None) == ", ".join(many)
    assert addresses(many[:1]) == "0@x.example"


MESSAGE = {
    "id": "4Njp-1",
    "handle": "4Njp-1",
    "decision": "release",
    "rules": [],
    "subject": 'Hi"; from: ceo@partner.example',
    "from": "ceo@partner.example" + "." * 300 + "@evil.example",
    "from_name": "The Boss",
    "envelope_from": "bounce@evil.example",
    "validation": {"spf": "pass", "dkim": "none", "dmarc": "fail", "comment": None},
    "final_disposition": "SPOOF",
    "detection_reasons": ["Looks like a partner"],
    "recipients": [f"{number}@corp.example" for number in range(20)],
}
EVIDENCE = [
    "@evil.example", "The Boss", "bounce@evil.example", "SPF pass, DKIM none, DMARC fail", "SPOOF", "Looks like a partner", "0@corp.example",
    "9@corp.example and 10 more",
]  # fmt: skip


def forms() -> dict[str, str]:
    """Return the message as each form shows it."""
    row = {"handle": "4Njp-1", "id": "4Njp-1", "status": "would_release", "delivered": []}
    report = {"host": "h", "result": {"messages": [row]}, "plan": {"messages": [MESSAGE]}}
    page = re.sub("</?(?:wbr|bdi)>", "", report_html([report]))
    lines = plan_lines({"messages": [MESSAGE]}, show_content=True)
    return {
        "plan": lines[0],
        "csv": report_csv([report]),
        "html": page,
        "search": "; ".join(message_lines(found(), True)),
    }


def found() -> dict[str, t.Any]:
    """Return the message as a search finds it."""
    rest = {name: value for name, value in MESSAGE.items() if name != "recipients"}
    to = list(MESSAGE["recipients"])
    return {**rest, "to": to[:5], "envelope_to": to, "client_recipients": [address.upper() for address in to]}


@pytest.mark.parametrize("form", forms())
def test_every_form_shows_what_an_approver_has_to_see(form: str) -> None:
    text = forms()[form]
    assert [words for words in EVIDENCE if words not in text] == []


@given(
    st.sampled_from(
        [
            "id",
            "from",
            "from_name",
            "envelope_from",
            "validation",
            "detection_reasons",
            "overridden",
            "subject",
            "links",
        ]
    ),
    values,
)
def test_a_plan_that_is_read_can_be_shown(name: str, value: object) -> None:
    entries = [
        {**rest, "handle": "4Njp-1", "id": "4Njp-1", "final_disposition": "SPAM"} for rest in (BLOCKED, RELEASED)
    ]
    for entry in entries:
        try:
            plan = parse_plan(as_json(seal({**PLAN, "messages": [{**entry, name: value}]})), "it")
        except (InputError, ValueError):  # the latter for what JSON cannot say
            continue
        report = {
            "host": "h",
            "result": {"messages": [{"handle": "4Njp-1", "id": "4Njp-1", "status": "blocked"}]},
            "plan": plan,
        }
        assert plan_lines(plan, show_content=True)
        assert "blocked" in report_csv([report])
        assert "blocked" in report_html([report])


def test_a_subject_cannot_pass_for_a_sender_in_a_line() -> None:
    assert message_lines(MESSAGE, True)[-1] == 'subject: "Hi\'; from: ceo@partner.example"'


def test_nothing_is_said_of_a_message_that_is_not_known() -> None:
    assert message_lines({"handle": "nix", "recipients": [], "final_disposition": None}, True) == []


def test_what_is_missing_is_said_to_be() -> None:
    assert message_lines(
        {"from": None, "envelope_from": None, "validation": None, "to": [], "subject": None}, True
    ) == [
        "verdict: not stated",
        "reasons: none",
        "authentication: SPF not stated, DKIM not stated, DMARC not stated",
        "from: not stated",
        "envelope sender: not stated",
        "to: not stated",
        'subject: ""',
    ]
