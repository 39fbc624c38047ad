# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs what was set up: the jobs with what stands in for AWX in tests/jobs, each workflow in a thread of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inventories import Inventory
from jobs import Controller, Done, Job, Template
from workflows import Workflow

if TYPE_CHECKING:
    from .store import Item, Store

_WAIT = 600  # seconds for an answer to an approval


class Engine:
    """Jobs, workflow jobs and approvals by their ids, as AWX shows them. directory: where jobs run."""

    def __init__(self, store: Store, directory: Path) -> None:
        self.records: dict[str, dict[int, Item]] = {"jobs": {}, "workflow_jobs": {}, "workflow_approvals": {}}
        self._store = store
        self._controller = Controller(directory)
        self._jobs: dict[int, Job] = {}
        self._answers: dict[int, tuple[threading.Event, list[bool]]] = {}
        self._lock = threading.Lock()

    def start_job(self, template: Item, user: Item, answers: Mapping[str, Any], *, relaunched: bool = False) -> Item:
        """Start a job by itself."""
        starting = _Starting(self, user, None)
        job = starting.launch(self._template(template), answers=answers, relaunched=relaunched)
        threading.Thread(target=self.finish, args=(job,), daemon=True).start()
        return self.records["jobs"][job.number]

    def start_workflow(self, workflow: Item, user: Item, answers: Mapping[str, Any]) -> Item:
        """Start a workflow."""
        record = self._record("workflow_jobs", self._store.new_id(), workflow, user)
        nodes = [self._node(node) for node in self._store.all("workflow_job_template_nodes")]
        nodes = [node for node in nodes if node["workflow"] == workflow["id"]]
        templates = {each["name"]: self._template(each) for each in self._store.all("job_templates")}
        runs = Workflow(nodes, templates, json.loads(workflow["extra_vars"] or "{}"))

        def run() -> None:
            status, _ = runs.run(
                _Starting(self, user, record),
                answers,
                lambda _: self._ask(workflow, user, record),
                number=record["id"],
                meanwhile={node["identifier"]: self.finish for node in nodes},
            )
            record["status"] = status

        threading.Thread(target=run, daemon=True).start()
        return record

    def relaunch(self, number: int, user: Item) -> Item:
        """Run a job again with what it was given."""
        record = self.records["jobs"][number]
        template = self._store.item("job_templates", record["template"])
        return self.start_job(template, user, record["given"], relaunched=True)

    def cancel(self, number: int) -> None:
        """Cancel a job. What waits for its end goes on."""
        threading.Thread(target=self._jobs[number].container.stop, daemon=True).start()

    def answer(self, number: int, yes: bool) -> None:
        """Answer an approval."""
        event, answer = self._answers[number]
        answer.append(yes)
        event.set()

    def finish(self, job: Job) -> Done:
        """Wait for a job's end, and keep what AWX keeps of it."""
        done = job.wait()
        self.records["jobs"][job.number] |= {"status": done.status, "artifacts": done.artifacts, "stdout": done.stdout}
        return done

    def started(
        self, job: Job, template: Template, user: Item, given: Mapping[str, Any], workflow: Item | None
    ) -> None:
        """Write down that a job runs."""
        (item,) = [each for each in self._store.all("job_templates") if each["name"] == template.name]
        self._jobs[job.number] = job
        record = self._record("jobs", job.number, item, user)
        record |= {"given": dict(given), "artifacts": {}, "stdout": ""}
        if workflow:
            (node,) = [
                each
                for each in self._store.all("workflow_job_template_nodes")
                if each["unified_job_template"] == item["id"] and each["workflow_job_template"] == workflow["template"]
            ]
            workflow["nodes"][node["identifier"]] = record

    def _ask(self, workflow: Item, user: Item, record: Item) -> bool:
        approval = self._record("workflow_approvals", self._store.new_id(), workflow, user)
        approval["status"] = "pending"
        event, answer = self._answers.setdefault(approval["id"], (threading.Event(), []))
        record["nodes"]["approve"] = approval
        yes = event.wait(_WAIT) and answer[0]
        approval["status"] = "successful" if yes else "failed"
        return bool(yes)

    def _record(self, endpoint: str, number: int, template: Item, user: Item) -> Item:
        record = {"id": number, "type": endpoint[:-1], "name": template["name"], "status": "running", "nodes": {}}
        record |= {"template": template["id"], "created_by": user["id"]}
        self.records[endpoint][number] = record
        return record

    def _node(self, node: Item) -> Item:
        links = {
            name: [
                self._store.item("workflow_job_template_nodes", each)["identifier"]
                for each in self._store.listed("workflow_job_template_nodes", node["id"], name)
            ]
            for name in ("success_nodes", "failure_nodes", "always_nodes")
        }
        target = self._store.item("unified_job_templates", node["unified_job_template"])
        kind = "approval_node" if target["endpoint"] == "workflow_approval_templates" else "unified_job_template"
        return links | {
            "workflow": node["workflow_job_template"],
            "identifier": node["identifier"],
            kind: target["name"],
        }

    def _template(self, item: Item) -> Template:
        """A job template with the environment of its credentials and its inventory."""
        store, environment = self._store, {}
        for number in store.listed("job_templates", item["id"], "credentials"):
            credential = store.items["credentials"][number]
            kind = store.items["credential_types"][credential["credential_type"]]
            for name, text in kind["injectors"]["env"].items():
                environment[name] = str(credential["inputs"].get(text.strip("{ }"), ""))
        hosts = {
            host["name"]: json.loads(host["variables"] or "{}")
            for host in store.all("hosts")
            if host["inventory"] == item["inventory"]
        }
        return Template(
            name=item["name"],
            playbook=item["playbook"],
            extra_vars=json.loads(item["extra_vars"] or "{}"),
            environment=environment,
            inventory=Inventory(
                hosts, **json.loads(store.items["inventories"][item["inventory"]]["variables"] or "{}")
            ),
            forks=item["forks"],
            check=item["job_type"] == "check",
            diff=item["diff_mode"],
        )

    def launch(self, user: Item, template: Template, **launch: Any) -> Job:
        """Launch a job in the name of somebody."""
        with self._lock:
            self._controller.user = user["username"]
            return self._controller.launch(template, **launch)


class _Starting(Controller):
    """A controller that writes down which jobs it starts. It is made for each launch."""

    def __init__(self, engine: Engine, user: Item, workflow: Item | None) -> None:  # pylint: disable=super-init-not-called
        self._engine, self._user, self._workflow = engine, user, workflow

    def launch(self, template: Template, **launch: Any) -> Job:
        """Start a job, and write it down."""
        job = self._engine.launch(self._user, template, **launch)
        given = {**(launch.get("artifacts") or {}), **(launch.get("answers") or {})}
        self._engine.started(job, template, self._user, given, self._workflow)
        return job
