# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: report_html
short_description: Turn release reports into HTML
version_added: 0.2.0
description:
  - Turns the JSON reports of the role P(emailsec.cloudflare.quarantine_release#role) into one HTML page. The page needs no other
    files, fits any screen and paper, and has a light and a dark theme.
  - Several reports become one page with an overview of the accounts. All text from messages is escaped.
  - Characters that could hide or disguise text, such as control characters, are replaced. Long text is cut and marked.
author:
  - emailsec.cloudflare contributors (@emailsec)
positional: _input
options:
  _input:
    description:
      - The reports. If a report contains C(plan), each message is shown with its subject, sender, envelope sender, results of
        SPF, DKIM and DMARC, verdict and detection reasons.
    type: list
    elements: dict
    required: true
seealso:
  - plugin: emailsec.cloudflare.report_csv
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write one report for all accounts
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
