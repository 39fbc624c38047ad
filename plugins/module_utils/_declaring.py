# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What all modules that declare a settings list do."""

from __future__ import annotations

import typing as t

from ._api.connection import in_range
from ._arguments import fail, make_client
from ._clock import Clock
from ._errors import CloudflareError
from ._settings.apply import Limits, apply
from ._settings.declared import read_declared
from ._settings.difference import Wish
from ._settings.kinds import Kind
from ._times import from_seconds


def declare(module: t.Any, kind: Kind, clock: Clock) -> None:
    """Make the account have the entries that an AnsibleModule was given, and end it."""
    params = module.params
    client = None
    clock.stop_on_signals()
    try:
        client = make_client(module, clock)
        today = from_seconds(clock.time()).date()
        wish = Wish(
            kind,
            read_declared(kind, params["entries"], today),
            params["purge"],
            params.get("remove_expired", False),
            today,
        )
        limits = Limits(
            in_range(params, "max_deletions", 0),
            params["allow_broad"],
            params.get("manage_existence", False),
            params["retries"],
        )
        outcome = apply(client, clock, wish, limits, module.check_mode)
    except CloudflareError as error:
        fail(module, error, api_calls=client.calls if client else 0)
    result = {**outcome.data(), **client.used()}
    if module._diff:
        result["diff"] = outcome.diff()
    if outcome.error:
        fail(module, outcome.error, **result)
    module.exit_json(**result)
