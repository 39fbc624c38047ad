# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making a plan and applying it: what a rule refused is never released, whatever the input."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.evidence import defang
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import Handle, parse_handle
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import Message
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.messages import Messages
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.document import digest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.make import PlanRequest, make_plan, sentence
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.policy import RULES, Policy
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.items import Item
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.planned import (
    blocked,
    drifted,
    narrow,
    planned_handles,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import from_seconds
from hypothesis import given
from hypothesis import strategies as st

NOW = 1795176000.0  # 2026-11-20T12:00:00Z
ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353"


class Mail(Messages[Message]):
    """Stands in for Messages: a list of messages, and the handles that fit them."""

    def __init__(self, messages: list[Message], truncated: bool = False) -> None:
        self.messages = messages
        self.truncated = truncated

    def search(self, filters: t.Mapping[str, t.Any], limit: int | None = None) -> tuple[list[Message], bool]:
        return self.messages, self.truncated

    def find(self, handles: t.Iterable[Handle], released_first: bool = False) -> dict[Handle, list[Message]]:
        return {
            handle: [one for one in self.messages if handle.text in (one.id, one.data["message_id"])]
            for handle in handles
        }

    def detections(self, message_ids: t.Sequence[str]) -> list[dict[str, t.Any] | None]:
        return [
            None if number else {"links": [{"href": "https://evil.example/a"}], "attachments": "garbled"}
            for number, _id in enumerate(message_ids)
        ]


def message(number: int = 1, **fields: t.Any) -> Message:
    row = {
        "id": f"4Xy{number}-2026-11-20T10:00:00-11111111",
        "postfix_id": f"4Xy{number}",
        "message_id": f"<{number}@mailer.example>",
        "is_quarantined": True,
        "delivery_status": ["quarantined"],
        "post_delivery_operations": [],
        "final_disposition": "SPAM",
        "from": "bob@mailer.example",
        "envelope_from": "bob@mailer.example",
        "client_recipients": ["alice@corp.example"],
        "scanned_at": "2026-11-20T10:00:00Z",
        "validation": {"spf": "pass"},
    }
    return Message({**row, **fields})


def request(**fields: t.Any) -> PlanRequest:
    return PlanRequest(
        **{
            "account_id": ACCOUNT,
            "handles": None,
            "search": {"sender": "mailer.example"},
            "policy": Policy(),
            "now": NOW,
            **fields,
        }
    )


def decisions(plan: dict[str, t.Any]) -> dict[str, tuple[str, list[str]]]:
    return {entry["handle"]: (entry["decision"], entry["rules"]) for entry in plan["messages"]}


def test_each_message_is_released_or_blocked_by_named_rules() -> None:
    mail = Mail([message(1), message(2, final_disposition="MALICIOUS"), message(3, is_quarantined=False)])
    plan = make_plan(mail, request()).plan
    assert [rules for _decision, rules in decisions(plan).values()] == [
        [],
        ["forbidden_dispositions"],
        ["not_quarantined"],
    ]
    assert plan["summary"] == {
        "total": 3, "release": 1, "blocked": 2, "recipients": 1, "rules": {"forbidden_dispositions": 1, "not_quarantined": 1},
    }  # fmt: skip
    assert plan["digest"] == digest(plan)
    assert plan["expires_at"] == "2026-11-21T12:00:00Z"


def test_handles_that_name_no_one_message_ask_for_a_choice() -> None:
    twins = [message(1, message_id="<twin@x.example>"), message(2, message_id="<twin@x.example>"), message(3)]
    handles = [parse_handle(text) for text in ("<twin@x.example>", "4Gone", "<3@mailer.example>", twins[2].id)]
    plan = make_plan(Mail(twins), request(handles=handles, search=None)).plan
    first, second, third = plan["messages"]
    assert (first["decision"], first["rules"]) == ("blocked", ["ambiguous"])
    assert [candidate["id"] for candidate in first["candidates"]] == [twins[0].id, twins[1].id]
    assert (second["decision"], second["rules"]) == ("blocked", ["not_found"])
    assert (third["decision"], third["handles"]) == ("release", ["<3@mailer.example>", twins[2].id])


def test_an_override_is_recorded_where_it_mattered() -> None:
    mail = Mail([message(1), message(2, final_disposition="MALICIOUS")])
    plan = make_plan(mail, request(policy=Policy(overrides=("forbidden_dispositions",)))).plan
    assert [(entry["decision"], entry["overridden"]) for entry in plan["messages"]] == [
        ("release", []),
        ("release", ["forbidden_dispositions"]),
    ]
    assert plan["policy"]["overrides"] == ["forbidden_dispositions"]


def test_over_a_cap_the_whole_plan_is_refused() -> None:
    made = make_plan(Mail([message(number) for number in range(3)]), request(policy=Policy(max_messages=2)))
    assert made.plan["summary"]["release"] == 0
    assert made.plan["refused_by"] == ["max_messages"]
    assert {entry["decision"] for entry in made.plan["messages"]} == {"blocked"}
    assert sentence(made).startswith("The whole plan is refused (max_messages: 3 messages, but at most 2 are allowed).")


def test_a_selection_that_was_cut_makes_no_plan() -> None:
    with pytest.raises(InputError, match="finds more than 2 messages"):
        make_plan(Mail([message(1), message(2)], truncated=True), request(limit=2))


def test_full_evidence_is_defanged_and_may_be_missing() -> None:
    plan = make_plan(Mail([message(1), message(2)]), request(evidence="full")).plan
    first, second = plan["messages"]
    assert first["details"]["links"] == [{"href": "hxxps://evil[.]example/a", "text": ""}]
    assert first["details"]["attachments"] == []
    assert second["details"] is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTP://a.b", "HxxP://a[.]b"),
        ("see https://x.example now", "see hxxps://x[.]example now"),
        ("", ""),
        ("mailto:a@b.c", "mailto:a@b[.]c"),
    ],
)
def test_defanged_text_holds_no_link(text: str, expected: str) -> None:
    assert defang(text) == expected


