# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: plan_lines
short_description: Show a plan line by line
version_added: 0.4.0
description:
  - Turns a plan of M(emailsec.cloudflare.message_plan) into one line per message with the decision and its reasons. The
    messages to be released come first.
  - Each line has the verdict, the detection reasons, and the results of SPF, DKIM and DMARC.
  - The domain of an address is always shown in full. A long local part is shortened in the middle. A display name is shown in
    quotes after the address. Text that is not exactly one address is shown in quotes and marked.
  - Characters that could hide or disguise text, such as control characters, are replaced. Long text is cut and marked.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The plan.
    type: dict
    required: true
  show_content:
    description: Whether to show senders, envelope senders, recipients and subjects.
    type: bool
    default: false
  most:
    description: Show at most this many messages, and then the number of those left out. With V(none), show all of them, as whoever
      approves the digest needs to.
    type: int
    default: 200
  digest:
    description: Fail if the plan does not have this digest.
    type: str
    version_added: 0.5.0
seealso:
  - module: emailsec.cloudflare.message_plan
"""

EXAMPLES = r"""
- name: Show the plan that waits for approval
  ansible.builtin.debug:
    msg: "{{ planned.plan | emailsec.cloudflare.plan_lines(show_content=true) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils._plan_lines import plan_lines


def _lines(
    plan: dict[str, t.Any], show_content: bool = False, most: int | None = 200, digest: str | None = None
) -> list[str]:
    try:
        return plan_lines(plan, show_content, most, digest)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"plan_lines": _lines}
