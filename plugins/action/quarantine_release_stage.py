# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Between Ansible and the role quarantine_release, whose logic is in plugin_utils/_quarantine_release."""

from __future__ import annotations

import typing as t

from ansible import errors
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ..module_utils._api.connection import secrets
from ..module_utils._api.masking import Masker
from ..plugin_utils import _searching
from ..plugin_utils._quarantine_release import following, merging, publishing, running, stages
from ..plugin_utils._quarantine_release.names import CONNECTION, ROLE, Family, mistaken_names, with_variables
from ..plugin_utils._retract import stage as retracting
from ..plugin_utils._settings import expired
from ..plugin_utils._settings import report as settings_report
from ..plugin_utils._settings import stage as settings

# Since 2.19, ansible-core raises this for an omitted value. Before, it used a text.
_OMITTED: t.Any = getattr(errors, "AnsibleValueOmittedError", ())
_NOT_GIVEN: t.Any = object()
_STAGES: dict[str, t.Callable[[ActionModule], dict[str, t.Any]]] = {
    "select": stages.select,
    "plan": stages.plan,
    "look": stages.look,
    "release": stages.release,
    "reclassify": following.reclassify,
    "allow": following.allow,
    "report": publishing.report,
    "report_all": publishing.report_all,
    "hand_over": publishing.hand_over,
    "conclude": publishing.conclude,
    "search": _searching.search,
    "merge": merging.merge,
    "retract": retracting.retract,
    "settings": settings.declare,
    "conclude_settings": settings_report.conclude,
    "export_settings": settings.export,
    "remove_expired_settings": expired.remove,
}


