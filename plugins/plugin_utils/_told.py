# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What was asked for, in words, before anything is found. Knows nothing of Ansible."""

from __future__ import annotations

import typing as t

from ..module_utils._text import printable
from ._quarantine_release.names import FILTERS
from ._shown import quoted

_HIDDEN = ("subject", "query", "message_id")


def counted(handles: t.Sequence[t.Any]) -> str:
    """Return how many messages were asked for."""
    return "1 message was asked for." if len(handles) == 1 else f"{len(handles)} messages were asked for."


def searched(search: t.Mapping[str, t.Any], show_content: bool) -> str:
    """Return what is searched for.

    show_content: whether to show addresses and words of subjects. Otherwise, the domain of an address is shown.
    """
    whose = [] if any(search.get(name) for name in FILTERS) else ["any message"]
    told = [f"{name.replace('_', ' ')} {_shown(name, value, show_content)}" for name, value in search.items()]
    return f"Searched for: {'; '.join([*whose, *told])}."


def _shown(name: str, value: t.Any, show_content: bool) -> str:
    if name in _HIDDEN:
        return quoted(printable(value)) if show_content else "(not shown)"
    _local, at, domain = str(value).rpartition("@")
    return printable(f"(an address) at {domain}" if at and not show_content else value)
