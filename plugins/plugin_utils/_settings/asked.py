# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What the variables of the role settings ask for."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._settings.keys import key_of, keys_to_look_for
from ...module_utils._settings.kinds import KINDS, Kind
from .._quarantine_release.names import SETTINGS
from .._quarantine_release.values import Values, missing_account, type_name

_DEFAULTS = {"max_deletions": 10}
_EXPIRING = [name for name, kind in KINDS.items() if kind.comments]
# Options in the messages of modules, which are variables with the same name
_OPTION = re.compile(r"(?<![\w.@-])(max_deletions|allow_broad|manage_existence|purge)(?![\w@-]|\.\w)")

Entries = t.List[t.Mapping[str, t.Any]]


class Wanted(t.NamedTuple):
    """A list that is to be as declared.

    options: of its module. places: for each of its entries, where it is declared.
    """

    kind: Kind
    options: dict[str, t.Any]
    places: list[str]

    def in_variables(self, text: str) -> str:
        """Return a message of the module with the names of variables in place of those of its options."""
        places = dict(enumerate(self.places))
        text = _OPTION.sub(rf"{SETTINGS.prefix}\1", text)
        return re.sub(r"\bentries\[(\d+)\]", lambda match: places.get(int(match[1]), match[0]), text)

    def failure(self, result: t.Mapping[str, t.Any]) -> str:
        """Return why the list failed."""
        return self.in_variables(str(result.get("msg") or "the module ended without a result"))


class Asked(t.NamedTuple):
    """What is to be done in an account. account_id: None for the one of the environment. digest: the one that was approved, or None."""

    account_id: str | None
    lists: list[Wanted]
    fail_on_drift: bool = False
    fail_if_nothing: bool = False
    digest: str | None = None


def read(variables: t.Mapping[str, t.Any], host: str, hosts: int) -> Asked:
    """Return what is asked for. Raises Mistake with every mistake.

    variables: without their prefix. hosts: how many the play has.
    """
    reader = _Reader(variables, SETTINGS.prefix, _DEFAULTS)
    asked = Asked(
        reader.account(host, hosts),
        list(reader.wanted()),
        reader.flag("fail_on_drift"),
        reader.flag("fail_if_nothing"),
        reader.digest("digest", host, "drift"),
    )
    nothing = "No list is declared. Set one of the variables of the lists, such as settings_allow_policies."
    always = "With settings_fail_on_drift and settings_fail_if_nothing, every run would fail. Set only one of them."
    both = asked.fail_on_drift and asked.fail_if_nothing
    reader.check(*([] if asked.lists or reader.mistakes else [nothing]), *([always] if both else []))
    return asked


def read_expired(variables: t.Mapping[str, t.Any], host: str, hosts: int) -> Asked:
    """Return what is asked for if only what has expired is removed: from all lists, unless some are named. Raises Mistake."""
    reader = _Reader(variables, SETTINGS.prefix, {**_DEFAULTS, "remove_expired": True})
    names, _all = reader.lists("remove_expired", _EXPIRING)
    limit = reader.number("max_deletions")
    options = {"entries": [], "remove_expired": True, "max_deletions": limit}
    asked = Asked(reader.account(host, hosts), [Wanted(KINDS[name], options, []) for name in names])
    reader.check()
    return asked


def read_account(variables: t.Mapping[str, t.Any], host: str, hosts: int) -> str | None:
    """Return the account, None for the one of the environment. Raises Mistake."""
    reader = _Reader(variables, SETTINGS.prefix)
    account_id = reader.account(host, hosts)
    reader.check()
    return account_id


def merged(kind: Kind, levels: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]]) -> tuple[Entries, list[str]]:
    """Return the entries of several levels as one list, and where each is declared.

    An entry of a later level replaces one of an earlier level with the same key. What one level has twice stays, so that the module
    refuses it.

    levels: by the name of their variable, without its prefix.
    """
    entries: Entries = []
    places: list[str] = []
    for name, level in levels.items():
        known = {key_of(kind, entry): index for index, entry in reversed(list(enumerate(entries)))}
        for number, entry in enumerate(level):
            place = f"{SETTINGS.prefix}{name}[{number}]"
            key = next((key for key in keys_to_look_for(kind, entry) if key in known), None)
            if key is None:
                entries.append(entry)
                places.append(place)
            else:
                index = known.pop(key)
                entries[index], places[index] = entry, place
    return entries, places


class _Reader(Values):
    def account(self, host: str, hosts: int) -> str | None:
        """Return the account that the modules will use."""
        account_id = self.as_text("settings_account_id", self.value("account_id"))
        self.mistakes += missing_account(account_id, host, hosts, "settings_account_id is not set for")
        return self.own_account(account_id, self.prefix) if account_id else None

    def wanted(self) -> t.Iterator[Wanted]:
        """Yield each list that is declared, or whose expired entries are to be removed."""
        purge, purge_all = self.lists("purge", list(KINDS))
        broad, _all = self.lists("allow_broad", list(KINDS))
        expired, expired_all = self.lists("remove_expired", _EXPIRING)
        limit, manage = self.number("max_deletions"), self.flag("manage_existence")
        for name, kind in KINDS.items():
            levels = {level: self.entries(level) for level in (name, f"{name}_group", f"{name}_extra")}
            declared = any(entries is not None for entries in levels.values())
            purges = name in purge and (not purge_all or (declared and (manage or not kind.guarded)))
            if purges and levels[name] is None:
                self.mistakes.append(
                    f"settings_purge would delete all other entries of {name}, but settings_{name} is not set. Declare it, if only as []."
                )
            if not declared and (expired_all or name not in expired):
                continue
            entries, places = merged(kind, {level: entries or [] for level, entries in levels.items()})
            options: dict[str, t.Any] = {
                "entries": entries,
                "purge": purges,
                "max_deletions": limit,
                "allow_broad": name in broad,
            }
            if kind.comments:
                options["remove_expired"] = name in expired
            if kind.guarded:
                options["manage_existence"] = manage
            yield Wanted(kind, options, places)

    def entries(self, name: str) -> Entries | None:
        """Return the entries in a variable, None if it is not given."""
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, (list, tuple)):
            self.mistakes.append(f"{self.prefix}{name} must be a list of entries, not {type_name(value)}.")
            return []
        odd = [index for index, entry in enumerate(value) if not isinstance(entry, t.Mapping)]
        if odd:
            self.mistakes.append(f"{self.prefix}{name}[{odd[0]}] must be a dictionary with the fields of an entry.")
            return []
        return list(value)

    def lists(self, name: str, choices: t.Sequence[str]) -> tuple[list[str], bool]:
        """Return the lists for which a variable is on, and whether it does not name them but is on for all."""
        value = self.value(name)
        if isinstance(value, (list, tuple)) or (isinstance(value, str) and ("_" in value or value == "domains")):
            return self.words(name, choices), False
        return (list(choices), True) if self.flag(name) else ([], False)
