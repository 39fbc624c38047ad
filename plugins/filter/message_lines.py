# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: message_lines
short_description: "Internal: Show a message line by line"
version_added: 0.5.0
description:
  - Turns a message of a plan or of M(emailsec.cloudflare.message_info) into lines with the verdict, the detection reasons, the
    authentication (SPF, DKIM and DMARC), the sender, the envelope sender, the recipients and the subject.
  - The domain of an address is always shown in full. A long local part is shortened in the middle. A display name is shown in
    quotes after the address. Text that is not exactly one address is shown in quotes and marked.
  - This plugin is internal to the role and the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The message.
    type: dict
    required: true
  show_content:
    description: Whether to show senders, recipients and the subject.
    type: bool
    default: false
  most:
    description: Show at most this many recipients, and then the number of those left out. Null shows all.
    type: int
    default: 10
seealso:
  - plugin: emailsec.cloudflare.plan_lines
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the messages found
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
