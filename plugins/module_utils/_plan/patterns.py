# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Patterns of addresses and domains, with C(*) and C(?), in the rules of a policy."""

from __future__ import annotations

import fnmatch
import functools
import re
import typing as t

from .._errors import InputError
from .._mail.addresses import Address, Addresses, plain_domain, plain_local


class Pattern(t.NamedTuple):
    """local: None, if it is for everybody of the domain."""

    local: str | None
    domain: str

    def fits(self, address: Address) -> bool:
        """Tell whether it is for this very address."""
        return _matches(address.domain, self.domain) and (self.local is None or _matches(address.local, self.local))

    def covers(self, address: Address) -> bool:
        """Tell whether it is for this address or what belongs to it: a sub-domain of a domain, an address with a C(+tag)."""
        if self.local is not None:
            return self.fits(address) or self.fits(address.untagged)
        labels = address.domain.split(".")
        return any(_matches(".".join(labels[first:]), self.domain) for first in range(len(labels)))


def all_fit(patterns: t.Iterable[str], found: t.Iterable[Addresses]) -> bool:
    """Tell whether each of these names somebody, and everybody fits a pattern."""
    parsed = [parse_pattern(pattern) for pattern in patterns]
    return all(
        addresses and all(any(pattern.fits(address) for pattern in parsed) for address in addresses)
        for addresses in found
    )


def any_covered(patterns: t.Iterable[str], found: t.Iterable[Addresses]) -> bool:
    """Tell whether a pattern covers anybody of these, or might, as one of them cannot be read. Without patterns, none does."""
    parsed = [parse_pattern(pattern) for pattern in patterns]
    return bool(parsed) and any(
        addresses is None or any(pattern.covers(address) for pattern in parsed for address in addresses)
        for addresses in found
    )


@functools.lru_cache(maxsize=4096)
def parse_pattern(text: str) -> Pattern:
    """Return a pattern. Raises InputError for one that can never match, with what to write instead."""
    local, at, domain = _bare(text).rpartition("@")
    plain = (plain_local(local) if at else "*", plain_domain(domain, "*?"))
    if None in plain or (at and local[:1] != '"' and re.search(r'[\s<>()\[\],;:"\\@]', local)):
        raise InputError(f"has the pattern {text!r:.80}, which can never match: {_advice(_bare(text))}")
    who, where = t.cast("tuple[str, str]", plain)
    return Pattern(None if not who.strip("*") else who, where)


def _matches(text: str, pattern: str) -> bool:
    # Most patterns have no wildcard, and are compared faster without.
    return text == pattern or (("*" in pattern or "?" in pattern) and fnmatch.fnmatchcase(text, pattern))


def _bare(text: str) -> str:
    """Return a pattern without blanks, angle brackets and quotes around it."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] + text[-1] in ("<>", '""', "''") else text


def _advice(text: str) -> str:
    if not text:
        return "it is empty; write an address or a domain, or leave it out"
    scheme = re.match(r"(?:mailto:|[a-z][a-z0-9+.-]*://)([^/?#]*)", text, re.IGNORECASE)
    if scheme:
        return f"it is a URL; write {scheme.group(1) or 'an address or a domain'}"
    if text[0] == "@":
        return f"nothing is before the @; write {text[1:] or 'a domain'}"
    if text[-1] == "@":
        return f"nothing is after the @; write {text}partner.example, or {text}* for any domain"
    if text[0] == ".":
        domain = text.strip(".") or "partner.example"
        return f"it begins with a dot; write {domain}, or *.{domain} for its sub-domains alone"
    if "[" in text or "]" in text:
        return "brackets have no meaning here; the wildcards are * and ?, and each address or domain is a pattern of its own"
    if re.search(r"[\s,;]", text):
        return "it holds a blank or a separator; write each address or domain as a pattern of its own"
    if not text.isascii():
        return "its domain cannot be read; write it in its A-label form (xn--...)"
    return "write an address (*@partner.example) or a domain (partner.example)"
