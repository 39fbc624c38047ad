# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What an entry of another product's list means here. Nothing is guessed: what could mean two things is an error."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ...module_utils._errors import InputError
from ...module_utils._mail.addresses import plain_domain
from ...module_utils._mail.pasted import stripped
from ...module_utils._settings.kinds import Kind
from ...module_utils._settings.patterns import flaw
from ...module_utils._text import printable

Fields = t.Dict[str, t.Any]
_NAMED = re.compile(r"[^<>@]*<\s*([^<>\s]+)\s*>")
_LOCAL = re.compile(r"""[^\s<>()\[\],;:"\\@]+""")
_EXPRESSION = re.compile(r"[\\^$|()\[\]]|(?:^|@)\.[*+]|\.[*+].*@")
_BY_HAND = "declare it as an entry of its own, with is_regex: true"


def key_fields(kind: Kind, cell: str) -> Fields:
    """Return the fields that say whom or what an entry is about. Raises InputError, whose text goes on with "it"."""
    text = stripped(cell)
    if "\ufffd" in printable(text, None):
        raise InputError(
            "has characters that cannot be seen, or that were read in a wrong encoding; save the file as UTF-8"
        )
    named = _NAMED.fullmatch(text)
    text = re.sub("(?i)^mailto:", "", named[1] if named else text)
    fields = _fields(text)
    if "pattern_type" not in kind.fields:
        _check_domain_alone(fields)
        fields = {"pattern": fields["pattern"]}
    problem = flaw(kind, fields)
    if problem:
        raise InputError(f"cannot be used: {problem.partition(': ')[2]}")
    return fields


def _fields(text: str) -> Fields:
    network = _network(text)
    if network:
        return {"pattern": network, "pattern_type": "IP"}
    if "://" in text:
        raise InputError("is a URL; write its domain, if all mail of the domain is meant")
    if _EXPRESSION.search(text):
        raise InputError(f"looks like a regular expression; {_BY_HAND}")
    if re.search(r"[\s,;]", text):
        raise InputError("is not one address or domain; put each on a line of its own")
    if re.search("[%?]", text):
        raise InputError(f"has % or ?, which may be a wildcard; {_BY_HAND}")
    local, _at, domain = text.rpartition("@")
    if "*" not in domain and local in ("", "*"):
        return {"pattern": _domain(domain), "pattern_type": "DOMAIN"}
    if local and not _LOCAL.fullmatch(local):
        raise InputError("is not an address; write name@partner.example")
    if "*" in text:
        return {"pattern": _expression(local or "*", domain), "pattern_type": "EMAIL", "is_regex": True}
    return {"pattern": f"{local.lower()}@{_domain(domain)}", "pattern_type": "EMAIL"}


def _network(text: str) -> str | None:
    try:
        return str(ipaddress.ip_network(text, strict=False) if "/" in text else ipaddress.ip_address(text))
    except ValueError:
        return None


def _domain(text: str, below: bool = False) -> str:
    plain = plain_domain(text)
    if text.startswith("."):
        raise InputError(f"begins with a dot; write *{text} for what is below the domain, without *. for the domain")
    if plain is None:
        raise InputError("is not an address, a domain, an IP address or a CIDR block")
    if "." not in plain and not below:
        raise InputError("has no dot, so it is not taken for a domain; if it is a heading, name it in column")
    if plain.rpartition(".")[2].isdigit():
        raise InputError(
            "is not an IP address; write four numbers from 0 to 255 without leading zeros, or a CIDR block"
        )
    return plain


def _expression(local: str, domain: str) -> str:
    """Return the regular expression for an address with wildcards."""
    below = domain.startswith("*.")
    if "*" in domain[2 if below else 0 :]:
        raise InputError(
            f"has a wildcard whose meaning is not certain; write *.partner.example or a CIDR block, or {_BY_HAND}"
        )
    name = "[^@]+" if local == "*" else "[^@]*".join(map(re.escape, local.lower().split("*")))
    return f"(?i)^{name}@{r'[^@]+[.]' if below else ''}{re.escape(_domain(domain[2 if below else 0 :], below))}$"


def _check_domain_alone(fields: Fields) -> None:
    if fields.get("is_regex"):
        raise InputError(f"has a wildcard; write each domain, or {_BY_HAND}")
    if fields["pattern_type"] != "DOMAIN":
        raise InputError("is not a domain; write partner.example")
