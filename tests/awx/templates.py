# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Job templates as somebody sets them up in AWX: a playbook, a survey of short names, and variables that use its answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inventories import Inventory
from jobs import Template

from emulator import Emulator

# docs/plan-and-approve.md, In a workflow of AWX
SURVEY_VARS = {
    "quarantine_release_search": {
        "sender": "{{ survey_sender | default('') }}",
        "recipient": "{{ survey_recipient | default('') }}",
        "subject": "{{ survey_subject | default('') }}",
        "since": "{{ survey_since | default('') }}",
    },
    "quarantine_release_ticket": "{{ survey_ticket | default('') }}",
    "quarantine_release_reason": "{{ survey_reason | default('') }}",
}


def credential(emulator: Emulator, name: str) -> dict[str, str]:
    """What AWX puts into the environment of a job for a credential, without an account."""
    return {key: value for key, value in emulator.environment(name).items() if key != "CLOUDFLARE_ACCOUNT_ID"}


def template(emulator: Emulator, playbook: str, credential: str = "write", **traits: Any) -> Template:
    """A job template of one of the collection's playbooks; the rest are traits of Template."""
    environment = {**emulator.environment(credential), **traits.pop("environment", {})}
    return Template(playbook=f"playbooks/{playbook}.yml", name=playbook.title(), environment=environment, **traits)


def accounts(emulator: Emulator, **variables: Any) -> Inventory:
    """An inventory with a host for each account."""
    hosts = {account.name.lower().replace(" ", "-"): {"quarantine_release_account_id": account.id} for account in emulator.accounts}
    return Inventory(hosts, **variables)


def report_of(directory: Path, host: str = "localhost") -> dict[str, Any]:
    """The newest report of a host."""
    report: dict[str, Any] = json.loads(sorted(directory.glob(f"{host}-*Z.json"))[-1].read_text(encoding="utf-8"))
    return report
