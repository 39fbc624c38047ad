# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How AWX shows an object."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from .checks import ENCRYPTED
from .schema import RESOURCES, SURVEYED

if TYPE_CHECKING:
    from .store import Item, Store

BASE = "/api/v2"
_COUNTED = ("inventories", "job_templates", "projects", "teams")


def shown(store: Store, item: Item) -> Item:
    """An object as a client sees it: with its address, what is related to it, and without secrets."""
    endpoint = item["endpoint"]
    url = f"{BASE}/{endpoint}/{item['id']}/"
    view = copy.deepcopy({name: value for name, value in item.items() if name not in ("endpoint", "password")})
    related = {name: f"{url}{name}/" for name in RESOURCES[endpoint].lists}
    for name, field in RESOURCES[endpoint].fields.items():
        if field.kind == "reference" and item[name]:
            target = store.item(field.to, item[name])
            related[name] = f"{BASE}/{target['endpoint']}/{target['id']}/"
    if endpoint in SURVEYED:
        related["survey_spec"] = f"{url}survey_spec/"
    if endpoint == "workflow_job_template_nodes":
        related["create_approval_template"] = f"{url}create_approval_template/"
        view |= {name: list(store.listed(endpoint, item["id"], name)) for name in ("success_nodes", "failure_nodes")}
        view["always_nodes"] = list(store.listed(endpoint, item["id"], "always_nodes"))
    if endpoint == "projects":
        related["update"] = f"{url}update/"
    if endpoint == "credentials":
        secret = _secret_inputs(store, item)
        view["inputs"] = {name: ENCRYPTED if name in secret else value for name, value in view["inputs"].items()}
    return view | {"url": url, "related": related, "summary_fields": _summary(store, item)}


def _secret_inputs(store: Store, item: Item) -> set[str]:
    fields = store.items["credential_types"][item["credential_type"]]["inputs"].get("fields", [])
    return {field["id"] for field in fields if field.get("secret")}


def _summary(store: Store, item: Item) -> Item:
    endpoint, number = item["endpoint"], item["id"]
    roles = {
        name: {"id": role, "name": name.removesuffix("_role").capitalize()}
        for name, role in store.roles.get((endpoint, number), {}).items()
    }
    summary: Item = {"object_roles": roles} if roles else {}
    if endpoint == "organizations":
        summary["related_field_counts"] = {
            name: sum(each["organization"] == number for each in store.items[name].values()) for name in _COUNTED
        }
        summary["related_field_counts"]["inventories"] += store.slow_removals > 0
        store.slow_removals = max(0, store.slow_removals - 1)
    if endpoint == "projects":
        under_way = [
            each
            for each in store.updates.values()
            if each["project"] == number and each["status"] in ("pending", "running")
        ]
        if under_way:
            summary["current_update"] = {"id": under_way[-1]["id"], "status": under_way[-1]["status"]}
    return summary
