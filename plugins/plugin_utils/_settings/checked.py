# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The entries of all lists of an account, checked before the first module runs, so that no list is written while another is wrong."""

from __future__ import annotations

import datetime
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._arguments import other_than_text
from ...module_utils._errors import InputError
from ...module_utils._settings.declared import read_declared
from ...module_utils._settings.options import list_argument_spec
from ...module_utils._text import printable
from .._quarantine_release.values import Mistake
from .asked import Wanted

_MOST_PROBLEMS = 5


def check(lists: t.Iterable[Wanted], today: datetime.date) -> None:
    """Raise Mistake for what the modules would refuse of these entries, whatever an account has."""
    problems = [problem for wanted in lists for problem in _problems(wanted, today)]
    if problems:
        raise Mistake("; ".join(problems[:_MOST_PROBLEMS]) + ".")


def _problems(wanted: Wanted, today: datetime.date) -> list[str]:
    spec = list_argument_spec(wanted.kind)["entries"]["options"]
    validator = ArgumentSpecValidator(spec)
    problems: list[str] = []
    entries = []
    for place, entry in zip(wanted.places, wanted.options["entries"]):
        given = _as_sent(entry)
        found = other_than_text({"type": "dict", "options": spec}, place, given)
        if not found:
            result = validator.validate(given)
            found = [f"{place}: {printable(words, 400)}" for words in result.error_messages]
            entries.append(result.validated_parameters)
        problems += found
    if not problems:
        try:
            read_declared(wanted.kind, entries, today)
        except InputError as error:
            problems.append(wanted.in_variables(str(error)).replace(". Nothing was sent.", ""))
    return problems


def _as_sent(value: t.Any) -> t.Any:
    """Return a value as a module gets it: as plain data, in which a day is a text."""
    if isinstance(value, t.Mapping):
        return {str(name): _as_sent(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_sent(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date) else value
