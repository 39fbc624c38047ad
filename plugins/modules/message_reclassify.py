#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: message_reclassify
short_description: Tell Cloudflare that its verdict on a message is wrong
version_added: 0.5.0
description:
  - Submits messages to Cloudflare for a review, and reports the outcome for each message. With a false positive, it asks that the
    message is none of what it was taken for.
  - A message with a detection is submitted by its alert ID, and one without as a missed detection. Up to 100 messages go in
    one request. Servers without this call get the deprecated call C(reclassify) for each message.
  - Reads the record of submissions first. A message for which this is asked already is not submitted again.
  - If the answer is lost or unclear, the module looks at the record after a pause. It never submits a message again in the same
    run.
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
      - Reads verdicts and record, and predicts the status of each message. Submits nothing and writes no journal.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A message is not submitted if a submission on record asks for the same, or if the verdict is already this.
      - Cloudflare may show a submission only seconds later. A second run within that time does not see it, unless O(journal)
        is set.
options:
  expected_disposition:
    description:
      - What the verdict should be. V(none) means that the message is harmless.
    type: str
    choices: [none, bulk, spam, spoof, suspicious, malicious]
    default: none
  fail_on:
    description:
      - Fail if a message ends with one of these statuses. The result is still complete.
    type: list
    elements: str
    choices:
      - submitted
      - already_submitted
      - agreed
      - refused
      - not_found
      - ambiguous
      - unknown
      - not_attempted
      - would_submit
    default: [refused, not_found, ambiguous, unknown, not_attempted]
seealso:
  - module: emailsec.cloudflare.message_info
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Tell Cloudflare that two messages were held by mistake
  emailsec.cloudflare.message_reclassify:
    messages:
      - !unsafe 4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678
      - !unsafe <a1@sender.example>
    ticket: !unsafe INC-4711
    reason: !unsafe False positive, confirmed by the recipient
  register: reclassification

- name: Show the outcome for each message
  ansible.builtin.debug:
    msg: "{{ item.handle }}: {{ item.status }}"
  loop: "{{ reclassification.messages }}"
  loop_control:
    label: "{{ item.handle }}"

- name: Report phishing that was delivered, and keep a record
  emailsec.cloudflare.message_reclassify:
    messages_file: ids.txt
    expected_disposition: malicious
    journal: /var/log/quarantine-release.jsonl
"""

RETURN = r"""
msg:
  description: Summary of the outcome in one sentence. If the run ended early, the reason.
  returned: always
  type: str
  sample: "3 messages: 2 submitted, 1 agreed."
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
        - V(submitted), Cloudflare accepted it for a review, or its record shows the submission.
        - V(already_submitted), a submission on record asks for the same. Nothing was sent.
        - V(agreed), the verdict is already this. Nothing was sent.
        - V(refused), Cloudflare does not accept it. RV(messages[].detail) has its words.
        - V(not_found), Cloudflare does not know the handle.
        - V(ambiguous), the handle matches several messages. None of them was submitted.
        - V(unknown), it was sent, but neither the answer nor the record shows the outcome.
        - V(not_attempted), the run stopped before it was sent, or its state could not be read.
        - V(would_submit), it would be submitted. Only in check mode.
      type: str
      returned: always
      sample: submitted
    submission_id:
      description:
        - ID of the submission, if the record was read and has it. Otherwise null, as the answer to a submission does not
          tell it.
      type: str
      returned: always
      sample: null
    detail:
      description: Explanation of the outcome.
      type: str
      returned: always
      sample: Accepted by Cloudflare as none.
    changed:
      description: Whether this run submitted it. In check mode, whether a run would try to.
      type: bool
      returned: always
      sample: true
summary:
  description: Number of rows per status, and C(total).
  returned: unless an argument was refused
  type: dict
  sample: {"submitted": 2, "agreed": 1, "total": 3}
expected_disposition:
  description: Value of O(expected_disposition).
  returned: unless an argument was refused
  type: str
  sample: none
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
  sample: False positive, confirmed by the recipient
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
from ..module_utils._followup.reclassify import FAIL_ON, STATUSES, Reclassifier
from ..module_utils._followup.run import Request, follow_up
from ..module_utils._mail.verdicts import EXPECTED_DISPOSITIONS
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
            expected_disposition={"type": "str", "choices": list(EXPECTED_DISPOSITIONS), "default": "none"},
        ),
        **HANDLES_RULES,
        supports_check_mode=True,
    )
    params = module.params
    clock = Clock()
    clock.stop_on_signals()
    disposition = params["expected_disposition"]
    try:
        client = make_client(module, clock)
        settle_time = in_range(params, "settle_time", 3, 3600)
        trail = audit_trail(params, {})
        request = Request(
            handles=given_handles(module) or [],
            check_mode=module.check_mode,
            trail={**trail, "expected_disposition": disposition},
            journal=params["journal"],
        )
        run = follow_up(
            client, clock, request, lambda journal: Reclassifier(client, clock, journal, settle_time, disposition)
        )
    except CloudflareError as error:
        fail(module, error)
    end_follow_up(module, client, run, request.trail, params["fail_on"])


if __name__ == "__main__":
    main()
