#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: message_move
short_description: Move delivered messages to another folder of their mailboxes
version_added: 0.5.0
description:
  - Moves delivered messages in all mailboxes that have them, and reports the outcome for each message. Use it to take back a
    release that was a mistake, or to bring a message back to the inbox.
  - Needs a mailbox integration (Microsoft 365 or Google Workspace) in the account. Cloudflare moves messages only in mailboxes
    that it can reach in this way.
  - Messages in quarantine are never moved. Release them with M(emailsec.cloudflare.message_release).
  - If the answer to a move is lost or unclear, the module looks into the action log of each message after a pause. It does not
    send the move again.
  - Requires the permission C(Cloud Email Security) with C(Write). Check mode only needs C(Read).
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api
  - emailsec.cloudflare.api.connection
  - emailsec.cloudflare.attributes
  - emailsec.cloudflare.follow_up
  - emailsec.cloudflare.handles
attributes:
  check_mode:
    support: full
    details:
      - Reads the state and predicts the status of each message. Moves nothing and writes no journal.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A message whose newest successful move has this destination is not moved again.
      - Cloudflare may show a move only seconds later. A second run within that time still sees the old state, unless
        O(journal) is set. Cloudflare does not show what users do with a message in their mailboxes.
options:
  destination:
    description:
      - Folder that the messages are moved to.
      - V(recoverable_items_deletions) holds what a user can still recover. From V(recoverable_items_purges), nobody can bring a
        message back. It needs O(purge=true).
    type: str
    required: true
    choices: [inbox, junk_email, deleted_items, recoverable_items_deletions, recoverable_items_purges]
  purge:
    description:
      - Whether O(destination=recoverable_items_purges) is allowed. Without it, the module refuses this destination before any
        request.
    type: bool
    default: false
  batch_size:
    description:
      - Number of messages in one request, V(1) to V(1000).
    type: int
    default: 50
  fail_on:
    description:
      - Fail if a message ends with one of these statuses. The result is still complete.
    type: list
    elements: str
    choices:
      - moved
      - partial
      - failed
      - already_moved
      - quarantined
      - not_found
      - ambiguous
      - unknown
      - not_attempted
      - would_move
    default: [partial, failed, quarantined, not_found, ambiguous, unknown, not_attempted]
seealso:
  - module: emailsec.cloudflare.message_info
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Take a message out of the inboxes that was released by mistake
  emailsec.cloudflare.message_move:
    messages:
      - !unsafe 4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678
    destination: junk_email
    ticket: !unsafe INC-4711
    reason: !unsafe Phishing, reported by the recipient
  register: move

- name: Show the outcome for each message
  ansible.builtin.debug:
    msg: "{{ item.handle }}: {{ item.status }}, not moved for: {{ item.failed | join(' ') }}"
  loop: "{{ move.messages }}"
  loop_control:
    label: "{{ item.handle }}"

- name: Bring messages back to the inbox, and keep a record
  emailsec.cloudflare.message_move:
    messages_file: ids.txt
    destination: inbox
    journal: /var/log/quarantine-release.jsonl

- name: Remove messages for good
  emailsec.cloudflare.message_move:
    messages_file: ids.txt
    destination: recoverable_items_purges
    purge: true
"""

RETURN = r"""
msg:
  description: Summary of the outcome in one sentence. If the run ended early, the reason.
  returned: always
  type: str
  sample: "3 messages: 2 moved, 1 failed."
messages:
  description: Outcome for each handle, in the order of O(messages).
  returned: unless an argument was refused
  type: list
  elements: dict
  contains:
    handle:
      description: Handle as it was given.
      type: str
      returned: always
      sample: <a1@sender.example>
    id:
      description: Investigate ID of the message, or null if it is not known.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678
    postfix_id:
      description: Legacy postfix ID of the message, or null if it is not known.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q
    status:
      description:
        - V(moved), it was moved in every mailbox that the answer names, or the action log shows the move.
        - V(partial), it was moved in some mailboxes, but not in all.
        - V(failed), it was moved in no mailbox, or Cloudflare refuses to move it. RV(messages[].detail) has the reason.
        - V(already_moved), its newest successful move has this destination. Nothing was sent.
        - V(quarantined), it is in quarantine. Nothing was sent.
        - V(not_found), Cloudflare does not know the handle.
        - V(ambiguous), the handle matches several messages. None of them was moved.
        - V(unknown), the move was sent, but neither the answer nor the action log shows the outcome.
        - V(not_attempted), the run stopped before it was sent, or its state could not be read.
        - V(would_move), it would be moved. Only in check mode.
      type: str
      returned: always
      sample: moved
    moved:
      description:
        - Mailboxes in which it was moved, as far as known. The action log does not always name them.
      type: list
      elements: str
      returned: always
      sample: [alice@example.com]
    failed:
      description: Mailboxes in which it was not moved, as far as known.
      type: list
      elements: str
      returned: always
      sample: []
    detail:
      description: Explanation of the outcome.
      type: str
      returned: always
      sample: Moved in every mailbox of the answer.
    changed:
      description: Whether this run moved it in a mailbox. In check mode, whether a run would try to.
      type: bool
      returned: always
      sample: true