class ActionModule(ActionBase):
    """Runs the stage that the option stage names. The other options are those of the connection, for the modules that it runs."""

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what the stage returns, without secrets: errors may quote what somebody pasted into a variable."""
        super().run(tmp, task_vars)
        self._vars = task_vars or {}
        connection = {name: str(self._task.args.get(name) or "") for name in ("api_token", "api_key", "api_url")}
        return Masker(secrets(connection)).mask(_STAGES[self._task.args["stage"]](self))

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
    def diff_mode(self) -> bool:
        """Tell whether differences are shown."""
        return bool(self._task.diff)

    @property
    def is_last_batch(self) -> bool:
        """Tell whether no other hosts of the play run after these, as they may with serial."""
        batch = {*self._vars["ansible_play_batch"], self.host}
        hosts = self.hosts
        last = max(number for number, host in enumerate(hosts) if host in batch)
        return set(self._vars["ansible_play_hosts"]).isdisjoint(hosts[last + 1 :])

    @property
    def options(self) -> dict[str, t.Any]:
        """Return the options of the task."""
        return dict(self._task.args)

    def check_run(self) -> None:
        """Raise Mistake if modules would not run on this machine, or if somebody is wrong about check mode."""
        running.check_place(self.host, self._connection.transport, self._connection.become is not None)
        running.check_mode_meant(load_extra_vars(self._loader), self.check_mode)

    def last_stage(self) -> str:
        """Return the tag of the last stage that this run asks for; empty for none. Raises Mistake if it would leave out others."""
        return running.last_stage(
            self._vars.get("ansible_run_tags") or ["all"],
            self._vars.get("ansible_skip_tags") or [],
            set(self._task.tags) - {"always"},
            not self._task.all_parents_static(),
        )

    def variables(self, family: Family = ROLE) -> dict[str, t.Any]:
        """Return the variables of a family without their prefix, and account_id. Raises ValueError for what is none or cannot be read."""
        extra = load_extra_vars(self._loader)
        mistakes = mistaken_names(self._vars, extra, [family, ROLE])
        if mistakes:
            raise ValueError(" ".join(mistakes))
        found = {name: self._evaluated(f"{family.prefix}{name}") for name in family.options}
        if family.connects:
            if found.get("account_id") in (_NOT_GIVEN, None, ""):
                found["account_id"] = self._evaluated(f"{ROLE.prefix}account_id")
            if found["account_id"] in (_NOT_GIVEN, None, ""):
                found["account_id"] = self._task.args.get("account_id", _NOT_GIVEN)
            for name in CONNECTION:
                # module_defaults has default(omit), which would hide a secret that is not defined.
                self._evaluated(name)
        return {name: value for name, value in found.items() if value is not _NOT_GIVEN}

    def variable(self, name: str, family: Family = ROLE) -> t.Any:
        """Return one variable of a family, named without its prefix. Raises ValueError."""
        value = self._evaluated(f"{family.prefix}{name}")
        return None if value is _NOT_GIVEN else value

    def _evaluated(self, name: str) -> t.Any:
        if name not in self._vars:
            return _NOT_GIVEN
        try:
            omitted = self._vars.get("omit", _NOT_GIVEN)
            value = _without(self._templar.template(self._vars[name]), omitted)
        except _OMITTED:
            return _NOT_GIVEN
        except AnsibleError as error:
            raise ValueError(f"{name} cannot be evaluated: {error}") from None
        if isinstance(omitted, str) and omitted in str(value):
            raise ValueError(f"{name} cannot be evaluated: omit is part of a text.")
        return value

    def of_host(self, host: str, name: str) -> t.Any:
        """Return a variable of a host of the inventory by its whole name, None if it is not set or cannot be evaluated."""
        try:
            # Not get(), as a value that cannot be evaluated is an error since ansible-core 2.19.
            return self._vars["hostvars"][host][name]
        except (AnsibleError, KeyError):
            return None

    def inventory_hosts(self) -> list[str]:
        """Return the names of all hosts of the inventory, also those that the play leaves out."""
        return list(self._vars["groups"]["all"])

    def earlier(self, stage: str, host: str | None = None, family: Family = ROLE) -> dict[str, t.Any]:
        """Return what an earlier stage returned for a host, this one by default. It may be of an earlier run of the role."""
        variables = self._vars if host in (None, self.host) else self._vars["hostvars"][host]
        return variables.get(f"__{family.prefix}{stage}") or {}

    def person(self) -> str:
        """Return the user of AWX who started the job, or an empty string."""
        return str(self._vars.get("awx_user_name") or self._vars.get("tower_user_name") or "")

    def job(self) -> t.Any:
        """Return the number of the job of AWX, or None."""
        return self._vars.get("awx_job_id") or self._vars.get("tower_job_id")

    def relaunched(self) -> bool:
        """Tell whether AWX runs a job again, with what it was given the first time."""
        return "relaunch" in (self._vars.get("awx_job_launch_type"), self._vars.get("tower_job_launch_type"))

    def call(
        self, module: str, options: dict[str, t.Any], check_mode: bool, diff: bool | None = None
    ) -> dict[str, t.Any]:
        """Run a module of the collection with the connection options of this task, and return its result.

        diff: whether it has differences; None as Ansible was asked.
        """
        connection = {name: value for name, value in self._task.args.items() if name != "stage"}
        given = {name: value for name, value in options.items() if value is not None}
        before = self._task.check_mode, self._task.diff
        self._task.check_mode = check_mode
        self._task.diff = self._task.diff if diff is None else diff
        try:
            result = self._execute_module(
                f"emailsec.cloudflare.{module}", {**connection, **given}, task_vars=self._vars
            )
        except AnsibleConnectionFailure as error:
            result = {"failed": True, "changed": False, "msg": str(error), "unreachable": True}
        except AnsibleError as error:
            result = {"failed": True, "changed": False, "msg": str(error)}
        finally:
            self._task.check_mode, self._task.diff = before
        if isinstance(result.get("msg"), str):
            result["msg"] = with_variables(result["msg"])
        # What Ansible adds for its own output; exception is no plain data since ansible-core 2.19.
        return {name: value for name, value in result.items() if name not in ("invocation", "exception")}

    def say(self, line: str) -> None:
        """Show a line in the output of the job."""
        self._display.display(f"[{self.host}] {line}")


def _without(value: t.Any, omitted: t.Any) -> t.Any:
    """Return a value without what is omitted, also inside it. Before 2.19, Ansible leaves a text there."""
    if value == omitted:
        return _NOT_GIVEN
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if item != omitted}
    return [item for item in value if item != omitted] if isinstance(value, list) else value
