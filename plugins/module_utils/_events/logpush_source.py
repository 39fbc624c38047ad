# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Makes the parts of the event source logpush from its arguments. Knows nothing of ansible-rulebook or a web server."""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t

from .._api.connection import own_account
from .._clock import Clock
from .._errors import InputError
from .arguments import POLICIES, Arguments, read_arguments, read_policies
from .limited_warnings import LimitedWarnings
from .receiver import Receiver
from .secret import SecretCheck

_DEFAULTS: dict[str, t.Any] = {
    "account_id": "", "host": "127.0.0.1", "port": 0, "certfile": "", "keyfile": "", "header": "X-Logpush-Secret", "secret": "",
    "max_bytes": 16 * 1024 * 1024, "batch_size": 50, **POLICIES,
}  # fmt: skip
_LIMITS = {"port": (1, 65535), "max_bytes": (1024, 1024**3), "batch_size": (1, 1000)}
_SHORTEST_SECRET = 16


class Address(t.NamedTuple):
    """Where to listen.

    certfile, keyfile: for TLS. Empty without TLS.
    max_bytes: of the body of a request, packed or unpacked.
    """

    host: str
    port: int
    certfile: str
    keyfile: str
    max_bytes: int


def make_receiver(
    given: Arguments, clock: Clock, warn: t.Callable[[str], None], warn_of_requests: LimitedWarnings
) -> tuple[Receiver, SecretCheck, Address]:
    """Return the receiver of alerts, the check of its clients, and the address to listen on. Raises InputError.

    warn: called with the warnings of the start.
    warn_of_requests: called with the warnings that requests cause.
    """
    values = read_arguments(given, _DEFAULTS, _LIMITS)
    if not re.match(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z", values["header"]):
        raise InputError("header must be the name of an HTTP header")
    if values["keyfile"] and not values["certfile"]:
        raise InputError("keyfile needs a certfile")
    account_id = own_account(values["account_id"] or os.environ.get("CLOUDFLARE_ACCOUNT_ID"))
    secret = _secret(values["secret"] or os.environ.get("CLOUDFLARE_LOGPUSH_SECRET") or "")
    check = SecretCheck(values["header"], secret, warn_of_requests)
    if not values["certfile"] and not _is_loopback(values["host"]):
        warn(
            f"Without certfile, the secret and the alerts come to {values['host']} unencrypted, unless a proxy in front of it provides TLS."
        )
    receiver = Receiver(
        account_id, read_policies(given), values["batch_size"], values["max_bytes"], clock, warn_of_requests
    )
    return receiver, check, Address(*(values[name] for name in Address._fields))


def _secret(value: str) -> str:
    if not value:
        raise InputError(
            "there is no secret: give the argument, or set the environment variable CLOUDFLARE_LOGPUSH_SECRET"
        )
    if len(value) < _SHORTEST_SECRET or not re.match(r"[!-~]+( [!-~]+)*\Z", value):
        raise InputError(
            f"secret must have at least {_SHORTEST_SECRET} characters of ASCII, without blanks at its ends"
        )
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
