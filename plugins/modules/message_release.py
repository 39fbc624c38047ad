#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: message_release
short_description: Release messages from the quarantine of Cloudflare Email Security
version_added: 0.1.0
description:
  - Releases quarantined messages to their recipients, and reports the outcome for each message.
  - Reads the state first and releases only messages that are in quarantine. A second run changes nothing.
  - If the answer to a release call is lost or unclear, the module reads the state back before it sends anything again. The
    release call has no idempotency key, so sending it again on a guess could deliver a message twice.
  - Requires the permission C(Cloud Email Security) with C(Write). Check mode only needs C(Read).
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api
  - emailsec.cloudflare.api.connection
  - emailsec.cloudflare.attributes
  - emailsec.cloudflare.handles
attributes:
  check_mode:
    support: full
    details:
      - Reads the state and predicts the status of each message. Releases nothing and writes no journal.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(check_state=true), a message that has left quarantine is not released again.
      - Cloudflare may show a release only seconds later. A second run within that time still sees the old state, unless
        O(journal) is set.
options:
  messages:
    description:
      - Messages to release. Each is given by its investigate ID (C(4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678)), its legacy
        postfix ID (C(4Njp3P0STMz2c02Q)) or its RFC 5322 Message-ID (C(<a1@sender.example>)).
      - The same handle given twice counts once. Several handles of one message are reported one by one, but the message
        is released once.
      - With an empty list, the module does nothing.
      - A Message-ID that matches several messages is V(ambiguous), and none of them is released.
      - Exactly one of O(messages), O(messages_file) and O(plan) is required.
    type: list
    elements: raw
    aliases: [ids, postfix_ids]
  plan:
    description:
      - Path of a plan file that M(emailsec.cloudflare.message_plan) wrote. Exactly the messages that the plan releases are
        released. The messages that it blocks are reported as V(blocked).
      - A plan is refused before any request if it was changed, has expired, is for another account, claims to be made in the
        future, or lasts longer than O(emailsec.cloudflare.message_plan#module:expires_in) allows.
      - With O(plan_digest), the module also looks for the plan with this digest in the file that
        M(emailsec.cloudflare.message_plan) keeps next to this one. An earlier plan can be applied that way.
      - The file must be a regular file and not a symbolic link. Without O(plan_digest), it must also belong to you or root, have no
        hard links and not be world-writable. Then its directory must not be world-writable either, unless it has the sticky bit.
      - A message is V(blocked) by the rule C(drift) if its verdict or a result of SPF, DKIM or DMARC got worse, or if its sender
        or recipients changed since the plan was made.
    type: path
    version_added: 0.2.0
  plan_digest:
    description:
      - Digest that was approved, as returned in RV(emailsec.cloudflare.message_plan#module:digest). A plan with another
        digest is refused.
      - It consists of C(sha256:), which may be left out, and 64 hexadecimal digits. Anything else is refused, also an empty
        string and null, because an empty form field or variable approves nothing.
      - Without this option, the digest inside the file only shows that the file is undamaged. Anybody who can write the file can
        also write the digest.
    type: str
    version_added: 0.2.0
  only:
    description:
      - IDs of the messages in O(plan) to release. Use it to apply a plan in steps.
      - The other messages of the plan are neither released nor reported. Null, and an ID that the plan does not release, are
        refused before any request.
    type: list
    elements: str
    version_added: 0.2.0
  batch_size:
    description:
      - Number of messages in one request, V(1) to V(1000). Cloudflare publishes no limit.
    type: int
    default: 50
  concurrency:
    description:
      - Number of requests at the same time, V(1) to V(16).
    type: int
    default: 4
  check_state:
    description:
      - Whether to read the state of each message first and release only messages that are in quarantine. Check mode always
        reads the state.
      - With V(false), IDs are sent without reading the state first, which saves requests. Message-IDs are still looked up.
      - With V(false), Cloudflare decides what happens to a message that is not in quarantine. This is not documented, and the
        message might be delivered again. If the call gives no plain answer, and the message then reads as released, the time of its
        release in the action log tells whether it is V(released) by this run or V(already_released). If the log does not tell, the
        message is V(unknown).
    type: bool
    default: true
  request_format:
    description:
      - Format of the request body. V(array) is C(["id", ...]), documented until September 2026. V(object) is an object with the
        IDs in C(ids), documented since October 2026.
      - V(auto) starts with the array, changes to the object if the format is refused, and keeps what worked. That a server takes
        the object is remembered for a day, in a private file of the user in the temporary directory.
    type: str
    choices: [auto, array, object]
    default: auto
  fail_on:
    description:
      - Fail if a message ends with one of these statuses. The result is still complete.
    type: list
    elements: str
    choices:
      - released
      - partial
      - undelivered
      - failed
      - already_released
      - not_quarantined
      - not_found
      - ambiguous
      - blocked
      - unknown
      - not_attempted
      - would_release
    default: [partial, undelivered, failed, not_found, ambiguous, unknown, not_attempted]
  stop_after_failures:
    description:
      - Stop once this many messages have ended as V(failed), V(undelivered) or V(unknown). Messages not sent by then are
        V(not_attempted). With V(0), never stop.
    type: int
    default: 0
  settle_time:
    description:
      - Time in seconds that Cloudflare may take to show a release, V(3) to V(3600). Cloudflare publishes no figure.
      - If the answer to a release call is lost or unclear, a message is sent again only if it still reads as quarantined
        after this time.
      - If another message that was certainly released still reads as quarantined too, the module waits up to six times as
        long. After that, the message is V(unknown) and is not sent again.
    type: float
    default: 10
    version_added: 0.3.0
  verify_delivery:
    description:
      - Time in seconds to follow the delivery of the released messages. See RV(messages[].delivery). With V(0), delivery is not
        followed.
      - The module stops waiting once all messages are delivered, bounced or moved. A message that bounced is V(undelivered).
    type: float
    default: 0
    version_added: 0.2.0
  journal:
    description:
      - Path of a file, in JSON Lines format, that records each request before it is sent, and its outcome afterwards. A
        relative path starts at the directory of the playbook.
      - The journal is read at the start of each run. A message that it records as released within the last day is not sent
        again, even if Cloudflare still shows it in quarantine. Releases that a killed run left unclear are waited for.
      - Each line is on the disk before the module continues. Several tasks can share the journal. Tasks for the same account then
        wait for each other, up to O(max_wait).
      - The file must be a regular file (no symbolic link, no hard links) that belongs to you or root. Its directory must not be
        world-writable, unless it has the sticky bit.
      - A new journal has the mode C(0600). One that everybody can read is restricted to its owner. One that only its group can
        use stays open to the group.
    type: path
  return_messages:
    description:
      - Which rows are in RV(messages). V(all) returns all rows. V(none) returns an empty list.
      - V(attention) returns the rows that need a person. Their status is one that O(fail_on) has by default.
      - RV(summary), RV(msg) and O(fail_on) take all rows into account.
      - With many thousands of messages, V(attention) and V(none) save memory and keep the output of the task short. Give the messages
        with O(messages_file) then, because Ansible repeats O(messages) in its output.
    type: str
    choices: [all, attention, none]
    default: all
    version_added: 0.5.0
  result_file:
    description:
      - Path of a file for all rows of RV(messages), whatever O(return_messages) is. The file has one row on each line, as JSON Lines.
      - A relative path is taken from the directory of the playbook.
      - The module writes the file at the end of the run, also when the task fails. It replaces the file of an earlier run.
      - The file has the mode C(0600). One that only its group can use stays open to the group.
      - It must be a regular file with one name (no symbolic link, no hard links), in a directory that not everybody can write to,
        unless it has the sticky bit. The module checks this before it sends anything. In check mode it checks, but does not write.
      - If the file cannot be written at the end of the run, the task fails, and RV(messages) has all rows.
    type: path
    version_added: 0.5.0
  reason:
    description:
      - Why the messages are released. Recorded in the journal and the result, not sent to Cloudflare.
      - If not set, the reason in O(plan) is used.
    type: str
  ticket:
    description:
      - Number of the ticket for the release. Recorded in the journal and the result, not sent to Cloudflare.
      - If not set, the ticket in O(plan) is used.
    type: str
  started_by:
    description:
      - Who runs the task. Recorded in the journal and the result, not sent to Cloudflare.
      - If not set, the system user that runs the module is used.
    type: str
    version_added: 0.5.0
  requested_by:
    description:
      - Who requests the release. Recorded in the journal and the result, not sent to Cloudflare.
      - If not set, the person in O(plan) is used.
    type: str
    version_added: 0.5.0
  approved_by:
    description:
      - Who approved the release. Recorded in the journal and the result, not sent to Cloudflare.
      - The module records the name and does not check it.
    type: str
    version_added: 0.5.0
notes:
  - On SIGTERM or SIGINT, the module finishes the requests in flight and then stops. The result says what was done and what was not.
seealso:
  - module: emailsec.cloudflare.message_info
  - module: emailsec.cloudflare.message_plan
"""

EXAMPLES = r"""
- name: Release two messages (credential and account from the environment)
  emailsec.cloudflare.message_release:
    messages:
      - !unsafe 4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678
      - !unsafe <a1@sender.example>
    ticket: !unsafe INC-4711
    reason: !unsafe False positive, confirmed by the recipient
  register: release

- name: Show the outcome for each message
  ansible.builtin.debug:
    msg: "{{ item.handle }}: {{ item.status }}"
  loop: "{{ release.messages }}"
  loop_control:
    label: "{{ item.handle }}"

- name: Release a list in small steps, and stop after five failures
  emailsec.cloudflare.message_release:
    account_id: 023e105f4ecef8ad9ca31a8372d0c353
    api_token: "{{ vault_cloudflare_api_token }}"
    messages_file: ids.txt
    batch_size: 20
    stop_after_failures: 5
    journal: /var/log/quarantine-release.jsonl

- name: Release the messages in a column of an export
  emailsec.cloudflare.message_release:
    messages_file: /srv/lists/export.csv
    messages_column: Message ID

- name: Release legacy postfix IDs with a global API key, and fail only if the outcome is unclear or the run stopped
  emailsec.cloudflare.message_release:
    api_email: "{{ vault_cloudflare_email }}"
    api_key: "{{ vault_cloudflare_api_key }}"
    postfix_ids:
      - !unsafe 4Njp3P0STMz2c02Q
    fail_on: [unknown, not_attempted]

- name: Apply the approved plan, and follow the delivery for a minute
  emailsec.cloudflare.message_release:
    plan: /srv/plans/INC-4711.json
    plan_digest: "{{ approved_digest }}"
    verify_delivery: 60

- name: Release only the first two messages of the plan
  emailsec.cloudflare.message_release:
    plan: /srv/plans/INC-4711.json
    only: "{{ (plan.messages | selectattr('decision', 'eq', 'release') | map(attribute='id'))[:2] }}"

- name: Release very many messages, return those that need a person, and keep all rows in a file
  emailsec.cloudflare.message_release:
    messages_file: /srv/lists/export.csv
    return_messages: attention
    result_file: /srv/reports/release.jsonl
"""

RETURN = r"""
msg:
  description: Summary of the outcome in one sentence. If the run ended early, the reason.
  returned: always
  type: str
  sample: "3 messages: 2 released, 1 already_released, 4 recipients reached."
messages:
  description:
    - Outcome for each handle, in the order of O(messages).
    - With O(return_messages), rows are left out. O(result_file) has all of them.
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
        - V(released), it was delivered to every recipient, or reading the state back shows that this run released it.
        - V(partial), it was delivered to some recipients, but not to all.
        - V(undelivered), the release was accepted, but the message was delivered to nobody.
        - V(failed), Cloudflare reports a failure for all recipients, or refuses the message.
        - V(already_released), it was released before this run. Nothing was sent.
        - V(not_quarantined), it is not in quarantine, and no release is on record. Nothing was sent.
        - V(not_found), Cloudflare does not know the handle.
        - V(ambiguous), the handle matches several messages. None of them was released.
        - V(blocked), a rule of the plan blocked it.
        - V(unknown), it was sent, but neither the answer nor reading the state back shows the outcome.
        - V(not_attempted), the run stopped before it was sent.
        - V(would_release), it would be released. Only in check mode.
      type: str
      returned: always
      sample: released
    delivered:
      description: Recipients to whom it was delivered, as far as known.
      type: list
      elements: str
      returned: always
      sample: [alice@example.com]
    undelivered:
      description: Recipients to whom it was not delivered.
      type: list
      elements: str
      returned: always
      sample: []
    failed:
      description: Recipients for whom delivery failed.
      type: list
      elements: str
      returned: always
      sample: []
    detail:
      description: Explanation of the outcome.
      type: str
      returned: always
      sample: Delivered to every recipient.
    rule:
      description: Name of the rule that blocked the message, or null.
      type: str
      returned: always
      sample: null
    delivery:
      description:
        - Delivery status within O(verify_delivery), one of V(delivered), V(bounced), V(deferred), V(moved) and V(unknown).
          Null if delivery was not followed.
      type: str
      returned: always
      sample: delivered
    changed:
      description: Whether this run delivered it to somebody. In check mode, whether a run would try to.
      type: bool
      returned: always
      sample: true
summary:
  description: Number of rows per status, including those that RV(messages) leaves out, C(total), and C(recipients_delivered).
  returned: unless an argument was refused
  type: dict
  sample: {"released": 2, "already_released": 1, "total": 3, "recipients_delivered": 4}
account_id:
  description: ID of the account that was used. It can come from the environment of the task.
  returned: unless an argument was refused
  type: str
  version_added: 0.5.0
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_calls:
  description: Number of HTTP requests made.
  returned: unless an argument was refused
  type: int
  sample: 3
reason:
  description: Value of O(reason), or else the reason in O(plan).
  returned: unless an argument was refused
  type: str
  sample: False positive, confirmed by the recipient
ticket:
  description: Value of O(ticket), or else the ticket in O(plan).
  returned: unless an argument was refused
  type: str
  sample: INC-4711
started_by:
  description: Value of O(started_by), or else the system user that ran the module.
  returned: unless an argument was refused
  type: str
  version_added: 0.5.0
  sample: alice
requested_by:
  description: Value of O(requested_by), or else the person in O(plan).
  returned: unless an argument was refused
  type: str
  version_added: 0.5.0
  sample: bob
approved_by:
  description: Value of O(approved_by).
  returned: unless an argument was refused
  type: str
  version_added: 0.5.0
  sample: carol
plan:
  description:
    - The plan that was checked and applied, with all its messages. See RV(emailsec.cloudflare.message_plan#module:plan).
    - Use it for reports, as the file may have changed since.
  returned: with O(plan) and without O(only), unless an argument was refused
  type: dict
  version_added: 0.5.0
plan_digest:
  description: Digest of the applied plan.
  returned: with O(plan), unless an argument was refused
  type: str
  sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
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
from ..module_utils._arguments import api_argument_spec, fail, make_client, refuse_null
from ..module_utils._clock import Clock
from ..module_utils._errors import CloudflareError, ResultFileError
from ..module_utils._message_arguments import given_handles, handles_argument_spec, rows_argument_spec
from ..module_utils._plan.document import check_plan
from ..module_utils._plan.file import read_plan
from ..module_utils._release.body import ARRAY, AUTO, OBJECT
from ..module_utils._release.engine import Options
from ..module_utils._release.outcome import FAIL_ON, STATUSES
from ..module_utils._release.planned import audit_trail, narrow, planned_handles
from ..module_utils._release.run import ReleaseRequest, release_messages
from ..module_utils._release.settle import SETTLE_TIME
from ..module_utils._rows import check_result_file, wanted, write_result_file
from ..module_utils._times import from_seconds


def main() -> None:
    module = AnsibleModule(
        argument_spec=api_argument_spec(
            **handles_argument_spec(),
            **rows_argument_spec(),
            plan={"type": "path"},
            plan_digest={"type": "str"},
            only={"type": "list", "elements": "str"},
            batch_size={"type": "int", "default": 50},
            concurrency={"type": "int", "default": 4},
            check_state={"type": "bool", "default": True},
            request_format={"type": "str", "choices": [AUTO, ARRAY, OBJECT], "default": AUTO},
            fail_on={"type": "list", "elements": "str", "choices": list(STATUSES), "default": list(FAIL_ON)},
            stop_after_failures={"type": "int", "default": 0},
            settle_time={"type": "float", "default": SETTLE_TIME},
            verify_delivery={"type": "float", "default": 0},
            journal={"type": "path"},
            reason={"type": "str"},
            ticket={"type": "str"},
            started_by={"type": "str"},
            requested_by={"type": "str"},
            approved_by={"type": "str"},
        ),
        mutually_exclusive=[("messages", "messages_file", "plan")],
        required_one_of=[("messages", "messages_file", "plan")],
        required_by={"messages_column": ["messages_file"], "plan_digest": ["plan"], "only": ["plan"]},
        supports_check_mode=True,
    )
    params = module.params
    clock = Clock()
    clock.stop_on_signals()
    try:
        client = make_client(module, clock, connections=in_range(params, "concurrency", 1, 16))
        refuse_null(module, "plan_digest", "only")
        check_result_file(params["result_file"], params["journal"], params["plan"], params["messages_file"])
        plan = chosen = None
        if params["plan"] is not None:
            plan = chosen = read_plan(params["plan"], params["plan_digest"])
            check_plan(plan, client.account_id, from_seconds(clock.time()), params["plan_digest"])
            if params["only"] is not None:
                chosen = narrow(plan, params["only"])
        trail = audit_trail(params, plan or {})
        request = ReleaseRequest(
            handles=planned_handles(chosen) if chosen else given_handles(module) or [],
            options=Options(
                batch_size=in_range(params, "batch_size", 1, 1000),
                concurrency=params["concurrency"],
                request_format=params["request_format"],
                retries=params["retries"],
                stop_after_failures=in_range(params, "stop_after_failures", 0),
                settle_time=in_range(params, "settle_time", 3, 3600),
            ),
            check_mode=module.check_mode,
            check_state=params["check_state"],
            plan=chosen,
            trail=trail,
            verify_delivery=in_range(params, "verify_delivery", 0),
            journal=params["journal"],
        )
        run = release_messages(client, clock, request)
    except CloudflareError as error:
        fail(module, error)

    ended_by = run.error
    result = {**run.data(), **client.used(), **trail}
    if plan:
        result["plan_digest"] = plan["digest"]
        if chosen is plan:
            result["plan"] = plan
    for warning in run.warnings:
        module.warn(warning)
    if module._diff:
        result["diff"] = run.diff()
    try:
        if params["result_file"] is not None and not module.check_mode:
            write_result_file(params["result_file"], run.rows, client.masker.mask)
        result["messages"] = wanted(run.rows, params["return_messages"], lambda row: row["status"] in FAIL_ON)
    except ResultFileError as unwritten:
        ended_by = ended_by or unwritten
        result["msg"] = f"{unwritten.sentence()} {result['msg']}"
    if ended_by or run.fails(params["fail_on"]):
        fail(module, ended_by, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
