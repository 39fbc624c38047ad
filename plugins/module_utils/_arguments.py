# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Connects Ansible and the library: options that modules share, and the client that they make."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleFallbackNotFound, AnsibleModule, _load_params, missing_required_lib

from ._api.client import Client
from ._api.connection import DEFAULT_URL, connection_settings, own_account, secrets
from ._api.http import IMPORT_ERROR
from ._api.masking import Masker
from ._clock import Clock
from ._errors import CloudflareError, InputError
from ._followup.result import Result
from ._mail.filters import DISPOSITIONS, SEARCH_OPTIONS
from ._release.settle import SETTLE_TIME
from ._rows import ALL, ATTENTION, NONE


def refuse_null(module: AnsibleModule, *names: str) -> None:
    """Raise InputError if the task gives one of these options as null. To leave it out is something else.

    Since ansible-core 2.19, a template that finds nothing gives null. module.params has None in both cases.
    """
    given = _load_params()
    for name in names:
        if name in given and module.params[name] is None:
            raise InputError(f"{name} is null. Give a value, or leave the option out (omit). Nothing was sent.")


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


def handles_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Return the options that name messages (doc fragment handles)."""
    return {
        "messages": {"type": "list", "elements": "raw", "aliases": ["ids", "postfix_ids"]},
        "messages_file": {"type": "path"},
        "messages_column": {"type": "str"},
    }


def rows_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Return the options that say where the rows of a result go."""
    return {
        "return_messages": {"type": "str", "choices": [ALL, ATTENTION, NONE], "default": ALL},
        "result_file": {"type": "path"},
    }


def follow_up_argument_spec(statuses: t.Sequence[str], fail_on: t.Sequence[str]) -> dict[str, dict[str, t.Any]]:
    """Return the options of a follow-up (doc fragment follow_up), and fail_on."""
    trail = ("reason", "ticket", "started_by", "requested_by", "approved_by")
    return {
        "fail_on": {"type": "list", "elements": "str", "choices": list(statuses), "default": list(fail_on)},
        "settle_time": {"type": "float", "default": SETTLE_TIME},
        "journal": {"type": "path"},
        **{name: {"type": "str"} for name in trail},
    }


def search_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Return the options of a search (doc fragment search)."""
    spec: dict[str, dict[str, t.Any]] = {name: {"type": "str"} for name in SEARCH_OPTIONS}
    spec["disposition"]["choices"] = list(DISPOSITIONS)
    return spec


def exclusive_search_options(*others: str) -> list[tuple[str, str]]:
    """Return the pairs of options that exclude each other if a module takes either handles or a search.

    others: more options of the search.
    """
    search = (*SEARCH_OPTIONS, *others)
    return [
        ("start", "since"),
        ("messages", "messages_file"),
        *((given, option) for given in ("messages", "messages_file") for option in search),
    ]


def make_client(module: AnsibleModule, clock: Clock, connections: int = 4) -> Client:
    """Return a client for the connection options. Raises InputError."""
    if IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=IMPORT_ERROR)
    params = module.params
    hidden = secrets(params)
    module.no_log_values = (
        {value for value in module.no_log_values if value.strip()} | hidden | Masker(hidden).found(params)
    )
    account = own_account(params["account_id"])
    return Client(
        connection_settings(params, account, f"ansible-core {module.ansible_version}", module.warn, connections), clock
    )


def end_follow_up(module: AnsibleModule, client: Client, run: Result, trail: t.Mapping[str, t.Any]) -> t.NoReturn:
    """End the task with the result of a follow-up."""
    result = {**run.data(), "account_id": client.account_id, "api_calls": client.calls, **trail}
    if module._diff:
        result["diff"] = run.diff()
    if run.error or run.fails(module.params["fail_on"]):
        fail(module, run.error, **result)
    module.exit_json(**result)
    raise AssertionError("exit_json ended the task")


def fail(module: AnsibleModule, error: CloudflareError | None, **result: t.Any) -> t.NoReturn:
    """End the task as failed, with all that is known. A msg in the result replaces the words of the error."""
    details = error.details() if error else {}
    module.fail_json(**{"msg": str(error), **details, **result})
    raise AssertionError("fail_json ended the task")
