# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: unpacked_plan
short_description: "Internal: Unpack a plan"
version_added: 0.4.0
description:
  - Restores a plan from the text that the filter P(emailsec.cloudflare.packed_plan#filter) made. Fails if the text is damaged or
    incomplete.
  - It does not check whether this is the approved plan. M(emailsec.cloudflare.message_release) does that with the digest.
  - This plugin is internal to the role and the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The text.
    type: str
    required: true
seealso:
  - plugin: emailsec.cloudflare.packed_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the plan that the previous node passed on
  ansible.builtin.copy:
    content: "{{ packed | emailsec.cloudflare.unpacked_plan | to_json }}"
    dest: /srv/plans/INC-4711.json
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils._packing import unpacked_plan


def _unpacked(text: str) -> dict[str, t.Any]:
    try:
        return unpacked_plan(text)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"unpacked_plan": _unpacked}
