# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials that Cloudflare refuses: the message says which one it was and what it lacks, and nothing is sent."""

from __future__ import annotations

from typing import Any

from emulator import Emulator

from playbooks import Ansible

READ = 'lacks the permission "Cloud Email Security: Read or Cloud Email Security: Write" on account 5a1c0f3e'
WRITE = 'lacks the permission "Cloud Email Security: Write" on account 5a1c0f3e'


def test_each_refused_credential(ansible: Ansible, emulator: Emulator) -> None:
    token = {
        name: {"api_token": emulator.credentials[name].secret}
        for name in ("expired", "revoked", "read_only", "other_account")
    }
    option, both = "API token of the option api_token", "email and API key of the options api_email and api_key"
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({}, "API token of the environment variable CLOUDFLARE_API_TOKEN", WRITE),
        (token["expired"], option, READ),
        (token["revoked"], option, READ),
        (token["read_only"], option, WRITE),
        (token["other_account"], option, READ),
        ({"api_token": "not-a-token-at-all"}, option, READ),
        ({"api_email": "soc@example.com", "api_key": "4" * 37}, both, READ),
        ({"api_token": emulator.credentials["read_only"].secret, "check_state": False}, option, WRITE),
    ]
    ansible.environment |= emulator.environment("read_only")
    handles = [message.id for message in emulator.quarantined()[:3]]

    results = ansible.module(
        "message_release", *({"messages": handles, **options} for options, _origin, _permission in cases)
    )

    for (_options, origin, permission), result in zip(cases, results, strict=True):
        assert result["failed"]
        assert not result["changed"]
        assert result["msg"].startswith(f"Cloudflare refused the {origin}: HTTP 40")
        assert permission in result["msg"]
        assert result["msg"].endswith(" 3 messages: 3 not_attempted.")
        assert result["status"] in (400, 401, 403)
        assert result["cf_ray"] in result["msg"]
        assert {row["status"] for row in result["messages"]} == {"not_attempted"}
    assert not emulator.deliveries


def test_a_read_only_token_is_enough_for_check_mode(ansible: Ansible, emulator: Emulator) -> None:
    ansible.environment |= emulator.environment("read_only")
    run = ansible.release("--check", messages=[message.id for message in emulator.quarantined()])
    assert (run.code, run.recap["localhost"]["changed"]) == (0, 1)


def test_the_role_reports_it(ansible: Ansible, emulator: Emulator) -> None:
    ansible.environment |= emulator.environment("read_only")
    run = ansible.release(messages=emulator.quarantined()[0].id)
    reason = run.result("Show the outcome")["msg"]
    assert run.code == 2
    assert "API token of the environment variable CLOUDFLARE_API_TOKEN" in reason
    assert "Cloud Email Security: Write" in reason
    assert "1 not_attempted" in reason
    assert ansible.report()["outcome"] == "failed"
    assert "1 not sent\nWhat to do: " in ansible.ticket()
