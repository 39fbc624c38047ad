# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Connects Ansible and the library: options that modules share, and the client that they make."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.module_utils.basic import AnsibleFallbackNotFound, AnsibleModule, _load_params, missing_required_lib
from ansible.module_utils.common.validation import check_type_dict

from ._api.client import Client
from ._api.connection import DEFAULT_URL, connection_settings, own_account, secrets
from ._api.http import IMPORT_ERROR
from ._api.masking import Masker
from ._clock import Clock
from ._errors import CloudflareError, InputError

Option = t.Mapping[str, t.Any]
_MOST_PROBLEMS = 5


def refuse_null(module: AnsibleModule, *names: str) -> None:
    """Raise InputError if the task gives one of these options as null. To leave it out is something else.

    Since ansible-core 2.19, a template that finds nothing gives null. module.params has None in both cases.
    """
    given = _load_params()
    for name in names:
        if name in given and module.params[name] is None:
            raise InputError(f"{name} is null. Give a value, or leave the option out (omit). Nothing was sent.")


def refuse_other_than_text(module: AnsibleModule) -> None:
    """Raise InputError if the task gives a number, a boolean or something else for a text.

    YAML reads 0047 without quotes as 39. Ansible makes a text of it, and nobody would notice.
    """
    problems = other_than_text({"type": "dict", "options": module.argument_spec}, "", _load_params())
    if problems:
        raise InputError(f"{'; '.join(problems[:_MOST_PROBLEMS])}. Nothing was sent.")


def other_than_text(option: Option, name: str, given: t.Any) -> list[str]:
    """Return what is given for a text in an option, and is none, as clauses. name: of the option, or empty for all of a task."""
    problems = []
    for inner, spec, value in _texts(option, name, given):
        if not isinstance(value, str):
            number = isinstance(value, (int, float))  # or a boolean
            shown = f" ({json.dumps(value)})" if number and not spec.get("no_log") else ""
            what = "null" if value is None else f"of type {type(value).__name__}{shown}"
            problems.append(
                f"{inner} is not a string but {what}; {'put it in quotes' if number else 'give one string'}"
            )
        elif value.endswith("\r") and not spec.get("no_log"):
            problems.append(f"{inner} ends in U+000D CARRIAGE RETURN, as each line of a Windows file does; remove it")
    return problems


def _texts(option: Option, name: str, value: t.Any) -> t.Iterator[tuple[str, Option, t.Any]]:
    """Yield the name, the option and the value of everything in an option that must be a text."""
    kind = option.get("type", "str")
    if kind == "list" and value is not None:
        element = {**option, "type": option.get("elements", "raw")}
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            yield from _texts(element, f"{name}[{index}]", item)
    elif kind == "dict" and option.get("options") and value is not None:
        for inner_name, inner, item in _given(option["options"], check_type_dict(value)):
            if item is not None:
                yield from _texts(inner, f"{name}.{inner_name}".lstrip("."), item)
    elif kind in ("str", "path"):
        yield name, option, value


def _given(options: t.Mapping[str, Option], values: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, Option, t.Any]]:
    """Yield the name of each option that the task gives, by any of its names, with its spec and its value."""
    for name, option in options.items():
        for alias in (name, *option.get("aliases", ())):
            if alias in values:
                yield name, option, values[alias]


def as_given(module: AnsibleModule, name: str) -> t.Any:
    """Return the value of an option as the task gives it, also by an alias, before Ansible makes its type of it."""
    *_others, (_name, _option, value) = _given({name: module.argument_spec[name]}, _load_params())
    return value


def _from_environment(*names: str) -> str:
    """Return the first of these environment variables that is not empty, as the fallback of an option."""
    for name in names:
        if os.environ.get(name):
            return os.environ[name]
    raise AnsibleFallbackNotFound


def api_argument_spec(**options: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return the connection options and the options of one module."""
    return {
        "account_id": {"type": "str", "fallback": (_from_environment, ["CLOUDFLARE_ACCOUNT_ID"])},
        # The library reads the environment of these: which kind of credential counts depends on all of them.
        "api_token": {"type": "str", "no_log": True},
        "api_email": {"type": "str"},
        "api_key": {"type": "str", "no_log": True},
        "api_url": {"type": "str", "default": DEFAULT_URL, "fallback": (_from_environment, ["CLOUDFLARE_BASE_URL"])},
        "timeout": {"type": "float", "default": 60},
        "retries": {"type": "int", "default": 5},
        "max_wait": {"type": "float", "default": 600},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        **options,
    }


def make_client(module: AnsibleModule, clock: Clock, connections: int = 4) -> Client:
    """Return a client for the connection options. Raises InputError, also for any text that is none."""
    if IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=IMPORT_ERROR)
    refuse_other_than_text(module)
    params = module.params
    hidden = secrets(params)
    module.no_log_values = (
        {value for value in module.no_log_values if value.strip()} | hidden | Masker(hidden).found(params)
    )
    account = own_account(params["account_id"])
    return Client(
        connection_settings(params, account, f"ansible-core {module.ansible_version}", module.warn, connections), clock
    )


def fail(module: AnsibleModule, error: CloudflareError | None, **result: t.Any) -> t.NoReturn:
    """End the task as failed, with all that is known. A msg in the result replaces the words of the error."""
    details = error.details() if error else {}
    module.fail_json(**{"msg": str(error), **details, **result})
    raise AssertionError("fail_json ended the task")
