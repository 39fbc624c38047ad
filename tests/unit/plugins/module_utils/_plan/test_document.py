# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan document: its digest, what is refused on reading, and drift."""

from __future__ import annotations

import datetime
import json
import random
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import Message
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.document import (
    check_plan,
    digest,
    drift,
    same_decisions,
    seal,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.file import keep_plan, read_plan
from hypothesis import given
from hypothesis import strategies as st

ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353"
NOW = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)
ENTRY: dict[str, t.Any] = {
    "handle": "4Xy-2026-11-20T10:00:00-11111111",
    "id": "4Xy-2026-11-20T10:00:00-11111111",
    "decision": "release",
    "rules": [],
    "recipients": ["alice@corp.example"],
    "final_disposition": "SPAM",
    "subject": "Rechnung f\u00fcr Ihren Auftrag \u202e\u0000",
}


def plan(**fields: t.Any) -> dict[str, t.Any]:
    content = {
        "schema": "emailsec.cloudflare/plan",
        "version": 1,
        "account_id": ACCOUNT,
        "created_at": "2026-11-20T10:00:00Z",
        "expires_at": "2026-11-21T10:00:00Z",
        "messages": [ENTRY],
    }
    return {**content, **fields}


def written(path: Path, document: t.Any) -> str:
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def test_digest_is_the_same_on_every_python() -> None:
    # Held fast, as a digest that was approved must still fit after an upgrade.
    assert digest(plan()) == "sha256:a61ccfdb301d44c73c2b4306a0138e2450e4d10b0645997b13caf6c47a82b472"


@given(st.randoms())
def test_digest_does_not_depend_on_the_order_of_keys(randomness: random.Random) -> None:
    def shuffled(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            names = list(value)
            randomness.shuffle(names)
            return {name: shuffled(value[name]) for name in names}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    assert digest(shuffled(plan())) == digest(plan())


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    sealed = seal(plan())
    assert read_plan(written(tmp_path / "plan.json", sealed)) == sealed


@pytest.mark.parametrize(
    "change",
    [
        {"account_id": "f" * 32},
        {"expires_at": "2099-01-01T00:00:00Z"},
        {"messages": []},
        {"messages": [{**ENTRY, "recipients": ["mallory@evil.example"]}]},
        {"ticket": "INC-2"},
    ],
)
def test_a_tampered_plan_is_refused(tmp_path: Path, change: dict[str, t.Any]) -> None:
    path = written(tmp_path / "plan.json", {**seal(plan()), **change})
    with pytest.raises(InputError, match=r"changed after it was made.*Nothing was sent"):
        read_plan(path)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "plan",
        {},
        plan(schema="other"),
        plan(version=2),
        plan(version="1"),
        plan(account_id=7),
        plan(expires_at="tomorrow"),
        plan(expires_at=None),
        plan(created_at="yesterday"),
        plan(created_at=None),
        plan(version=True),
        plan(messages=None),
        plan(messages=["id"]),
        plan(messages=[{**ENTRY, "decision": "blocked"}]),
        plan(messages=[{**ENTRY, "decision": "maybe"}]),
        plan(messages=[{**ENTRY, "rules": ["max_age"]}]),
        plan(messages=[{**ENTRY, "id": None}]),
        plan(messages=[{**ENTRY, "id": "../../accounts"}]),
        plan(messages=[{**ENTRY, "recipients": "alice@corp.example"}]),
        plan(messages=[{**ENTRY, "recipients": [1]}]),
        plan(messages=[{**ENTRY, "final_disposition": 1}]),
        plan(messages=[{**ENTRY, "validation": "pass"}]),
        plan(messages=[{**ENTRY, "validation": ["pass"]}]),
        plan(messages=[{**ENTRY, "detection_reasons": 7}]),
        plan(messages=[{**ENTRY, "overridden": [None]}]),
        plan(messages=[{**ENTRY, "decision": "blocked", "rules": ["max_age"], "handle": "x", "id": ["x"]}]),
        plan(messages=[ENTRY, ENTRY]),
        plan(messages=[ENTRY, {**ENTRY, "id": f"{ENTRY['id']} "}]),
        plan(messages=[{**ENTRY, "id": f" {ENTRY['id']}"}]),
    ],
)
def test_what_is_no_plan_is_refused_even_with_the_right_digest(tmp_path: Path, document: t.Any) -> None:
    sealed = seal(document) if isinstance(document, dict) else document
    with pytest.raises(InputError, match="is not a plan of this collection"):
        read_plan(written(tmp_path / "plan.json", sealed))


