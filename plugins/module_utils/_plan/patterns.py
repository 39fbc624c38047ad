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
import unicodedata

from .._errors import InputError
from .._mail.addresses import Address, Addresses, plain_domain, plain_local
from .._mail.wrapped import readings
from .._text import printable

# What people, mail programs and chats put around an address
_AROUND = ("<>", '""', "''", "``", "\u201c\u201d", "\u201e\u201c", "\u2018\u2019", "\u00ab\u00bb")


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
    """Tell whether each of these has an address, and every reading of every address matches a pattern."""
    parsed = [parse_pattern(pattern) for pattern in patterns]
    return all(
        addresses
        and all(reading and any(pattern.fits(reading) for pattern in parsed) for reading in _readings(addresses))
        for addresses in found
    )


def any_covered(patterns: t.Iterable[str], found: t.Iterable[Addresses]) -> bool:
    """Tell whether a pattern covers a reading of an address, or might, because one cannot be read. Without patterns, none does."""
    parsed = [parse_pattern(pattern) for pattern in patterns]
    return bool(parsed) and any(
        reading is None or any(pattern.covers(reading) for pattern in parsed)
        for addresses in found
        for reading in _readings(addresses)
    )


def _readings(addresses: Addresses) -> list[Address | None]:
    """Return all readings of addresses. None stands for what cannot be read."""
    return [None] if addresses is None else [reading for address in addresses for reading in readings(address)]


@functools.lru_cache(maxsize=4096)
def parse_pattern(text: str) -> Pattern:
    """Return the pattern in a text. Raises InputError for one that can never match, with advice what to write."""
    bare = _bare(text)
    local, at, domain = bare.rpartition("@")
    plain = (plain_local(local) if at else "*", plain_domain(domain, "*?"))
    if None in plain or _hidden(bare) or (at and local[:1] != '"' and re.search(r'[\s<>()\[\],;:"\\@]', local)):
        raise InputError(f"has the pattern {text!r:.80}, which can never match: {_advice(bare)}")
    who, where = t.cast("tuple[str, str]", plain)
    return Pattern(None if not who.strip("*") else who, where)


def _matches(text: str, pattern: str) -> bool:
    # Most patterns have no wildcard. To compare them directly is faster.
    return text == pattern or (("*" in pattern or "?" in pattern) and fnmatch.fnmatchcase(text, pattern))


def _bare(text: str) -> str:
    """Return a text without the blanks, angle brackets or quotes around it."""
    text = unicodedata.normalize("NFKC", text).strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] + text[-1] in _AROUND else text


def _hidden(text: str) -> str:
    """Return the first character of a text that shows as nothing, or an empty text."""
    return next((char for char in text if not char.isspace() and printable(char) not in (char, " ")), "")


def _advice(text: str) -> str:
    if not text:
        return "it is empty; write an address or a domain, or remove it"
    if _hidden(text):
        return f"it contains the invisible character U+{ord(_hidden(text)):04X}; type it again by hand"
    named = re.search(r"<([^<>@\s]+@[^<>@\s]+)>", text)
    url = re.match(r"(?:[a-z][a-z0-9+-]*:)?(?://(?:[^/?#@]*@)?)?([^/?#:]*)", text, re.IGNORECASE)
    if named:
        return f"it has more than an address; write {named[1]}"
    if url and url[1] != text and re.search("[:/]", text):
        readable = plain_domain(url[1].rpartition("@")[2], "*?")
        return f"it is a URL; write {url[1] if readable else 'an address or a domain'}"
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
    label = next(
        (label for label in text.rpartition("@")[2].split(".") if label and plain_domain(label, "*?") is None), ""
    )
    if label.isascii() and label:
        return f"{label:.70} cannot be a part of a domain; write an address (*@partner.example) or a domain (partner.example)"
    if label:
        return f"{label:.70} cannot be read as a part of a domain; write it in its A-label form (xn--...)"
    return "write an address (*@partner.example) or a domain (partner.example)"
