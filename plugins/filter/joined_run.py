# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: joined_run
short_description: Join a release in steps to one result of message_release
version_added: 0.2.0
description:
  - Joins the results that M(emailsec.cloudflare.message_release) returned for the steps of a release, such as a
    canary and what followed it. Each message has one row.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The result in check mode, before the first step. It says what there was to release.
    type: dict
    required: true
  steps:
    description:
      - The steps that were made, each with C(ids), the ids that it was to release, and C(result), what the module returned.
      - What was to be released and is in no step is V(not_attempted).
    type: list
    elements: dict
    required: true
  stopped:
    description: A sentence that says why no more steps were made; empty if all were.
    type: str
    default: ''
  fail_on:
    description: The joined run has failed if a message ended with one of these statuses, or if a step failed.
    type: list
    elements: str
    default: []
seealso:
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Show what two steps came to
  ansible.builtin.debug:
    msg: "{{ (look | emailsec.cloudflare.joined_run(steps)).msg }}"
  vars:
    steps:
      - {ids: "{{ first_ids }}", result: "{{ first }}"}
      - {ids: "{{ other_ids }}", result: "{{ others }}"}
"""

RETURN = r"""
_value:
  description: As M(emailsec.cloudflare.message_release) returns it.
  type: dict
"""

from ..plugin_utils._joining import joined_run


class FilterModule:
    """The filter C(joined_run)."""

    def filters(self) -> dict[str, object]:
        """Return the filter by its name."""
        return {"joined_run": joined_run}
