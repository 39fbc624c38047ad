# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: packed_plan
short_description: "Internal: Pack a plan into a short text"
version_added: 0.4.0
description:
  - Turns a plan of M(emailsec.cloudflare.message_plan) into a short text. It can be passed on where files cannot, such as in the
    artifacts of a job.
  - The text is packed, not encrypted. Everybody who can read it can read subjects and addresses.
  - This plugin is internal to the role and the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The plan.
    type: dict
    required: true
seealso:
  - plugin: emailsec.cloudflare.unpacked_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Pass the plan to the next node of a workflow
  ansible.builtin.set_stats:
    data:
      packed: "{{ planned.plan | emailsec.cloudflare.packed_plan }}"
"""

RETURN = r"""
_value:
  description: Compressed JSON, encoded with Base64.
  type: str
"""

import typing as t

from ..plugin_utils._packing import packed_plan


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"packed_plan": packed_plan}