addresses = st.one_of(
    st.none(),
    st.sampled_from(["bob@mailer.example", "ceo@corp.example", "x@evil.example", "ALICE@CORP.EXAMPLE"]),
    st.text(max_size=20),
)
messages = st.builds(
    message,
    number=st.integers(1, 10_000),
    is_quarantined=st.sampled_from([True, True, False, None]),
    final_disposition=st.one_of(
        st.none(), st.sampled_from(["SPAM", "MALICIOUS", "MALICIOUS-BEC", "malicious", "NEW"]), st.text(max_size=10)
    ),
    threat_categories=st.lists(st.sampled_from(["Phish", "phish", "Fraud"])),
    client_recipients=st.lists(addresses),
    envelope_from=addresses,
    scanned_at=st.one_of(
        st.none(), st.text(max_size=10), st.just("2026-11-20T10:00:00Z"), st.just("2020-01-01T00:00:00Z")
    ),
    validation=st.one_of(st.none(), st.fixed_dictionaries({"spf": st.sampled_from(["pass", "fail", None, 1])})),
)
patterns = st.lists(st.sampled_from(["*", "corp.example", "*@mailer.example", "x@evil.example", "?"]), max_size=3)
policies = st.builds(
    Policy,
    max_messages=st.integers(1, 5),
    max_recipients=st.integers(1, 10),
    max_per_sender=st.integers(1, 5),
    forbidden_threat_categories=st.lists(st.sampled_from(["PHISH", "Other"])),
    max_age=st.sampled_from([None, "1h", "30d"]),
    min_age=st.sampled_from([None, "1m", "3h"]),
    require_authentication=st.sampled_from([True, False, "aligned", "any", "none"]),
    protected_recipients=patterns,
    allowed_senders=patterns,
    denied_senders=patterns,
    require_ticket=st.booleans(),
    overrides=st.lists(st.sampled_from(RULES), max_size=3),
)


