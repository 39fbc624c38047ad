# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Makes text that strangers wrote safe to show and to pass on."""

from __future__ import annotations

import difflib
import re
import typing as t
import unicodedata

# Letters, marks and symbols by their Unicode category that show as nothing or as a blank: fillers, variation selectors,
# joiners, blanks of Braille, music, Khitan and hieroglyphs.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U0001107f\U00013441\U00013442\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
# Quotation marks of all kinds, and what is taken for one
QUOTES = "\"'`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u00ab\u00bb\u2039\u203a\uff02\uff07"
_LONGEST = 300
# Marks above or below one letter. More of them cover the lines around it.
_MOST_MARKS = 4


def printable(value: object, longest: int | None = _LONGEST) -> str:
    """Return text on one line without control characters, cut if it is too long. None becomes the empty text.

    Characters that terminals or browsers obey, that hide text, that cannot be seen, or that no standard defines become U+FFFD.
    All kinds of blanks become plain ones.

    longest: None to leave the length as it is.
    """
    text = "" if value is None else str(value)
    if longest is not None and len(text) > longest:
        return f"{_visible(text[:longest])}\u2026 (cut)"
    return _visible(text)


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for char in _INVISIBLE.sub("\ufffd", text):
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category == "Zs":
            shown.append(" ")
        else:
            shown.append("\ufffd" if category[0] in "CZ" or marks > _MOST_MARKS else char)
    return "".join(shown)


def ended(text: str) -> str:
    """Return a text that ends as a sentence does."""
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."


def first_few(values: t.Sequence[t.Any], most: int | None = 10, show: t.Callable[[t.Any], str] = str) -> str:
    """Return the first of these values as one text, and how many it leaves out. most: None for all. show: makes text of one."""
    shown = [show(value) for value in values[:most]]
    left = len(values) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def did_you_mean(word: str, known: t.Iterable[str]) -> str:
    """Return a word, with the closest of the known ones as a question if one is close."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f"{word} (did you mean {close[0]}?)" if close else word


def inert(value: object, longest: int = _LONGEST) -> str:
    """Return printable text that Ansible does not take for a template.

    Characters beyond U+FFFF, such as emoji, are replaced: ansible-rulebook splits them into halves, which Ansible cannot read.
    """
    return re.sub("[\U00010000-\U0010ffff]", "\ufffd", re.sub(r"\{(?=[{%#]|\Z)", "{ ", printable(value, longest)))
