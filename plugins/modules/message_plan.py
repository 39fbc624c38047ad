#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: message_plan
short_description: Plan which messages to release from the quarantine of Cloudflare Email Security
version_added: 0.2.0
description:
  - Finds messages, judges each by a policy of named rules, and writes a plan that says what would be released, what not,
    and why, with the evidence that an approver needs.
  - Changes nothing in Cloudflare. M(emailsec.cloudflare.message_release) applies the plan.
  - Needs the permission C(Cloud Email Security) with C(Read).
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api
  - emailsec.cloudflare.api.connection
  - emailsec.cloudflare.attributes
  - emailsec.cloudflare.handles
  - emailsec.cloudflare.search
attributes:
  check_mode:
    support: full
    details:
      - Makes the plan and returns it, but does not write O(dest).
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - A plan in O(dest) that decides the same and has not expired is kept.
options:
  messages:
    description:
      - Plan these messages, each given by its investigate id, its legacy postfix id or its RFC 5322 Message-ID.
      - Mutually exclusive with O(messages_file) and all search options.
      - A handle that fits several messages becomes an entry that lists them and asks for a choice.
    type: list
    elements: raw
    aliases: [ids, postfix_ids]
  delivery_status:
    description:
      - Search for messages of which this became. Only what is in quarantine can be released.
    type: str
    choices: [delivered, moved, quarantined, rejected, deferred, bounced, queued, move_failed]
    default: quarantined
  detections_only:
    description: Whether messages without a detection are left out of the search.
    type: bool
    default: false
  limit:
    description:
      - A search that finds more messages than this is refused; a plan never holds only a part of what was asked for.
    type: int
    default: 10000
  policy:
    description:
      - The rules by which messages are judged. Addresses are given as patterns, an address (C(*@partner.example)) or a
        domain (C(partner.example)), with C(*) and C(?); case does not count.
    type: dict
    default: {}
    suboptions:
      max_messages:
        description: Refuse the whole plan if it would release more messages than this.
        type: int
        default: 50
      max_recipients:
        description: Refuse the whole plan if it would reach more recipients than this, counted per message.
        type: int
        default: 500
      max_per_sender:
        description: Refuse the whole plan if it would release more messages than this of one envelope sender.
        type: int
        default: 50
      forbidden_dispositions:
        description: Block messages with one of these verdicts.
        type: list
        elements: str
        default: [MALICIOUS, MALICIOUS-BEC]
      forbidden_threat_categories:
        description: Block messages in one of these threat categories.
        type: list
        elements: str
        default: []
      max_age:
        description: Block messages scanned longer ago than this, such as V(7d).
        type: str
      min_age:
        description: Block messages scanned more recently than this, such as V(10m).
        type: str
      require_authentication:
        description: Block messages for which none of SPF, DKIM and DMARC passes.
        type: bool
        default: true
      protected_recipients:
        description: Block messages for one of these recipients (patterns), so that they need an override.
        type: list
        elements: str
        default: []
      allowed_senders:
        description:
          - If not empty, block messages unless both the envelope sender and the sender shown fit one of these patterns.
        type: list
        elements: str
        default: []
      denied_senders:
        description: Block messages whose envelope sender or sender shown fits one of these patterns.
        type: list
        elements: str
        default: []
      require_ticket:
        description: Refuse the whole plan if O(ticket) is not given.
        type: bool
        default: false
      require_reason:
        description: Refuse the whole plan if O(reason) is not given.
        type: bool
        default: false
      overrides:
        description:
          - Names of rules that are not to refuse anything this time. The plan records them, and at each message which of
            them would have blocked it.
        type: list
        elements: str
        default: []
  dest:
    description:
      - Write the plan to this file, with mode C(0600). If not set, the plan is only returned.
      - A refused plan is not written.
    type: path
  expires_in:
    description: How long the plan may be applied, such as V(8h) or V(7d).
    type: str
    default: 24h
  evidence:
    description:
      - V(basic) is what the search tells. V(full) adds attachments, links and the sending host, and costs one request for
        each message. Links are written so that no program makes them clickable.
    type: str
    choices: [basic, full]
    default: basic
  requested_by:
    description: Who asks for the release. Recorded in the plan.
    type: str
  reason:
    description: Why. Recorded in the plan.
    type: str
  ticket:
    description: Number of the ticket. Recorded in the plan.
    type: str
notes:
  - A plan holds subjects and addresses. Keep it as confidential as the mail.
  - Subjects, names and addresses are what a stranger wrote. Never put them through a template again.
