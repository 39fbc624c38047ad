# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: delivery
short_description: Get the delivery status of a message as one word
version_added: 0.4.0
description:
  - Returns the delivery status of a message that M(emailsec.cloudflare.message_info) returned, as one word.
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
- name: Show the delivery status of each message
  ansible.builtin.debug:
    msg: "{{ found.messages | map('emailsec.cloudflare.delivery') | list }}"
"""

RETURN = r"""
_value:
  description:
    - V(quarantined), the message is in quarantine.
    - V(delivered), the message was delivered.
    - V(bounced), the message bounced or was rejected.
    - V(deferred), the message is not delivered yet.
    - V(moved), the message was moved.
    - V(unknown), Cloudflare does not say.
  type: str
"""

import typing as t

from ..module_utils._mail.whereabouts import whereabouts


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"delivery": whereabouts}
