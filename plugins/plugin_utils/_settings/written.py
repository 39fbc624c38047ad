# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The file that an export writes: the lists of an account as variables of its host."""

from __future__ import annotations

import os
import re
import typing as t

import yaml

from ...module_utils._settings.kinds import KINDS, Kind
from .._quarantine_release.names import SETTINGS
from .._quarantine_release.values import Mistake

HEADER = "# The settings of an account, written by emailsec.cloudflare.export_settings. The next export replaces this file.\n---\n"
_TEMPLATE = re.compile(r"\{[{%#]|\A#jinja2:")


class _Data(str):
    """Text that Ansible could take for a template."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists, as people do."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: t.Any) -> bool:
        """Write everything out."""
        return True


_Dumper.add_representer(_Data, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style="'"))


def as_variables(account_id: str, settings: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]]) -> str:
    """Return the file, with the fields of each entry in the order of the documentation."""
    parts: list[dict[str, t.Any]] = [{"account_id": _plain(account_id)}]
    parts += [{name: [_entry(KINDS[name], entry) for entry in entries]} for name, entries in settings.items()]
    return HEADER + "\n".join(_dumped({f"{SETTINGS.prefix}{name}": part[name] for name in part}) for part in parts)


def _entry(kind: Kind, entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    names = [name for name in (*kind.fields, "expires") if name in entry]
    return {name: _plain(entry[name]) for name in names}


def _plain(value: t.Any) -> t.Any:
    """Return a value without the marks of Ansible, and with its own where text could be a template."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        text = "".join(value)
        return _Data(text) if _TEMPLATE.search(text) else text
    return value if value is None or isinstance(value, bool) else int(value)


def _dumped(content: t.Any) -> str:
    return str(yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=float("inf")))


def export_path(directory: str, host: str) -> str:
    """Return where the variables of a host go: to a directory with its name if there is one, as Ansible reads no other file then.

    Raises Mistake if Ansible would then read only one of two files.
    """
    if os.sep in host or host in (".", ".."):
        raise Mistake(f"The host {host:.80} cannot be the name of a file. Rename it in the inventory.")
    whole = os.path.join(directory, host)
    if os.path.isdir(whole):
        return os.path.join(whole, "settings.yml")
    for other in (whole, f"{whole}.yaml", f"{whole}.json"):
        if os.path.lexists(other):
            raise Mistake(
                f"Ansible reads only one file for the host {host:.80}, and {other} exists. Use another settings_export_dir."
            )
    return f"{whole}.yml"
