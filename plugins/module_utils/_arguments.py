# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Between Ansible and the library: the connection options of every module, and the client made from them."""

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
from ._rows import ALL, ATTENTION, NONE

DELIVERY_STATUSES = ["delivered", "moved", "quarantined", "rejected", "deferred", "bounced", "queued", "move_failed"]


def refuse_null(module: AnsibleModule, *names: str) -> None:
    """Raise InputError where the task gives one of these options as null, which is not the same as to leave it out.

    From ansible-core 2.19 on, null is what a template leaves that found nothing. C(module.params) has null in both cases.
    """
    given = _load_params()
    for name in names:
        if name in given and module.params[name] is None:
            raise InputError(f"{name} is null. Give a value, or leave the option out (omit). Nothing was sent.")


def _from_environment(*names: str) -> str:
    """Return the first of these environment variables that is not empty. Fallback for an option."""
    for name in names:
        if os.environ.get(name):
            return os.environ[name]
    raise AnsibleFallbackNotFound


def api_argument_spec(**options: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return the connection options together with a module's own options."""
    return {
        "account_id": {"type": "str", "fallback": (_from_environment, ["CLOUDFLARE_ACCOUNT_ID"])},
        # The environment of these is read below: which kind of credential counts depends on all of them.
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


def search_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Return the search options that all modules share (doc fragment search)."""
    return {
        **{
            name: {"type": "str"}
            for name in ("sender", "recipient", "subject", "query", "domain", "message_id", "alert_id")
        },
        "disposition": {"type": "str", "choices": ["MALICIOUS", "SUSPICIOUS", "SPOOF", "SPAM", "BULK", "NONE"]},
        **{name: {"type": "str"} for name in ("start", "end", "since")},
    }


def exclusive_search_options(*others: str) -> list[tuple[str, str]]:
    """Return the pairs of options that exclude each other in a module that takes handles or a search. others: more options of the search."""
    search = (*search_argument_spec(), *others)
    return [
        ("start", "since"),
        ("messages", "messages_file"),
        *((given, option) for given in ("messages", "messages_file") for option in search),
    ]


def make_client(module: AnsibleModule, clock: Clock, connections: int = 4) -> Client:
    """Return a client made from the connection options. Raises InputError for what is wrong with them."""
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


def fail(module: AnsibleModule, error: CloudflareError | None, **result: t.Any) -> t.NoReturn:
    """End the task as failed, with everything that is known. C(msg) in C(result) goes before the error's own words."""
    details = error.details() if error else {}
    module.fail_json(**{"msg": str(error), **details, **result})
    raise AssertionError("fail_json ended the task")
