# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Job output is read by many: it names no address and no subject, whatever the playbook, and however it ends."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._packing import unpacked_plan
from emulator import Emulator

from playbooks import Ansible, Run

PERSONAL = ("@", "invoice", "wire transfer", "contract draft")


def shown(run: Run) -> list[str]:
    """Lines of the output that tell something of a mail."""
    return [line for line in run.output.splitlines() if any(text in line.lower() for text in PERSONAL)]


def test_no_playbook_shows_what_a_mail_is(ansible: Ansible, emulator: Emulator) -> None:
    search = {
        "sender": "billing@supplier.example",
        "recipient": "alice@harbour-logistics.example",
        "subject": "Quarterly invoice",
    }
    policy = {
        "denied_senders": ["ceo@executive-mail.example"],
        "protected_recipients": ["dan@harbour-logistics.example"],
    }
    hosts: dict[str, dict[str, Any]] = {
        "found": {"search": search, "policy": policy, "evidence": "full"},
        "capped": {"search": {"since": "8w"}, "policy": {**policy, "max_messages": 1}},
        "wrong": {"search": {**search, "since": "yesterday"}},
        "unclear": {"search": {**search, "sendr": "billing@supplier.example"}},
    }
    inventory = ansible.inventory(**hosts)

    planned = ansible.plan(*inventory, "-v", handover="auto")
    packed = planned.artifacts["quarantine_release_plan_packed"]
    assert "Quarterly invoice 2041" in unpacked_plan(packed["found"])["messages"][0]["subject"], (
        "it does reach the next job"
    )
    assert 'to: alice@harbour-logistics.example\n  subject: "Quarterly invoice 2041"\n' in ansible.ticket("found")
    (page,) = ansible.reports.glob("all-accounts-*.html")
    assert [host for host in hosts if host not in page.read_text(encoding="utf-8")] == [], (
        "also those that failed at once"
    )
    emulator.script(emulator.quarantined()[0].id, "failed")
    applied = ansible.apply(*inventory, "-vvv", "--diff", canary=1, require_digest=False)
    # With one v more, Ansible prints its own command line.
    received = ansible.playbook(
        "emailsec.cloudflare.apply", *inventory, "-l", "found", "-vvv", "-e", json.dumps(planned.artifacts)
    )
    released = ansible.release(*inventory, "-vvvv", "--diff")
    emulator.faults.add("status", status=403, times=None)
    refused = ansible.plan(*inventory, "-v", "-l", "found,capped")
    merged = ansible.playbook("emailsec.cloudflare.merge_reports", *inventory, "-vvvv")

    assert [run.code for run in (planned, applied, released, refused, merged)] == [2, 2, 2, 2, 2]
    assert set(received.facts("quarantine_release_result")) == {"found"}
    assert planned.facts("quarantine_release_result") == {
        "found": "would_release",
        "capped": "blocked",
        "wrong": "failed",
        "unclear": "failed",
    }
    assert set(refused.facts("quarantine_release_result").values()) == {"failed"}
    for run in (planned, applied, received, released, refused, merged):
        assert shown(run) == []
        assert all(text[:60] not in run.output for text in packed.values()), "what anybody can unpack"


def test_search_and_verify_show_what_was_found_only_if_asked_to(ansible: Ansible, emulator: Emulator) -> None:
    def runs(*arguments: str) -> list[Run]:
        return [
            ansible.playbook(f"emailsec.cloudflare.{name}", "-e", "search_since=8w", "-vvvv", "--diff", *arguments)
            for name in ("search", "verify")
        ]

    found = runs()
    assert [run.code for run in found] == [0, 0]
    assert all("Found: " in run.text for run in found)
    emulator.faults.add("status", status=403, times=None)
    refused = runs()
    assert [run.code for run in refused] == [2, 2]
    assert all("Cloudflare refused the API token" in run.text for run in refused), (
        "the reason is not hidden with the result"
    )
    assert [shown(run) for run in (*found, *refused)] == [[]] * 4
    emulator.faults.clear()
    assert shown(runs("-e", "search_show_content=true")[0])
