# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a server, a proxy or a person may spell a secret."""

from __future__ import annotations

import base64
import html
import json
import typing as t
import urllib.parse


def _each(form: str) -> t.Callable[[str], str]:
    """Return what spells every character in this form."""
    return lambda secret: "".join(form.format(ord(character)) for character in secret)


SPELLINGS: dict[str, t.Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "json": _each("\\u{:04x}"),
    "json_upper": _each("\\u{:04X}"),
    "json_twice": _each("\\\\u{:04x}"),
    "javascript": _each("\\x{:02x}"),
    "octal": _each("\\{:03o}"),
    "backslashes": "\\".join,
    "percent": _each("%{:02X}"),
    "percent_lower": _each("%{:02x}"),
    "percent_twice": lambda secret: urllib.parse.quote(urllib.parse.quote(secret + "/", safe="")),
    "query": lambda secret: f"token={secret}%20",
    "quoted_printable": _each("={:02X}"),
    "entities": _each("&#{:d};"),
    "entities_hex": _each("&#x{:X};"),
    "entities_twice": lambda secret: html.escape(_each("&#{:d};")(secret)),
    "percent_in_json": lambda secret: json.dumps({"a": json.dumps(_each("%{:02x}")(secret))}),
    "utf_16_as_latin_1": lambda secret: secret.encode("utf-16-le").decode("latin-1"),
    "utf_16_with_replacements": "\ufffd".join,
    "lines": lambda secret: f"{secret[:7]}\r\n\t{secret[7:]}",
    "hex": lambda secret: secret.encode().hex(),
    "basic": lambda secret: base64.b64encode(f"operator@corp.example:{secret}".encode()).decode(),
    "base64_url": lambda secret: base64.urlsafe_b64encode(f"a:{secret}~".encode()).decode(),
}


def shows(text: str, *secrets: str) -> list[str]:
    """Return which secrets a text shows, itself or as JSON."""
    return [secret for secret in secrets if secret in text or json.dumps(secret)[1:-1] in text]
