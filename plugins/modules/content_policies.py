#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: content_policies
short_description: Declare the content policies of Cloudflare Email Security
version_added: 0.5.0
description:
  - Creates, changes and deletes content policies, so that the account has those that are declared.
  - A content policy finds mail by a regular expression in its subject or body.
  - Requires the permission C(Cloud Email Security) with C(Write), and with C(Read) in check mode.
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api
  - emailsec.cloudflare.api.connection
  - emailsec.cloudflare.attributes
  - emailsec.cloudflare.lists
  - emailsec.cloudflare.lists.expiry
options:
  entries:
    description:
      - The entries as they have to be. Each is found by its key.
      - The key is O(entries[].name). Its case counts.
      - A field that is left out stays as it is. A new entry gets its default.
      - Two entries with the same key are an error.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the policy, at most 256 characters.
        type: str
        required: true
      pattern:
        description:
          - Regular expression that is searched for, at most 2,048 characters. A new policy needs it. One that is too
            general affects all mail.
        type: str
      targets:
        description:
          - Where the expression is searched. A new policy needs it.
        type: list
        elements: str
        choices: [SUBJECT, BODY]
      enabled:
        description:
          - Whether the policy is in force. A new policy without it gets V(true).
        type: bool
      notes:
        description:
          - A remark, at most 4,096 characters together with the mark of O(entries[].expires). An empty text clears it.
        type: str
      expires:
        description:
          - The last day, by UTC, on which the entry counts, such as V(2026-12-10). After it, the entry counts as absent.
          - It is kept at the end of the O(entries[].notes), as C([expires 2026-12-10]). Without this option, the mark of
            the stored entry stays. V(never) removes it.
          - Cloudflare knows nothing of it, so the entry works until a task deletes it. See O(remove_expired).
        type: str
      state:
        description: Whether the entry must exist. For V(absent), only the key counts.
        type: str
        choices: [present, absent]
        default: present
"""

EXAMPLES = r"""
- name: Look for the phrase of a current wave of mail
  emailsec.cloudflare.content_policies:
    entries:
      - name: Gift cards
        pattern: (?i)buy.{0,40}gift cards
        targets: [SUBJECT, BODY]
        notes: INC-4711
        expires: "2027-01-31"

- name: Switch a policy off
  emailsec.cloudflare.content_policies:
    entries:
      - name: Gift cards
        enabled: false
"""

RETURN = r"""
msg:
  description: What was done, in a sentence.
  returned: always
  type: str
  sample: "content_policies: 2 created, 1 deleted."
created:
  description: Number of entries created. In check mode, that would be created.
  returned: unless the task failed before the first change
  type: int
  sample: 2
updated:
  description: Number of entries changed.
  returned: unless the task failed before the first change
  type: int
  sample: 0
deleted:
  description: Number of entries deleted.
  returned: unless the task failed before the first change
  type: int
  sample: 1
unchanged:
  description: Number of entries in O(entries) that were as declared, and those that others changed at the same time.
  returned: unless the task failed before the first change
  type: int
  sample: 40
entries:
  description:
    - The declared entries that exist, as they are now, with their C(id). Fields without a value are left out.
    - In check mode, as they would be. The C(id) of an entry that would be created is null.
  returned: unless the task failed before the first change
  type: list
  elements: dict
  sample: [{"id": "f174e90a-fafe-4643-bbbc-4a0ed4fc8415", "name": "Gift cards", "targets": ["BODY"], "enabled": true}]
duplicates:
  description:
    - Entries with the same key as an older one. The oldest is kept up to date. O(purge) deletes the others.
  returned: unless the task failed before the first change
  type: list
  elements: dict
  sample: []
expiring:
  description:
    - All entries of the list that expire within a week or have expired, also those that are not declared, as they are now. In check
      mode, as they would be.
  returned: unless the task failed before the first change
  type: list
  elements: dict
  sample: []
account_id:
  description: ID of the account.
  returned: unless the task failed before the first change
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_calls:
  description: Number of HTTP requests made.
  returned: always
  type: int
  sample: 2
status:
  description: HTTP status of the error.
  returned: when the API refused a request
  type: int
  sample: 400
errors:
  description: Errors that the API returned, each with C(code) and C(message).
  returned: when the API refused a request
  type: list
  elements: dict
  sample: [{"code": 1001, "message": "pattern: invalid"}]
cf_ray:
  description: Cloudflare's ID of the refused request, for a support ticket.
  returned: when the API refused a request
  type: str
  sample: 8f1c2d3e4a5b6c7d-FRA
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import api_argument_spec
from ..module_utils._clock import Clock
from ..module_utils._declaring import declare
from ..module_utils._settings.kinds import KINDS
from ..module_utils._settings.options import list_argument_spec


def main() -> None:
    kind = KINDS["content_policies"]
    module = AnsibleModule(argument_spec=api_argument_spec(**list_argument_spec(kind)), supports_check_mode=True)
    declare(module, kind, Clock())


if __name__ == "__main__":
    main()
