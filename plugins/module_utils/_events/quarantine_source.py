# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Makes a watcher from the arguments of the event source quarantine. Knows nothing of ansible-rulebook."""

from __future__ import annotations

import os
import typing as t

from .._api.client import Client
from .._api.connection import DEFAULT_URL, connection_settings, own_account
from .._clock import Clock
from .._mail.filters import WATCH_OPTIONS, search_filters
from .._mail.message import Message
from .._mail.messages import Messages
from .._times import parse_duration
from .arguments import POLICIES, Arguments, read_arguments, read_policies
from .cursor import Cursor
from .watcher import Watcher, WatchSettings

_CONNECTION: dict[str, t.Any] = {
    "account_id": "", "api_token": "", "api_email": "", "api_key": "", "api_url": "", "ca_path": "",
    "timeout": 60.0, "retries": 5, "max_wait": 600.0, "validate_certs": True,
}  # fmt: skip
_OWN: dict[str, t.Any] = {
    "interval": 60.0, "since": "1h", "overlap": 900.0, "repeat_after": 900.0, "batch_size": 50, "state_file": "", **POLICIES,
}  # fmt: skip
_DEFAULTS: dict[str, t.Any] = {**_CONNECTION, **_OWN, **dict.fromkeys(WATCH_OPTIONS, "")}
_LIMITS = {"interval": (1, 86400), "overlap": (60, 86400), "repeat_after": (5, 86400), "batch_size": (1, 1000)}


def make_watcher(given: Arguments, clock: Clock, warn: t.Callable[[str], None]) -> tuple[Watcher, float]:
    """Return a watcher and the seconds between its polls. Raises InputError."""
    values = read_arguments(given, _DEFAULTS, _LIMITS)
    values["account_id"] = own_account(values["account_id"] or os.environ.get("CLOUDFLARE_ACCOUNT_ID"))
    values["api_url"] = values["api_url"] or os.environ.get("CLOUDFLARE_BASE_URL") or DEFAULT_URL
    settings = connection_settings(values, values["account_id"], "event source", warn)
    watch = WatchSettings(
        account_id=values["account_id"],
        search={name: values[name] for name in WATCH_OPTIONS},
        since=parse_duration(values["since"], "since").total_seconds(),
        overlap=values["overlap"],
        repeat_after=values["repeat_after"],
        batch_size=values["batch_size"],
        policies=read_policies(values),
    )
    search_filters(
        watch.search, clock.time()
    )  # refuses what cannot be searched for at the start, not at the first poll
    if not values["state_file"]:
        warn(
            "Without state_file, the event source sends events for the messages of the last hours again after each start."
        )
    cursor = Cursor(values["state_file"], values["account_id"])
    return Watcher(watch, lambda: Messages(Client(settings, clock), clock, Message), cursor, clock, warn), values[
        "interval"
    ]
