# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module of Ansible that returns what message_release returns, and does nothing: what such a result costs at least."""

from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(
    argument_spec={"messages": {"type": "list", "elements": "raw"}, "api_token": {"type": "str", "no_log": True}},
    supports_check_mode=True,
)
rows = [
    {
        "handle": name,
        "id": name,
        "postfix_id": name.partition("-")[0],
        "status": "released",
        "delivered": [f"user{number % 997}@harbour-logistics.example"],
        "undelivered": [],
        "failed": [],
        "detail": "Delivered to every recipient.",
        "rule": None,
        "delivery": None,
        "changed": True,
    }
    for number, name in enumerate(module.params["messages"])
]
module.exit_json(changed=True, messages=rows)
