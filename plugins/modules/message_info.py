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
  - Searches the messages that Cloudflare Email Security has scanned, or gets the given messages, and returns them as a list.
  - Requires the permission C(Cloud Email Security) with C(Read).
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
      - Get these messages. Each is given by its investigate ID, its legacy postfix ID or its RFC 5322 Message-ID.
      - Mutually exclusive with O(messages_file) and all search options.
    type: list
    elements: raw
    aliases: [ids, postfix_ids]
  delivery_status:
    description:
      - Search for messages with this delivery status. Only V(quarantined) messages can be released.
    type: str
    choices: [delivered, moved, quarantined, rejected, deferred, bounced, queued, move_failed]
  detections_only:
    description: Whether to search only for messages with a detection.
    type: bool
    default: true
  limit:
    description:
      - Return at most this many messages. RV(truncated) says whether there are more. If not set, all are returned.
    type: int
  return_messages:
    description:
      - Which of the messages found are in RV(messages). V(all) returns all of them. V(none) returns an empty list.
      - V(attention) returns messages that are in quarantine, and messages for which the server does not say whether they are.
      - RV(count) takes all messages into account.
      - With many thousands of messages, V(none) together with O(result_file) keeps the output of the task short.
    type: str
    choices: [all, attention, none]
    default: all
    version_added: 0.5.0
  result_file:
    description:
      - Path of a file for all messages found, whatever O(return_messages) is. The file has one message on each line, as JSON Lines.
      - A relative path is taken from the directory of the playbook.
      - If there is a file, it is replaced. The file has the mode C(0600). One that only its group can use stays open to the group.
      - It must be a regular file with one name (no symbolic link, no hard links), in a directory that not everybody can write to,
        unless it has the sticky bit. The module checks this before it sends a request. In check mode it checks, but does not write.
      - The task is not C(changed) when it writes the file. If the file cannot be written, the task fails, and RV(messages) has all
        messages.
    type: path
    version_added: 0.5.0
notes:
  - Subjects, names and addresses are written by strangers. Never evaluate them as templates.
seealso:
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Find the quarantined messages of a recipient (credential and account from the environment)
  emailsec.cloudflare.message_info:
    recipient: alice@example.com
    delivery_status: quarantined
    since: 24h
  register: held

- name: Show why each message is in quarantine
  ansible.builtin.debug:
    msg: "{{ item.id }}: {{ item.final_disposition }}, {{ item.detection_reasons | join(', ') }}"
  loop: "{{ held.messages }}"
  loop_control:
    label: "{{ item.id }}"

- name: Get a message by its Message-ID
  emailsec.cloudflare.message_info:
    messages:
      - !unsafe <a1@sender.example>

- name: Get at most 100 messages of a domain in a week of November, also those without a detection
  emailsec.cloudflare.message_info:
    account_id: 023e105f4ecef8ad9ca31a8372d0c353
    api_token: "{{ vault_cloudflare_api_token }}"
    domain: sender.example
    start: "2026-11-09"
    end: "2026-11-16"
    detections_only: false
    limit: 100

- name: Save all messages in quarantine to a file, and return only their number
  emailsec.cloudflare.message_info:
    delivery_status: quarantined
    return_messages: none
    result_file: /srv/reports/quarantine.jsonl
"""

RETURN = r"""
messages:
  description:
    - The messages found, with the field names of Cloudflare's current API. Field names of older servers are translated.
      Every message has every field. A field that the server did not send is null or empty.
    - With O(messages), they are in that order. A Message-ID that matches several messages returns all of them.
    - With O(return_messages), messages are left out. O(result_file) has all of them.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Investigate ID. Use it to release the message.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678
    postfix_id:
      description: Legacy postfix ID.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q
    postfix_id_outbound:
      description: Postfix ID of the outbound message.
      type: str
      returned: always
      sample: null
    alert_id:
      description: Alert ID.
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
      description: Sender in the From header.
      type: str
      returned: always
      sample: bob@sender.example
    from_name:
      description: Display name of the sender.
      type: str
      returned: always
      sample: Bob
    replyto:
      description: Address for replies.
      type: str
      returned: always
      sample: null
    envelope_from:
      description: Envelope sender.
      type: str
      returned: always
      sample: bounce@sender.example
    to:
      description: Recipients in the To header.
      type: list
      elements: str
      returned: always
      sample: [alice@example.com]
    to_name:
      description: Display names of the recipients.
      type: list
      elements: str
      returned: always
      sample: [Alice]
    envelope_to:
      description: Envelope recipients.
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
      description: Whether the message is in quarantine now. Null if the server does not say.
      type: bool
      returned: always
      sample: true
    delivery_status:
      description: Delivery status. There can be several.
      type: list
      elements: str
      returned: always
      sample: [quarantined]
    delivery_mode:
      description: How Cloudflare received the message.
      type: str
      returned: always
      sample: DIRECT
    final_disposition:
      description: Verdict.
      type: str
      returned: always
      sample: SPAM
    detection_reasons:
      description: Why it was detected.
      type: list
      elements: str
      returned: always
      sample: [Spam-like content]
    threat_categories:
      description: Threat categories.
      type: list
      elements: str
      returned: always
      sample: []
    post_delivery_operations:
      description: What was done with it afterwards, such as C(QUARANTINE_RELEASE).
      type: list
      elements: str
      returned: always
      sample: []
    properties:
      description: Patterns that allowed or blocked the message.
      type: dict
      returned: always
      sample: {"allowlisted_pattern": null}
    is_phish_submission:
      description: Whether a user reported the message as phishing.
      type: bool
      returned: always
      sample: false
    smtp_helo_server_ip:
      description: IP address of the server that sent the HELO.
      type: str
      returned: always
      sample: 192.0.2.25
    smtp_previous_hop_ip:
      description: IP address of the previous hop.
      type: str
      returned: always
      sample: 192.0.2.25
    x_originating_ip:
      description: Originating IP address that the message itself states.
      type: str
      returned: always
      sample: null
    edf_hash:
      description: Fingerprint of the message.
      type: str
      returned: always
      sample: null
    htmltext_structure_hash:
      description: Fingerprint of the HTML structure of the message.
      type: str
      returned: always
      sample: null
    validation:
      description: Results of C(spf), C(dkim) and C(dmarc), with a C(comment).
      type: dict
      returned: always
      sample: {"spf": "pass", "dkim": "pass", "dmarc": "pass", "comment": null}
    scanned_at:
      description: When the message was scanned.
      type: str
      returned: always
      sample: "2024-01-05T10:00:00Z"
    sent_at:
      description: When the message was sent.
      type: str
      returned: always
      sample: "2024-01-05T09:59:58Z"
