# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: play_hosts
short_description: "Internal: Get the hosts of a play of this collection"
version_added: 0.5.0
description:
  - Returns the pattern of hosts to run for. Fails if the inventory does not exist, if the pattern matches no host, or if the tags
    leave out what the play does, as Ansible would end these runs with success.
  - This plugin is internal to the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input, groups, sources, limit, run_tags, skip_tags, has_stages
options:
  _input:
    description: The pattern. If empty, all hosts of the inventory, or C(localhost) without an inventory.
    type: raw
    required: true
  groups:
    description: The groups of the inventory.
    type: dict
    required: true
  sources:
    description: The sources of the inventory.
    type: list
    elements: str
    required: true
  limit:
    description: The limit of the run.
    type: str
    required: true
  run_tags:
    description: The tags to run.
    type: list
    elements: str
    required: true
  skip_tags:
    description: The tags to skip.
    type: list
    elements: str
    required: true
  has_stages:
    description: Whether the play has the tags of the role P(emailsec.cloudflare.quarantine_release#role).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Release
  hosts: >-
    {{ my_hosts | emailsec.cloudflare.play_hosts(groups, ansible_inventory_sources, ansible_limit | default(none),
                                                 ansible_run_tags, ansible_skip_tags, true) }}
  roles:
    - role: emailsec.cloudflare.quarantine_release
"""

RETURN = r"""
_value:
  description: The pattern.
  type: raw
"""

import typing as t

from ..plugin_utils._play_hosts import play_hosts


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"play_hosts": play_hosts}
