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
import unicodedata

from .._errors import InputError

INVESTIGATE_ID = "investigate_id"
POSTFIX_ID = "postfix_id"
MESSAGE_ID = "message_id"

_MAX_LENGTH = 998  # RFC 5322, 2.1.1: the longest line, and so the longest Message-ID
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
    """Return the handle in a value. Raises InputError with the reason if it cannot be one."""
    if not isinstance(value, str):
        raise InputError(
            f"is not a string but {'null' if value is None else 'of type ' + type(value).__name__}; put the id in quotes"
        )
    text = value.strip(" ")
    if not text:
        raise InputError("is empty")
    if len(text) > _MAX_LENGTH:
        raise InputError(f"has {len(text)} characters, more than any id")
    if any(unicodedata.category(char)[0] in "CZ" for char in text):
        raise InputError("contains white space, a line break or a control character")
    if "@" in text:
        if not re.match(r"<?[^<>@]+@[^<>]+>?$", text) or text.startswith("<") != text.endswith(">"):
            raise InputError("looks like a Message-ID but does not have the form <left@right>")
        return Handle(text, MESSAGE_ID)
    if re.search(r"[/\\<>]", text) or set(text) == {"."} or text == "..":
        raise InputError("contains a slash or another character that no id has")
    match = _DATED.match(text)
    return Handle(text, INVESTIGATE_ID if match and match.group("serial") else POSTFIX_ID)


def parse_handles(values: t.Iterable[object], option: str = "messages") -> list[Handle]:
    """Return the handles in a list of values, each once, in their order. Raises one InputError that names all bad ones."""
    try:
        return parse_named_handles((f"{option}[{index}]", value) for index, value in enumerate(values))
    except InputError as error:
        raise InputError(f"Unusable message handles: {error}. Nothing was sent.") from None


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
