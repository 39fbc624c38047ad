# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The values of variables, as people, surveys and inventories give them."""

from __future__ import annotations

import datetime
import difflib
import re
import time
import typing as t

import yaml

from ...module_utils._api.connection import own_account
from ...module_utils._errors import InputError
from ...module_utils._mail.filters import DELIVERY_STATUSES, DISPOSITIONS, SEARCH_OPTIONS, search_filters

_FALSE = ("false", "no", "off", "n", "f", "0", "0.0")
_TRUE = ("true", "yes", "on", "y", "t", "1", "1.0")


class Mistake(ValueError):
    """The variables cannot be used. The text is a sentence for the person who set them."""


class Values:
    """Reads one variable after the other, and collects the mistakes. None and an empty text are not given.

    variables: by their names without the prefix. defaults: for those that are not given.
    """

    def __init__(
        self, variables: t.Mapping[str, t.Any], prefix: str, defaults: t.Mapping[str, t.Any] | None = None
    ) -> None:
        self.mistakes: list[str] = []
        self.prefix = prefix
        self._variables = variables
        self._defaults = defaults or {}

    def check(self, *others: str) -> None:
        """Raise Mistake with every mistake, and these others, each once."""
        mistakes = dict.fromkeys([*self.mistakes, *others])
        if mistakes:
            raise Mistake(" ".join(mistakes))

    def given(self, name: str) -> bool:
        """Tell whether a variable is set, to any value."""
        return name in self._variables

    def value(self, name: str) -> t.Any:
        """Return a value as it is, None if it is not given and has no default."""
        value = self._variables.get(name)
        return self._defaults.get(name) if value is None or value == "" else value

    def text(self, name: str) -> str | None:
        """Return a text, None for an empty one."""
        return self.as_text(self.prefix + name, self.value(name))

    def choice(self, name: str, choices: t.Sequence[str]) -> str | None:
        """Return one of these words."""
        text = self.text(name)
        if text is None or text in choices:
            return text
        self.mistakes.append(
            f"{self.prefix}{name} must be {', '.join(choices[:-1])} or {choices[-1]}. It is {text!r:.40}."
        )
        return None

    def words(self, name: str, choices: t.Sequence[str]) -> list[str]:
        """Return a list of these words, which may be one text."""
        value = self.value(name)
        given = re.findall(r"[^\s,;]+", value) if isinstance(value, str) else value
        if not isinstance(given, (list, tuple)) or not set(map(str, given)) <= set(choices):
            self.mistakes.append(
                f"The value of {self.prefix}{name} must be one or more of: {', '.join(choices)}. It is {value!r:.80}."
            )
            return []
        return list(map(str, given))

    def flag(self, name: str) -> bool:
        """Return a truth value. What is neither true nor false is a mistake, because the variable may be a guard."""
        value = self.value(name)
        return value is not None and self._flag(self.prefix + name, value)

    def number(self, name: str) -> int | None:
        """Return a whole number."""
        value = self.value(name)
        return None if value is None else self._number(self.prefix + name, value)

    def dictionary(self, name: str, options: t.Collection[str]) -> dict[str, t.Any] | None:
        """Return a dictionary, which may be YAML or JSON in a text; None if it is not given. Other keys are mistakes."""
        value = self.value(name)
        if isinstance(value, str):
            try:
                value = yaml.safe_load(value)
            except yaml.YAMLError:
                value = False
        if value is None:
            return None
        if not isinstance(value, dict):
            self.mistakes.append(
                "quarantine_release_search and quarantine_release_policy must be dictionaries, such as {sender: partner.example, since: 7d}."
            )
            return {}
        for key in value:
            if key not in options:
                close = difflib.get_close_matches(str(key), options, 1)
                self.mistakes.append(
                    f"Not an option of {self.prefix}{name}: {key!s:.80}."
                    + "".join(f" Did you mean {one}?" for one in close)
                )
        return value

    def search(self, search: t.Mapping[str, t.Any], title: str) -> dict[str, t.Any]:
        """Return the options of a search that are given. title: begins the name of each."""
        found: dict[str, t.Any] = {}
        for name, value in search.items():
            if value is None or value == "":
                continue
            if name == "limit":
                found[name] = self._number(title + name, value)
            elif name == "detections_only":
                found[name] = self._flag(title + name, value)
            else:
                found[name] = self.as_text(title + name, value)
        given = {name: value for name, value in found.items() if value is not None}
        for name, choices in (("disposition", DISPOSITIONS), ("delivery_status", DELIVERY_STATUSES)):
            if given.get(name, choices[0]) not in choices:
                self.mistakes.append(f"{title}{name} must be one of: {', '.join(choices)}. It is {given[name]!r:.40}.")
        try:
            search_filters(given, time.time())
        except InputError as error:
            begins = title if str(error).split()[0] in SEARCH_OPTIONS else f"{title.rstrip('._')}: "
            self.mistakes.append(f"{begins}{error}.")
        return given

    def digest(self, name: str, host: str, of: str) -> str | None:
        """Return the digest that was approved, None if the variable is not given. An empty one is a mistake, because it approves nothing.

        The value may be a dictionary with the digest of each host. of: what has a digest.
        """
        if not self.given(name):
            return None
        given = self._variables[name]
        value = given.get(host) if isinstance(given, dict) else given
        text = "" if value is None or value is False or value == [] else str(value).strip().lower()
        if re.fullmatch("(sha256:)?[0-9a-f]{64}", text):
            return text
        if isinstance(given, dict) and not value:
            self.mistakes.append(f"{self.prefix}{name} has no digest for {host}, so no {of} of it was approved.")
        else:
            what = f"It is {value!s:.80}." if text else f"It is empty, so no {of} was approved."
            self.mistakes.append(
                f"{self.prefix}{name} must be sha256: and 64 hexadecimal digits, as the {of} has it. {what}"
            )
        return None

    def as_text(self, name: str, value: t.Any) -> str | None:
        """Return a value as text, without the quotes that a survey needs around some. None if it is not given."""
        if value is None:
            return None
        if not isinstance(value, str):
            self.mistakes.append(not_text(name, value))
            return None
        if value.endswith("\r"):
            self.mistakes.append(
                f"{name} ends with a carriage return, which is invisible. It comes from a file with the line ends of "
                "Windows (CRLF). Save that file with the line ends of Unix (LF)."
            )
        return _unquoted(value) or None

    def own_account(self, account_id: str | None, prefix: str) -> str | None:
        """Return the account that the modules will use. prefix: of the variable that has it."""
        try:
            return own_account(account_id)
        except InputError as error:
            self.mistakes.append(f"{prefix}{error}.")
            return None

    def _flag(self, name: str, value: t.Any) -> bool:
        word = str(value).strip().lower()
        if word not in (*_TRUE, *_FALSE):
            self.mistakes.append(f"{name} must be true or false, not {word!r:.40}.")
        return word in _TRUE

    def _number(self, name: str, value: t.Any) -> int | None:
        text = str(value).strip()
        if text and not re.fullmatch(r"\d{1,9}", text):
            self.mistakes.append(f"{name} must be a whole number, not {text!r:.40}.")
            return None
        return int(text) if text else None


