# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The options of the modules for messages, and their end. Modules for lists do without, and start faster for it."""

from __future__ import annotations

import typing as t

from ._api.client import Client
from ._arguments import as_given, fail
from ._followup.result import Result
from ._mail.filters import DISPOSITIONS, SEARCH_OPTIONS
from ._mail.handle_file import read_handles
from ._mail.handles import Handle, parse_handles
from ._release.settle import SETTLE_TIME
from ._rows import ALL, ATTENTION, NONE


def handles_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Return the options that name messages (doc fragment handles)."""
    return {
        "messages": {"type": "list", "elements": "raw", "aliases": ["ids", "postfix_ids"]},
        "messages_file": {"type": "path"},
        "messages_column": {"type": "str"},
    }


# How these options go together, in a module that always needs handles
HANDLES_RULES: t.Mapping[str, t.Any] = {
    "mutually_exclusive": [("messages", "messages_file")],
    "required_one_of": [("messages", "messages_file")],
    "required_by": {"messages_column": ["messages_file"]},
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


def given_handles(module: t.Any) -> list[Handle] | None:
    """Return the handles in the options of handles_argument_spec, or None if neither is given. Raises InputError."""
    params = module.params
    if params["messages"] is not None:
        # Ansible makes a list of a text, which it splits at every comma, and of a number.
        given = as_given(module, "messages")
        return parse_handles(given if isinstance(given, (str, list)) else [given])
    if params["messages_file"] is not None:
        return read_handles(params["messages_file"], params["messages_column"])
    return None


def end_follow_up(
    module: t.Any, client: Client, run: Result, trail: t.Mapping[str, t.Any], fail_on: t.Iterable[str]
) -> t.NoReturn:
    """End the task with the result of a follow-up. fail_on: the statuses with which it fails."""
    result = {**run.data(), **client.used(), **trail}
    if module._diff:
        result["diff"] = run.diff()
    if run.error or run.fails(fail_on):
        fail(module, run.error, **result)
    module.exit_json(**result)
    raise AssertionError("exit_json ended the task")
