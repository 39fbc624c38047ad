# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reads addresses that strangers wrote: every one that a reader may see, in one spelling, or none if any is unclear."""

from __future__ import annotations

import functools
import inspect
import re
import typing as t
import unicodedata
from email.errors import MessageError
from email.header import decode_header, make_header
from email.utils import getaddresses

from .._text import printable

try:
    import idna
except ImportError:  # It comes with requests. Without it, only ASCII can be read.
    idna = None  # type: ignore[assignment]
# In strict mode, it would hide unclear addresses. A Python without this parameter is never strict.
_getaddresses: t.Callable[[list[str]], list[tuple[str, str]]] = getaddresses
if "strict" in inspect.signature(getaddresses).parameters:
    _getaddresses = functools.partial(getaddresses, strict=False)

_LONGEST = 4096
_LONGEST_DOMAIN = 253
_LONGEST_LABEL = 63
# Everything with an at sign in the middle, also in a display name, a comment or a group
_ATOM = r'[^\s<>()\[\],;:"\\@]+'
_ADDRESS = re.compile(rf'("(?:[^"\\]|\\.)*"|(?<![^\s<>()\[\],;:"\\@]){_ATOM})@({_ATOM})')
# Blank, the sender of a bounce, or a group without members
_NOBODY = re.compile(r"\s*(?:<\s*>|[^@<>:;]*:\s*;?)?\s*")
_DOTS = re.compile("[.\u3002]")


class Address(t.NamedTuple):
    """An address in the spelling that is compared. domain: in A-label form."""

    local: str
    domain: str

    @property
    def untagged(self) -> Address:
        """Return the address without its +tag."""
        return self._replace(local=self.local.partition("+")[0] or self.local)


Addresses = t.Optional[t.Tuple[Address, ...]]


def read_addresses(text: str | None) -> Addresses:
    """Return every address in a text, wherever it is. Empty: the text names nobody. None: it cannot be read for certain."""
    return _read(text or "") if len(text or "") <= _LONGEST else None


def addresses_in_name(name: str | None) -> Addresses:
    """Return every address that a display name shows. Empty: it shows none. None: one cannot be read for certain."""
    text = _decoded(name or "") if len(name or "") <= _LONGEST else None
    found = [address_of(*match.groups()) for match in _ADDRESS.finditer(unicodedata.normalize("NFKC", text or ""))]
    return None if text is None or None in found else tuple(t.cast("list[Address]", found))


@functools.lru_cache(maxsize=1024)
def _read(text: str) -> Addresses:
    # Readers see encoded words as what they mean, servers as they are.
    found = [None if one is None else _read_plain(one) for one in dict.fromkeys((text, _decoded(text)))]
    return None if None in found else tuple(dict.fromkeys(address for some in found for address in some or ()))


def _decoded(text: str) -> str | None:
    """Return a text with its encoded words (RFC 2047) decoded, or None if they cannot be."""
    try:
        return str(make_header(decode_header(text))) if "=?" in text else text
    except (MessageError, LookupError, ValueError):
        return None


def _read_plain(text: str) -> Addresses:
    plain = unicodedata.normalize("NFKC", text)
    if _NOBODY.fullmatch(plain):
        return ()
    found = [address_of(*match.groups()) for match in _ADDRESS.finditer(plain)]
    if not found or None in found or "@" in _ADDRESS.sub("", plain):
        return None
    # A mail program that reads another address than this function may show another sender.
    for other in _as_mail_programs_do(text):
        if address_of(*other.rpartition("@")[::2]) not in found:
            return None
    return tuple(dict.fromkeys(t.cast("list[Address]", found)))


def plain_local(text: str) -> str | None:
    """Return the part before the at sign in the spelling that is compared, or None if it has invisible characters."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    text = unicodedata.normalize("NFKC", text).casefold()
    return text if text and printable(text, len(text)) == text else None


@functools.lru_cache(maxsize=4096)
def plain_domain(text: str, wildcards: str = "") -> str | None:
    """Return a domain in A-label form, in lower case and without a dot at its end. Return None if it is no domain.

    wildcards: other characters that it may contain.
    """
    if len(text) > _LONGEST_DOMAIN:
        return None
    labels = _DOTS.split(unicodedata.normalize("NFKC", text))
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    plain = [_label(label, wildcards) for label in labels]
    if None in plain or len(domain := ".".join(t.cast("list[str]", plain))) > _LONGEST_DOMAIN:
        return None
    return domain


def _label(label: str, wildcards: str) -> str | None:
    label = label.lower() if label.isascii() else label
    try:
        if not label.isascii():
            label = idna.encode(label, uts46=True).decode("ascii")
        elif label.startswith("xn--") and not set(wildcards).intersection(label):
            idna.ulabel(label)
    except (AttributeError, UnicodeError):  # idna is missing, or the label is invalid
        return None
    if len(label.replace("*", "") if wildcards else label) > _LONGEST_LABEL:
        return None
    return label if re.fullmatch(f"(?!-)[a-z0-9_{wildcards}-]+(?<!-)", label) else None


def address_of(local: str, domain: str) -> Address | None:
    """Return the address with these parts in the spelling that is compared, or None if it cannot be one."""
    plain = (plain_local(local), plain_domain(domain))
    return None if None in plain else Address(*t.cast("tuple[str, str]", plain))


def _as_mail_programs_do(text: str) -> list[str]:
    try:
        pairs = _getaddresses([text])
    except RecursionError:
        return [""]
    return [address for _name, address in pairs if "@" in address]
