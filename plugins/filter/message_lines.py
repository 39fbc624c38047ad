# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: message_lines
short_description: Show what there is to know of a message before it is released
version_added: 0.5.0
description:
  - Turns a message of a plan or of M(emailsec.cloudflare.message_info) into lines with verdict, reasons of the detection,
    authentication (SPF, DKIM and DMARC), sender, envelope sender, recipients and subject.
  - The domain of an address is always shown whole. A long local part loses its middle. A display name stands in quotes behind
    the address. What is not exactly one address is shown in quotes and marked.
  - It is there for the role and the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The message.
    type: dict
    required: true
  show_content:
    description: Whether senders, recipients and subject are shown.
    type: bool
    default: false
  most:
    description: Show so many recipients at the most, and then how many are left out. Null shows all.
    type: int
    default: 10
seealso:
  - plugin: emailsec.cloudflare.plan_lines
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what was found
  ansible.builtin.debug:
    msg: "{{ item | emailsec.cloudflare.message_lines(show_content=true) }}"
  loop: "{{ found.messages }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ..plugin_utils._shown import message_lines


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"message_lines": message_lines}
