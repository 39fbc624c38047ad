# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Handles as people paste them: removes what is certainly not part of them, and splits a text that lists several."""

from __future__ import annotations

import ast
import html
import json
import re
import typing as t
import unicodedata
import urllib.parse

from .._errors import InputError
from .._text import QUOTES, printable

# Most handles need no cleaning. To see that first is faster.
_PLAIN = re.compile(r"[\w-]+(?::[\w-]+)*", re.ASCII)
# Longer texts are no handles, and would take long to clean.
_LONGEST = 2000
_SEPARATORS = ",;\uff0c\uff1b\u3001"
_PUNCTUATION = f".\u3002{_SEPARATORS}"
_ENTITY = re.compile(r"&(?:[a-z]+|#\d+|#x[0-9a-f]+);", re.IGNORECASE)
_TIME = re.compile(r"(T\d\d)%3a(\d\d)%3a(\d\d)", re.IGNORECASE)
_HEADER = re.compile(r"message-id:\s*(?=<)", re.IGNORECASE)
# What chat and mail programs make of <left@right>
_LINKS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        r"<{0,2}mailto:(?P<id>[^\s<>|()%?]+@[^\s<>|()%?]+)(?:\|(?P=id))?>{0,2}",
        r"<?\[(?P<id>[^\s<>|()\[\]]+@[^\s<>|()\[\]]+)\]\(mailto:(?P=id)\)>?",
        r"<?(?P<id>[^\s<>|()]+@[^\s<>|()]+)\s?<mailto:(?P=id)>>?",
    )
]
_NAMES = {
    "\t": "white space (U+0009 TAB)",
    "\n": "a line break (U+000A)",
    "\r": "a carriage return (U+000D), as at each line end of a Windows file",
    "/": "a slash",
    "\\": "a backslash",
}

# A separator in angle brackets is a part of a Message-ID.
_ITEM = re.compile(rf"(?:<[^<>\r\n]*>|[^{_SEPARATORS}\r\n])+")
_WORD = re.compile(r"(?:<[^<>\r\n]*>|\S)+")
# Words of one line that are certainly handles, if all of them have the same form
_ALIKE = [
    re.compile(form)
    for form in (
        r"\S+-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-\w+|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9]{10,}",
        r"<[^<>]+>",
        r"[^\s<>@]+@[^\s<>@]+",
    )
]


def cleaned(text: str) -> str:
    """Return a pasted handle without what is around it. What is in angle brackets stays as it is."""
    before, text = None, stripped(text)
    while text != before and len(text) <= _LONGEST and not _PLAIN.fullmatch(text):
        before, text = text, stripped(_cleaned_once(text))
    return text


def _cleaned_once(text: str) -> str:
    if _ENTITY.match(text):
        return html.unescape(text)
    if text[-1:] in _PUNCTUATION and text[-2:] != "..":
        return text[:-1]
    if len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES:
        return text[1:-1]
    text = _HEADER.sub("", text, count=1)
    forms = _LINKS if "mailto:" in text.lower() else ()
    link = next(filter(None, (form.fullmatch(text) for form in forms)), None)
    if link:
        return f"<{link.group('id')}>"
    if text[:3].lower() == "%3c" and text[-3:].lower() == "%3e":
        return urllib.parse.unquote(text)
    return text if "@" in text else _TIME.sub(r"\1:\2:\3", text)


def stripped(text: str) -> str:
    """Return a text without white space and invisible formatting characters, such as byte order marks, at its ends."""
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_blank(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) == "Cf"


def is_odd(char: str) -> bool:
    """Tell whether a character cannot be seen, or is not in one line. The plain blank is not odd."""
    return printable(char) != char


def name_of(char: str) -> str:
    """Return how to call a character in an error."""
    code = f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip()
    if char in _NAMES:
        return _NAMES[char]
    if char.isspace():
        return f"white space ({code})"
    if unicodedata.category(char) == "Cc":
        return f"a control character ({code})"
    return code if is_odd(char) else f"{code} ({char})"


def split_handles(text: str, option: str) -> list[t.Any]:
    """Return the items of a list that was given as one text. Raises InputError unless it is certain where each one ends.

    The items are not cleaned, and need not be handles.
    """
    text = stripped(text)
    if _ENTITY.match(text):  # before its semicolons are taken for separators
        text = html.unescape(text)
    if text and text[-1] in _SEPARATORS:
        raise InputError(
            f"{option} ends in a separator ({text[-1]}), so a part of it may be missing: with -e name=value, Ansible cuts a list at "
            f'the first blank. Give several as JSON, such as -e \'{{"{option}": ["ID1", "ID2"]}}\''
        )
    items = listed(text)
    if items is not None:
        return items
    return [word for item in _ITEM.findall(text) for word in _words(item, option)]


def listed(text: str) -> list[t.Any] | None:
    """Return the list that a text is in JSON, or as Python shows it. Return None if it is neither."""
    if text[:1] != "[":
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            items = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(items, list):
            return items
    return None


def _words(item: str, option: str) -> list[str]:
    """Return the handles in one item. Raises InputError if it has other words as well, or may have."""
    words: list[str] = _WORD.findall(stripped(item))
    if len(words) < 2 or any(all(form.fullmatch(word) for word in map(cleaned, words)) for form in _ALIKE):
        return words
    raise InputError(
        f"{option} has {printable(' '.join(words), 80)!r}, which may be more than handles. Put commas or line breaks between the handles, "
        "and remove numbers, bullets, names and whatever else is not a handle"
    )