seealso:
  - module: emailsec.cloudflare.message_info
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Plan the release of what a supplier sent today (credential and account from the environment)
  emailsec.cloudflare.message_plan:
    sender: supplier.example
    since: 24h
    ticket: !unsafe INC-4711
    requested_by: Alice of the service desk
    evidence: full
    policy:
      max_messages: 10
      denied_senders: ["*@newsletter.supplier.example"]
      require_ticket: true
    dest: /srv/plans/INC-4711.json
  register: plan

- name: Show what was decided
  ansible.builtin.debug:
    msg: "{{ plan.msg }} {{ plan.digest }}"

- name: Apply it, once its digest is approved
  emailsec.cloudflare.message_release:
    plan: /srv/plans/INC-4711.json
    plan_digest: "{{ plan.digest }}"
"""

RETURN = r"""
msg:
  description: What was decided, in one sentence.
  returned: always
  type: str
  sample: "3 messages: 2 to release to 4 recipients, 1 blocked (forbidden_dispositions 1)."
plan:
  description:
    - The plan, a document of schema C(emailsec.cloudflare/plan) version 1.
  returned: unless an argument was refused
  type: dict
  contains:
    account_id:
      description: The account it is for.
      type: str
      returned: always
      sample: 023e105f4ecef8ad9ca31a8372d0c353
    created_at:
      description: When it was made.
      type: str
      returned: always
      sample: "2026-11-20T08:00:00Z"
    expires_at:
      description: Until when it may be applied.
      type: str
      returned: always
      sample: "2026-11-21T08:00:00Z"
    search:
      description: The search that found the messages, null if they were named.
      type: dict
      returned: always
      sample: {"sender": "supplier.example", "delivery_status": "quarantined"}
    policy:
      description: The rules that were applied.
      type: dict
      returned: always
      sample: {"max_messages": 50}
    refused_by:
      description: Rules that refused the plan as a whole.
      type: list
      elements: str
      returned: always
      sample: []
    messages:
      description: The messages with their evidence.
      type: list
      elements: dict
      returned: always
      contains:
        handles:
          description: The handles that name it.
          type: list
          elements: str
          returned: always
          sample: [4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678]
        decision:
          description: V(release) or V(blocked).
          type: str
          returned: always
          sample: release
        rules:
          description:
            - Names of the rules that blocked it; besides those of O(policy) these are C(not_found), C(ambiguous) and
              C(not_quarantined), which cannot be overridden.
          type: list
          elements: str
          returned: always
          sample: []
        overridden:
          description: Rules that would have blocked it, but are overridden.
          type: list
          elements: str
          returned: always
          sample: []
        recipients:
          description: Whom it would reach.
          type: list
          elements: str
          returned: always
          sample: [alice@example.com]
        candidates:
          description: The messages that an ambiguous handle fits.
          type: list
          elements: dict
          returned: when the handle is unknown or ambiguous
          sample: []
        details:
          description: C(attachments), C(links) and C(sender); null if Cloudflare has none.
          type: dict
          returned: with O(evidence=full)
          sample: {"attachments": [], "links": [{"href": "hxxps://supplier[.]example/", "text": "Open"}], "sender": {"ip": "192.0.2.25"}}
    digest:
      description: Same as RV(digest).
      type: str
      returned: always
      sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
digest:
  description: SHA-256 over the plan as canonical JSON. What is to be approved.
  returned: unless an argument was refused
  type: str
  sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
summary:
  description: Counts of the plan, and refusals per rule.
  returned: unless an argument was refused
  type: dict
  sample: {"total": 3, "release": 2, "blocked": 1, "recipients": 4, "rules": {"forbidden_dispositions": 1}}
