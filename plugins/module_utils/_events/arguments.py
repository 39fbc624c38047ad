# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The arguments of an event source, which ansible-rulebook hands over as it finds them: none is checked, most may be text."""

from __future__ import annotations

import typing as t

from .._errors import InputError
from .._plan.policy import Policy
from .decisions import Policies

Arguments = t.Mapping[str, t.Any]
Limits = t.Mapping[str, t.Tuple[float, float]]
# Never shown, not even when they are wrong
_SECRETS = ("api_token", "api_key", "secret")
# Rules that may be text or true and false; the policy itself reads them.
_AS_GIVEN = ("require_authentication",)
POLICIES: dict[str, t.Any] = {"policy": {}, "approval_policy": {}}


def read_arguments(given: Arguments, defaults: Arguments, limits: Limits) -> dict[str, t.Any]:
    """Return every argument as what its default is. Raises InputError for what is wrong with them."""
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise InputError(
            f"these are no arguments of the event source: {', '.join(unknown)}; there are {', '.join(defaults)}"
        )
    values = {name: _typed(name, given.get(name), default) for name, default in defaults.items()}
    for name, (least, most) in limits.items():
        if not least <= values[name] <= most:
            raise InputError(f"{name} must be from {least} to {most}, not {values[name]:g}")
    return values


def read_policies(values: Arguments) -> Policies:
    """Return the arguments C(policy) and C(approval_policy). Raises InputError."""
    policy = _policy("policy", values["policy"]) if values["policy"] else None
    return Policies(policy, _policy("approval_policy", values["approval_policy"]))


def _policy(name: str, given: Arguments) -> Policy:
    """Return the policy with these rules. Raises InputError."""
    defaults = Policy()._asdict()
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise InputError(f"these are no rules of {name}: {', '.join(unknown)}; there are {', '.join(defaults)}")
    for rule, value in given.items():
        # A variable that nobody filled in must not let everything pass; without overrides, more is refused.
        if isinstance(defaults[rule], tuple) and rule != "overrides" and (value is None or _is_blank(value)):
            raise InputError(f"{name}.{rule} is empty; name what is meant, or leave the rule out")
    rules = {
        rule: _typed(f"{name}.{rule}", value, _example(defaults[rule]))
        for rule, value in given.items()
        if rule not in _AS_GIVEN
    }
    return Policy(**rules, **{rule: given[rule] for rule in _AS_GIVEN if rule in given}).checked(name)


def _example(default: t.Any) -> t.Any:
    return "" if default is None else list(default) if isinstance(default, tuple) else default


def _is_blank(value: t.Any) -> bool:
    return isinstance(value, str) and not _words(value)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _all_text(values: t.Iterable[t.Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _typed(name: str, value: t.Any, default: t.Any) -> t.Any:
    """Return a value as what its default is; the default, if none is given. Raises InputError."""
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
    raise InputError(f"{name} must be {words[wanted]}" + ("" if name in _SECRETS else f", not {value!r:.80}"))
