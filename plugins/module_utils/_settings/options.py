# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The options of a module that declares a list, made from its row in the table."""

from __future__ import annotations

import typing as t

from .kinds import Field, Kind

Spec = t.Dict[str, t.Any]


def list_argument_spec(kind: Kind) -> Spec:
    """Return the argument spec of the module for a list, without the connection options."""
    entry: Spec = {name: _option(field, name in kind.key) for name, field in kind.fields.items()}
    if kind.comments:
        entry["expires"] = {"type": "str"}
    entry["state"] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
    spec: Spec = {
        "entries": {"type": "list", "elements": "dict", "required": True, "options": entry},
        "purge": {"type": "bool", "default": False},
        "max_deletions": {"type": "int", "default": 10},
        "allow_broad": {"type": "bool", "default": False},
    }
    if kind.comments:
        spec["remove_expired"] = {"type": "bool", "default": False}
    if kind.guarded:
        spec["manage_existence"] = {"type": "bool", "default": False}
    return spec


def _option(field: Field, is_key: bool) -> Spec:
    option: Spec = {"type": field.type}
    if field.type == "list":
        option["elements"] = "str"
    if field.choices:
        option["choices"] = list(field.choices)
    if is_key:
        option["required"] = True
    return option
