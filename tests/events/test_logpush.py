# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From an alert of Logpush to the mailbox, by the rules that come with the collection."""

from __future__ import annotations

import pytest
import requests
import yaml
from emulator import Emulator
from logpush import SECRET, TRIAL, alert, free_port, push
from rulebooks import RULEBOOKS, Rulebook, examples
from test_release import SAFE, accepted, delivered, plans


@pytest.fixture
def port(rulebook: Rulebook) -> int:
    """Where the rulebook listens, which has the rules that come with the collection and the source as it is documented."""
    port = free_port()
    rulebook.settings["port"] = port
    rulebook.environment["CLOUDFLARE_LOGPUSH_SECRET"] = SECRET
    rulebook.replace_sources(yaml.safe_load(examples("logpush")))
    return port


def start(rulebook: Rulebook, port: int) -> None:
    """Start it, and wait until Cloudflare would find it there."""
    rulebook.start()

    def listens() -> bool:
        try:
            return push(port, [TRIAL]).status_code == 200
        except requests.ConnectionError:
            return False

    rulebook.wait(listens)


def test_what_is_pushed_is_released_or_planned_once(rulebook: Rulebook, emulator: Emulator, port: int) -> None:
    safe = emulator.add_message(**SAFE)
    doubtful = emulator.add_message(sender="a@stranger.example", validation={"spf": "pass"}, age=50)
    bad = emulator.add_message(**{**SAFE, "disposition": "MALICIOUS", "age": 40})
    gone = emulator.add_message(**SAFE, state="delivered")
    liar = emulator.add_message(**SAFE | {"validation": {"spf": "fail"}})
    spoofed = emulator.add_message(**SAFE | {"validation": {"spf": "fail", "dkim": "pass", "dmarc": "fail"}})
    alerts = [*map(alert, (safe, doubtful, bad, gone, spoofed)), alert(liar) | {"SPFResult": "pass"}]
    start(rulebook, port)
    assert push(port, alerts, "another secret, wrong").status_code == 401
    assert push(port, alerts).text == "6 new\n"
    rulebook.wait(lambda: delivered(emulator) == {safe.id} and plans(rulebook) == {doubtful.id})
    rulebook.wait(lambda: "3 messages were certainly safe" in rulebook.output)
    assert push(port, alerts).text == "0 new\n"
    assert SECRET not in rulebook.output


def test_a_poll_finds_what_an_alert_came_too_early_for(rulebook: Rulebook, emulator: Emulator, port: int) -> None:
    [ruleset] = yaml.safe_load((RULEBOOKS / "release.yml").read_text(encoding="utf-8"))
    rulebook.replace_sources([*yaml.safe_load(examples("logpush")), *ruleset["sources"]])
    start(rulebook, port)
    early = emulator.add_message(**SAFE, message_id="<early@partner.example>", state="delivered")
    assert push(port, [alert(early) | {"MessageID": "<later@partner.example>"}]).text == "1 new\n"
    # ansible-rulebook shows the output of a job that failed once more, so runs cannot be counted.
    rulebook.wait(lambda: "1 message: 1 not_found." in rulebook.output)
    assert not delivered(emulator)
    late = emulator.add_message(**SAFE, message_id="<later@partner.example>")
    rulebook.wait(lambda: "1 message: 1 released" in rulebook.output)
    assert delivered(emulator) == {late.id}
    sent = accepted(emulator)
    assert push(port, [alert(late)]).text == "1 new\n"
    rulebook.wait(lambda: "1 message: 1 already_released." in rulebook.output)
    assert accepted(emulator) == sent, "what was released is not sent again"
    assert delivered(emulator) == {late.id}


@pytest.mark.parametrize("emulator", ["hostile"], indirect=True)
def test_hostile_alerts_run_nothing(rulebook: Rulebook, emulator: Emulator, port: int) -> None:
    hostile = [message for message in emulator.quarantined() if "attacker.example" in message.sender]
    rulebook.settings |= {"policy": {"require_authentication": "none"}}  # most of these senders cannot be read
    start(rulebook, port)
    assert push(port, map(alert, hostile)).status_code == 200
    rulebook.wait(lambda: delivered(emulator) == {message.id for message in hostile})
    rulebook.wait(lambda: "were certainly safe" in rulebook.output)
    assert not list(rulebook.directory.rglob("pwned"))


def test_without_a_secret_it_does_not_even_start(rulebook: Rulebook, port: int) -> None:
    assert port
    del rulebook.environment["CLOUDFLARE_LOGPUSH_SECRET"]
    rulebook.start()
    assert rulebook.ended() != 0
    assert "there is no secret" in rulebook.output
