# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What is wrong with a pattern, and what it opens that nobody wants opened by mistake."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .._mail.addresses import plain_domain
from .._text import printable
from .kinds import ALWAYS, Kind, Row

# Cloudflare refuses addresses that are not public. Those of documentation are left to Cloudflare.
_NOT_PUBLIC = [
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10",
        "::1/128", "fc00::/7", "fe80::/10",
    )
]  # fmt: skip
# Names of no company below the domain of a country, such as co.uk
_REGISTRIES = frozenset((
    "ac", "asn", "biz", "co", "com", "edu", "fed", "firm", "gen", "go", "gob", "gouv", "gov", "govt", "gub",
    "ind", "info", "ltd", "me", "mil", "ne", "net", "nhs", "nic", "nom", "or", "org", "plc", "sch", "web",
))  # fmt: skip
# What other engines than Python's understand
_FOREIGN = (
    (re.compile(r"\\[pP](?:\{[^{}]*\}|\w)"), r"\\w"),
    (re.compile(r"\\z"), r"\\Z"),
    (re.compile(r"\(\?<(?=[A-Za-z_])"), "(?P<"),
    (re.compile(r"\(\?[imsxuUJ-]+\)"), ""),
    (re.compile(r"(?<=[*+?}])\+"), ""),
)
# Senders whom no pattern means that means somebody, and endings of their domains
_STRANGERS = (("q7vx2kd", "zk3w9fq"), ("qvxzkd", "zkwfqx"))
_ENDINGS = ("com", "net", "org", "info", "de", "ru", "cn", "io", "co.uk", "com.br", "xyz")


def flaw(kind: Kind, entry: Row) -> str | None:
    """Return what is wrong with the pattern of an entry, or with addresses and domains beside it, as "field: words", or None."""
    return _pattern_flaw(kind, entry) or next(_flaws_beside(entry), None)


def _flaws_beside(entry: Row) -> t.Iterator[str]:
    domain = plain_domain(entry.get("domain") or "")
    for text in entry.get("exclude") or ():
        if not (plain_domain(text) or "").endswith(f".{domain}"):
            yield f"exclude: {text!r:.80} is no sub-domain of {entry['domain']:.80}"
    for text in entry.get("ip_restrictions") or ():
        if _network(text) is None:
            yield f"ip_restrictions: {text!r:.80} is not an IP address or a CIDR block"


def _pattern_flaw(kind: Kind, entry: Row) -> str | None:
    name = kind.key[-1]
    if kind.regex == ALWAYS or (kind.regex is not None and entry.get(kind.regex) is True):
        name = "pattern" if kind.regex == ALWAYS else name
        problem = None if entry.get(name) is None else _regex_flaw(entry[name])
        return f"{name}: {problem}" if problem else None
    text = entry[name]
    if text != text.strip():
        return f"{name}: there are blanks around it; remove them"
    pattern_type = entry.get("pattern_type")
    if pattern_type == "IP":
        problem = _network_flaw(text)
    elif pattern_type == "EMAIL" or name == "email":
        problem = (
            None if re.match(r"[^@\s]+@[^@\s]+\Z|\*\Z", text) else "it is not an address; write name@partner.example"
        )
    elif pattern_type == "DOMAIN" or name == "domain" or kind.name == "trusted_domains":
        problem = None if plain_domain(text, "*") else "it is not a domain; write partner.example"
    else:
        problem = None
    return f"{name}: {problem}" if problem else None


def _regex_flaw(text: str) -> str | None:
    try:
        _compiled(text)
    except (re.error, OverflowError, RecursionError) as error:
        return f"it is not a regular expression ({printable(error, 100)})"
    return None


def _compiled(text: str) -> t.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error:
        for foreign, ours in _FOREIGN:
            text = foreign.sub(ours, text)
        return re.compile(text, re.IGNORECASE)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _network_flaw(text: str) -> str | None:
    network = _network(text)
    if network is None:
        return "it is not an IP address or a CIDR block"
    if any(network.version == private.version and network.subnet_of(private) for private in _NOT_PUBLIC):  # type: ignore[arg-type]
        return "Cloudflare takes public addresses only, and this is a private one"
    return None


def breadth(kind: Kind, entry: Row) -> str | None:
    """Return what an entry opens or blocks that nobody should open or block by mistake, or None."""
    if kind.name not in ("allow_policies", "block_senders", "trusted_domains"):
        return None
    pattern, pattern_type = str(entry.get("pattern")), entry.get("pattern_type")
    if pattern_type == "IP":
        return _broad_network(pattern)
    matches = _matcher(pattern, entry.get("is_regex") is True)
    below = {ending: _matches_stranger(matches, ending) for ending in (*_ENDINGS, *_endings_in(pattern))}
    if all(below[ending] for ending in _ENDINGS):
        return "it matches all mail"
    if kind.name == "block_senders":
        return None
    if any(below.values()) or ("@" not in pattern and _is_public_suffix(pattern)):
        return "it matches every domain below a public suffix"
    opens = [name for name in ("is_trusted_sender", "is_exempt_recipient") if entry.get(name) is True]
    if opens and (pattern_type == "DOMAIN" or any(_matches_domain(matches, name) for name in _domains_in(pattern))):
        return f"{opens[0]} bypasses every detection for a whole domain"
    return None


def _broad_network(text: str) -> str | None:
    network = _network(text)
    if network is None:
        return None
    return (
        "it matches a large part of the Internet" if network.prefixlen < (8 if network.version == 4 else 16) else None
    )


def _matcher(pattern: str, is_regex: bool) -> t.Callable[[str], object]:
    """Return what tells whether a pattern matches. A pattern that is no regular expression may have the wildcard *."""
    try:
        if is_regex:
            return _compiled(pattern).search
        return re.compile(re.escape(pattern).replace(r"\*", ".*") + r"\Z", re.IGNORECASE).match
    except (re.error, OverflowError, RecursionError):
        return lambda _text: None


def _matches_stranger(matches: t.Callable[[str], object], ending: str) -> bool:
    return any(matches(f"{local}@{name}.{ending}") or matches(f"{name}.{ending}") for local, name in _STRANGERS)


def _matches_domain(matches: t.Callable[[str], object], domain: str) -> bool:
    return any(matches(f"{local}@{domain}") for local, _name in _STRANGERS)


def _endings_in(pattern: str) -> list[str]:
    """Return what a pattern says after a dot: the domains below it may be meant."""
    return re.findall(r"(?<=\.)[a-z]{2,}(?:\.[a-z]{2,})?", pattern.lower().replace("\\", ""))


def _domains_in(pattern: str) -> list[str]:
    return re.findall(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", pattern.lower().replace("\\", ""))


def _is_public_suffix(text: str) -> bool:
    labels = [label for label in text.lower().strip("*.").split(".") if label]
    return len(labels) < 2 or (len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _REGISTRIES)
