# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The mail that the accounts begin with."""

from __future__ import annotations

import re

import pytest
from contract_client import Api
from emulator import Emulator
from emulator.mail import DETECTIONS
from msgspec import ValidationError


def test_the_default_has_mail_of_every_kind(emulator: Emulator) -> None:
    assert len(emulator.accounts) >= 3
    for account in emulator.accounts:
        held = emulator.quarantined(account.id)
        assert {message.disposition for message in held} == DETECTIONS
        assert {1, 2, 3} < {len(message.recipients) for message in held}
        assert {"pass", "fail"} == {message.validation["spf"] for message in held}
        others = [message for message in emulator.messages(account.id) if message not in held]
        assert {"delivered", "moved"} < {message.state.delivery_status[0] for message in others}
        assert any("QUARANTINE_RELEASE" in message.state.operations for message in others)
        message_ids = [message.message_id for message in held]
        assert len(message_ids) - len(set(message_ids)) == 1


def test_ids_look_as_published(emulator: Emulator) -> None:
    for message in emulator.messages():
        assert re.fullmatch(r"4[A-Za-z0-9]{14,15}", message.postfix_id)
        assert re.fullmatch(r"4\w{14,15}-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-\d{8}", message.id)
        assert message.id.startswith(f"{message.alert_id}-")
        assert f"{message.scanned_at:%Y-%m-%dT%H:%M:%S}" in message.id


def test_a_seed_makes_the_same_world(emulator: Emulator) -> None:
    first = [message.postfix_id for message in emulator.messages()]
    emulator.add_message()
    emulator.reset()
    assert [message.postfix_id for message in emulator.messages()] == first
    with Emulator(seed=1) as other:
        assert not set(first) & {message.postfix_id for message in other.messages()}


def test_hostile_subjects_arrive_unchanged() -> None:
    with Emulator("hostile") as emulator:
        expected = {message.id: message.subject for message in emulator.quarantined()}
        found = {
            message["id"]: message["subject"]
            for message in Api(emulator).search(delivery_status="quarantined", per_page=1000)
        }
    subjects = "".join(subject or "" for subject in found.values())
    assert found.items() <= expected.items()
    for sign in ("{{", "\x1b[2J", "\u202e", "=HYPERLINK", "<script>", "\ud800", "\0", "xn--", "x" * 2**20):
        assert sign in subjects


def test_empty() -> None:
    with Emulator("empty") as emulator:
        assert Api(emulator).search() == []


def test_unknown_scenarios_and_fields_are_refused(emulator: Emulator) -> None:
    with pytest.raises(KeyError):
        Emulator("none")
    for wrong in ({"colour": "red"}, {"state": "lost"}, {"recipients": 7}):
        with pytest.raises((ValidationError, KeyError)):
            emulator.add_message(**wrong)
