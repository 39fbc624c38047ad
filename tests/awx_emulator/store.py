# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the emulated AWX knows: its objects, the lists that relate them, surveys and permissions."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from .checks import cleaned
from .errors import Refused, not_found
from .schema import RESOURCES, UNIFIED

if TYPE_CHECKING:
    from .engine import Engine

Item = dict[str, Any]
# Of an AWX that was just installed
ORGANIZATION, ADMIN = "Default", "admin"


class Logged(NamedTuple):
    """One request, as it came."""

    method: str
    path: str
    query: str
    body: Any
    status: int


class Store:
    """The objects by endpoint and id. Ids are unique over all of AWX, so that a mix-up shows."""

    def __init__(self, playbooks: frozenset[str]) -> None:
        self.playbooks = playbooks
        self.items: dict[str, dict[int, Item]] = {endpoint: {} for endpoint in RESOURCES}
        # (endpoint, id, list) -> ids; (endpoint, id) -> survey; (role id, "users" or "teams") -> ids
        self.lists: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], Item] = {}
        self.members: dict[tuple[int, str], list[int]] = {}
        self.roles: dict[tuple[str, int], dict[str, int]] = {}
        # The updates of projects by their id, and how many of the next ones are going to fail
        self.updates: dict[int, Item] = {}
        self.failing_updates = 0
        # How often an organization still counts inventories that were removed, as AWX removes them in the background
        self.slow_removals = 0
        self.log: list[Logged] = []
        # Runs jobs; without it, nothing can be launched
        self.engine: Engine | None = None
        self._ids = itertools.count(1)
        self.create("organizations", {"name": ORGANIZATION})
        self.create("users", {"username": ADMIN})
        self.create("instance_groups", {"name": "default", "is_container_group": True})

    def new_id(self) -> int:
        """An id that nothing has."""
        return next(self._ids)

    def item(self, endpoint: str, number: int) -> Item:
        """One object; it must be there."""
        if endpoint == "unified_job_templates":
            endpoint = next((each for each in UNIFIED if number in self.items[each]), UNIFIED[0])
        try:
            return self.items[endpoint][number]
        except KeyError:
            raise not_found() from None

    def all(self, endpoint: str) -> list[Item]:
        """All objects of an endpoint, in the order of their ids."""
        if endpoint == "unified_job_templates":
            return [item for each in UNIFIED[:-1] for item in self.items[each].values()]
        return list(self.items[endpoint].values())

    def create(self, endpoint: str, data: Item) -> Item:
        """Make an object of what a client sends."""
        fields = RESOURCES[endpoint].fields
        defaults = {name: copy.deepcopy(field.default) for name, field in fields.items()}
        item = defaults | cleaned(self, endpoint, data, None)
        item |= {"id": self.new_id(), "type": RESOURCES[endpoint].type, "endpoint": endpoint}
        self._derive(endpoint, item)
        self.items[endpoint][item["id"]] = item
        self.roles[endpoint, item["id"]] = {f"{role}_role": self.new_id() for role in RESOURCES[endpoint].roles}
        if endpoint == "projects" and item["scm_type"]:
            self.start_update(item)
        return item

    def change(self, endpoint: str, number: int, data: Item) -> Item:
        """Change an object to what a client sends."""
        item = self.item(endpoint, number)
        before = dict(item)
        item |= cleaned(self, endpoint, data, item)
        self._derive(endpoint, item)
        if endpoint == "projects" and any(item[name] != before[name] for name in ("scm_url", "scm_branch")):
            self.start_update(item)
        return item

    def start_update(self, project: Item) -> Item:
        """Start to update a project: when it is made, when its source has changed, and when somebody asks for it."""
        update = {"id": self.new_id(), "project": project["id"], "status": "pending"}
        self.updates[update["id"]] = update
        project["status"] = "pending"
        return update

    def go_on(self, project: int) -> None:
        """Let the update of a project that is under way get one step further. One that fails leaves what was there before."""
        for update in self.updates.values():
            if update["project"] == project and update["status"] in ("pending", "running"):
                update["status"] = {
                    "pending": "running",
                    "running": "failed" if self.failing_updates else "successful",
                }[update["status"]]
                self.items["projects"][project]["status"] = update["status"]
                if update["status"] == "failed":
                    self.failing_updates -= 1
                if update["status"] == "successful":
                    self.items["projects"][project]["scm_revision"] = "5eed" * 10

    def _derive(self, endpoint: str, item: Item) -> None:
        """Fill in what AWX finds out by itself."""
        if endpoint == "job_templates" and item["project"]:
            item["organization"] = self.items["projects"][item["project"]]["organization"]

    def delete(self, endpoint: str, number: int) -> None:
        """Delete an object, what it owns, and each mention of it."""
        item = self.item(endpoint, number)
        if endpoint == "credential_types" and any(
            each["credential_type"] == number for each in self.items["credentials"].values()
        ):
            raise Refused(403, {"detail": "Credential types that are in use cannot be deleted."})
        del self.items[endpoint][number]
        for other, resource in RESOURCES.items():
            for name, field in resource.fields.items():
                if field.to == endpoint or (field.to == "unified_job_templates" and endpoint in UNIFIED):
                    for each in [each for each in self.items[other].values() if each[name] == number]:
                        self._orphan(other, each, name, owned=name in resource.owners)
            for name in [name for name, to in resource.lists.items() if to == endpoint]:
                for key in [key for key in self.lists if key[0] == other and key[2] == name]:
                    self.lists[key] = [each for each in self.lists[key] if each != number]
        if endpoint == "workflow_job_template_nodes" and item["unified_job_template"]:
            self.items["workflow_approval_templates"].pop(item["unified_job_template"], None)
        for kind in {"users", "teams"} & {endpoint}:
            for role in [role for role in self.members if role[1] == kind]:
                self.members[role] = [each for each in self.members[role] if each != number]

    def _orphan(self, endpoint: str, item: Item, name: str, *, owned: bool) -> None:
        """Let an object know that what it refers to is gone: it goes with it, or loses the reference."""
        if not owned:
            item[name] = None
        elif item["id"] in self.items[endpoint]:
            self.delete(endpoint, item["id"])

    def listed(self, endpoint: str, number: int, name: str) -> list[int]:
        """The ids in a related list."""
        return self.lists.setdefault((endpoint, number, name), [])
