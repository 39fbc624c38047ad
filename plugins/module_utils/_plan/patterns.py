# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Patterns of addresses and domains, with the wildcards * and ?, in the rules of a policy."""

from __future__ import annotations

import fnmatch
import functools
import re
import typing as t

from .._errors import InputError
from .._mail.addresses import Address, Addresses, plain_domain, plain_local


class Pattern(t.NamedTuple):
    """A pattern. local: the part before the at sign, or None for every address of the domain."""

    local: str | None
    domain: str

    def fits(self, address: Address) -> bool:
        """Tell whether the pattern matches this address."""
        return _matches(address.domain, self.domain) and (self.local is None or _matches(address.local, self.local))

    def covers(self, address: Address) -> bool:
        """Tell whether the pattern matches this address, with or without its +tag, or is a parent of its domain."""
        if self.local is not None:
            return self.fits(address) or self.fits(address.untagged)
        labels = address.domain.split(".")
        return any(_matches(".".join(labels[first:]), self.domain) for first in range(len(labels)))


def all_fit(patterns: t.Iterable[str], found: t.Iterable[Addresses]) -> bool:
    """Tell whether each of these has an address, and every address matches a pattern."""
    parsed = [parse_pattern(pattern) for pattern in patterns]
    return all(
        addresses and all(any(pattern.fits(address) for pattern in parsed) for address in addresses)
        for addresses in found
    )


def any_covered(patterns: t.Iterable[str], found: t.Iterable[Addresses]) -> bool:
    """Tell whether a pattern covers an address, or might, because one cannot be read. Without patterns, none does."""
    parsed = [parse_pattern(pattern) for pattern in patterns]
    return bool(parsed) and any(
        addresses is None or any(pattern.covers(address) for pattern in parsed for address in addresses)
        for addresses in found
    )


@functools.lru_cache(maxsize=4096)
def parse_pattern(text: str) -> Pattern:
    """Return the pattern in a text. Raises InputError for one that can never match, with advice what to write."""
    local, at, domain = _bare(text).rpartition("@")
    plain = (plain_local(local) if at else "*", plain_domain(domain, "*?"))
    if None in plain or (at and local[:1] != '"' and re.search(r'[\s<>()\[\],;:"\\@]', local)):
        raise InputError(f"has the pattern {text!r:.80}, which can never match: {_advice(_bare(text))}")
    who, where = t.cast("tuple[str, str]", plain)
    return Pattern(None if not who.strip("*") else who, where)


def _matches(text: str, pattern: str) -> bool:
    # Most patterns have no wildcard. To compare them directly is faster.
    return text == pattern or (("*" in pattern or "?" in pattern) and fnmatch.fnmatchcase(text, pattern))


def _bare(text: str) -> str:
    """Return a text without the blanks, angle brackets or quotes around it."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] + text[-1] in ("<>", '""', "''") else text


def _advice(text: str) -> str:
    if not text:
        return "it is empty; write an address or a domain, or remove it"
    scheme = re.match(r"(?:mailto:|[a-z][a-z0-9+.-]*://)([^/?#]*)", text, re.IGNORECASE)
    if scheme:
        return f"it is a URL; write {scheme.group(1) or 'an address or a domain'}"
    if text[0] == "@":
        return f"there is nothing before the @; write {text[1:] or 'a domain'}"
    if text[-1] == "@":
        return f"there is nothing after the @; write {text}partner.example, or {text}* for any domain"
    if text[0] == ".":
        domain = text.strip(".") or "partner.example"
        return f"it begins with a dot; write {domain}, or *.{domain} for its sub-domains only"
    if "[" in text or "]" in text:
        return (
            "brackets have no meaning here; the wildcards are * and ?, and each address or domain needs its own pattern"
        )
    if re.search(r"[\s,;]", text):
        return "it contains a blank or a separator; write each address or domain as its own pattern"
    if not text.isascii():
        return "its domain cannot be read; write it in its A-label form (xn--...)"
    return "write an address (*@partner.example) or a domain (partner.example)"
