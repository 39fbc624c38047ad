# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: joined_run
short_description: "Internal: Join the steps of a release into one result"
version_added: 0.2.0
description:
  - Joins the results that M(emailsec.cloudflare.message_release) returned for the steps of a release, such as a canary and
    the step after it. The joined result has one entry per message.
  - This plugin is internal to the role and the playbooks of this collection and may change with them.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: Result in check mode, before the first step. It lists the messages to release.
    type: dict
    required: true
  steps:
    description:
      - Steps that were run. Each has C(ids), the IDs to release, and C(result), the result of the module.
      - A message to release that is in no step is V(not_attempted).
    type: list
    elements: dict
    required: true
  stopped:
    description: Sentence that says why no more steps were run. Empty if all steps were run.
    type: str
    default: ''
  fail_on:
    description: Statuses of messages that make the joined result a failure. A step that failed always does.
    type: list
    elements: str
    default: []
seealso:
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Show the outcome of two steps
  ansible.builtin.debug:
    msg: "{{ (look | emailsec.cloudflare.joined_run(steps)).msg }}"
  vars:
    steps:
      - {ids: "{{ first_ids }}", result: "{{ first }}"}
      - {ids: "{{ other_ids }}", result: "{{ others }}"}
"""

RETURN = r"""
_value:
  description: Result in the form that M(emailsec.cloudflare.message_release) returns.
  type: dict
"""

from ..plugin_utils._joining import joined_run


class FilterModule:
    """The filter C(joined_run)."""

    def filters(self) -> dict[str, object]:
        """Return the filter by its name."""
        return {"joined_run": joined_run}
