#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: submission_info
short_description: List submissions to Cloudflare Email Security, and what became of them
version_added: 0.5.0
description:
  - Returns the submissions of an account as a list. A submission asks Cloudflare to judge a message anew, because somebody thinks
    that its verdict is wrong.
  - Requires the permission C(Cloud Email Security) with C(Read).
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api
  - emailsec.cloudflare.api.connection
  - emailsec.cloudflare.attributes
  - emailsec.cloudflare.attributes.info_module
options:
  submission_id:
    description: List the submission with this ID.
    type: str
  type:
    description: List submissions of the security team, or of users who reported a message.
    type: str
    choices: [TEAM, USER]
  status:
    description: List submissions that Cloudflare reviewed, that it did not review yet, or that the team took up from a user.
    type: str
    choices: [escalated, reviewed, unreviewed]
  original_disposition:
    description: List submissions of messages that had this verdict.
    type: str
    choices: [MALICIOUS, SUSPICIOUS, SPOOF, SPAM, BULK, NONE]
  requested_disposition:
    description: List submissions that ask for this verdict. V(NONE) says that a message was a false positive.
    type: str
    choices: [MALICIOUS, SUSPICIOUS, SPOOF, SPAM, BULK, NONE]
  outcome_disposition:
    description: List submissions whose review ended with this verdict.
    type: str
    choices: [MALICIOUS, SUSPICIOUS, SPOOF, SPAM, BULK, NONE]
  query:
    description: List submissions with these words. Cloudflare does not say where it looks for them.
    type: str
  escalated_from_user:
    description: List only submissions that take up the submission of a user, or only others.
    type: bool
  start:
    description:
      - List submissions made at this time or later. An ISO 8601 date or time, in UTC if it has no time zone.
      - If neither O(start) nor O(since) is set, Cloudflare lists the last 30 days.
    type: str
  end:
    description: List submissions made before this time. An ISO 8601 date or time, in UTC if it has no time zone.
    type: str
  since:
    description:
      - List submissions made within this time before now. A number followed by V(m), V(h), V(d) or V(w), such as V(24h) or
        V(7d).
      - Mutually exclusive with O(start).
    type: str
  limit:
    description:
      - Return at most this many submissions, the newest ones. RV(truncated) says whether there are more. If not set, all are
        returned.
    type: int
notes:
  - Subjects are written by strangers. Never evaluate them as templates.
seealso:
  - module: emailsec.cloudflare.message_info
"""

EXAMPLES = r"""
- name: List the false positives that were reported in the last two weeks
  emailsec.cloudflare.submission_info:
    requested_disposition: NONE
    since: 14d
  register: submissions

- name: Show what became of each of them
  ansible.builtin.debug:
    msg: "{{ item.submission_id }}: {{ item.customer_status }}, {{ item.outcome_disposition or 'no outcome yet' }}"
  loop: "{{ submissions.entries }}"
  loop_control:
    label: "{{ item.submission_id }}"

- name: List what users reported and nobody looked at yet
  emailsec.cloudflare.submission_info:
    type: USER
    status: unreviewed
"""

RETURN = r"""
msg:
  description: Number of submissions in one sentence, or the reason of a failure.
  returned: always
  type: str
  sample: "3 submissions: 1 reviewed, 2 unreviewed."
entries:
  description:
    - The submissions, the newest first. Empty if there are none.
    - If the task fails on the way, those that were read by then.
  returned: unless an argument was refused
  type: list
  elements: dict
  contains:
    submission_id:
      description: ID of the submission.
      type: str
      returned: always
      sample: sub-1
    type:
      description: Who made it, C(Team) or C(User).
      type: str
      returned: always
      sample: Team
    subject:
      description: Subject of the message.
      type: str
      returned: always
      sample: Quarterly invoice 2041
    status:
      description: Status in Cloudflare's own words. They are not documented.
      type: str
      returned: always
      sample: completed
    customer_status:
      description: C(escalated), C(reviewed) or C(unreviewed).
      type: str
      returned: always
      sample: reviewed
    outcome:
      description: Outcome in Cloudflare's own words. They are not documented.
      type: str
      returned: always
      sample: accepted
    original_disposition:
      description: Verdict before the submission.
      type: str
      returned: always
      sample: SPAM
    requested_disposition:
      description: Verdict that the submission asks for.
      type: str
      returned: always
      sample: NONE
    outcome_disposition:
      description: Verdict after the review, or null while there is none.
      type: str
      returned: always
      sample: NONE
    escalated_as:
      description: Verdict that the team asked for when it took up the submission of a user.
      type: str
      returned: always
      sample: null
    escalated_at:
      description: When the team took it up.
      type: str
      returned: always
      sample: null
    escalated_by:
      description: Who took it up.
      type: str
      returned: always
      sample: null
    escalated_submission_id:
      description: ID of the submission of a user that this one takes up.
      type: str
      returned: always
      sample: null
    original_postfix_id:
      description: Legacy postfix ID of the message.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q
    original_edf_hash:
      description: Fingerprint of the message.
      type: str
      returned: always
      sample: null
    requested_by:
      description: Who made the submission.
      type: str
      returned: always
      sample: analyst@example.com
    requested_at:
      description: When it was made.
      type: str
      returned: always
      sample: "2026-11-20T09:00:00Z"
summary:
  description:
    - Number of submissions per C(customer_status), and C(total). Those with a status that is missing or new are C(other).
  returned: unless an argument was refused
  type: dict
  sample: {"escalated": 0, "reviewed": 1, "unreviewed": 2, "other": 0, "total": 3}
truncated:
  description:
    - Whether there are or may be more submissions than were returned, because of O(limit), because the server cut the list short, or
      because the task failed.
  returned: unless an argument was refused
  type: bool
  sample: false
account_id:
  description: ID of the account that was used.
  returned: unless an argument was refused
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_calls:
  description: Number of HTTP requests made.
  returned: unless an argument was refused
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

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._api.connection import in_range
from ..module_utils._arguments import api_argument_spec, fail, make_client
from ..module_utils._clock import Clock
from ..module_utils._errors import CloudflareError
from ..module_utils._followup.submissions import STATUSES, TEXT_OPTIONS, TYPES, Submissions, submission_filters
from ..module_utils._mail.filters import DISPOSITIONS


def main() -> None:
    choices = {
        "type": TYPES,
        "status": STATUSES,
        **{name: DISPOSITIONS for name in TEXT_OPTIONS if "disposition" in name},
    }
    module = AnsibleModule(
        argument_spec=api_argument_spec(
            **{
                name: {"type": "str", "choices": list(choices[name])} if name in choices else {"type": "str"}
                for name in (*TEXT_OPTIONS, "start", "end", "since")
            },
            escalated_from_user={"type": "bool"},
            limit={"type": "int"},
        ),
        mutually_exclusive=[("start", "since")],
        supports_check_mode=True,
    )
    params = module.params
    clock = Clock()
    try:
        client = make_client(module, clock)
        filters = submission_filters(params, clock.time())
        limit = None if params["limit"] is None else in_range(params, "limit", 1)
    except CloudflareError as error:
        fail(module, error)
    submissions = Submissions(client)
    try:
        submissions.read(filters, limit)
        failure = None
    except CloudflareError as error:
        failure = error
    result = {**submissions.data(), **client.used()}
    if failure:
        fail(module, failure, **{**result, "msg": f"{failure.sentence()} {result['msg']}"})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
