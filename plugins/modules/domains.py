#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: domains
short_description: Declare the domains that Cloudflare Email Security protects
version_added: 0.5.0
description:
  - Changes how Cloudflare Email Security takes and delivers the mail of domains, so that they are as declared.
  - Domains are neither created nor deleted, unless O(manage_existence=true). A wrong change stops the mail of a whole
    domain, so run it with C(--check --diff) first.
  - Requires the permission C(Cloud Email Security) with C(Write), and with C(Read) in check mode.
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api
  - emailsec.cloudflare.api.connection
  - emailsec.cloudflare.attributes
  - emailsec.cloudflare.lists
options:
  entries:
    description:
      - The entries as they have to be. Each is found by its key.
      - The key is O(entries[].domain). Its case does not count.
      - A field that is left out stays as it is. A new entry gets its default.
      - Two entries with the same key are an error.
    type: list
    elements: dict
    required: true
    suboptions:
      domain:
        description:
          - The domain.
        type: str
        required: true
      allowed_delivery_modes:
        description:
          - How mail may reach Cloudflare. Mail that comes in another way is not taken. A new domain needs it.
        type: list
        elements: str
        choices: [DIRECT, BCC, JOURNAL, API, RETRO_SCAN]
      ip_restrictions:
        description:
          - IP addresses and CIDR blocks that mail is taken from, at most 100. An empty list takes it from everywhere. A new
            domain without it gets V([]).
        type: list
        elements: str
      drop_dispositions:
        description:
          - Verdicts that keep a message from being delivered, which puts it in quarantine. A shorter list delivers more. A
            new domain without it gets V([]).
        type: list
        elements: str
        choices: [MALICIOUS, MALICIOUS-BEC, SUSPICIOUS, SPOOF, SPAM, BULK, ENCRYPTED, EXTERNAL, UNKNOWN, NONE]
      regions:
        description:
          - Where mail is processed. A new domain without it gets V([GLOBAL]).
        type: list
        elements: str
        choices: [GLOBAL, AU, DE, IN, US]
      folder:
        description:
          - The folders that are scanned, if Cloudflare reads mailboxes by an API.
        type: str
        choices: [AllItems, Inbox]
      integration_id:
        description:
          - ID of the integration with the mail provider.
        type: str
      lookback_hops:
        description:
          - How many servers before Cloudflare to go back to find the one that sent the mail, from 1 to 20. A wrong number
            judges the wrong server.
        type: int
      require_tls_inbound:
        description:
          - Whether mail has to come with TLS.
        type: bool
      require_tls_outbound:
        description:
          - Whether Cloudflare delivers with TLS only.
        type: bool
      transport:
        description:
          - The mail server that Cloudflare delivers to. A wrong one loses mail.
        type: str
      state:
        description: Whether the entry must exist. For V(absent), only the key counts.
        type: str
        choices: [present, absent]
        default: present
  manage_existence:
    description:
      - Whether domains may be created and deleted. Without it, a domain in O(entries) that does not exist is an error, and so are
        O(entries[].state=absent) and O(purge). Domains are deleted after everything else.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Hold bulk mail of a domain as well
  emailsec.cloudflare.domains:
    entries:
      - domain: corp.example
        drop_dispositions: [MALICIOUS, MALICIOUS-BEC, SUSPICIOUS, SPOOF, SPAM, BULK]
"""

RETURN = r"""
msg:
  description: What was done, in a sentence.
  returned: always
  type: str
  sample: "domains: 2 created, 1 deleted."
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
  sample: [{"id": "f174e90a-fafe-4643-bbbc-4a0ed4fc8415", "domain": "corp.example", "drop_dispositions": ["SPAM"]}]
duplicates:
  description:
    - Entries with the same key as an older one. The oldest is kept up to date. O(purge) deletes the others.
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
    kind = KINDS["domains"]
    module = AnsibleModule(argument_spec=api_argument_spec(**list_argument_spec(kind)), supports_check_mode=True)
    declare(module, kind, Clock())


if __name__ == "__main__":
    main()