def missing_account(
    account_id: str | None, host: str, hosts: int, missing: str = "quarantine_release_account_id is not set for"
) -> list[str]:
    """Return a mistake if a host has no account, and it cannot be that of the environment, because there are other hosts.

    missing: the beginning of the mistake, with the variable.
    """
    if account_id or hosts == 1:
        return []
    return [
        f"{missing} {host}. The account of the environment is only used by a play of one host, and this one has {hosts}."
    ]


def not_text(name: str, value: t.Any) -> str:
    """Return what is wrong with a value that is not text. YAML reads 0047, 1.10, yes and 2026-11-20 as something else."""
    if isinstance(value, bool):
        kind = f"true or false ({value})"
    elif isinstance(value, (int, float)):
        kind = f"a number ({value})"
    elif isinstance(value, (datetime.date, datetime.datetime)):
        kind = f"a date ({value})"
    else:
        return f"{name} must be text, not {type_name(value)}."
    return (
        f"{name} is {kind} and not text. Put it in quotes, such as '0047', because YAML reads some words without quotes as "
        "numbers or dates. In a survey of AWX, type the quotes into the answer. After !unsafe, write two pairs: \"'0047'\"."
    )


def type_name(value: t.Any) -> str:
    """Return what a value is called in errors. Since 2.19, ansible-core has types of its own that are made of these."""
    plain = next((kind for kind in (bool, int, float, str, list, dict) if isinstance(value, kind)), type(value))
    return plain.__name__


def _unquoted(text: str) -> str:
    """Return a text without the quotes around it, if they are there so that it is read as text.

    Quotes around several words may be meant as such.
    """
    match = re.fullmatch(r"""\s*(["'])(.*)\1\s*""", text, re.DOTALL)
    if not match:
        return text
    inner = match.group(2)
    if not re.search(r"\s", inner):
        return inner
    try:
        return text if isinstance(yaml.safe_load(inner), str) else inner
    except (yaml.YAMLError, ValueError):
        return text
