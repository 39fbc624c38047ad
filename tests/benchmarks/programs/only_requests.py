# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module of Ansible that imports requests and does nothing: what a module on requests costs at least."""

import requests
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec={"messages": {"type": "list", "elements": "raw"}}, supports_check_mode=True)
module.exit_json(changed=False, version=requests.__version__)
