# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not show: credentials anywhere, and addresses in the output of a job."""

from __future__ import annotations

import json
from typing import Any

import pytest
from emulator import Emulator

from playbooks import Ansible, Run


def written(ansible: Ansible, run: Run) -> list[str]:
    """All texts that a run of the role with a journal leaves behind."""
    files = [*ansible.reports.iterdir(), ansible.directory / "journal.jsonl"]
    assert len(files) == 5
    return [run.output, *(path.read_text(encoding="utf-8") for path in files)]


@pytest.mark.parametrize(("source", "credential"), [("environment", "write"), ("inventory", "key")])
def test_no_secret_and_no_address_at_the_highest_verbosity(
    ansible: Ansible, emulator: Emulator, source: str, credential: str
) -> None:
    secret = emulator.credentials[credential].secret
    environment = emulator.environment(credential)
    variables = {}
    if source == "inventory":
        names = {"CLOUDFLARE_API_TOKEN": "api_token", "CLOUDFLARE_EMAIL": "api_email", "CLOUDFLARE_API_KEY": "api_key"}
        variables = {
            f"cloudflare_{option}": environment.pop(name) for name, option in names.items() if name in environment
        }
    ansible.environment = environment
    (ansible.directory / "account.json").write_text(json.dumps({"all": {"hosts": {"account": variables}}}))
    message = emulator.add_message(recipients=["ann@harbour-logistics.example", "ben@harbour-logistics.example"])
    emulator.script(message.id, {"failed": ["ben@harbour-logistics.example"]})

    run = ansible.release(
        *("-i", "account.json", "-vvvv", "--diff"),
        messages=[message.id, "4UAqFzWsDK4FrUMp", "nix"],
        journal="journal.jsonl",
    )

    assert run.code == 2
    assert "1 released, 1 partial, 1 not_found" in run.text
    assert "@harbour-logistics.example" not in run.output
    assert [text for text in written(ansible, run) if secret in text] == []


def test_a_secret_is_masked_where_cloudflare_repeats_it(ansible: Ansible, emulator: Emulator) -> None:
    secret = emulator.credentials["write"].secret
    emulator.faults.add(
        "status", status=400, message=f"no {secret}", route="release", message_id="4f0SWMLZuTRd4nX", times=None
    )
    run = ansible.release(messages="4f0SWMLZuTRd4nX", journal="journal.jsonl")
    assert "refuses to release it" in ansible.ticket()
    assert [text for text in written(ansible, run) if secret in text] == []


def test_a_secret_in_another_variable_is_masked_in_the_error(ansible: Ansible, emulator: Emulator) -> None:
    secret = emulator.credentials["write"].secret
    pasted: dict[str, dict[str, Any]] = {
        "status": {"quarantine_release_messages": ["4UAq"], "quarantine_release_fail_on": [secret]},
        "search": {"quarantine_release_search": {"sender": f"{secret},b"}},
        "entry": {"settings_block_senders": [{"pattern": secret, "pattern_type": "DOMAIN"}]},
        "field": {"settings_trusted_domains": [{"pattern": "a.example", "is_recent": secret}]},
        "digest": {"settings_block_senders": [], "settings_digest": secret},
    }
    account = {"quarantine_release_account_id": emulator.account_id}
    (ansible.directory / "hosts.json").write_text(json.dumps({"all": {"hosts": pasted, "vars": account}}))
    for playbook, hosts in (("release", "status,search"), ("settings", "entry,field,digest")):
        reports = {"quarantine_release_report_dir": "reports", "settings_report_dir": "reports"}
        (ansible.directory / "reports").mkdir(exist_ok=True)
        run = ansible.playbook(
            f"emailsec.cloudflare.{playbook}", "-i", "hosts.json", "--limit", hosts, "-vvvv", "-e", json.dumps(reports)
        )
        assert {host: row["failures"] for host, row in run.recap.items()} == dict.fromkeys(hosts.split(","), 1)
        assert "********" in run.output
        files = [path.read_text(encoding="utf-8") for path in (ansible.directory / "reports").iterdir()]
        assert files
        assert [text for text in (run.output, *files) if secret in text] == []
    assert not emulator.requests


def test_content_shows_when_it_is_asked_for(ansible: Ansible, emulator: Emulator) -> None:
    run = ansible.release("-v", messages="4UAqFzWsDK4FrUMp", show_content="true")
    assert "alice@harbour-logistics.example" in run.output
    assert "alice@harbour-logistics.example" in ansible.ticket()
