# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release in steps: the canary, the chunks, the breaker between them, and the delivery that is followed."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from emulator import Emulator
from emulator.mail import Message

from playbooks import Ansible, prefixed, statuses

SENDER = "wave@steps.example"
SEARCH = {"sender": SENDER}


def wave(emulator: Emulator, number: int, account: str | None = None) -> list[Message]:
    """So many new messages, in the order in which a search finds them."""
    for _ in range(number):
        emulator.add_message(account, sender=SENDER, validation={"spf": "pass"})
    return [message for message in emulator.messages(account) if message.sender == SENDER]


def test_the_steps(ansible: Ansible, emulator: Emulator) -> None:
    canary, breaker, smooth = (account.id for account in emulator.accounts)
    mail = {account: wave(emulator, 5, account) for account in (canary, breaker, smooth)}
    emulator.script(mail[canary][1].id, "undelivered")
    for message in (mail[breaker][1], mail[breaker][2]):
        emulator.script(message.id, "failed")
    listed = [emulator.add_message(canary) for _ in range(3)]
    twice = [listed[0].id, listed[1].message_id, listed[2].id, listed[1].id]
    hosts: dict[str, dict[str, Any]] = {
        "canary": {"account_id": canary, "search": SEARCH, "canary": "2", "fail_on": ["failed"]},
        "breaker": {"account_id": breaker, "search": SEARCH, "chunk_size": "2", "stop_after_failures": 2},
        "smooth": {"account_id": smooth, "search": SEARCH, "canary": 1, "chunk_size": 3, "batch_size": 2},
        "listed": {"account_id": canary, "messages": twice, "chunk_size": 1},
    }

    run = ansible.release(*ansible.inventory(**hosts), journal="journal.jsonl")

    assert run.facts("quarantine_release_result") == {
        "canary": "partial",
        "breaker": "partial",
        "smooth": "ok",
        "listed": "ok",
    }
    assert {host: row["failures"] for host, row in run.recap.items()} == {
        "canary": 0,
        "breaker": 1,
        "smooth": 0,
        "listed": 0,
    }
    outcome = {host: list(statuses(ansible.report(host)["result"]).values()) for host in hosts}
    assert outcome["canary"] == ["released", "undelivered", "not_attempted", "not_attempted", "not_attempted"]
    assert outcome["breaker"] == ["released", "failed", "failed", "released", "not_attempted"]
    assert outcome["smooth"] == ["released"] * 5
    assert statuses(ansible.report("listed")["result"]) == dict.fromkeys(twice, "released")
    assert "The canary did not end well, so nothing more was sent." in ansible.ticket("canary")
    assert "2 messages ended badly (stop_after_failures), so nothing more was sent." in run.text
    assert "Canary 1 of 3: 1 message: 1 released" in run.text
    assert "Step 3 of 3: 1 message: 1 released" in run.text
    assert set(emulator.deliveries.values()) == {1}
    told = Counter(delivery.account for delivery in emulator.delivery_log)
    assert told == {canary: 1 + 3, breaker: 2, smooth: 5}


def test_the_delivery_is_followed(ansible: Ansible, emulator: Emulator) -> None:
    arrives, bounces, waits = wave(emulator, 3)
    process = ansible.start("emailsec.cloudflare.release", "-e", json.dumps(prefixed({"search": SEARCH, "verify": 6})))
    deadline = time.monotonic() + 120
    while len(emulator.deliveries) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    emulator.enter(bounces.id, "bounced")
    emulator.enter(waits.id, "deferred")
    run = ansible.finish(process)

    rows = {row["id"]: (row["status"], row["delivery"]) for row in ansible.report()["result"]["messages"]}
    assert rows == {
        arrives.id: ("released", "delivered"),
        bounces.id: ("undelivered", "bounced"),
        waits.id: ("released", "deferred"),
    }
    assert run.facts("quarantine_release_result") == {"localhost": "partial"}
    assert run.code == 2


def test_nothing_goes_out_that_nobody_approved(ansible: Ansible, emulator: Emulator) -> None:
    (message,) = wave(emulator, 1)
    asked = json.dumps(prefixed({"messages": message.id, "approve": "true"}))
    unasked = ansible.playbook("emailsec.cloudflare.release", "-e", asked)
    assert unasked.code == 2
    assert "It was not approved, so nothing was sent." in unasked.text
    assert not emulator.requests_to("release")

    for answer, deliveries in (("no", 0), ("yes", 1)):
        run = ansible.answer("Only yes releases", answer, "emailsec.cloudflare.release", "-e", asked)
        assert len(emulator.deliveries) == deliveries
    assert run.code == 0
    assert f"localhost: 1 message: 1 would_release. {ansible.plan_of()['digest']}" in run.text


def test_who_applies_a_plan_on_a_terminal_sees_what_is_approved(ansible: Ansible, emulator: Emulator) -> None:
    message = emulator.add_message(
        sender="ceo@partner.example" + "." * 300 + "@forged.example", validation={"spf": "pass"}
    )
    search, policy = {"sender": "forged.example"}, {"require_authentication": "none"}
    planned = ansible.plan(search=search, policy=policy, show_content=True)
    assert planned.code == 0
    lines = planned.result("Show what was decided")["msg"]
    assert len(lines) == 1
    for words in (
        "authentication: SPF pass",
        '@forged.example; envelope sender: "ceo@partner.example',
        "verdict: ",
        "reasons: ",
        "to: ",
        "subject: ",
    ):
        assert words in lines[0]
    asked = json.dumps({
        "quarantine_release_plan_digest": ansible.plan_of()["digest"], "quarantine_release_approve": True, "quarantine_release_show_content": True,
    })  # fmt: skip
    run = ansible.answer("Only yes releases", "yes", "emailsec.cloudflare.apply", "-e", asked)
    assert run.code == 0, run.output
    assert run.result("List the messages")["msg"] == lines
    assert {name for name, _recipient in emulator.deliveries} == {message.id}