summary:
  description: Number of rows per status, and C(total).
  returned: unless an argument was refused
  type: dict
  sample: {"moved": 2, "failed": 1, "total": 3}
destination:
  description: Value of O(destination).
  returned: unless an argument was refused
  type: str
  sample: junk_email
account_id:
  description: ID of the account that was used.
  returned: unless an argument was refused
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_calls:
  description: Number of HTTP requests made.
  returned: unless an argument was refused
  type: int
  sample: 3
reason:
  description: Value of O(reason).
  returned: unless an argument was refused
  type: str
  sample: Phishing, reported by the recipient
ticket:
  description: Value of O(ticket).
  returned: unless an argument was refused
  type: str
  sample: INC-4711
started_by:
  description: Value of O(started_by), or else the system user that ran the module.
  returned: unless an argument was refused
  type: str
  sample: alice
requested_by:
  description: Value of O(requested_by).
  returned: unless an argument was refused
  type: str
  sample: bob
approved_by:
  description: Value of O(approved_by).
  returned: unless an argument was refused
  type: str
  sample: carol
status:
  description: HTTP status of the error that ended the run.
  returned: when the API refused a request and the run ended
  type: int
  sample: 403
errors:
  description: Errors that the API returned, each with C(code) and C(message).
  returned: when the API refused a request and the run ended
  type: list
  elements: dict
  sample: [{"code": 10000, "message": "Authentication error"}]
cf_ray:
  description: Cloudflare's ID of the refused request, for a support ticket.
  returned: when the API refused a request and the run ended
  type: str
  sample: 8f1c2d3e4a5b6c7d-FRA
"""


from ansible.module_utils.basic import AnsibleModule

from ..module_utils._api.connection import in_range
from ..module_utils._arguments import api_argument_spec, fail, make_client
from ..module_utils._clock import Clock
from ..module_utils._errors import CloudflareError
from ..module_utils._followup.folders import FOLDERS, check_purge
from ..module_utils._followup.move import FAIL_ON, STATUSES, Mover
from ..module_utils._followup.run import Request, follow_up
from ..module_utils._message_arguments import (
    HANDLES_RULES,
    end_follow_up,
    follow_up_argument_spec,
    given_handles,
    handles_argument_spec,
)
from ..module_utils._release.planned import audit_trail


def main() -> None:
    module = AnsibleModule(
        argument_spec=api_argument_spec(
            **handles_argument_spec(),
            **follow_up_argument_spec(STATUSES, FAIL_ON),
            destination={"type": "str", "required": True, "choices": list(FOLDERS)},
            purge={"type": "bool", "default": False},
            batch_size={"type": "int", "default": 50},
        ),
        **HANDLES_RULES,
        supports_check_mode=True,
    )
    params = module.params
    clock = Clock()
    clock.stop_on_signals()
    destination = params["destination"]
    try:
        check_purge(destination, params["purge"])
        client = make_client(module, clock)
        batch_size = in_range(params, "batch_size", 1, 1000)
        settle_time = in_range(params, "settle_time", 3, 3600)
        trail = audit_trail(params, {})
        request = Request(
            handles=given_handles(module) or [],
            check_mode=module.check_mode,
            trail={**trail, "destination": destination},
            journal=params["journal"],
        )
        run = follow_up(
            client, clock, request, lambda journal: Mover(client, clock, journal, settle_time, destination, batch_size)
        )
    except CloudflareError as error:
        fail(module, error)
    end_follow_up(module, client, run, request.trail, params["fail_on"])


if __name__ == "__main__":
    main()
