# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Checks the arguments of an event source. ansible-rulebook passes them on unchecked, and most of them may be text."""

from __future__ import annotations

import typing as t

from .._errors import InputError
from .._plan.policy import Policy, argument_spec
from .decisions import Policies

Arguments = t.Mapping[str, t.Any]
Limits = t.Mapping[str, t.Tuple[float, float]]
# Errors do not show their values.
_SECRETS = ("api_token", "api_key", "secret")
POLICIES: dict[str, t.Any] = {"policy": {}, "approval_policy": {}}


def read_arguments(given: Arguments, defaults: Arguments, limits: Limits) -> dict[str, t.Any]:
    """Return the value of every argument, with the type of its default. Raises InputError."""
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise InputError(f"the event source has no arguments {', '.join(unknown)}; it has {', '.join(defaults)}")
    values = {name: _typed(name, given.get(name), default) for name, default in defaults.items()}
    for name, (least, most) in limits.items():
        if not least <= values[name] <= most:
            raise InputError(f"{name} must be from {least} to {most}, not {values[name]:g}")
    return values


def read_policies(values: Arguments) -> Policies:
    """Return the arguments policy and approval_policy. Raises InputError."""
    policy = _policy("policy", values["policy"]) if values["policy"] else None
    return Policies(policy, _policy("approval_policy", values["approval_policy"]))


def _policy(name: str, given: Arguments) -> Policy:
    options = argument_spec()
    unknown = sorted(set(given) - set(options))
    if unknown:
        raise InputError(f"{name} has no rules {', '.join(unknown)}; the rules are {', '.join(options)}")
    for rule, value in given.items():
        # A variable that nobody filled in must not let everything pass; without overrides, more is refused.
        if options[rule]["type"] == "list" and rule != "overrides" and (value is None or _is_blank(value)):
            raise InputError(f"{name}.{rule} is empty; name what is meant, or leave the rule out")
    rules = {
        rule: value
        if options[rule]["type"] == "raw"
        else _typed(f"{name}.{rule}", value, options[rule].get("default", ""))
        for rule, value in given.items()
    }
    return Policy(**rules).checked(name)


def _is_blank(value: t.Any) -> bool:
    return isinstance(value, str) and not _words(value)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _all_text(values: t.Iterable[t.Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _typed(name: str, value: t.Any, default: t.Any) -> t.Any:
    """Return a value with the type of its default, or the default if there is no value. Raises InputError."""
    if value is None or value == "":
        return default
    wanted = type(default)
    if (
        isinstance(value, wanted)
        and not (wanted is int and isinstance(value, bool))
        and not (wanted is list and not _all_text(value))
    ):
        return value
    try:
        if wanted is bool:
            return {"true": True, "yes": True, "false": False, "no": False}[str(value).lower()]
        if wanted in (int, float) and not isinstance(value, bool):
            return wanted(value)
        if wanted is list and isinstance(value, str):
            return _words(value)
    except (KeyError, TypeError, ValueError):
        pass
    words = {
        str: "a text",
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        list: "a list of texts",
        dict: "a dictionary",
    }
    shown = "" if name in _SECRETS else f", not {value!r:.80}"
    advice = "; put it in quotes" if wanted in (str, list) else ""
    raise InputError(f"{name} must be {words[wanted]}{shown}{advice}")
