# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: planned_run
short_description: Tell what a plan foretells as a result of message_release
version_added: 0.2.0
description:
  - Turns a result of M(emailsec.cloudflare.message_plan) into one of
    M(emailsec.cloudflare.message_release), so that both can be reported alike. Each message that the plan releases is
    V(would_release), each other one V(blocked).
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: What M(emailsec.cloudflare.message_plan) returned, also when it failed.
    type: dict
    required: true
seealso:
  - module: emailsec.cloudflare.message_plan
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Count what would happen
  ansible.builtin.debug:
    msg: "{{ (plan | emailsec.cloudflare.planned_run).summary }}"
"""

RETURN = r"""
_value:
  description: As M(emailsec.cloudflare.message_release) returns it in check mode.
  type: dict
"""

from ..plugin_utils._joining import planned_run


class FilterModule:
    """The filter C(planned_run)."""

    def filters(self) -> dict[str, object]:
        """Return the filter by its name."""
        return {"planned_run": planned_run}
