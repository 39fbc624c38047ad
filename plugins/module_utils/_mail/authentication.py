# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Tells by the results of SPF, DKIM and DMARC whether the sender that a message shows is its real sender."""

from __future__ import annotations

import typing as t

from .._errors import InputError
from .addresses import Addresses

ALIGNED = "aligned"
ANY = "any"
NONE = "none"
LEVELS = (ALIGNED, ANY, NONE)
# The words of forms and earlier releases
_ALSO = {
    **dict.fromkeys(("", "true", "yes", "on", "y", "t", "1"), ALIGNED),
    **dict.fromkeys(("false", "no", "off", "n", "f", "0"), NONE),
}
# With these, DMARC has no result. Any other word except "pass" is a failure.
_NO_RESULT = ("", "none", "neutral", "unset")


def read_level(value: object) -> str:
    """Return the level that a value means. Raises InputError."""
    word = "" if value is None else str(value).strip().lower()
    level = word if word in LEVELS else _ALSO.get(word)
    if level is None:
        raise InputError(f"must be one of {', '.join(LEVELS)}, or true (aligned) or false (none), not {value!r:.80}")
    return level


def authenticated(level: str, validation: t.Mapping[str, str | None], envelope: Addresses, shown: Addresses) -> bool:
    """Tell whether a message passes a level.

    envelope, shown: its senders by the envelope and in the header From.
    """
    if level == NONE:
        return True
    spf, dkim, dmarc = ((validation.get(name) or "").strip().lower() for name in ("spf", "dkim", "dmarc"))
    if dmarc != "pass" and dmarc not in _NO_RESULT:
        return False
    if level == ANY:
        return "pass" in (spf, dkim, dmarc)
    shown_domains = {address.domain for address in shown or ()}
    # A result of DMARC is for one domain, and does not say which.
    if dmarc == "pass" and len(shown_domains) == 1:
        return True
    envelope_domains = {address.domain for address in envelope or ()}
    if spf != "pass" or not shown_domains or len(envelope_domains) != 1:
        return False
    return all(_related(domain, *envelope_domains) for domain in shown_domains)


def _related(left: str, right: str) -> bool:
    """Tell whether two domains are the same, or one is a parent of the other and not a top-level domain."""
    shorter, longer = sorted((left, right), key=len)
    return shorter == longer or ("." in shorter and longer.endswith(f".{shorter}"))