count:
  description: Number of messages found. Messages that RV(messages) leaves out count, too.
  returned: success
  type: int
  sample: 1
truncated:
  description: Whether there are more messages than were returned, because of O(limit) or because the server cut the list short.
  returned: success
  type: bool
  sample: false
not_found:
  description: Given handles that Cloudflare does not know.
  returned: success
  type: list
  elements: str
  sample: []
unreadable:
  description: Given handles for which Cloudflare's answer could not be read.
  returned: success
  type: list
  elements: str
  sample: []
account_id:
  description: ID of the account that was used. It can come from the environment of the task.
  returned: unless an argument was refused
  type: str
  version_added: 0.5.0
  sample: 023e105f4ecef8ad9ca31a8372d0c353
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
  description: Errors that the API returned, each with C(code) and C(message).
  returned: when the API refused a request
  type: list
  elements: dict
  sample: [{"code": 10000, "message": "Authentication error"}]
cf_ray:
  description: Cloudflare's ID of the refused request, for a support ticket.
  returned: when the API refused a request
  type: str
  sample: 8f1c2d3e4a5b6c7d-FRA
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._api.connection import in_range
from ..module_utils._arguments import api_argument_spec, fail, make_client
from ..module_utils._clock import Clock
from ..module_utils._errors import CloudflareError
from ..module_utils._mail.filters import DELIVERY_STATUSES, search_filters
from ..module_utils._mail.handles import Handle
from ..module_utils._mail.message import Message
from ..module_utils._mail.messages import Messages
from ..module_utils._message_arguments import (
    exclusive_search_options,
    given_handles,
    handles_argument_spec,
    rows_argument_spec,
    search_argument_spec,
)
from ..module_utils._rows import Row, check_result_file, wanted, write_result_file


def read(
    messages: Messages[Message], params: dict[str, t.Any], handles: list[Handle] | None, now: float
) -> dict[str, t.Any]:
    """Return the result for the options of the module, with all messages."""
    limit = None if params["limit"] is None else in_range(params, "limit", 1)
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


def needs_attention(message: Row) -> bool:
    """Tell whether a message is or may be in quarantine."""
    return message["is_quarantined"] is not False


def main() -> None:
    module = AnsibleModule(
        argument_spec=api_argument_spec(
            **handles_argument_spec(),
            **search_argument_spec(),
            delivery_status={"type": "str", "choices": list(DELIVERY_STATUSES)},
            detections_only={"type": "bool", "default": True},
            limit={"type": "int"},
            **rows_argument_spec(),
        ),
        mutually_exclusive=exclusive_search_options("delivery_status"),
        required_by={"messages_column": ["messages_file"]},
        supports_check_mode=True,
    )
    clock = Clock()
    params = module.params
    used: dict[str, t.Any] = {"api_calls": 0}
    result: dict[str, t.Any] = {}
    try:
        client = make_client(module, clock)
        check_result_file(params["result_file"], params["messages_file"])
        try:
            result = read(Messages(client, clock, Message), params, given_handles(module), clock.time())
        finally:
            used = client.used()
        if params["result_file"] is not None and not module.check_mode:
            write_result_file(params["result_file"], result["messages"], client.masker.mask)
        result["messages"] = wanted(result["messages"], params["return_messages"], needs_attention)
    except CloudflareError as error:
        fail(module, error, **used, **result)
    module.exit_json(changed=False, **used, **result)


if __name__ == "__main__":
    main()
