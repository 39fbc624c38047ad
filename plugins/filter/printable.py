# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: printable
short_description: "Internal: Show text from strangers in one line"
version_added: 0.5.0
description:
  - Replaces control characters and other characters that could hide or disguise text, so that it is safe to show in a terminal.
    Every kind of white space becomes a plain space.
  - This plugin is internal to the role and the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The text.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Show the answer of a server
  ansible.builtin.debug:
    msg: "{{ result.msg | emailsec.cloudflare.printable }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

import typing as t

from ..module_utils._text import printable


def _printable(text: object) -> str:
    return printable(text, None)


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"printable": _printable}
