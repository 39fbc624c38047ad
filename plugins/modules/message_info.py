#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: message_info
short_description: Find messages in Cloudflare Email Security
version_added: 0.1.0
description:
  - Searches the messages that Cloudflare Email Security has seen, or gets those that are named, and returns them as a list.
  - Needs the permission C(Cloud Email Security) with C(Read).
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api
  - emailsec.cloudflare.api.connection
  - emailsec.cloudflare.attributes
  - emailsec.cloudflare.attributes.info_module
  - emailsec.cloudflare.handles
  - emailsec.cloudflare.search
options:
  messages:
    description:
      - Get these messages, each given by its investigate id, its legacy postfix id or its RFC 5322 Message-ID.
      - Mutually exclusive with O(messages_file) and all search options.
    type: list
    elements: raw
    aliases: [ids, postfix_ids]
  delivery_status:
    description:
      - What became of the message. V(quarantined) finds what can be released.
    type: str
    choices: [delivered, moved, quarantined, rejected, deferred, bounced, queued, move_failed]
  detections_only:
    description: Whether messages without a detection are left out.
    type: bool
    default: true
  limit:
    description:
      - Return this many messages at the most; RV(truncated) tells whether there are more. If not set, all are returned.
    type: int
notes:
  - Subjects, names and addresses are what a stranger wrote. Never put them through a template again.
seealso:
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: What is in quarantine for a recipient (credential and account from the environment)
  emailsec.cloudflare.message_info:
    recipient: alice@example.com
    delivery_status: quarantined
    since: 24h
  register: held

- name: Show why it was held
  ansible.builtin.debug:
    msg: "{{ item.id }}: {{ item.final_disposition }}, {{ item.detection_reasons | join(', ') }}"
  loop: "{{ held.messages }}"
  loop_control:
    label: "{{ item.id }}"

- name: Get a message by its Message-ID
  emailsec.cloudflare.message_info:
    messages:
      - !unsafe <a1@sender.example>

- name: The first 100 messages of a domain in a week of November, also those without a detection
  emailsec.cloudflare.message_info:
    account_id: 023e105f4ecef8ad9ca31a8372d0c353
    api_token: "{{ vault_cloudflare_api_token }}"
    domain: sender.example
    start: "2026-11-09"
    end: "2026-11-16"
    detections_only: false
    limit: 100
"""

RETURN = r"""
messages:
  description:
    - The messages found, with the field names of Cloudflare's current API; what an older server calls otherwise is
      translated. Every field is there; what the server did not tell is null or empty.
    - With O(messages), in that order. A Message-ID that fits several messages gives all of them.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Investigate id, the name to release it by.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678
    postfix_id:
      description: Legacy postfix id.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q
    postfix_id_outbound:
      description: Postfix id on the way out.
      type: str
      returned: always
      sample: null
    alert_id:
      description: Alert id.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q-2024-01-05T10:00:00
    message_id:
      description: RFC 5322 Message-ID.
      type: str
      returned: always
      sample: <a1@sender.example>
    subject:
      description: Subject.
      type: str
      returned: always
      sample: Quarterly invoice
    from:
      description: Sender as shown.
      type: str
      returned: always
      sample: bob@sender.example
    from_name:
      description: Name of the sender as shown.
      type: str
      returned: always
      sample: Bob
    replyto:
      description: Where replies go.
      type: str
      returned: always
      sample: null
    envelope_from:
      description: Sender of the envelope.
      type: str
      returned: always
      sample: bounce@sender.example
    to:
      description: Recipients as shown.
      type: list
      elements: str
      returned: always
      sample: [alice@example.com]
    to_name:
      description: Names of the recipients as shown.
      type: list
      elements: str
      returned: always
      sample: [Alice]
    envelope_to:
      description: Recipients of the envelope.
      type: list
      elements: str
      returned: always
      sample: [alice@example.com]
    client_recipients:
      description: Recipients in this account.
      type: list
      elements: str
      returned: always
      sample: [alice@example.com]
    is_quarantined:
      description: Whether it is in quarantine now. Null if the server does not tell.
      type: bool
      returned: always
      sample: true
    delivery_status:
      description: What became of it; can be several.
      type: list
      elements: str
      returned: always
      sample: [quarantined]
    delivery_mode:
      description: How the message came to Cloudflare.
      type: str
      returned: always
      sample: DIRECT
    final_disposition:
      description: Verdict.
      type: str
      returned: always
      sample: SPAM
    detection_reasons:
      description: Why it was held.
      type: list
      elements: str
      returned: always
      sample: [Spam-like content]
    threat_categories:
      description: Kinds of threat.
      type: list
      elements: str
      returned: always
      sample: []
    post_delivery_operations:
      description: What was done with it since, such as C(QUARANTINE_RELEASE).
      type: list
      elements: str
      returned: always
      sample: []
    properties:
      description: Patterns that allowed or blocked it.
      type: dict
      returned: always
      sample: {"allowlisted_pattern": null}
    is_phish_submission:
      description: Whether a user reported it as phishing.
      type: bool
      returned: always
      sample: false
    smtp_helo_server_ip:
      description: Address of the server that said hello.
      type: str
      returned: always
      sample: 192.0.2.25
    smtp_previous_hop_ip:
      description: Address of the hop before.
      type: str
      returned: always
      sample: 192.0.2.25
    x_originating_ip:
      description: Address that the message names as its origin.
      type: str
      returned: always
      sample: null
    edf_hash:
      description: Fingerprint of the message.
      type: str
      returned: always
      sample: null
    htmltext_structure_hash:
      description: Fingerprint of the structure of its HTML.
      type: str
      returned: always
      sample: null
    validation:
      description: Results of C(spf), C(dkim) and C(dmarc), with a C(comment).
      type: dict
      returned: always
      sample: {"spf": "pass", "dkim": "pass", "dmarc": "pass", "comment": null}
    scanned_at:
      description: When it was scanned.
      type: str
      returned: always
      sample: "2024-01-05T10:00:00Z"
    sent_at:
      description: When it was sent.
      type: str
      returned: always
      sample: "2024-01-05T09:59:58Z"
