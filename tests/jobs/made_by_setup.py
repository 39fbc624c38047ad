# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role awx_setup makes in AWX with these accounts, as job templates and a workflow that can be run here."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from container import PROGRAMS
from emulator import Emulator
from inventories import Inventory
from jobs import CHECKOUT, Template
from templates import credential
from workflows import Workflow

DEFAULTS = CHECKOUT / "roles" / "awx_setup" / "defaults" / "main.yml"


class Setup:
    """Job templates and workflow of the role; settings: its variables, without their prefix awx_setup_."""

    def __init__(self, emulator: Emulator, directory: Path, **settings: Any) -> None:
        accounts = [
            {"name": account.name.split()[0].lower(), "account_id": account.id} for account in emulator.accounts
        ]
        made = _resolved(
            directory,
            {"awx_setup_accounts": accounts, **{f"awx_setup_{name}": value for name, value in settings.items()}},
        )
        inventory = Inventory(
            {account["name"]: {"quarantine_release_account_id": account["account_id"]} for account in accounts},
            search_limit=made["search_limit"],
        )
        self.templates = {
            found["name"]: Template(
                name=found["name"],
                playbook=found["playbook"],
                extra_vars=found.get("extra_vars", {}),
                environment=_environment(emulator, found.get("credentials", []), made),
                inventory=inventory,
                check=found.get("job_type") == "check",
                diff=found.get("diff_mode", False),
                forks=made["forks"],
            )
            for found in made["job_templates"]
        }
        self.workflow = Workflow(made["workflow_nodes"], self.templates, made["workflow"]["extra_vars"])
        self.settings_workflow = Workflow(
            made["settings_workflow_nodes"], self.templates, made["settings_workflow"]["extra_vars"]
        )
        self.survey = made["workflow"]["survey_spec"]["spec"]

    def template(self, playbook: str) -> Template:
        """The job template of a playbook."""
        (found,) = [
            template for template in self.templates.values() if template.playbook == f"playbooks/{playbook}.yml"
        ]
        return found

    def answers(self, **given: Any) -> dict[str, Any]:
        """The answers of somebody who types these, and leaves the rest as the form shows it."""
        return {question["variable"]: question["default"] for question in self.survey} | {
            f"survey_{name}": answer for name, answer in given.items()
        }


def _environment(emulator: Emulator, credentials: list[str], made: Mapping[str, Any]) -> dict[str, str]:
    """What the credentials of a job template put into its environment. The accounts are in the inventory."""
    kinds = {made["read_credential"]: "read_only", made["write_credential"]: "write"}
    return {name: value for each in credentials for name, value in credential(emulator, kinds[each]).items()}


def _resolved(directory: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of the role as Ansible resolves them, and what is !unsafe as it is."""
    names = (
        "job_templates",
        "workflow",
        "workflow_nodes",
        "settings_workflow",
        "settings_workflow_nodes",
        "forks",
        "search_limit",
        "read_credential",
        "write_credential",
    )
    wanted = ", ".join(f"'{name}': awx_setup_{name}" for name in names)
    copy = {"content": f"{{{{ {{{wanted}}} | to_json }}}}", "dest": str(directory / "awx_setup.json"), "mode": "0600"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(DEFAULTS)],
        "tasks": [{"name": "Resolve", "ansible.builtin.copy": copy}],
    }
    path = directory / "awx_setup.yml"
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    variables = {"HOME": str(directory), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
    command = [str(PROGRAMS / "ansible-playbook"), str(path), "-e", json.dumps(settings)]
    subprocess.run(
        command, cwd=directory, env=variables, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    resolved: dict[str, Any] = json.loads((directory / "awx_setup.json").read_text(encoding="utf-8"))
    return resolved
