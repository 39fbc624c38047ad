# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX checks of the fields that a client sends."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from .errors import Refused, invalid
from .schema import RESOURCES, Field

if TYPE_CHECKING:
    from .store import Item, Store

ENCRYPTED = "$encrypted$"
_TYPES: dict[str, tuple[type, str]] = {
    "text": (str, "Not a valid string."),
    "flag": (bool, "Must be a valid boolean."),
    "number": (int, "A valid integer is required."),
    "object": (dict, "Expected a dictionary of items."),
    "list": (list, "Expected a list of items."),
    "vars": (str, "Not a valid string."),
    "reference": (int, "Incorrect type. Expected pk value."),
}


def cleaned(store: Store, endpoint: str, data: Item, item: Item | None) -> Item:
    """What a client sent, checked, without what AWX does not know or does not let clients set: it ignores these.

    item: what is to be changed; None when something is to be made.
    """
    resource = RESOURCES[endpoint]
    wanted = {name: field for name, field in resource.fields.items() if name in data and not field.computed}
    values = {name: _value(store, name, field, data[name]) for name, field in wanted.items()}
    if item is None:
        missing = [name for name, field in resource.fields.items() if field.required and values.get(name) in (None, "")]
        if missing:
            raise Refused(400, {name: ["This field is required."] for name in missing})
    _check = _CHECKS.get(endpoint)
    if _check:
        _check(store, values, data, item)
    _unique(store, endpoint, (item or {}) | values, item)
    return values


def _value(store: Store, name: str, field: Field, value: Any) -> Any:
    """The value of a field, if it can have it."""
    if value is None and not field.required and field.default is None:
        return None
    expected, problem = _TYPES[field.kind]
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise invalid(name, problem)
    if field.choices and value not in field.choices:
        raise invalid(name, f'"{value}" is not a valid choice.')
    if field.kind == "vars" and value:
        try:
            json.loads(str(value))
        except ValueError:
            raise invalid(name, "Cannot parse as JSON.") from None
    if field.kind == "reference" and not any(each["id"] == value for each in store.all(field.to)):
        raise invalid(name, f'Invalid pk "{value}" - object does not exist.')
    return value


def _unique(store: Store, endpoint: str, whole: Item, item: Item | None) -> None:
    """Refuse a second one of what there can be only one."""
    keys = RESOURCES[endpoint].unique
    if endpoint == "job_templates" and whole.get("project"):
        whole = whole | {"organization": store.items["projects"][whole["project"]]["organization"]}
    for other in store.items[endpoint].values() if keys else ():
        if other is not item and all(other[key] == whole.get(key) for key in keys):
            label = RESOURCES[endpoint].type.replace("_", " ").capitalize()
            names = ", ".join(keys)
            problem = f"{label} with this ({names}) combination already exists."
            raise Refused(400, {"__all__": [problem]} if len(keys) > 1 else invalid(keys[0], problem).body)


def _credential(store: Store, values: Item, data: Item, item: Item | None) -> None:
    """Let inputs be those of the type, and keep a secret that is sent back as it was shown."""
    if item is None and not (values.get("organization") or data.get("user") or data.get("team")):
        raise Refused(400, {"detail": "Missing 'user', 'team', or 'organization'."})
    number = values.get("credential_type") or (item or {})["credential_type"]
    known = {field["id"] for field in store.items["credential_types"][number]["inputs"].get("fields", [])}
    inputs = values.get("inputs", {})
    if unknown := sorted(set(inputs) - known):
        raise invalid("inputs", f"Additional properties are not allowed ({', '.join(unknown)} was unexpected)")
    if kept := [name for name, value in inputs.items() if value == ENCRYPTED]:
        before = (item or {}).get("inputs", {})
        if set(kept) - set(before):
            raise invalid("inputs", "$encrypted$ is a reserved keyword, and cannot be used for credential.name.")
        values["inputs"] = inputs | {name: before[name] for name in kept}


def _credential_type(store: Store, values: Item, _data: Item, item: Item | None) -> None:
    """Let the inputs of a type that is in use be as they are, and environment variables only refer to inputs."""
    in_use = item and any(each["credential_type"] == item["id"] for each in store.items["credentials"].values())
    if item and in_use and values.get("inputs", item["inputs"]) != item["inputs"]:
        raise Refused(403, {"detail": "Modifications to inputs are not allowed for credential types that are in use"})
    for field in values.get("inputs", {}).get("fields", []):
        if extra := sorted(
            set(field) - {"id", "label", "type", "secret", "help_text", "multiline", "choices", "format"}
        ):
            raise invalid("inputs", f"Additional properties are not allowed ({', '.join(extra)} was unexpected)")
    known = {field["id"] for field in (values or item or {}).get("inputs", {}).get("fields", [])}
    for name, template in values.get("injectors", {}).get("env", {}).items():
        if template.strip("{ }") not in known:
            raise invalid("injectors", f"{name} uses an undefined field")


def _job_template(store: Store, values: Item, _data: Item, item: Item | None) -> None:
    """Let a template have what a job needs, and a playbook that is in its project."""
    whole = (item or {}) | values
    if not whole.get("project"):
        raise invalid("project", "Job Templates must have a project assigned.")
    if not whole.get("inventory") and not whole.get("ask_inventory_on_launch"):
        raise invalid("inventory", "You must either set a default value or ask to prompt on launch.")
    if not whole.get("playbook"):
        raise invalid("playbook", "Must select playbook for project.")
    # AWX knows the playbooks of a project once it has updated it.
    if whole["playbook"] not in store.playbooks or not store.items["projects"][whole["project"]]["scm_revision"]:
        raise invalid("playbook", "Playbook not found for project.")


def _node(_store: Store, values: Item, _data: Item, item: Item | None) -> None:
    """Let a node stay in its workflow."""
    if item:
        values.pop("workflow_job_template", None)


def _schedule(_store: Store, values: Item, _data: Item, _item: Item | None) -> None:
    """Let a schedule have a start in a time zone, and rules with an interval (awx/api/serializers.py, validate_rrule)."""
    rule = values.get("rrule")
    if rule is None:
        return
    if not re.match(r"DTSTART(:|;TZID=[^:]+:)\d{8}T\d{6}Z?\s", rule):
        raise invalid("rrule", "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if re.match(r"DTSTART:\d{8}T\d{6}\s", rule):
        raise invalid("rrule", "DTSTART cannot be a naive datetime. Require ;TZINFO= or YYYYMMDDTHHMMSSZZ.")
    rules = re.findall(r"\bRRULE:(\S+)", rule)
    if not rules:
        raise invalid("rrule", "One or more rule required in rrule.")
    if any("INTERVAL=" not in each for each in rules):
        raise invalid("rrule", "INTERVAL required in rrule.")
    if any("FREQ=SECONDLY" in each for each in rules):
        raise invalid("rrule", "SECONDLY is not supported.")


_CHECKS = {
    "credentials": _credential,
    "credential_types": _credential_type,
    "job_templates": _job_template,
    "schedules": _schedule,
    "workflow_job_template_nodes": _node,
}