@given(found=st.lists(messages, max_size=8, unique_by=lambda one: one.id), policy=policies)
def test_a_blocked_message_is_never_released(found: list[Message], policy: Policy) -> None:
    plan = make_plan(Mail(found), request(policy=policy)).plan
    released = {handle.text for handle in planned_handles(plan)}
    for one in found:
        standing = [rule for rule in policy.judge(one, from_seconds(NOW)) if rule not in policy.overrides]
        if standing or one.data["is_quarantined"] is not True:
            assert one.id not in released
    if "max_messages" not in policy.overrides:
        assert len(released) <= policy.max_messages
    if policy.require_ticket and "require_ticket" not in policy.overrides:
        assert not released
    assert released.isdisjoint({item.handles[0].text for item, _outcome in blocked(plan)})
    assert len(released) + len(list(blocked(plan))) == len(found)


def test_what_drifted_since_is_blocked_and_the_rest_is_not() -> None:
    before = [message(1), message(2)]
    plan = make_plan(Mail(before), request()).plan
    items = [
        Item(parse_handle(before[0].id), message(1, final_disposition="MALICIOUS")),
        Item(parse_handle(before[1].id), message(2)),
    ]
    ((item, outcome),) = drifted(plan, items)
    assert (item, outcome.status, outcome.rule) == (items[0], "blocked", "drift")


def unknown_and_several() -> tuple[Mail, list[Handle]]:
    """Return a mailbox, and handles of which it does not know one, has two messages for one, and has one message for one."""
    twins = [message(number, message_id="<twin@x.example>") for number in (1, 2)]
    return Mail([*twins, message(3)]), [
        parse_handle(text) for text in ("4Gone", "<twin@x.example>", "<3@mailer.example>")
    ]


def test_what_no_policy_decided_has_the_status_that_it_has_without_a_plan() -> None:
    mail, handles = unknown_and_several()
    states: tuple[dict[str, t.Any], ...]
    states = {"post_delivery_operations": ["RELEASE"]}, {}, {"is_quarantined": None, "delivery_status": []}
    mail.messages += [
        message(number, **{"is_quarantined": False, "delivery_status": ["delivered"], **fields})
        for number, fields in enumerate(states, 4)
    ]
    handles += [parse_handle(f"<{number}@mailer.example>") for number in range(4, 7)]
    plan = make_plan(mail, request(handles=handles, search=None)).plan
    outcomes = {item.handles[0].text: outcome for item, outcome in blocked(plan)}
    assert {handle: (outcome.status, outcome.rule) for handle, outcome in outcomes.items()} == {
        "4Gone": ("not_found", None),
        "<twin@x.example>": ("ambiguous", None),
        "<4@mailer.example>": ("already_released", None),
        "<5@mailer.example>": ("not_quarantined", None),
        "<6@mailer.example>": ("not_attempted", None),
    }
    assert all(str(one.id) in outcomes["<twin@x.example>"].detail for one in mail.messages[:2])
    assert "Cloudflare does not know it" in outcomes["4Gone"].detail


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        ({"rules": ["not_quarantined"], "delivery_status": ["delivered"]}, "not_quarantined"),
        ({"rules": ["not_quarantined"], "delivery_status": []}, "not_attempted"),
        ({"rules": ["not_quarantined", "max_age"], "state": "a word of another release"}, "not_attempted"),
        ({"rules": ["ambiguous"], "candidates": "garbled"}, "ambiguous"),
        ({"rules": ["ambiguous"], "candidates": [{"id": None, "postfix_id": 1}, {"postfix_id": "4Xy"}]}, "ambiguous"),
        ({"rules": ["a rule of another release"]}, "blocked"),
    ],
)
def test_plans_of_other_releases_have_statuses_too(entry: dict[str, t.Any], status: str) -> None:
    ((_item, outcome),) = blocked({"messages": [{"handle": "4Xy", "decision": "blocked", **entry}]})
    assert outcome.status == status


def test_only_some_of_the_plan() -> None:
    plan = make_plan(Mail([message(1), message(2), message(3, final_disposition="MALICIOUS")]), request()).plan
    first, second, held = (entry["id"] for entry in plan["messages"])
    part = narrow(plan, [second])
    assert [handle.text for handle in planned_handles(part)] == [second]
    assert list(blocked(part)) == []
    assert part["digest"] == plan["digest"]
    for stranger in (held, "4Xy9-2026-11-20T10:00:00-99999999"):
        with pytest.raises(InputError, match="only names what the plan does not release"):
            narrow(plan, [first, stranger])
