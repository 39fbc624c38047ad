# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The search options of the modules that find messages."""

    DOCUMENTATION = r"""
options:
  sender:
    description: Address or domain of the sender.
    type: str
  recipient:
    description: Address or domain of a recipient.
    type: str
  subject:
    description: Words of the subject, in any order.
    type: str
  query:
    description:
      - Words to look for in sender, recipient, subject, attachment names and hashes, and Message-ID. Case is ignored.
    type: str
  domain:
    description: Domain of the sender, of a recipient, or in a link.
    type: str
  message_id:
    description: RFC 5322 Message-ID.
    type: str
  alert_id:
    description: Alert id, as in Cloudflare's alerts and logs.
    type: str
  disposition:
    description: Verdict on the message.
    type: str
    choices: [MALICIOUS, SUSPICIOUS, SPOOF, SPAM, BULK, NONE]
  start:
    description:
      - Scanned at this time or later, as an ISO 8601 date or time. Without a zone, it is UTC.
      - If neither O(start) nor O(since) is set, Cloudflare searches the last 30 days.
    type: str
  end:
    description: Scanned before this time, as an ISO 8601 date or time. Without a zone, it is UTC.
    type: str
  since:
    description:
      - Scanned within this time before now, a number with V(m), V(h), V(d) or V(w), such as V(24h) or V(7d).
      - Mutually exclusive with O(start).
    type: str
"""
