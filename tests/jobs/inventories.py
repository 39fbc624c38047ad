# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventories as AWX hands them to a job: a program that prints JSON, with no more than the hosts of the slice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

LOCALHOST = {"localhost": {"ansible_connection": "local"}}


class Inventory:
    """Hosts, each with its variables, and variables for all of them."""

    def __init__(self, hosts: Mapping[str, Mapping[str, Any]] | None = None, **variables: Any) -> None:
        self.hosts = LOCALHOST if hosts is None else hosts
        self.variables = variables

    def program(self, slice_number: int = 1, slice_count: int = 1) -> str:
        """The text of inventory/hosts."""
        data = json.dumps(self._data(slice_number, slice_count))
        return f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({data!r})\n"

    def _data(self, slice_number: int, slice_count: int) -> dict[str, Any]:
        """Every slice_count-th host by name (awx/main/models/inventory.py, get_sliced_hosts and get_script_data)."""
        names = sorted(self.hosts)[slice_number - 1 :: slice_count]
        group = {"hosts": names, **({"vars": self.variables} if self.variables else {})}
        return {"all": group, "_meta": {"hostvars": {name: self._host(name) for name in names}}}

    def _host(self, name: str) -> dict[str, Any]:
        number = dict(zip(sorted(self.hosts), count(1)))[name]
        return {**self.hosts[name], **dict(_towervars(number))}


def _towervars(number: int) -> Iterator[tuple[str, Any]]:
    """What AWX adds to each host."""
    for prefix in ("host", "tower"):
        yield f"remote_{prefix}_enabled", "true"
        yield f"remote_{prefix}_id", number