@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_nothing_that_json_can_say_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, document: t.Any) -> None:
    messages = document if isinstance(document, list) else [document]
    path = written(tmp_path_factory.mktemp("plan") / "plan.json", seal(plan(messages=messages)))
    try:
        assert read_plan(path)["messages"] == messages
        assert all(isinstance(entry, dict) for entry in messages)
    except InputError:
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"schema": NaN}'])
def test_bytes_that_are_no_json_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a plan of this collection"):
        read_plan(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(No such file"):
        read_plan(str(tmp_path / "plan.json"))


@pytest.mark.parametrize(
    ("value", "words"), [("x" * 1024 * 1024, "larger than 48 MiB"), ([[]] * 30_000, "more than 3000000 values")]
)
def test_a_plan_that_would_take_much_memory_is_refused_and_not_written(
    tmp_path: Path, value: t.Any, words: str
) -> None:
    huge = seal(plan(search=[value] * 50))
    with pytest.raises(InputError, match=f"too large: it .*{words}"):
        keep_plan(str(tmp_path / "plan.json"), huge, NOW, check_mode=False)
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=words):
        read_plan(written(tmp_path / "plan.json", huge))


def test_a_plan_may_be_applied_with_its_digest_pinned() -> None:
    sealed = seal(plan())
    for pin in (None, sealed["digest"], sealed["digest"].upper(), sealed["digest"].partition(":")[2]):
        check_plan(sealed, ACCOUNT, NOW, pin)


@pytest.mark.parametrize(
    ("account", "now", "pin", "words"),
    [
        ("f" * 32, NOW, None, "not for f"),
        (ACCOUNT, NOW + datetime.timedelta(days=1), None, "expired at 2026-11-21T10:00:00Z"),
        (ACCOUNT, NOW, "sha256:" + "0" * 64, "not the approved one"),
        (ACCOUNT, NOW, "sha256:", "must be sha256: and 64 hexadecimal digits"),
        (ACCOUNT, NOW - datetime.timedelta(hours=2, minutes=6), None, "in the future"),
    ],
)
def test_a_foreign_expired_or_unapproved_plan_is_refused(
    account: str, now: datetime.datetime, pin: str | None, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        check_plan(seal(plan()), account, now, pin)


def test_clocks_may_differ_a_little() -> None:
    check_plan(seal(plan()), ACCOUNT, NOW - datetime.timedelta(hours=2, minutes=5), None)


def test_no_plan_lasts_longer_than_one_can_ask_for() -> None:
    check_plan(seal(plan(expires_at="2027-02-18T10:00:00Z")), ACCOUNT, NOW, None)
    with pytest.raises(InputError, match="later than the 90 days"):
        check_plan(seal(plan(expires_at="2027-02-18T10:00:01Z")), ACCOUNT, NOW, None)


@pytest.mark.parametrize(
    ("fields", "drifted"),
    [
        ({}, False),
        ({"client_recipients": ["ALICE@corp.example"]}, False),
        ({"final_disposition": "BULK"}, False),
        ({"final_disposition": None}, True),
        ({"from": "CFO@partner.example"}, True),
        ({"envelope_from": ""}, True),
        ({"validation": {"spf": "pass", "dkim": "pass", "dmarc": "none"}}, False),
        ({"validation": {"spf": "pass", "dmarc": "fail"}}, True),
        ({"validation": {"spf": "neutral", "dmarc": "none"}}, True),
        ({"validation": None}, True),
        ({"final_disposition": "MALICIOUS"}, True),
        ({"final_disposition": "A-NEW-VERDICT"}, True),
        ({"client_recipients": ["alice@corp.example", "bob@corp.example"]}, True),
        ({"client_recipients": []}, True),
    ],
)
def test_drift_is_a_worse_verdict_or_authentication_or_somebody_else(fields: dict[str, t.Any], drifted: bool) -> None:
    senders = {
        "from": "cfo@partner.example",
        "envelope_from": "a@partner.example",
        "validation": {"spf": "pass", "dkim": None, "dmarc": "none"},
    }
    row = {"id": ENTRY["id"], "final_disposition": "SPAM", "client_recipients": ["alice@corp.example"], **senders}
    assert (drift({**ENTRY, **senders}, Message({**row, **fields})) is not None) is drifted


def test_plans_that_differ_in_time_only_decide_the_same() -> None:
    sealed = seal(plan())
    assert same_decisions(sealed, seal(plan(created_at="2026-11-20T11:00:00Z", expires_at="2026-11-22T10:00:00Z")))
    changes: tuple[dict[str, t.Any], ...] = (
        {"ticket": "INC-2"},
        {"version": True},
        {"version": 1.0},
        {"account_id": "f" * 32},
        {"messages": []},
        {"new": None},
    )
    for change in changes:
        assert not same_decisions(sealed, seal(plan(**change)))
