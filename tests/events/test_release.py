# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the quarantine to the mailbox, by a rulebook: what is safe goes out once, and nothing else does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from emulator import Emulator
from rulebooks import Rulebook

SAFE: dict[str, Any] = {"sender": "board@partner.example", "validation": {"spf": "pass"}, "age": 60}


def plans(rulebook: Rulebook) -> set[str]:
    """The ids in all plans that are waiting for an approval."""
    files = (rulebook.directory / "plans").glob("*.plan.json")
    return {
        entry["id"]
        for file in files
        for entry in json.loads(file.read_text())["messages"]
        if entry["decision"] == "release"
    }


def delivered(emulator: Emulator) -> set[str]:
    """The ids of all messages that were delivered; nobody got a copy twice."""
    assert set(emulator.deliveries.values()) <= {1}
    return {message for message, _recipient in emulator.deliveries}


def accepted(emulator: Emulator) -> int:
    """How many release calls were accepted; the first of each run may be in the form that is refused."""
    return sum(request.status == 200 for request in emulator.requests_to("release"))


def test_mail_is_released_or_planned_once_whatever_happens(rulebook: Rulebook, emulator: Emulator) -> None:
    safe = emulator.add_message(**SAFE)
    doubtful = emulator.add_message(sender="a@stranger.example", validation={"spf": "pass"}, age=50)
    emulator.add_message(**{**SAFE, "disposition": "MALICIOUS", "age": 40})
    emulator.add_message(**{**SAFE, "validation": {"spf": "fail", "dkim": "pass", "dmarc": "fail"}, "age": 40})
    emulator.add_message(
        **{
            **SAFE,
            "sender": "x@evil.example, board@partner.example",
            "envelope_sender": "board@partner.example",
            "age": 40,
        }
    )
    rulebook.settings["repeat_after"] = 20
    rulebook.start()
    rulebook.wait(lambda: delivered(emulator) == {safe.id} and plans(rulebook) == {doubtful.id})

    emulator.faults.add("status", route="search", status=502, body="html", times=3)
    emulator.faults.add("status", route="search", status=429, retry_after=1, times=2)
    later = emulator.add_message(**SAFE)
    rulebook.wait(lambda: delivered(emulator) == {safe.id, later.id})
    rulebook.wait(lambda: rulebook.output.count("1 messages were certainly safe") == 2)

    # Killed while the playbook is about to release it.
    lost = emulator.add_message(**SAFE)
    rulebook.wait(lambda: lost.id in (rulebook.directory / "quarantine.cursor").read_text())
    rulebook.kill()
    assert lost.id not in delivered(emulator)
    told = accepted(emulator)
    meanwhile = emulator.add_message(**SAFE)
    rulebook.start()
    rulebook.wait(lambda: delivered(emulator) == {safe.id, later.id, lost.id, meanwhile.id})
    rulebook.wait(lambda: rulebook.output.count("were certainly safe") == 4)
    assert accepted(emulator) == told + 2, "nothing else was told of again"
    assert plans(rulebook) == {doubtful.id}
    assert not [name for name, credential in emulator.credentials.items() if credential.secret in rulebook.output]


def test_something_follows_only_if_the_settings_say_so(rulebook: Rulebook, emulator: Emulator) -> None:
    def followed() -> list[str | None]:
        return [request.route for request in emulator.requests if request.route in ("submit", "batch_allow_policies")]

    # Settings of before release 0.5.0 do not have them.
    settings = {name: rulebook.settings.pop(name) for name in ("reclassify_as", "allow_for")}
    assert not any(settings.values())
    emulator.add_message(**SAFE)
    rulebook.start()
    rulebook.wait(lambda: rulebook.output.count("1 messages were certainly safe") == 1)
    rulebook.kill()
    assert (len(delivered(emulator)), followed()) == (1, [])

    rulebook.settings |= {"reclassify_as": "none", "allow_for": "14d"}
    doubtful = emulator.add_message(sender="a@stranger.example", validation={"spf": "pass"}, age=50)
    emulator.add_message(**SAFE)
    rulebook.start()
    rulebook.wait(lambda: rulebook.output.count("1 messages were certainly safe") == 2)
    rulebook.wait(lambda: plans(rulebook) == {doubtful.id})
    assert (len(delivered(emulator)), followed()) == (2, ["submit", "batch_allow_policies"])
    carried = {"reclassify_as": "none", "allow_for": "14d", "allow_domains": False}
    for plan in (rulebook.directory / "plans").glob("*.plan.json"):
        assert json.loads(plan.read_text())["follow_up"] == carried


@pytest.mark.parametrize("emulator", ["hostile"], indirect=True)
def test_hostile_mail_runs_nothing(rulebook: Rulebook, emulator: Emulator) -> None:
    hostile = {message.id for message in emulator.quarantined() if "attacker.example" in message.sender}
    # Most of these senders cannot be read, so nothing but a policy that asks for no sender lets them pass.
    rulebook.settings |= {"since": "4w", "policy": {"require_authentication": "none"}}
    rulebook.start()
    rulebook.wait(lambda: delivered(emulator) >= hostile)
    rulebook.wait(lambda: "were certainly safe" in rulebook.output)
    assert not list(rulebook.directory.rglob("pwned"))


def test_a_mistake_ends_it_at_once(rulebook: Rulebook) -> None:
    rulebook.settings["account_id"] = "corp"
    rulebook.start()
    assert rulebook.ended() != 0
    assert "account_id must be 32 hexadecimal digits" in rulebook.output
