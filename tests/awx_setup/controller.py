# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the playbooks awx_setup and awx_remove against an emulated AWX."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from awx_collection import PLACE
from awx_emulator import Awx

from playbooks import CHECKOUT, Ansible, Run

READ_TOKEN, WRITE_TOKEN = "cloudflare-token-that-reads", "cloudflare-token-that-writes"
# What AWX takes for a playbook
_PLAYBOOK = re.compile(r"^\s*-?\s*(hosts|(ansible\.builtin\.)?import_playbook):", re.MULTILINE)
DATA: dict[str, Any] = {
    "accounts": [
        {"name": "harbour-logistics", "account_id": "a" * 32},
        {"name": "meadow-clinic", "account_id": "b" * 32, "variables": {"quarantine_release_verify": 30}},
    ],
    "execution_environment_image": "registry.example/quarantine:1",
}


def playbooks() -> set[str]:
    """The playbooks that AWX finds in this repository."""
    files = [path for path in CHECKOUT.glob("playbooks/*.yml") if _PLAYBOOK.search(path.read_text(encoding="utf-8"))]
    return {str(path.relative_to(CHECKOUT)) for path in files}


class Controller:
    """An administrator of AWX, with secrets in the environment and the rest in variables. awx: None for one that is real."""

    def __init__(
        self,
        directory: Path,
        awx: Awx | None,
        data: dict[str, Any] = DATA,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.awx = awx
        self.data = data
        secrets = {"AWX_SETUP_READ_API_TOKEN": READ_TOKEN, "AWX_SETUP_WRITE_API_TOKEN": WRITE_TOKEN}
        # What awx.awx itself makes use of, and Ansible is going to drop, is not for this project to change.
        quiet = {"ANSIBLE_DEPRECATION_WARNINGS": "false", "ANSIBLE_PIPELINING": "true"}
        place = awx.environment() if awx else {}
        self._ansible = Ansible(directory, place | secrets | quiet | dict(environment or {}))
        self._ansible.patience = 900  # some sixty modules, one after the other
        link = directory / "collections" / "ansible_collections" / "awx"
        if not PLACE.is_dir():
            raise FileNotFoundError(f"{PLACE} is missing; ./test awx fetches it")
        link.symlink_to(PLACE / "ansible_collections" / "awx", target_is_directory=True)

    def set_up(self, *arguments: str, **changes: Any) -> Run:
        """Run awx_setup; changes are variables without their prefix."""
        return self._run("awx_setup", arguments, changes)

    def remove(self, *arguments: str, **changes: Any) -> Run:
        """Run awx_remove, likewise."""
        return self._run("awx_remove", arguments, changes)

    def _run(self, playbook: str, arguments: tuple[str, ...], changes: dict[str, Any]) -> Run:
        variables = {f"awx_setup_{name}": value for name, value in (self.data | changes).items()}
        if self.awx:
            self.awx.requests.clear()
        return self._ansible.playbook(f"emailsec.cloudflare.{playbook}", *arguments, "-e", json.dumps(variables))


class SetUp(NamedTuple):
    """An AWX that was set up once: AWX, the administrator, and the run that did it."""

    awx: Awx
    controller: Controller
    first: Run
