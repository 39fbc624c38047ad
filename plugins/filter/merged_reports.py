# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: merged_reports
short_description: "Internal: Get the newest report of each account"
version_added: 0.5.0
description:
  - Chooses the newest report of each account from JSON reports of the role P(emailsec.cloudflare.quarantine_release#role), those
    that need attention first. An account without a report is shown as failed.
  - This plugin is internal to the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input, hosts
options:
  _input:
    description: The reports.
    type: list
    elements: dict
    required: true
  hosts:
    description: The hosts of the inventory.
    type: list
    elements: str
    required: true
seealso:
  - plugin: emailsec.cloudflare.report_csv
    plugin_type: filter
  - plugin: emailsec.cloudflare.report_html
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Say how many accounts there are
  ansible.builtin.debug:
    msg: "{{ (reports | emailsec.cloudflare.merged_reports(groups['all'])).told }}"
"""

RETURN = r"""
_value:
  description: Has C(reports) with a report of each account, and C(told) with a sentence that counts their outcomes.
  type: dict
"""

import typing as t

from ..plugin_utils._merging import merged_reports


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"merged_reports": merged_reports}
