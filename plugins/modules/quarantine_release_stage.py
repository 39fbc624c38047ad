# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: quarantine_release_stage
short_description: "Internal: a stage of the role quarantine_release"
version_added: 0.5.0
description:
  - Runs one stage of the role P(emailsec.cloudflare.quarantine_release#role). It runs on the controller, reads the variables of
    the role and the results of the stages before it, and runs the modules of this collection on the host.
  - It is internal to the role, and may change with any release.
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api
  - emailsec.cloudflare.api.connection
  - emailsec.cloudflare.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  stage:
    description: The stage to run.
    type: str
    required: true
    choices:
      [select, plan, look, release, reclassify, allow, report, report_all, hand_over, conclude, search, merge, retract, settings,
       export_settings, remove_expired_settings]
  directory:
    description: The directory of the reports. Only for the stage V(merge).
    type: path
  hosts:
    description: The hosts of the inventory. Only for the stage V(merge).
    type: list
    elements: str
seealso:
  - module: emailsec.cloudflare.message_plan
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Release
  emailsec.cloudflare.quarantine_release_stage:
    stage: release
"""

RETURN = r"""
run:
  description: What came of the release, as M(emailsec.cloudflare.message_release) returns it.
  returned: for the stage V(release)
  type: dict
"""
