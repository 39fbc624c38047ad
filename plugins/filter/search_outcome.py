# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: search_outcome
short_description: "Internal: Get what the playbooks search and verify show"
version_added: 0.5.0
description:
  - Turns the result of M(emailsec.cloudflare.message_info) into a line for each message and a sentence about all of them.
  - The domain of an address is always shown in full. A long local part is shortened in the middle. A display name is shown in
    quotes after the address. Text that is not exactly one address is shown in quotes and marked.
  - This plugin is internal to the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The result. If it failed, RV(_value) has its reason.
    type: dict
    required: true
  released:
    description: Whether to show only messages whose release is on record, and to count where they are.
    type: bool
    default: false
  fail_on:
    description: List of delivery statuses that are a failure.
    type: list
    elements: str
    default: []
  show_content:
    description: Whether to show senders, recipients and the subject.
    type: bool
    default: false
seealso:
  - plugin: emailsec.cloudflare.delivery
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Say how many were found
  ansible.builtin.debug:
    msg: "{{ (found | emailsec.cloudflare.search_outcome).told }}"
"""

RETURN = r"""
_value:
  description: Has C(lines) with C(id) and C(line) of each message, C(told) with a sentence, and C(fails).
  type: dict
"""

import typing as t

from ..plugin_utils._found import search_outcome


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"search_outcome": search_outcome}
