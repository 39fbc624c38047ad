# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Taking credentials out of text, however they are spelled there: what answers, errors and journals hold is masked here."""

from __future__ import annotations

import base64
import html
import re
import typing as t

T = t.TypeVar("T")

MASK = "********"
SHORTEST_SECRET = 16  # a shorter one could be a part of any word; no credential of Cloudflare's is shorter

# Between characters: UTF-16 that was read as another charset has NULs there, long lines are broken, and printable() may have
# replaced either.
_BETWEEN = "[\x00-\x1f\x7f\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ufffd]"
# Only a text with one of these can spell a character in another way.
_MARKS = re.compile(rf"[\\%&=]|{_BETWEEN}")
# JSON, JavaScript, Python, C; URLs. Each also where it was escaped several times.
_ESCAPES = re.compile(rf"\\+(?:[ux]\{{?0*([0-9a-f]{{2}})\}}?)?|%(?:25)*(?:u00)?([0-9a-f]{{2}})|{_BETWEEN}+", re.IGNORECASE)
_QUOTED_PRINTABLE = re.compile("=([0-9a-f]{2})", re.IGNORECASE)
_OCTAL = re.compile(r"\\([01][0-7]{2})")
_MOST_LAYERS = 5


class Masker:
    """Masks secrets of C(SHORTEST_SECRET) characters or more.

    What is spelled as it is, in hex or in base64 is replaced. A text that spells some of its characters in another way is
    replaced as a whole.
    """

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        self._words: set[str] = set()
        patterns = []
        for secret in secrets:
            if len(secret) >= SHORTEST_SECRET:
                raw = secret.encode(errors="surrogateescape")
                plain, encoded = {secret, raw.hex()}, _inner_base64(raw)
                self._words |= {word.lower() for word in plain | encoded}
                patterns += map(re.escape, plain)
                # The neighbours of what is in base64 hold a part of it.
                patterns += [f"[A-Za-z0-9+/_-]?{re.escape(word)}[A-Za-z0-9+/_-]?" for word in encoded]
        self._pattern = re.compile("|".join(sorted(patterns, key=len, reverse=True)), re.IGNORECASE)

    def mask(self, value: T) -> T:
        """Return a value without the secrets: text, or whatever is made of lists and dictionaries, their keys included."""
        return t.cast(T, self._masked(value)) if self._words else value

    def found(self, value: object) -> set[str]:
        """Return the texts in a value that hold a secret."""
        if isinstance(value, str):
            return {value} if self.mask(value) != value else set()
        inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
        return {text for item in inner for text in self.found(item)}

    def _masked(self, value: t.Any) -> t.Any:
        if isinstance(value, str):
            text = self._pattern.sub(MASK, value) if self._is_in(value) else value
            return MASK if _MARKS.search(text) and self._is_hidden_in(text) else text
        if isinstance(value, (list, tuple)):
            return [self._masked(item) for item in value]
        if isinstance(value, dict):
            return {self._masked(key): self._masked(item) for key, item in value.items()}
        return value

    def _is_in(self, text: str) -> bool:
        lower = text.lower()
        return any(word in lower for word in self._words)

    def _is_hidden_in(self, text: str) -> bool:
        for _layer in range(_MOST_LAYERS):
            before = text
            text = html.unescape(text) if "&" in text else text
            # These could as well be a part of the secret, after a sign that means nothing.
            guesses = [guess.sub(_character, text) for guess in (_QUOTED_PRINTABLE, _OCTAL)]
            text = _ESCAPES.sub(_character, text)
            if self._is_in(text) or any(self._is_in(_ESCAPES.sub(_character, guess)) for guess in guesses if guess not in (before, text)):
                return True
            if text == before:
                return False
        return True


def _inner_base64(secret: bytes) -> set[str]:
    """Return what base64 makes of a secret wherever it stands in a longer text, less the characters that its neighbours share."""
    found = set()
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret).decode()
        inner = text[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]
        found |= {inner, inner.translate(str.maketrans("+/", "-_"))}
    return found


def _character(escape: re.Match[str]) -> str:
    digits = next(filter(None, escape.groups()), "")
    return chr(int(digits, 8 if escape.re is _OCTAL else 16)) if digits else ""
