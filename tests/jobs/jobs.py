# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs job templates as AWX does: by ansible-runner, with its variables, its environment and its directories.

What is said here of AWX is what its sources say (github.com/ansible/awx, branch devel of October 2024); nothing is
copied. That includes what is inconvenient: nothing of a job lasts but its events and its artifacts.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import ansible_runner
from container import Container
from extra_vars import extra_vars_text, own_vars
from inventories import Inventory

CHECKOUT = Path(__file__).resolve().parents[2]
LONGEST = 300  # seconds that a job may take
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# awx/main/tasks/jobs.py, run
_SETTINGS = {"job_timeout": 0, "suppress_ansible_output": True, "suppress_output_file": True}


@dataclass(frozen=True, kw_only=True)
class Template:
    """A job template. playbook: its path in the project; environment: what its credentials put there."""

    playbook: str
    name: str = "A job template"
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    inventory: Inventory = field(default_factory=Inventory)
    check: bool = False
    diff: bool = False
    forks: int = 0
    limit: str = ""
    tags: str = ""
    verbosity: int = 0


@dataclass(frozen=True)
class Done:
    """What AWX knows of a job once it has ended. artifacts: what set_stats published; kept: its directory of artifacts."""

    status: str
    rc: int | None
    events: list[dict[str, Any]]
    artifacts: dict[str, Any]
    kept: Path

    @property
    def stdout(self) -> str:
        """The output as AWX shows it, in one line and without colours."""
        shown = "\n".join(event.get("stdout", "") for event in self.events)
        return " ".join(_COLOURS.sub("", shown).split())

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The counters of the last event, for each host that has one."""
        totals = self._last.get("event_data", {})
        return {
            name: totals.get(name, {})
            for name in ("ok", "changed", "failures", "dark", "skipped", "ignored", "rescued")
        }

    def results(self, task: str) -> dict[str, dict[str, Any]]:
        """The result of each host in the task whose name ends so."""
        found = {}
        for event in self.events:
            data = event.get("event_data", {})
            if str(data.get("task", "")).endswith(task) and "res" in data and "item" not in event["event"]:
                found[data["host"]] = data["res"]
        return found

    @property
    def _last(self) -> dict[str, Any]:
        return next((event for event in self.events if event.get("event") == "playbook_on_stats"), {})


class Job:
    """A job that was started; `wait` or `cancel` it."""

    def __init__(self, container: Container, private_data_dir: Path, params: dict[str, Any]) -> None:
        self.container = container
        self._private_data_dir = private_data_dir
        self._params = params

    @property
    def number(self) -> int:
        """Its id in AWX."""
        return int(self._params["ident"])

    def wait(self, timeout: float = LONGEST) -> Done:
        """The job once it has ended, and its container is gone."""
        self.container.wait(timeout)
        return self._finish()

    def cancel(self) -> Done:
        """Cancel the job as a user does: AWX cancels the worker, and has what it said so far."""
        self.container.stop()
        return self._finish()

    def kill(self) -> Done:
        """Lose the job, as when its pod is killed or its node is gone."""
        self.container.kill()
        return self._finish()

    def _finish(self) -> Done:
        """Take in what the worker sent, as awx/main/tasks/callback.py does; artifacts come with the last event."""
        events: list[dict[str, Any]] = []
        ended: list[str] = []

        def keep(event: dict[str, Any]) -> bool:
            events.append(event)
            return True

        with self.container.output.open("rb") as output:
            processor = ansible_runner.interface.run(
                streamer="process",
                quiet=True,
                _input=output,
                event_handler=keep,
                status_handler=lambda data, runner_config: ended.append(data["status"]),
                **self._params,
            )
        kept = Path(processor.artifact_dir)
        artifacts: dict[str, Any] = next(
            (data for event in events if (data := event.get("event_data", {}).get("artifact_data"))), {}
        )
        code = (kept / "rc").read_text() if (kept / "rc").exists() else ""
        self.container.remove()
        return Done(ended[-1] if ended else "error", int(code) if code else None, events, artifacts, kept)


class Controller:
    """Stands in for AWX. directory: where private data directories and containers are made.

    A project is a checkout that has the playbooks, and the collection is part of the image.
    """

    def __init__(self, directory: Path, user: str = "operator", home: str | None = None) -> None:
        self.directory = directory
        self.user = user
        self.home = home
        self._numbers = count(101)
        collection = directory / "image" / "collections" / "ansible_collections" / "emailsec" / "cloudflare"
        collection.parent.mkdir(parents=True)
        collection.symlink_to(CHECKOUT, target_is_directory=True)

    def run(self, template: Template, **launch: Any) -> Done:
        """Launch a job, and wait for its end."""
        return self.launch(template, **launch).wait()

    def launch(
        self,
        template: Template,
        *,
        answers: Mapping[str, Any] | None = None,
        artifacts: Mapping[str, Any] | None = None,
        workflow_job: int | None = None,
        job_slice: tuple[int, int] = (1, 1),
        relaunched: bool = False,
    ) -> Job:
        """Start a job. answers: the survey's; artifacts: of earlier nodes; job_slice: which one of how many.

        relaunched: whether somebody runs a job again (awx/main/models/unified_jobs.py, copy_unified_job).
        """
        number = next(self._numbers)
        private_data_dir = self.directory / f"awx_{number}"
        container = Container(self.directory / f"container_{number}", self.home)
        # awx/main/models/workflow.py, get_job_kwargs: what the workflow was launched with beats the artifacts.
        launched = {**(artifacts or {}), **(answers or {})}
        own = own_vars(
            self._traits(number, template, workflow_job) | ({"job_launch_type": "relaunch"} if relaunched else {})
        )
        _write(private_data_dir / "env" / "extravars", extra_vars_text(template.extra_vars, launched, own))
        _write(private_data_dir / "env" / "cmdline", ansible_runner.utils.args2cmdline(*_arguments(template)))
        _write(private_data_dir / "env" / "settings", json.dumps(_SETTINGS))
        inventory = private_data_dir / "inventory" / "hosts"
        _write(inventory, template.inventory.program(*job_slice), 0o700)
        shutil.copytree(CHECKOUT / "playbooks", private_data_dir / "project" / "playbooks")
        params = {
            "ident": number,
            "private_data_dir": str(private_data_dir),
            "playbook": template.playbook,
            "inventory": str(inventory),
            "suppress_env_files": True,
            "fact_cache_type": "",
            "envvars": self._environment(number, template, container),
        }
        stream = self.directory / f"stream_{number}"
        with stream.open("wb") as sent:
            ansible_runner.interface.run(streamer="transmit", _output=sent, **params)
        container.start(stream)
        return Job(container, private_data_dir, params)

    def _traits(self, number: int, template: Template, workflow_job: int | None) -> dict[str, Any]:
        """What awx/main/models/unified_jobs.py and jobs.py (awx_meta_vars) tell of a job."""
        traits: dict[str, Any] = {
            "job_id": number,
            "job_launch_type": "workflow" if workflow_job else "manual",
            "user_id": 7,
            "user_name": self.user,
            "user_email": "operator@example.com",
            "user_first_name": "Olivia",
            "user_last_name": "Operator",
            "inventory_id": 3,
            "inventory_name": "Accounts",
            "project_revision": "0" * 40,
            "project_scm_branch": "main",
            "job_template_id": 11,
            "job_template_name": template.name,
            "execution_node": "node-1",
        }
        if workflow_job:
            traits |= {
                "workflow_job_id": workflow_job,
                "workflow_job_name": "A workflow",
                "workflow_job_launch_type": "manual",
            }
        return traits

    def _environment(self, number: int, template: Template, container: Container) -> dict[str, str]:
        """What awx/main/tasks/jobs.py (build_env) and awx/settings/defaults.py put there; then come the credentials."""
        runner = container.private_data_dir
        shared = "/usr/share/ansible"
        return {
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(runner / "cp"),
            "ANSIBLE_ROLES_PATH": f"{runner}/requirements_roles:~/.ansible/roles:{shared}/roles:/etc/ansible/roles",
            # Where the image has its collections, {shared}/collections in a real one, is the last of them.
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(
                [
                    f"{runner}/requirements_collections",
                    "~/.ansible/collections",
                    str(self.directory / "image" / "collections"),
                ]
            ),
            "AWX_HOST": "https://awx.example.com",
            "AWX_PRIVATE_DATA_DIR": str(self.directory / f"awx_{number}"),
            "INVENTORY_ID": "3",
            "JOB_ID": str(number),
            "MAX_EVENT_RES": "700000",
            "PROJECT_REVISION": "0" * 40,
            **template.environment,
        }


def _arguments(template: Template) -> list[str]:
    """The options of ansible-playbook (awx/main/tasks/jobs.py, build_args); the user is root where no credential says."""
    arguments = ["--check"] if template.check else []
    arguments += ["-u", "root"]
    arguments += ["--diff"] if template.diff else []
    arguments += [f"--forks={template.forks}"] if template.forks else []
    arguments += ["-l", template.limit] if template.limit else []
    arguments += [f"-{'v' * template.verbosity}"] if template.verbosity else []
    arguments += ["-t", template.tags] if template.tags else []
    return arguments


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode)
    path.write_text(text, encoding="utf-8")
