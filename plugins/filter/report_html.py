# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: report_html
short_description: Show the reports of releases as HTML
version_added: 0.2.0
description:
  - Turns reports, as the role P(emailsec.cloudflare.quarantine_release#role) writes them as JSON, into HTML, one page that
    needs nothing else, for screens of any size and for paper, in light and dark. Several reports make one page with an
    overview of the accounts. Everything that comes from mail is escaped.
  - What could hide or disguise text, such as control characters, is replaced, and what is too long is cut with a mark.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description: The reports. With C(plan) in a report, the messages are shown with subject, sender, envelope sender,
      results of SPF, DKIM and DMARC, verdict and reasons of the detection.
    type: list
    elements: dict
    required: true
seealso:
  - plugin: emailsec.cloudflare.report_csv
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write one report over all accounts
  ansible.builtin.copy:
    content: "{{ reports | emailsec.cloudflare.report_html }}"
    dest: /srv/reports/INC-4711.html
    mode: "0600"
  vars:
    reports:
      - "{{ lookup('ansible.builtin.file', '/srv/reports/harbour-logistics.json') | from_json }}"
      - "{{ lookup('ansible.builtin.file', '/srv/reports/meadow-clinic.json') | from_json }}"
"""

RETURN = r"""
_value:
  description: The HTML text.
  type: str
"""

import typing as t

from ..plugin_utils._report_html import report_html


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"report_html": report_html}
