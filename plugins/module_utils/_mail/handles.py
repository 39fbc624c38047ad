# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Handles: what a person gives to name a message.

- an investigate id: 4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678
- a legacy postfix id: 4Njp3P0STMz2c02Q
- an RFC 5322 Message-ID: <a1@sender.example>

The forms are those of Cloudflare's examples. The ids are opaque, so their form is only a hint.
"""

from __future__ import annotations

import datetime
import re
import typing as t

from .._errors import InputError
from .._text import printable
from .pasted import cleaned, is_odd, listed, name_of, split_handles, stripped

INVESTIGATE_ID = "investigate_id"
POSTFIX_ID = "postfix_id"
MESSAGE_ID = "message_id"

_MOST_OCTETS = 998  # RFC 5322, 2.1.1: the longest line, and so the longest Message-ID
# Without angle brackets, a Message-ID has nothing that could belong to the text around it.
_BARE_MESSAGE_ID = re.compile(
    r"""(?:"[ !#-~]+"|[!#$%&*+\-./0-9=?@A-Z^_a-z{}~][!#-'*+\-./0-9=?@A-Z^_`a-z{}~]*)"""
    r"""@(?:\[[!-Z^-~]+\]|[!#$%&*+\-./0-9=?A-Z^_a-z{}~]+)"""
)
_IN_NO_ID = re.compile(r"""[^!-~]|[/\\<>()\[\]{}|,;"'`*#?$&!]|%(?=[0-9A-Fa-f]{2})""")
# A name, a number or a bullet, as in lists
_PREFIX = re.compile(r"(?:[A-Za-z_]+[=:]|\d{1,4}\.|[-+=])(?=\w)")
_DATED = re.compile(r"(?P<postfix>.+?)-(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<serial>-\w+)?$")


class Handle(t.NamedTuple):
    """One name of a message. text: as it is sent. kind: which kind of id it is."""

    text: str
    kind: str

    @property
    def time(self) -> datetime.datetime | None:
        """Return the time in an id (UTC), a hint when the message was scanned, or None."""
        match = _DATED.match(self.text)
        try:
            time = datetime.datetime.fromisoformat(match.group("time")) if match else None
        except ValueError:
            return None
        return time.replace(tzinfo=datetime.timezone.utc) if time and 2000 <= time.year <= 2100 else None

    @property
    def looks_like_alert_id(self) -> bool:
        """Tell whether this is probably an alert id, which is no handle."""
        match = _DATED.match(self.text)
        return bool(match and not match.group("serial"))


def parse_handle(value: object) -> Handle:
    """Return the handle in a value, also in a message of message_info. Raises InputError with the reason if it is none."""
    if isinstance(value, dict):
        if "id" not in value:
            raise InputError(
                "is a dictionary without an id; give ids, such as \"{{ found.messages | map(attribute='id') }}\""
            )
        value = value["id"]
    if not isinstance(value, str):
        raise InputError(
            f"is not a string but {'null' if value is None else 'of type ' + type(value).__name__}; put the id in quotes"
        )
    text = cleaned(value)
    if not text:
        raise InputError("has only punctuation" if stripped(value) else "is empty")
    octets = len(text.encode(errors="surrogatepass"))
    if octets > _MOST_OCTETS:
        raise InputError(f"has {octets} octets, and no id has more than {_MOST_OCTETS}")
    if text[0] == "<" and text[-1] == ">":
        _refuse(text, re.search(r"[<>]", text[1:-1]))
        if not text[1:-1].strip():
            raise InputError("has nothing between its angle brackets")
        if re.match(r"<(mailto:|[a-z]+://)", text, re.IGNORECASE):
            raise InputError("is a link; give the Message-ID that it stands for")
        return Handle(text, MESSAGE_ID)
    if "@" in text:
        if not _BARE_MESSAGE_ID.fullmatch(text):
            _refuse(text, re.search(r"[^!-~]|[<>,;:|()\[\]\"'`\\]", text))
            raise InputError("has an @, but not the form left@right of a Message-ID")
        return Handle(text, MESSAGE_ID)
    _refuse(text, _IN_NO_ID.search(text))
    match, prefix = _DATED.match(text), _PREFIX.match(text)
    if prefix:
        raise InputError(f"begins with {prefix.group()} in front of the id")
    return Handle(text, INVESTIGATE_ID if match and match.group("serial") else POSTFIX_ID)


def _refuse(text: str, match: re.Match[str] | None) -> None:
    """Raise InputError if a text has a character that cannot be seen, or the one that was found in it."""
    odd = None if printable(text, None) == text else next(filter(is_odd, text), None)
    char = odd or (match and match.group())
    if char:
        raise InputError(f"contains {name_of(char)}")


def parse_handles(values: str | t.Iterable[object], option: str = "messages") -> list[Handle]:
    """Return the handles in a list of values, each once, in their order. Raises one InputError that names all bad ones.

    values: also a text that lists them.
    """
    try:
        if isinstance(values, str):
            values = split_handles(values, option) or [""]
        return parse_named_handles(
            (f"{option}[{index}]", one) for index, value in enumerate(values) for one in _items(value)
        )
    except InputError as error:
        raise InputError(
            f"Unusable message handles: {error}. Give each id alone, as an item of its own, and a Message-ID in angle brackets. "
            "Nothing was sent."
        ) from None


def _items(value: object) -> t.Sequence[object]:
    """Return the items of a list that was given as a text in a list."""
    items = listed(stripped(value)) if isinstance(value, str) else None
    return [value] if items is None else items


def parse_named_handles(
    values: t.Iterable[tuple[str, object]], parse: t.Callable[[object], Handle] = parse_handle
) -> list[Handle]:
    """Return the handles in pairs of a name and a value, as parse_handles does."""
    handles: dict[Handle, None] = {}
    problems = []
    for name, value in values:
        try:
            handles[parse(value)] = None
        except InputError as error:
            problems.append(f"{name} {error}")
    if problems:
        more = f", and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise InputError("; ".join(problems[:5]) + more)
    return list(handles)


def postfix_part(message_id: str | None) -> str | None:
    """Return the postfix id at the beginning of an investigate id, if it has the form of Cloudflare's examples."""
    match = _DATED.match(message_id or "")
    return match.group("postfix") if match else None


def same_message_id(left: str | None, right: str | None) -> bool:
    """Tell whether two Message-IDs are the same, with or without their angle brackets."""
    return left is not None and right is not None and left.strip().strip("<>") == right.strip().strip("<>")