dest:
  description: The option O(dest).
  returned: unless an argument was refused
  type: str
  sample: /srv/plans/INC-4711.json
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

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emailsec.cloudflare.plugins.module_utils._arguments import (
    DELIVERY_STATUSES,
    api_argument_spec,
    exclusive_search_options,
    fail,
    handles_argument_spec,
    make_client,
    search_argument_spec,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._clock import Clock
from ansible_collections.emailsec.cloudflare.plugins.module_utils._connection import in_range
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import CloudflareError, InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._filters import search_filters
from ansible_collections.emailsec.cloudflare.plugins.module_utils._handle_file import given_handles
from ansible_collections.emailsec.cloudflare.plugins.module_utils._messages import Messages
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan import read_plan, same_decisions
from ansible_collections.emailsec.cloudflare.plugins.module_utils._planfile import check_writable, write_plan
from ansible_collections.emailsec.cloudflare.plugins.module_utils._planning import Planned, Wish, make_plan, sentence
from ansible_collections.emailsec.cloudflare.plugins.module_utils._policy import Policy
from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import from_seconds, parse_duration, parse_time

POLICY_OPTIONS = {
    "max_messages": {"type": "int", "default": 50},
    "max_recipients": {"type": "int", "default": 500},
    "max_per_sender": {"type": "int", "default": 50},
    "forbidden_dispositions": {"type": "list", "elements": "str", "default": ["MALICIOUS", "MALICIOUS-BEC"]},
    "forbidden_threat_categories": {"type": "list", "elements": "str", "default": []},
    "max_age": {"type": "str"},
    "min_age": {"type": "str"},
    "require_authentication": {"type": "bool", "default": True},
    "protected_recipients": {"type": "list", "elements": "str", "default": []},
    "allowed_senders": {"type": "list", "elements": "str", "default": []},
    "denied_senders": {"type": "list", "elements": "str", "default": []},
    "require_ticket": {"type": "bool", "default": False},
    "require_reason": {"type": "bool", "default": False},
    "overrides": {"type": "list", "elements": "str", "default": []},
}


def make_wish(params: dict[str, t.Any], account_id: str, now: float) -> Wish:
    """Return what the module's parameters ask for. Raises InputError."""
    search = asked = None
    handles = given_handles(params)
    if handles is None:
        if not any(params[name] for name in search_argument_spec()):
            raise InputError("A plan needs messages, or a search with at least one filter such as sender, recipient or since")
        search = search_filters(params, now)
        asked = {name: params[name] for name in (*search_argument_spec(), "delivery_status", "detections_only") if params[name] is not None}
    parse_duration(params["expires_in"], "expires_in")
    return Wish(
        account_id=account_id,
        handles=handles,
        search=search,
        policy=Policy(**(params["policy"] or {})).checked(),
        now=now,
        asked=asked,
        limit=in_range(params, "limit", 1),
        **{name: params[name] for name in ("expires_in", "evidence", "requested_by", "reason", "ticket")},
    )


def keep_or_write(planned: Planned, dest: str | None, now: float, check_mode: bool) -> tuple[dict[str, t.Any], bool]:
    """Return the plan that counts, and whether the file changed (or would)."""
    if dest is None:
        return planned.plan, False
    if os.path.exists(dest):
        try:
            kept = read_plan(dest)
        except InputError:
            kept = None
        expires = parse_time(kept["expires_at"]) if kept else None
        if kept and expires and expires > from_seconds(now) and same_decisions(kept, planned.plan):
            return kept, False
    if not check_mode:
        write_plan(dest, planned.plan)
    return planned.plan, True


def main() -> None:
    module = AnsibleModule(
        argument_spec=api_argument_spec(
            **handles_argument_spec(),
            **search_argument_spec(),
            delivery_status={"type": "str", "choices": DELIVERY_STATUSES, "default": "quarantined"},
            detections_only={"type": "bool", "default": False},
            limit={"type": "int", "default": 10_000},
            policy={"type": "dict", "default": {}, "options": POLICY_OPTIONS},
            dest={"type": "path"},
            expires_in={"type": "str", "default": "24h"},
            evidence={"type": "str", "choices": ["basic", "full"], "default": "basic"},
            requested_by={"type": "str"},
            reason={"type": "str"},
            ticket={"type": "str"},
        ),
        mutually_exclusive=exclusive_search_options(),
        required_by={"messages_column": ["messages_file"]},
        supports_check_mode=True,
    )
    clock = Clock()
    now = clock.time()
    dest = module.params["dest"]
    calls = 0
    try:
        client = make_client(module, clock)
        wish = make_wish(module.params, client.account_id, now)
        if dest:
            check_writable(dest)
        try:
            planned = make_plan(Messages(client, clock), wish)
        finally:
            calls = client.calls
        plan, changed = (planned.plan, False) if planned.refusals else keep_or_write(planned, dest, now, module.check_mode)
    except CloudflareError as error:
        fail(module, error, api_calls=calls)
    result = {"plan": plan, "digest": plan["digest"], "summary": plan["summary"], "dest": dest, "api_calls": calls}
    if planned.refusals:
        fail(module, None, msg=sentence(planned), changed=False, **result)
    module.exit_json(msg=sentence(planned), changed=changed, **result)


if __name__ == "__main__":
    main()
