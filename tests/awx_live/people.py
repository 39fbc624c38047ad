# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever walks through an AWX: an administrator who sets it up, and an operator, an approver and an auditor with their rights only."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from controller import Controller
from emulator import Emulator

from playbooks import Run

PATIENCE = 600  # seconds for a job
PARTS = ("operators", "approvers", "auditors")
ENDED = ("successful", "failed", "error", "canceled")


class Person:
    """Somebody who uses the API of AWX. auth: name and password, or None for the administrator."""

    def __init__(self, origin: str, auth: tuple[str, str] | None) -> None:
        self._origin = origin.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = auth or _token

    def ask(self, method: str, path: str, **body: Any) -> requests.Response:
        """Send a request below /api/v2."""
        data = body if method != "GET" else None
        return self._session.request(method, f"{self._origin}/api/v2{path}", timeout=60, json=data)

    def get(self, path: str) -> dict[str, Any]:
        """What is there; it must be allowed."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Do something; it must be allowed."""
        answer = self.ask("POST", path, **body)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        done: dict[str, Any] = answer.json() if answer.content else {}
        return done

    def status(self, method: str, path: str, **body: Any) -> int:
        """The status of an answer."""
        return self.ask(method, path, **body).status_code

    def output(self, job: int) -> str:
        """The output of a job that has ended, on one line. AWX takes it in a moment later."""
        until(lambda: self.get(f"/jobs/{job}/").get("event_processing_finished", True))
        answer = self.ask("GET", f"/jobs/{job}/stdout/?format=txt")
        assert answer.status_code == 200, f"{job}: {answer.status_code}"
        return " ".join(answer.text.split())

    def node(self, workflow_job: int, identifier: str) -> dict[str, Any]:
        """The job of a node of a workflow, once there is one."""

        def started() -> dict[str, Any] | None:
            nodes = self.get(f"/workflow_jobs/{workflow_job}/workflow_nodes/")["results"]
            found = [node["summary_fields"].get("job") for node in nodes if node["identifier"] == identifier]
            return found[0] if found else None

        node: dict[str, Any] = until(started)
        return node

    def ended(self, endpoint: str, number: int) -> str:
        """The status of a job once it has ended."""

        def over() -> str:
            now: str = self.get(f"/{endpoint}/{number}/")["status"]
            return now if now in ENDED else ""

        status: str = until(over)
        return status


class Site:
    """An AWX below a prefix of its own. origin: where its API is."""

    def __init__(self, controller: Controller, origin: str, emulator: Emulator) -> None:
        self.prefix = f"Live {secrets.token_hex(3)}"
        self.admin = Person(origin, None)
        self.people: dict[str, Person] = {}
        self._users: list[int] = []
        self._controller, self._origin = controller, origin
        url = urlsplit(emulator.url)
        address = os.environ.get("AWX_LIVE_ADDRESS", str(url.hostname))
        reached = url._replace(netloc=f"{address}:{url.port}").geturl()
        tokens = {
            name: {"api_token": emulator.credentials[name].secret, "api_url": reached}
            for name in ("read_only", "write")
        }
        self.variables: dict[str, Any] = {
            "prefix": self.prefix,
            "organization": self.prefix,
            "manage_organization": True,
            "manage_teams": True,
            "credential_type": f"{self.prefix} type",
            "accounts": [{"name": "harbour", "account_id": emulator.accounts[0].id}],
            "read_inputs": tokens["read_only"],
            "write_inputs": tokens["write"],
            "policy": {"require_ticket": True},
            "execution_environment_image": "registry.example/quarantine:1",
            **{part: [f"{self.prefix} {part}"] for part in PARTS},
            **json.loads(os.environ.get("AWX_LIVE_VARIABLES", "{}")),
        }

    def set_up(self) -> Run:
        """Set it up, with a user in each team."""
        run = self._controller.set_up(**self.variables)
        for part in PARTS if run.code == 0 else ():
            name, password = f"{self.prefix} {part}".replace(" ", "-").lower(), secrets.token_urlsafe(16)
            user = self.admin.post("/users/", username=name, password=password)["id"]
            self._users.append(user)
            (team,) = self.admin.get(f"/teams/?name={self.prefix} {part}")["results"]
            self.admin.post(f"/roles/{team['summary_fields']['object_roles']['member_role']['id']}/users/", id=user)
            self.people[part] = Person(self._origin, (name, password))
        return run

    def remove(self) -> Run:
        """Remove all of it."""
        while self._users:
            self.admin.ask("DELETE", f"/users/{self._users.pop()}/")
        return self._controller.remove(**self.variables, confirm_removal=self.prefix)

    def template(self, name: str) -> str:
        """The address of a job template, or of the workflow."""
        endpoint = "workflow_job_templates" if name.startswith("Plan,") else "job_templates"
        (found,) = self.admin.get(f"/{endpoint}/?name={self.prefix}: {name}")["results"]
        return f"/{endpoint}/{found['id']}/"


def until(found: Callable[[], Any]) -> Any:
    """What a function returns once it returns something."""
    deadline = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.5)
    return value


def _token(request: requests.PreparedRequest) -> requests.PreparedRequest:
    request.headers["Authorization"] = f"Bearer {os.environ.get('CONTROLLER_OAUTH_TOKEN', 'token-of-an-administrator')}"
    return request
