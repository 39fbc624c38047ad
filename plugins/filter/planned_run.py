# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: planned_run
short_description: "Internal: Turn a plan into the predicted result of a release"
version_added: 0.2.0
description:
  - Turns a result of M(emailsec.cloudflare.message_plan) into one of
    M(emailsec.cloudflare.message_release), so that both are reported in the same way. A message that the plan releases is
    V(would_release), any other message is V(blocked).
  - This plugin is internal to the role and the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: Result of M(emailsec.cloudflare.message_plan), also of a failed one.
    type: dict
    required: true
seealso:
  - module: emailsec.cloudflare.message_plan
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Show the predicted summary
  ansible.builtin.debug:
    msg: "{{ (plan | emailsec.cloudflare.planned_run).summary }}"
"""

RETURN = r"""
_value:
  description: Result in the form that M(emailsec.cloudflare.message_release) returns in check mode.
  type: dict
"""

from ..plugin_utils._joining import planned_run


class FilterModule:
    """The filter C(planned_run)."""

    def filters(self) -> dict[str, object]:
        """Return the filter by its name."""
        return {"planned_run": planned_run}
