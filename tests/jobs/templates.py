# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Job templates as somebody sets them up in AWX: a playbook, a survey of short names, and variables that use its answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator import Emulator
from jobs import Template

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
    # The other forms take more than half of the time of a job.
    variables = {"quarantine_release_report_formats": "json", **traits.pop("extra_vars", {})}
    path = f"playbooks/{playbook}.yml"
    return Template(playbook=path, name=playbook.title(), extra_vars=variables, environment=environment, **traits)


def report_of(directory: Path, host: str = "localhost") -> dict[str, Any]:
    """The newest report of a host."""
    report: dict[str, Any] = json.loads(max(directory.glob(f"{host}-*Z.json")).read_text(encoding="utf-8"))
    return report
