# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Between Ansible and the role quarantine_release, whose logic is in plugin_utils/_quarantine_release."""

from __future__ import annotations

import typing as t

from ansible import errors
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..plugin_utils._quarantine_release import publishing, stages
from ..plugin_utils._quarantine_release.asked import PREFIX

# Since 2.19, ansible-core raises this for an omitted value. Before, it used a text.
_OMITTED: t.Any = getattr(errors, "AnsibleValueOmittedError", ())
_STAGES: dict[str, t.Callable[[ActionModule], dict[str, t.Any]]] = {
    "select": stages.select,
    "plan": stages.plan,
    "look": stages.look,
    "release": stages.release,
    "report": publishing.report,
    "report_all": publishing.report_all,
    "hand_over": publishing.hand_over,
    "conclude": publishing.conclude,
}


class ActionModule(ActionBase):
    """Runs the stage that the option stage names. The other options are those of the connection, for the modules that it runs."""

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what the stage returns."""
        super().run(tmp, task_vars)
        self._vars = task_vars or {}
        return _STAGES[self._task.args["stage"]](self)

    @property
    def host(self) -> str:
        """Return the name of the host, which stands for an account."""
        return str(self._vars["inventory_hostname"])

    @property
    def hosts(self) -> list[str]:
        """Return the names of all hosts of the play, those included that have failed."""
        return list(self._vars["ansible_play_hosts_all"])

    @property
    def check_mode(self) -> bool:
        """Tell whether nothing may be changed."""
        return bool(self._task.check_mode)

    @property
    def writes(self) -> bool:
        """Tell whether reports are written: not in check mode, and not if the tags of the run stop before them."""
        tags = {"all", "report"} & set(self._vars.get("ansible_run_tags") or ["all"])
        return bool(tags) and not self.check_mode

    def variables(self) -> dict[str, t.Any]:
        """Return the variables of the role, without their prefix. Raises ValueError for one that cannot be evaluated."""
        omitted = self._vars.get("omit", object())  # not given is not given
        found = {}
        for name, value in self._vars.items():
            if name.startswith(PREFIX):
                try:
                    evaluated = self._templar.template(value)
                except _OMITTED:
                    continue
                except AnsibleError as error:
                    raise ValueError(f"{name} cannot be evaluated: {error}") from None
                if evaluated != omitted:
                    found[name[len(PREFIX) :]] = evaluated
        return found

    def earlier(self, stage: str, host: str | None = None) -> dict[str, t.Any]:
        """Return what an earlier stage returned for a host, this one by default. It may be of an earlier run of the role."""
        return self._of(f"__{PREFIX}{stage}", host) or {}

    def fact(self, name: str, host: str) -> t.Any:
        """Return a fact that the role has set for a host, or None."""
        return self._of(name, host)

    def person(self) -> str:
        """Return the user of AWX who started the job, or an empty string."""
        return str(self._vars.get("awx_user_name") or self._vars.get("tower_user_name") or "")

    def job(self) -> t.Any:
        """Return the number of the job of AWX, or None."""
        return self._vars.get("awx_job_id") or self._vars.get("tower_job_id")

    def relaunched(self) -> bool:
        """Tell whether AWX runs a job again, with what it was given the first time."""
        return "relaunch" in (self._vars.get("awx_job_launch_type"), self._vars.get("tower_job_launch_type"))

    def call(self, module: str, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """Run a module of the collection with the connection options of this task, and return its result."""
        connection = {name: value for name, value in self._task.args.items() if name != "stage"}
        given = {name: value for name, value in options.items() if value is not None}
        before, self._task.check_mode = self._task.check_mode, check_mode
        try:
            result = self._execute_module(
                f"emailsec.cloudflare.{module}", {**connection, **given}, task_vars=self._vars
            )
        except AnsibleError as error:
            result = {"failed": True, "changed": False, "msg": str(error)}
        finally:
            self._task.check_mode = before
        # What Ansible adds for its own output; exception is no plain data since ansible-core 2.19.
        return {name: value for name, value in result.items() if name not in ("invocation", "exception")}

    def say(self, line: str) -> None:
        """Show a line in the output of the job."""
        self._display.display(f"[{self.host}] {line}")

    def _of(self, name: str, host: str | None) -> t.Any:
        variables = self._vars if host in (None, self.host) else self._vars["hostvars"][host]
        return variables.get(name)
