# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: workflow_outcome
short_description: "Internal: Get the outcome of a workflow"
version_added: 0.5.0
description:
  - Makes one outcome of the results that the earlier nodes of a workflow published.
  - This plugin is internal to the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input, released, approved
options:
  _input:
    description: The C(quarantine_release_plan_results).
    type: dict
    required: true
  released:
    description: The C(quarantine_release_results), which replace those of the plan.
    type: dict
    required: true
  approved:
    description:
      - The C(quarantine_release_plan_digest). An account with a digest and without a result of its release is V(unknown).
      - By default, this holds for each account whose plan would release something.
    type: raw
"""

EXAMPLES = r"""
- name: Show the outcome
  ansible.builtin.debug:
    msg: "{{ (quarantine_release_plan_results | emailsec.cloudflare.workflow_outcome(quarantine_release_results,
           quarantine_release_plan_digest)).told }}"
"""

RETURN = r"""
_value:
  description: Has C(outcome) with one word, C(told) with what it means, C(fails), and C(lines) with a line for each account.
  type: dict
"""

import typing as t

from ..plugin_utils._workflow import workflow_outcome


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"workflow_outcome": workflow_outcome}
