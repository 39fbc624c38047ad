# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""From the arguments of an event source to a watcher. Knows nothing of ansible-rulebook."""

from __future__ import annotations

import os
import typing as t

from ._client import Client
from ._clock import Clock
from ._connection import DEFAULT_URL, connection_settings, own_account
from ._cursor import Cursor
from ._errors import InputError
from ._messages import Messages
from ._policy import Policy
from ._times import parse_duration
from ._watching import Watch, Watcher

Arguments = t.Mapping[str, t.Any]
SEARCH = ("sender", "recipient", "subject", "query", "domain", "disposition")
_CONNECTION: dict[str, t.Any] = {
    "account_id": "", "api_token": "", "api_email": "", "api_key": "", "api_url": "", "ca_path": "",
    "timeout": 60.0, "retries": 5, "max_wait": 600.0, "validate_certs": True,
}  # fmt: skip
_OWN: dict[str, t.Any] = {
    "interval": 60.0, "since": "1h", "overlap": 900.0, "repeat_after": 900.0, "batch_size": 50, "state_file": "", "policy": {}, "approval_policy": {},
}  # fmt: skip
_DEFAULTS: dict[str, t.Any] = {**_CONNECTION, **_OWN, **dict.fromkeys(SEARCH, "")}
_LIMITS = {"interval": (1, 86400), "overlap": (60, 86400), "repeat_after": (5, 86400), "batch_size": (1, 1000)}


def make_watcher(given: Arguments, clock: Clock, warn: t.Callable[[str], None]) -> tuple[Watcher, float]:
    """Return a watcher, and the seconds between its polls. Raises InputError for what is wrong with the arguments."""
    unknown = sorted(set(given) - set(_DEFAULTS))
    if unknown:
        raise InputError(f"these are no arguments of the event source: {', '.join(unknown)}; there are {', '.join(_DEFAULTS)}")
    values = {name: _typed(name, given.get(name), default) for name, default in _DEFAULTS.items()}
    for name, (least, most) in _LIMITS.items():
        if not least <= values[name] <= most:
            raise InputError(f"{name} must be from {least} to {most}, not {values[name]:g}")
    values["account_id"] = own_account(values["account_id"] or os.environ.get("CLOUDFLARE_ACCOUNT_ID"))
    values["api_url"] = values["api_url"] or os.environ.get("CLOUDFLARE_BASE_URL") or DEFAULT_URL
    settings = connection_settings(values, values["account_id"], "event source", warn)
    watch = Watch(
        account_id=values["account_id"],
        search={name: values[name] for name in SEARCH},
        since=parse_duration(values["since"], "since").total_seconds(),
        overlap=values["overlap"],
        repeat_after=values["repeat_after"],
        batch_size=values["batch_size"],
        policy=_policy("policy", values["policy"]) if values["policy"] else None,
        approval_policy=_policy("approval_policy", values["approval_policy"]),
    )
    if not values["state_file"]:
        warn("Without a state_file the event source starts afresh each time, and tells of the mail of the last hours again.")
    cursor = Cursor(values["state_file"], values["account_id"])
    return Watcher(watch, lambda: Messages(Client(settings, clock), clock), cursor, clock, warn), values["interval"]


def _policy(name: str, given: Arguments) -> Policy:
    """Return the policy with these rules. Raises InputError."""
    defaults = Policy()._asdict()
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise InputError(f"these are no rules of {name}: {', '.join(unknown)}; there are {', '.join(defaults)}")
    rules = {rule: _typed(f"{name}.{rule}", value, _example(defaults[rule])) for rule, value in given.items()}
    return Policy(**rules).checked()


def _example(default: t.Any) -> t.Any:
    return "" if default is None else list(default) if isinstance(default, tuple) else default


def _typed(name: str, value: t.Any, default: t.Any) -> t.Any:
    """Return a value as what its default is; the default, if none is given. Raises InputError."""
    if value is None or value == "":
        return default
    wanted = type(default)
    if isinstance(value, wanted) and not (wanted is int and isinstance(value, bool)):
        return value
    try:
        if wanted is bool:
            return {"true": True, "yes": True, "false": False, "no": False}[str(value).lower()]
        if wanted in (int, float) and not isinstance(value, bool):
            return wanted(value)
        if wanted is list and isinstance(value, str):
            return [word.strip() for word in value.split(",") if word.strip()]
    except (KeyError, TypeError, ValueError):
        pass
    words = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", list: "a list", dict: "a dictionary"}
    raise InputError(f"{name} must be {words[wanted]}, not {value!r:.80}")
