# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What the stages of the role share: the way to Ansible, and what earlier stages of the same run returned."""

from __future__ import annotations

import datetime
import os
import typing as t

from ...module_utils._release.planned import this_user
from ...module_utils._text import ended
from .asked import Asked
from .names import ROLE, Family
from .places import Places
from .work import Trail

Result = t.Dict[str, t.Any]
_UNSENT = "Nothing was sent."


class Door(t.Protocol):
    """What a stage may ask of Ansible; the action plugin quarantine_release_stage is one."""

    host: str
    hosts: list[str]
    check_mode: bool
    diff_mode: bool
    is_last_batch: bool
    options: t.Mapping[str, t.Any]

    def check_run(self) -> None:
        """Raise Mistake if modules would not run on this machine, or if somebody is wrong about check mode."""

    def last_stage(self) -> str:
        """Return the tag of the last stage that this run asks for; empty for none. Raises Mistake if it would leave out others."""

    def variables(self, family: Family = ROLE) -> dict[str, t.Any]:
        """Return the variables of the role or of a playbook, without their prefix. Raises ValueError."""

    def variable(self, name: str, family: Family = ROLE) -> t.Any:
        """Return one variable of a family, named without its prefix. Raises ValueError."""

    def of_host(self, host: str, name: str) -> t.Any:
        """Return a variable of a host of the inventory by its whole name, None if it is not set or cannot be evaluated."""

    def inventory_hosts(self) -> list[str]:
        """Return the names of all hosts of the inventory, also those that the play leaves out."""

    def earlier(self, stage: str, host: str | None = None, family: Family = ROLE) -> Result:
        """Return what an earlier stage returned for a host, this one by default. It may be of an earlier run of the role."""

    def person(self) -> str:
        """Return the user of AWX who started the job, or an empty string."""

    def job(self) -> t.Any:
        """Return the number of the job of AWX, or None."""

    def relaunched(self) -> bool:
        """Tell whether AWX runs a job again, with what it was given the first time."""

    def call(self, module: str, options: dict[str, t.Any], check_mode: bool, diff: bool | None = None) -> Result:
        """Run a module of the collection and return its result. diff: whether it has differences; None as Ansible was asked."""

    def say(self, line: str) -> None:
        """Show a line in the output of the job."""


def selection(door: Door, host: str | None = None) -> Result:
    """Return the result of the stage select."""
    lost = {
        "started": "",
        "asks": False,
        "last": "",
        "mistake": "The stage select ended without a result. Nothing was sent.",
    }
    chosen = door.earlier("select", host)
    return chosen if "mistake" in chosen else lost


def selected(door: Door) -> tuple[Asked, Places, Trail]:
    """Return what the run is asked for, where it keeps its files, and who did what. Only if the variables have no mistake."""
    chosen = selection(door)
    asked = Asked(**chosen["asked"])
    person = door.person() or os.environ.get("USER") or this_user()
    # When a plan is applied, the person in it counts.
    requested_by = asked.requested_by or (None if asked.applies else person)
    # If the terminal asks, only the person who answers there approves.
    approved_by = (person if approved(door) else None) if asked.approve else asked.approved_by
    return asked, Places(**chosen["places"]), Trail(person, requested_by, approved_by)


def approved(door: Door) -> bool:
    """Tell whether somebody answered yes to the question of this run."""
    answer = door.earlier("answer").get("user_input", "") if earlier(door, "look") else ""
    return str(answer).strip().lower() == "yes"


def earlier(door: Door, stage: str, host: str | None = None) -> Result:
    """Return what an earlier stage of this run returned; empty if it did not run."""
    result = door.earlier(stage, host)
    return result if result.get("started") == selection(door, host)["started"] else {}


def mark(door: Door) -> Result:
    """Return what distinguishes the results of this run from those of an earlier one in the same play."""
    return {"started": selection(door)["started"]}


def sentence(error: Exception) -> str:
    """Return an error as a whole sentence."""
    if isinstance(error, OSError):
        return f"{error.filename or 'A file'} cannot be written ({error.strerror})."
    return ended(str(error))


def unsent(error: Exception) -> str:
    """Return an error before anything was sent, and say that once."""
    return f"{sentence(error).replace(f' {_UNSENT}', '')} {_UNSENT}"


def now() -> str:
    """Return the time, UTC, as reports have it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stats(data: Result) -> Result:
    """Return what makes Ansible publish data as set_stats does."""
    return {"ansible_stats": {"data": data, "per_host": False, "aggregate": True}}
