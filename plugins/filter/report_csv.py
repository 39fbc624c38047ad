# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: report_csv
short_description: Turn release reports into CSV
version_added: 0.2.0
description:
  - Turns the JSON reports of the role P(emailsec.cloudflare.quarantine_release#role) into CSV with one line per message.
  - The text begins with a byte order mark, so that Excel reads it as UTF-8.
  - Each cell is in quotes. Text that a spreadsheet would read as a formula gets an apostrophe. This also covers text after a
    semicolon, because some spreadsheets use it as the separator.
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
  - plugin: emailsec.cloudflare.report_html
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write one report for all accounts
  ansible.builtin.copy:
    content: "{{ reports | emailsec.cloudflare.report_csv }}"
    dest: /srv/reports/INC-4711.csv
    mode: "0600"
  vars:
    reports:
      - "{{ lookup('ansible.builtin.file', '/srv/reports/harbour-logistics.json') | from_json }}"
      - "{{ lookup('ansible.builtin.file', '/srv/reports/meadow-clinic.json') | from_json }}"
"""

RETURN = r"""
_value:
  description: The CSV text, beginning with a byte order mark (U+FEFF).
  type: str
"""

import typing as t

from ..plugin_utils._report_csv import report_csv


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"report_csv": report_csv}
