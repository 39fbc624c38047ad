# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: delivery
short_description: Tell in one word what became of a message
version_added: 0.4.0
description:
  - Turns a message of M(emailsec.cloudflare.message_info) into one word.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The message.
    type: dict
    required: true
seealso:
  - module: emailsec.cloudflare.message_info
"""

EXAMPLES = r"""
- name: Count what became of the messages
  ansible.builtin.debug:
    msg: "{{ found.messages | map('emailsec.cloudflare.delivery') | list }}"
"""

RETURN = r"""
_value:
  description:
    - V(quarantined) is in quarantine. V(delivered), V(bounced) (rejected too), V(deferred) (not delivered yet) and V(moved) are
      what Cloudflare says of its delivery, and V(unknown) means that it says nothing.
  type: str
"""

import typing as t

from ..module_utils._mail.whereabouts import whereabouts


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"delivery": whereabouts}
