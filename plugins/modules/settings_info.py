#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: settings_info
short_description: Read the settings lists of Cloudflare Email Security
version_added: 0.5.0
description:
  - Returns the settings lists of an account, each under the name of the module that declares it, in the form of its O(ignore:entries).
  - Requires the permission C(Cloud Email Security) with C(Read).
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api
  - emailsec.cloudflare.api.connection
  - emailsec.cloudflare.attributes
  - emailsec.cloudflare.attributes.info_module
options:
  kinds:
    description:
      - The lists to read. If not set, all of them.
    type: list
    elements: str
    choices:
      - allow_policies
      - block_senders
      - trusted_domains
      - content_policies
      - impersonation_registry
      - sending_domain_restrictions
      - url_ignore_patterns
      - domains
notes:
  - Comments are written by people. Never evaluate them as templates.
seealso:
  - module: emailsec.cloudflare.allow_policies
"""

EXAMPLES = r"""
- name: Read the allow policies
  emailsec.cloudflare.settings_info:
    kinds: [allow_policies]
  register: current

- name: Let another account have the same ones
  emailsec.cloudflare.allow_policies:
    account_id: 023e105f4ecef8ad9ca31a8372d0c353
    entries: "{{ current.settings.allow_policies }}"

- name: Show what expires within a week
  ansible.builtin.debug:
    msg: "{{ current.settings.allow_policies | selectattr('expires', 'defined') | selectattr('expires', '<', next_week) }}"
  vars:
    next_week: "{{ '%Y-%m-%d' | ansible.builtin.strftime((now().timestamp() | int) + 7 * 86400) }}"
"""

RETURN = r"""
settings:
  description:
    - The entries of each list, by the name of its module. Each can be given back as O(ignore:entries).
    - Fields without a value are left out. The mark of expiry is in C(expires), not in the comments.
    - Of several entries with the same key, only the oldest is here. The others are in RV(duplicates).
  returned: success
  type: dict
  sample: {"allow_policies": [{"pattern": "billing@partner.example", "pattern_type": "EMAIL", "is_acceptable_sender": true}]}
unmanaged:
  description: Entries that cannot be declared, as the API returns them, such as those that a directory synchronizes.
  returned: success
  type: dict
  sample: {"allow_policies": []}
duplicates:
  description: Entries with the same key as an older one.
  returned: success
  type: dict
  sample: {"allow_policies": []}
account_id:
  description: ID of the account.
  returned: success
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_calls:
  description: Number of HTTP requests made.
  returned: always
  type: int
  sample: 1
status:
  description: HTTP status of the error.
  returned: when the API refused a request
  type: int
  sample: 403
errors:
  description: Errors that the API returned, each with C(code) and C(message).
  returned: when the API refused a request
  type: list
  elements: dict
  sample: [{"code": 10000, "message": "Authentication error"}]
cf_ray:
  description: Cloudflare's ID of the refused request, for a support ticket.
  returned: when the API refused a request
  type: str
  sample: 8f1c2d3e4a5b6c7d-FRA
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import api_argument_spec, fail, make_client
from ..module_utils._clock import Clock
from ..module_utils._errors import CloudflareError
from ..module_utils._settings.kinds import KINDS
from ..module_utils._settings.lists import inventory, read_list


def main() -> None:
    module = AnsibleModule(
        argument_spec=api_argument_spec(kinds={"type": "list", "elements": "str", "choices": list(KINDS)}),
        supports_check_mode=True,
    )
    names = module.params["kinds"]
    calls = 0
    result: dict[str, t.Any] = {"settings": {}, "unmanaged": {}, "duplicates": {}}
    try:
        client = make_client(module, Clock())
        try:
            for name in KINDS if names is None else dict.fromkeys(names):
                rows = read_list(client, KINDS[name])
                for part, entries in zip(result, inventory(KINDS[name], rows)):
                    result[part][name] = entries
        finally:
            calls = client.calls
    except CloudflareError as error:
        fail(module, error, api_calls=calls)
    module.exit_json(changed=False, account_id=client.account_id, api_calls=calls, **result)


if __name__ == "__main__":
    main()
