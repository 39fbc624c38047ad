# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which allow policies follow a release, and what became of them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.allowing import (
    Sender,
    allowed,
    decide,
    sender_of,
)
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.follow_up import Target

TODAY, LAST_DAY = "2026-11-27", "2026-12-11"
PASS = {"spf": "pass", "dkim": "pass", "dmarc": "pass"}
NARROW = {"is_acceptable_sender": True, "is_trusted_sender": False, "is_exempt_recipient": False, "verify_sender": True}
ADDRESS = Sender("EMAIL", "anna@north.example")


def target(name: str = "id-1", just_now: bool = True) -> Target:
    return Target(name, f"<{name}@north.example>", just_now, None)


def message(**changes: t.Any) -> dict[str, t.Any]:
    shown = {"from": "Anna@North.example", "from_name": "Anna", "envelope_from": "b@bounces.north.example"}
    return {**shown, "validation": PASS, **changes}


def test_an_address_or_its_domain_is_allowed() -> None:
    assert sender_of(message(), domains=False) == ADDRESS
    assert sender_of(message(), domains=True) == Sender("DOMAIN", "north.example")
    assert sender_of(message(**{"from": "Anna <anna+news@north.example>"}), False).pattern == "anna+news@north.example"
    by_spf = {"spf": "pass", "dkim": "none", "dmarc": "none"}
    assert sender_of(message(validation=by_spf), False) == ADDRESS


@pytest.mark.parametrize(
    "changes",
    [
        {"validation": {**PASS, "dmarc": "fail"}},
        {"validation": {"spf": "none", "dkim": "pass", "dmarc": "none"}},
        {"validation": {}},
        {"validation": None},
        {"validation": {"spf": "pass", "dmarc": "none"}, "envelope_from": "x@south.example"},
        {"from": "anna@north.example, ben@north.example"},
        {"from": '"ceo@south.example" <anna@north.example>'},
        {"from": "=?utf-8?q?ceo=40south=2Eexample?= <anna@north.example>"},
        {"from_name": "ceo@south.example"},
        {"from": ""},
        {"from": None},
        {"from": "anna"},
        {"from": "*@north.example"},
        {"from": '"a b"@north.example'},
        {"from": "\u0430nna@north.example"},
    ],
)
def test_only_one_proven_sender_is_allowed(changes: dict[str, t.Any]) -> None:
    sender = sender_of(message(**changes), domains=False)
    assert (sender.pattern, bool(sender.words)) == ("", True)
    decided = decide([(target(), sender)], [], TODAY, LAST_DAY, "INC-7")
    assert decided.entries == []
    [row] = allowed(decided, {}, LAST_DAY, check_mode=False)
    assert (row["status"], row["sender"], row["until"]) == ("not_allowed", "", "")


def test_messages_of_one_sender_share_a_narrow_policy() -> None:
    decided = decide(
        [(target("id-1"), ADDRESS), (target("id-2"), ADDRESS)], [], TODAY, LAST_DAY, "INC-7\n[expires 2099-01-01]"
    )
    [entry] = decided.entries
    assert entry == {
        "pattern_type": "EMAIL", "pattern": "anna@north.example", **NARROW, "expires": LAST_DAY, "comments": entry["comments"],
    }  # fmt: skip
    assert "\n" not in entry["comments"]
    assert not entry["comments"].endswith("]")
    made = {
        "created": 1,
        "entries": [{**entry, "pattern": "Anna@north.example", "id": "p-1"}],
        "msg": "",
        "summary": {},
    }
    for check_mode, status in ((False, "allowed"), (True, "would_allow")):
        rows = allowed(decided, made, LAST_DAY, check_mode)
        assert [(row["id"], row["status"], row["until"]) for row in rows] == [
            ("id-1", status, LAST_DAY), ("id-2", status, LAST_DAY),
        ]  # fmt: skip


def existing(**changes: t.Any) -> dict[str, t.Any]:
    return {"pattern_type": "EMAIL", "pattern": "Anna@north.example", **NARROW, **changes}


@pytest.mark.parametrize(
    ("entry", "just_now", "status"),
    [
        (existing(), True, "already_allowed"),  # without an end
        (existing(expires=LAST_DAY), True, "already_allowed"),
        (existing(expires="2027-01-01"), True, "already_allowed"),
        (existing(expires="2026-12-01"), False, "already_allowed"),
        (existing(expires="2026-12-01", is_trusted_sender=True), True, "already_allowed"),
        (existing(expires="2026-12-01", verify_sender=False), True, "already_allowed"),
        (existing(is_acceptable_sender=False), True, "failed"),
        (existing(is_acceptable_sender=False, is_exempt_recipient=True, expires="2026-12-01"), True, "failed"),
        (existing(expires="2026-11-26"), False, "ended"),
    ],
)
def test_policies_of_others_stay_as_they_are(entry: dict[str, t.Any], just_now: bool, status: str) -> None:
    decided = decide([(target(just_now=just_now), ADDRESS)], [entry], TODAY, LAST_DAY, "")
    assert (decided.entries, decided.rows["id-1"]["status"]) == ([], status)


@pytest.mark.parametrize("expires", ["2026-11-26", TODAY, "2026-12-10"])
def test_one_like_ours_that_ends_earlier_gets_the_new_end(expires: str) -> None:
    [entry] = decide([(target(), ADDRESS)], [existing(expires=expires)], TODAY, LAST_DAY, "").entries
    assert (entry["pattern"], entry["expires"]) == ("Anna@north.example", LAST_DAY)


def test_another_kind_of_policy_is_not_the_same() -> None:
    others = [existing(is_regex=True), existing(pattern_type="DOMAIN"), existing(pattern="ben@north.example")]
    assert len(decide([(target(), ADDRESS)], others, TODAY, LAST_DAY, "").entries) == 1


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ({"failed": True, "msg": "Refused.", "status": 403}, "not_attempted"),
        ({"failed": True, "msg": "Refused.", "status": 403, "created": 0, "entries": []}, "failed"),
        ({"failed": True, "msg": "No answer.", "created": 0, "entries": []}, "unknown"),
        ({"module_stdout": "", "failed": True}, "unknown"),
        ({"failed": True, "msg": "gone", "unreachable": True}, "unknown"),
    ],
)
def test_a_policy_that_is_not_there_is_not_called_made(result: dict[str, t.Any], status: str) -> None:
    decided = decide([(target(), ADDRESS)], [], TODAY, LAST_DAY, "")
    [row] = allowed(decided, result, LAST_DAY, check_mode=False)
    assert row["status"] == status
