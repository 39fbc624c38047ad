# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that do something with messages after their release."""

    DOCUMENTATION = r"""
options:
  messages:
    description:
      - The messages. Each is given by its investigate ID (C(4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678)), its legacy
        postfix ID (C(4Njp3P0STMz2c02Q)) or its RFC 5322 Message-ID (C(<a1@sender.example>)).
      - The same handle given twice counts once. Several handles of one message are reported one by one, but the message
        is sent once.
      - With an empty list, the module does nothing.
      - A Message-ID that matches several messages is V(ambiguous), and none of them is touched.
      - Exactly one of O(messages) and O(messages_file) is required.
    type: list
    elements: raw
    aliases: [ids, postfix_ids]
  settle_time:
    description:
      - Time in seconds that Cloudflare may take to show what was done, V(3) to V(3600). Cloudflare publishes no figure.
      - If the answer to a request is lost or unclear, the module waits this long before it decides what happened.
    type: float
    default: 10
  journal:
    description:
      - Path of a file, in JSON Lines format, that records each request before it is sent, and its outcome afterwards. A
        relative path starts at the directory of the playbook. It can be the journal of M(emailsec.cloudflare.message_release).
      - At the start of each run, the module looks in the journal for what earlier runs did in the last minutes, and waits until
        Cloudflare can show it.
      - Each line is on the disk before the module continues. Several tasks can share the journal. Tasks for the same account then
        wait for each other, up to O(max_wait).
      - The file has to meet the same conditions as O(emailsec.cloudflare.message_release#module:journal).
    type: path
  reason:
    description: Why this is done. Recorded in the journal and the result, not sent to Cloudflare.
    type: str
  ticket:
    description: Number of the ticket. Recorded in the journal and the result, not sent to Cloudflare.
    type: str
  started_by:
    description:
      - Who runs the task. Recorded in the journal and the result, not sent to Cloudflare.
      - If not set, the system user that runs the module is used.
    type: str
  requested_by:
    description: Who requests it. Recorded in the journal and the result, not sent to Cloudflare.
    type: str
  approved_by:
    description:
      - Who approved it. Recorded in the journal and the result, not sent to Cloudflare.
      - The module records the name and does not check it.
    type: str
notes:
  - On SIGTERM or SIGINT, the module finishes the request in flight and then stops. The result says what was done and what was not.
"""
