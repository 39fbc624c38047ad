# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated AWX in a thread of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.background import Background

from .app import create_app
from .store import Item, Logged, Store

READS = ("GET", "HEAD", "OPTIONS")


class Awx(Background):
    """A running AWX, just installed: `with Awx(playbooks={"playbooks/plan.yml"}) as awx: ...`.

    playbooks: the playbooks that each project is found to have once it is synchronized. jobs: the directory in which jobs run;
    without it, none can be launched.
    """

    def __init__(
        self,
        playbooks: set[str],
        *,
        token: str = "token-of-an-administrator",
        host: str = "127.0.0.1",
        jobs: Path | None = None,
    ) -> None:
        self.store = Store(frozenset(playbooks))
        if jobs:
            # Only this needs ansible-runner.
            from .engine import Engine

            self.store.engine = Engine(self.store, jobs)
        self.token = token
        super().__init__(lambda: create_app(self.store, token), host, 0)

    def environment(self) -> dict[str, str]:
        """The environment variables that point awx.awx here."""
        return {"CONTROLLER_HOST": self.origin, "CONTROLLER_OAUTH_TOKEN": self.token}

    @property
    def requests(self) -> list[Logged]:
        """The log of all requests."""
        return self.store.log

    @property
    def writes(self) -> list[Logged]:
        """Those that were to change something."""
        return [request for request in self.requests if request.method not in READS]

    def add(self, endpoint: str, **fields: Any) -> Item:
        """Make an object as if somebody had done it before."""
        return self.store.create(endpoint, fields)

    def all(self, endpoint: str) -> list[Item]:
        """All objects of an endpoint."""
        return self.store.all(endpoint)

    def one(self, endpoint: str, name: str) -> Item:
        """The object with this name."""
        (found,) = [item for item in self.all(endpoint) if name in (item.get("name"), item.get("identifier"))]
        return found

    def related(self, endpoint: str, name: str, which: str) -> list[str]:
        """The names of what is in a related list."""
        ids = self.store.listed(endpoint, self.one(endpoint, name)["id"], which)
        everything = {item["id"]: item for items in self.store.items.values() for item in items.values()}
        return [everything[each].get("name") or everything[each]["identifier"] for each in ids]

    def survey(self, endpoint: str, name: str) -> list[dict[str, Any]]:
        """The questions of a survey."""
        survey = self.store.surveys.get((endpoint, self.one(endpoint, name)["id"]), {"spec": []})
        return list(survey["spec"])

    def holders(self, endpoint: str, name: str, role: str) -> list[str]:
        """The names of the teams that have a role on an object."""
        number = self.store.roles[endpoint, self.one(endpoint, name)["id"]][f"{role}_role"]
        return [self.store.items["teams"][each]["name"] for each in self.store.members.get((number, "teams"), [])]

    def inventory(self) -> dict[str, list[str]]:
        """The names of all that there is, by endpoint."""
        return {
            endpoint: sorted(item.get("name") or item.get("identifier") or item["username"] for item in items.values())
            for endpoint, items in self.store.items.items()
            if items
        }
