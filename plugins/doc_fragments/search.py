# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The search options of the modules that find messages."""

    DOCUMENTATION = r"""
options:
  sender:
    description:
      - Search for messages from this address or domain. Only one, and without a display name, brackets or wildcards.
      - Since release 0.5.0, the task fails if it is not one address or one domain.
    type: str
  recipient:
    description:
      - Search for messages to this address or domain. Only one, as for O(sender).
      - Since release 0.5.0, the task fails if it is not one address or one domain.
    type: str
  subject:
    description:
      - Search for messages with these words in the subject, in any order.
      - Put words in quotes that YAML takes for something else, such as V("0047"), V("1.10") or V("yes"). Since release 0.5.0, a
        number or boolean is an error, as in every option that is a string.
    type: str
  query:
    description:
      - Search for messages with these words in the sender, the recipient, the subject, the names and hashes of attachments, or
        the Message-ID. Case is ignored.
    type: str
  domain:
    description:
      - Search for messages with this domain in the sender, a recipient or a link.
      - Since release 0.5.0, the task fails if it is not one domain.
    type: str
  message_id:
    description: Search for messages with this RFC 5322 Message-ID. White space and quotes around it are removed.
    type: str
  alert_id:
    description: Search for the message with this alert ID, as shown in Cloudflare's alerts and logs.
    type: str
  disposition:
    description: Search for messages with this verdict.
    type: str
    choices: [MALICIOUS, SUSPICIOUS, SPOOF, SPAM, BULK, NONE]
  start:
    description:
      - Search for messages scanned at this time or later. An ISO 8601 date or time, in UTC if it has no time zone.
      - If neither O(start) nor O(since) is set, Cloudflare searches the last 30 days.
    type: str
  end:
    description: Search for messages scanned before this time. An ISO 8601 date or time, in UTC if it has no time zone.
    type: str
  since:
    description:
      - Search for messages scanned within this time before now. A number followed by V(m), V(h), V(d) or V(w), such as V(24h)
        or V(7d).
      - Mutually exclusive with O(start).
    type: str
"""
