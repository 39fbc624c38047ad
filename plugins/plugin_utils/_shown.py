# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What people see of a message before they judge it. No text of a sender looks like another field or address."""

from __future__ import annotations

import re
import typing as t

from ..module_utils._text import first_few, printable

MOST = 10  # addresses of a list
_LONGEST = 2000  # characters of a text in which an address is looked for
_LONGEST_TEXT = 300
_LONGEST_LOCAL = 64
_LONGEST_DOMAIN = 255
_LONGEST_NAME = 60
_CUT = "\u2026"
_UNTOLD = "not stated"
_REACHED = ("delivered", "undelivered", "failed")

_NAMED = re.compile(r"""("(?:[^"\\]|\\.)*"\s*|[^",;:<>]*)<([^<>]*)>""")
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+")
_QUOTABLE = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s",;:<>()]+')
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?|\[[0-9A-Za-z.:]+\]")


def address(value: object, name: object = None) -> str:
    """Return an address with its domain whole, its local part cut in the middle, and the display name in quotes behind it.

    What is not exactly one address stands in quotes, with words that say so.
    """
    text = printable(_middle("" if value is None else str(value), _LONGEST), None).strip()
    named = _NAMED.fullmatch(text)
    bare = named[2].strip() if named else text
    local, _at, domain = bare.rpartition("@")
    if text in ("", "<>"):  # the latter is what a bounce has
        return text
    if not _DOMAIN.fullmatch(domain) or not _QUOTABLE.fullmatch(local):
        return f"not a plain address: {quoted(_middle(text, _LONGEST_TEXT))}"
    plain = _LOCAL.fullmatch(local)
    local = _middle(local if plain else local.strip('"'), _LONGEST_LOCAL)
    shown = f"{local if plain else quoted(local)}@{_middle(domain, _LONGEST_DOMAIN, 60)}"
    name = printable((named[1].strip().strip('"') if named else "") or name, _LONGEST_NAME).strip()
    return shown if name.lower() in ("", bare.lower()) else f"{shown} ({quoted(name)})"


def addresses(values: t.Iterable[object], most: int | None = MOST) -> str:
    """Return addresses as one text. most: how many it shows; it then says how many are left out."""
    return first_few(list(values), most, address)


def quoted(text: str) -> str:
    """Return a text in quotes. Nothing in the text ends the quotes."""
    return '"' + text.replace('"', "'") + '"'


def shown_message(message: t.Mapping[str, t.Any], most: int | None = MOST) -> dict[str, str]:
    """Return what a plan or a search shows of a message, by name. Empty if nothing is known about it.

    most: how many recipients.
    """
    if "from" not in message and "envelope_from" not in message:
        return {}
    validation = message.get("validation") or {}
    words = [f"{name.upper()} {printable(validation.get(name) or _UNTOLD, 40)}" for name in ("spf", "dkim", "dmarc")]
    return {
        "verdict": printable(message.get("final_disposition") or _UNTOLD),
        "reasons": printable(", ".join(map(str, message.get("detection_reasons") or [])) or "none"),
        "authentication": ", ".join(words),
        "from": address(message.get("from"), message.get("from_name")) or _UNTOLD,
        "envelope sender": address(message.get("envelope_from")) or _UNTOLD,
        "to": addresses(_recipients(message), most) or _UNTOLD,
        "subject": printable(message.get("subject")),
    }


def message_lines(message: t.Mapping[str, t.Any], show_content: bool = False, most: int | None = MOST) -> list[str]:
    """Return a line for each of these, and for the recipients whom a release reached or not.

    show_content: whether to show addresses and subject. most: how many addresses of each kind.
    """
    shown = shown_message(message, most)
    if shown:
        shown["subject"] = quoted(shown["subject"])
    shown.update({name: addresses(message[name], most) for name in _REACHED if message.get(name)})
    return [
        f"{name}: {text}"
        for name, text in shown.items()
        if show_content or name in ("verdict", "reasons", "authentication")
    ]


def _recipients(message: t.Mapping[str, t.Any]) -> list[object]:
    """Return all recipients, each once. A plan has them in one list."""
    names = ("recipients",) if "recipients" in message else ("envelope_to", "client_recipients", "to")
    found: dict[str, object] = {}
    for recipient in (recipient for name in names for recipient in message.get(name) or []):
        found.setdefault(str(recipient).lower(), recipient)
    return list(found.values())


def _middle(text: str, longest: int, head: int | None = None) -> str:
    """Return a text without its middle if it is too long. head: how many characters of its beginning stay."""
    if len(text) <= longest:
        return text
    head = longest // 2 if head is None else head
    return f"{text[:head]}{_CUT}{text[head + 1 - longest :]}"
