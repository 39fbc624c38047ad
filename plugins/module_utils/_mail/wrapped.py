# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Envelope addresses that contain another address, because a mail server tagged bounces (BATV) or forwarded mail (SRS).

- BATV: prvs=TAG=local@domain, prvs=local=TAG@domain, prvs=local/TAG@domain, btv1==TAG==local@domain
- SRS: SRS0=HASH=TIME=domain=local@forwarder, SRS1=HASH=forwarder==HASH=TIME=domain=local@second.forwarder

VERP (bounces+local=domain@list.example) contains the recipient, which says nothing about the sender.
"""

from __future__ import annotations

import re

from .addresses import Address, address_of

_MOST = 32
_SCHEME = re.compile("prvs=|btv1=|srs[01][=+-]")


def readings(address: Address) -> tuple[Address | None, ...]:
    """Return an address and every address that it may contain. None among them: what it contains cannot be read."""
    found: list[Address | None] = [address]
    for one in found:
        found += [inner for inner in (_inside(one) if one else ()) if inner not in found]
        if len(found) > _MOST:
            return (*found[:_MOST], None)
    return tuple(found)


def _inside(address: Address) -> list[Address | None]:
    scheme = _SCHEME.match(address.local)
    if not scheme:
        return []
    kind, rest = scheme[0][:4], address.local[scheme.end() :]
    locals_, domain = [], address.domain
    if kind == "prvs":  # Which part is the tag, nobody can tell.
        cuts = list(re.finditer("[=/]", rest))
        locals_ = [part for cut in cuts for part in (rest[: cut.start()], rest[cut.end() :]) if part]
    elif kind == "btv1":
        locals_ = [part for part in rest.split("==", 1)[1:] if part]
    elif kind == "srs0" and rest.count("=") > 2:
        _hash, _time, domain, local = rest.split("=", 3)
        locals_ = [local]
    elif kind == "srs1" and rest.count("=") > 1:
        _hash, domain, local = rest.split("=", 2)
        locals_ = [f"srs0{local}"] if local[:1] in ("=", "+", "-") else []
    return [address_of(local, domain) for local in locals_] or [None]
