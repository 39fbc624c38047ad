# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs workflows by AWX's rules: which node comes next, and which variables it gets.

What is said here of AWX is what its sources say (github.com/ansible/awx, branch devel of October 2024); nothing is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jobs import Controller, Done, Job, Template

Node = Mapping[str, Any]


class Workflow:
    """A workflow. nodes: as awx.awx.workflow_job_template_node has them; templates: the job templates by name.

    extra_vars: the workflow's own.
    """

    def __init__(
        self, nodes: Sequence[Node], templates: Mapping[str, Template], extra_vars: Mapping[str, Any] | None = None
    ) -> None:
        self._nodes = {node["identifier"]: node for node in nodes}
        self._templates = templates
        self._extra_vars = extra_vars or {}

    def run(
        self,
        controller: Controller,
        answers: Mapping[str, Any],
        approves: Callable[[Done], bool],
        number: int = 900,
        meanwhile: Mapping[str, Callable[[Job], Done]] | None = None,
    ) -> tuple[str, dict[str, Done | bool]]:
        """Run it; return its status, and what became of each node that ran: the job, or the answer of the approver.

        answers: the survey's; approves: says yes or no to what it is shown, the job before; meanwhile: what happens to the
        jobs of these nodes while they run, where it is not just waited for their end.
        """
        done: dict[str, Done | bool] = {}
        artifacts: dict[str, dict[str, Any]] = {}
        waiting = [name for name in self._nodes if not self._parents(name)]
        while waiting:
            name = waiting.pop(0)
            artifacts[name] = self._artifacts(name, done, artifacts)
            node = self._nodes[name]
            if "approval_node" in node:
                done[name] = approves(next(job for job in reversed(list(done.values())) if isinstance(job, Done)))
            else:
                job = controller.launch(
                    self._templates[node["unified_job_template"]],
                    artifacts=artifacts[name],
                    # awx/main/models/workflow.py, get_job_kwargs: what the workflow has beats artifacts, in every node.
                    answers={**self._extra_vars, **answers},
                    workflow_job=number,
                )
                done[name] = (meanwhile or {}).get(name, Job.wait)(job)
            waiting += [
                child for child in self._children(name, succeeded(done[name])) if child not in (*done, *waiting)
            ]
        # awx/main/scheduler/dag_workflow.py, has_workflow_failed: a node that failed, and nothing that takes care of it
        failed = any(not succeeded(end) and not self._children(name, False) for name, end in done.items())
        return "failed" if failed else "successful", done

    def _children(self, name: str, success: bool) -> list[str]:
        node = self._nodes[name]
        kind = "success_nodes" if success else "failure_nodes"
        return [*node.get(kind, []), *node.get("always_nodes", [])]

    def _parents(self, name: str) -> list[str]:
        return [other for other in self._nodes if name in {*self._children(other, True), *self._children(other, False)}]

    def _artifacts(
        self, name: str, done: Mapping[str, Done | bool], before: Mapping[str, dict[str, Any]]
    ) -> dict[str, Any]:
        """What the nodes before have published, by its first level: the latter replaces the former."""
        found: dict[str, Any] = {}
        for parent in self._parents(name):
            found.update(before.get(parent, {}))
            job = done.get(parent)
            found.update(job.artifacts if isinstance(job, Done) else {})
        return found


def succeeded(end: Done | bool) -> bool:
    """Whether a node succeeded: a job, or an approval."""
    return end.status == "successful" if isinstance(end, Done) else end
