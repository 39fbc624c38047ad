# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Takes credentials out of answers, errors and journals, however they are spelled there."""

from __future__ import annotations

import base64
import re
import typing as t

T = t.TypeVar("T")

MASK = "********"
SHORTEST_SECRET = 16  # a shorter text could be a part of any word; no credential of Cloudflare is shorter

# What may be between two characters: NULs of UTF-16 read as another charset, line breaks, and what printable() makes of them.
_BETWEEN = r"[\x00-\x1f\x7f\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ufffd]"
# Without one of these, a text cannot spell a character in another way.
_MARKS = re.compile(rf"[\\%&=]|{_BETWEEN}")


class Masker:
    """Replaces secrets of SHORTEST_SECRET characters or more in text.

    It finds them as they are, in hex, in base64, and with the escapes of JSON, URLs, HTML and email.
    """

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        self._words: set[str] = set()
        patterns = []
        for secret in secrets:
            if len(secret) >= SHORTEST_SECRET:
                raw = secret.encode(errors="surrogateescape")
                encoded = _inner_base64(raw)
                self._words |= {word.lower() for word in (secret, raw.hex(), *encoded)}
                # In base64, the characters before and after the secret hold a part of it.
                patterns += [f"[A-Za-z0-9+/_-]?{re.escape(word)}[A-Za-z0-9+/_-]?" for word in encoded]
                patterns += [re.escape(raw.hex()), f"{_BETWEEN}{{0,4}}".join(map(_spelled, secret))]
        self._pattern = re.compile("|".join(patterns), re.IGNORECASE)

    def mask(self, value: T) -> T:
        """Return a value without the secrets: a text, or lists and dictionaries with their keys and values."""
        return t.cast(T, self._masked(value)) if self._words else value

    def found(self, value: object) -> set[str]:
        """Return the texts in a value that contain a secret."""
        if isinstance(value, str):
            return {value} if self.mask(value) != value else set()
        inner = (
            [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
        )
        return {text for item in inner for text in self.found(item)}

    def _masked(self, value: t.Any) -> t.Any:
        if isinstance(value, str):
            return self._pattern.sub(MASK, value) if self._may_hold(value) else value
        if isinstance(value, (list, tuple)):
            return [self._masked(item) for item in value]
        if isinstance(value, dict):
            return {self._masked(key): self._masked(item) for key, item in value.items()}
        return value

    def _may_hold(self, text: str) -> bool:
        """Tell quickly whether a text may contain a secret: the pattern takes much longer."""
        lower = text.lower()
        return any(word in lower for word in self._words) or _MARKS.search(text) is not None


def _spelled(character: str) -> str:
    """Return a pattern for a character, plain or escaped, also more than once. All repeats have a limit, so no text takes long."""
    code = ord(character)
    number = f"{code:02x}"
    return (
        rf"(?:\\{{0,8}}{re.escape(character)}|\\{{1,8}}(?:[ux]\{{?0{{0,6}}{number}\}}?|0?{code:03o})"
        rf"|%(?:25){{0,4}}(?:u00)?{number}|={number}|&(?:amp;){{0,4}}\#(?:x0{{0,6}}{number}|0{{0,6}}{code});?)"
    )


def _inner_base64(secret: bytes) -> set[str]:
    """Return the forms of a secret in base64, without the characters that depend on the text around it."""
    found = set()
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret).decode()
        inner = text[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]
        found |= {inner, inner.translate(str.maketrans("+/", "-_"))}
    return found
