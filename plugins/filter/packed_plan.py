# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: packed_plan
short_description: Pack a plan into a short text
version_added: 0.4.0
description:
  - Turns a plan of M(emailsec.cloudflare.message_plan) into a short text, so that it can travel where files do not, such as
    in the artifacts of a job.
  - It is packed, not encrypted. Whoever can read the text can read subjects and addresses.
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
- name: Hand the plan to the next node of a workflow
  ansible.builtin.set_stats:
    data:
      packed: "{{ planned.plan | emailsec.cloudflare.packed_plan }}"
"""

RETURN = r"""
_value:
  description: The text, base64 of compressed JSON.
  type: str
"""

import typing as t

from ..plugin_utils._packing import packed_plan


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"packed_plan": packed_plan}
