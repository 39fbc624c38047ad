# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""From the arguments of the event source logpush to its parts. Knows nothing of ansible-rulebook, nor of a web server."""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t

from .._api.connection import own_account
from .._clock import Clock
from .._errors import InputError
from .arguments import POLICIES, Arguments, read_arguments, read_policies
from .gate import Gate
from .receiver import Receiver
from .seldom import Seldom

_DEFAULTS: dict[str, t.Any] = {
    "account_id": "", "host": "127.0.0.1", "port": 0, "certfile": "", "keyfile": "", "header": "X-Logpush-Secret", "secret": "",
    "max_bytes": 16 * 1024 * 1024, "batch_size": 50, **POLICIES,
}  # fmt: skip
_LIMITS = {"port": (1, 65535), "max_bytes": (1024, 1024**3), "batch_size": (1, 1000)}
_SHORTEST_SECRET = 16


class Address(t.NamedTuple):
    """Where to listen. certfile, keyfile: of TLS; empty without. max_bytes: of the body of a request, packed or not."""

    host: str
    port: int
    certfile: str
    keyfile: str
    max_bytes: int


def make_receiver(
    given: Arguments, clock: Clock, warn: t.Callable[[str], None], seldom: Seldom
) -> tuple[Receiver, Gate, Address]:
    """Return what takes in alerts, who may hand them in, and where. Raises InputError for what is wrong with the arguments.

    warn: called with what is worth a warning at the start; seldom: with what requests cause.
    """
    values = read_arguments(given, _DEFAULTS, _LIMITS)
    if not re.match(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z", values["header"]):
        raise InputError("header must be the name of an HTTP header")
    if values["keyfile"] and not values["certfile"]:
        raise InputError("keyfile needs a certfile")
    account_id = own_account(values["account_id"] or os.environ.get("CLOUDFLARE_ACCOUNT_ID"))
    gate = Gate(
        values["header"], _secret(values["secret"] or os.environ.get("CLOUDFLARE_LOGPUSH_SECRET") or ""), seldom
    )
    if not values["certfile"] and not _is_loopback(values["host"]):
        warn(
            f"Without a certfile the secret and the alerts come to {values['host']} unencrypted, unless something before it is trusted with that."
        )
    receiver = Receiver(account_id, read_policies(values), values["batch_size"], values["max_bytes"], clock, seldom)
    return receiver, gate, Address(*(values[name] for name in Address._fields))


def _secret(value: str) -> str:
    if not value:
        raise InputError(
            "there is no secret: give the argument, or set the environment variable CLOUDFLARE_LOGPUSH_SECRET"
        )
    if len(value) < _SHORTEST_SECRET or not re.match(r"[!-~]+( [!-~]+)*\Z", value):
        raise InputError(f"secret must be at least {_SHORTEST_SECRET} characters of ASCII, without blanks at its ends")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
