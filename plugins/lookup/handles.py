# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: handles
short_description: "Internal: Read a list of messages from a file"
version_added: 0.5.0
description:
  - Reads IDs and Message-IDs from files on the controller, and checks every line in the same way as
    O(emailsec.cloudflare.message_release#module:messages_file).
  - Ansible never evaluates the result of this lookup as a template.
  - This plugin is internal to the role and the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
options:
  _terms:
    description: Paths of the files. A relative path starts at the directory in which Ansible was started.
    type: list
    elements: str
    required: true
  column:
    description:
      - Name of the column that holds the IDs, as in O(emailsec.cloudflare.message_release#module:messages_column). An empty
        string counts as not set.
    type: str
seealso:
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Count the messages in a list
  ansible.builtin.debug:
    msg: "{{ query('emailsec.cloudflare.handles', '/srv/lists/export.csv', column='Message ID') | length }}"
"""

RETURN = r"""
_raw:
  description: The IDs and Message-IDs in order, without duplicates.
  type: list
  elements: str
"""

import os
import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handle_file import read_handles


class LookupModule(LookupBase):
    """Reads lists of messages."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        """Return the handles in these files."""
        self.set_options(var_options=variables, direct=kwargs)
        try:
            found = [
                handle.text
                for path in terms
                for handle in read_handles(os.path.expanduser(path), self.get_option("column") or None)
            ]
        except InputError as error:
            raise AnsibleLookupError(str(error)) from error
        return list(dict.fromkeys(found))