count:
  description: Number of messages returned.
  returned: success
  type: int
  sample: 1
truncated:
  description: Whether there are more messages than were returned, because of O(limit) or because the server broke off the list.
  returned: success
  type: bool
  sample: false
not_found:
  description: Handles in O(messages) that Cloudflare does not know.
  returned: success
  type: list
  elements: str
  sample: []
unreadable:
  description: Handles in O(messages) for which Cloudflare's answers could not be understood.
  returned: success
  type: list
  elements: str
  sample: []
api_calls:
  description: Number of HTTP requests made.
  returned: always
  type: int
  sample: 1
status:
  description: HTTP status of the error.
  returned: when the API refused a request
  type: int
  sample: 403
errors:
  description: The API's own errors, each with C(code) and C(message).
  returned: when the API refused a request
  type: list
  elements: dict
  sample: [{"code": 10000, "message": "Authentication error"}]
cf_ray:
  description: Cloudflare's id of the request that was refused, for a support ticket.
  returned: when the API refused a request
  type: str
  sample: 8f1c2d3e4a5b6c7d-FRA
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._api.connection import in_range
from ..module_utils._arguments import (
    api_argument_spec,
    exclusive_search_options,
    fail,
    handles_argument_spec,
    make_client,
    search_argument_spec,
)
from ..module_utils._clock import Clock
from ..module_utils._errors import CloudflareError
from ..module_utils._mail.filters import DELIVERY_STATUSES, search_filters
from ..module_utils._mail.handle_file import given_handles
from ..module_utils._mail.message import Message
from ..module_utils._mail.messages import Messages


def read(messages: Messages[Message], params: dict[str, t.Any], now: float) -> dict[str, t.Any]:
    """Return the result for the module's parameters."""
    limit = None if params["limit"] is None else in_range(params, "limit", 1)
    handles = given_handles(params)
    if handles is None:
        found, truncated = messages.search(search_filters(params, now), limit)
        not_found = unreadable = []
    else:
        by_handle = messages.find(handles)
        unique = {message.key: message for candidates in by_handle.values() for message in candidates if message.told}
        found = list(unique.values())[:limit]
        truncated = len(found) < len(unique)
        not_found = [handle.text for handle, candidates in by_handle.items() if not candidates]
        unreadable = [
            handle.text for handle, candidates in by_handle.items() if not all(one.told for one in candidates)
        ]
    return {
        "messages": [message.data for message in found],
        "count": len(found),
        "truncated": truncated,
        "not_found": not_found,
        "unreadable": unreadable,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=api_argument_spec(
            **handles_argument_spec(),
            **search_argument_spec(),
            delivery_status={"type": "str", "choices": list(DELIVERY_STATUSES)},
            detections_only={"type": "bool", "default": True},
            limit={"type": "int"},
        ),
        mutually_exclusive=exclusive_search_options("delivery_status"),
        required_by={"messages_column": ["messages_file"]},
        supports_check_mode=True,
    )
    clock = Clock()
    calls = 0
    try:
        client = make_client(module, clock)
        try:
            result = read(Messages(client, clock, Message), module.params, clock.time())
        finally:
            calls = client.calls
    except CloudflareError as error:
        fail(module, error, api_calls=calls)
    module.exit_json(changed=False, api_calls=calls, **result)


if __name__ == "__main__":
    main()
