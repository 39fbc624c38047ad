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
  - Finds messages, judges each message by a policy of named rules, and writes a plan. The plan says which messages would be
    released, which would not, and why. It contains the evidence that an approver needs.
  - Changes nothing in Cloudflare. M(emailsec.cloudflare.message_release) applies the plan.
  - A new plan does not destroy an earlier one that waits for approval. Each plan is also kept in its own file next to O(dest).
  - Requires the permission C(Cloud Email Security) with C(Read).
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
      - The plan in O(dest) is kept if it makes the same decisions, has not expired, and does not expire later than
        O(expires_in) allows.
options:
  messages:
    description:
      - Plan these messages. Each is given by its investigate ID, its legacy postfix ID or its RFC 5322 Message-ID.
      - Mutually exclusive with O(messages_file) and all search options.
      - A handle that matches several messages becomes a blocked entry that lists them, so that you can choose one. See
        O(fail_on).
    type: list
    elements: raw
    aliases: [ids, postfix_ids]
  delivery_status:
    description:
      - Search for messages with this delivery status. Only V(quarantined) messages can be released.
    type: str
    choices: [delivered, moved, quarantined, rejected, deferred, bounced, queued, move_failed]
    default: quarantined
  detections_only:
    description: Whether to search only for messages with a detection.
    type: bool
    default: false
  limit:
    description:
      - Fail if the search finds more messages than this. A plan never holds only a part of what the search finds.
    type: int
    default: 10000
  policy:
    description:
      - Rules by which messages are judged.
      - Senders and recipients are given as patterns. A pattern is an address (C(*@partner.example)) or a domain
        (C(partner.example)), with the wildcards C(*) and C(?). Case is ignored, and international domains may be written in
        either form. A pattern that is empty or can never match is an error, and so is an item that is a number, a boolean or null.
      - A list that is an empty string or null is an error, because the variable may be unset by mistake. An empty list is
        allowed.
      - O(policy.denied_senders) and O(policy.protected_recipients) also match the subdomains of a domain, and an address with
        a tag (C(ceo+news@example.com)). O(policy.allowed_senders) does not.
      - An address with a bounce tag (BATV, C(prvs=1234ab=ceo@example.com)) or of a forwarder (SRS) contains another address.
        O(policy.denied_senders) and O(policy.protected_recipients) match if a pattern matches one of the two.
        O(policy.allowed_senders) needs a match for both.
      - An empty dictionary or null means that all rules have their defaults.
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
        description:
          - Refuse the whole plan if it would release more messages than this from one sender.
          - A message counts for its envelope sender and for each sender in its From header. Tags (C(news+1@example.com)) are ignored.
        type: int
        default: 50
      forbidden_dispositions:
        description:
          - Block messages with one of these verdicts.
          - Unless the list is empty, messages with no verdict or an unknown one are blocked too.
        type: list
        elements: str
        default: [MALICIOUS, MALICIOUS-BEC]
      forbidden_threat_categories:
        description:
          - Block messages in one of these threat categories. Case, spaces and punctuation are ignored.
          - Cloudflare publishes no list of its categories. A category that is not listed here is not blocked.
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
        description:
          - How well it must be proven that a message comes from the sender in its From header.
          - With V(aligned), a message passes if DMARC passes. If DMARC has no result (C(none), C(neutral) or missing), it passes
            if SPF passes and the domain of the envelope sender is the domain of the sender in the From header, or its parent or
            subdomain. If the From header has several senders, this must be true for each of their domains.
          - With V(any), a message passes if one of SPF, DKIM and DMARC passes and DMARC does not fail. This is weak. Anybody can
            sign a message with a domain of their own and show another sender.
          - With V(none), every message passes.
          - If DMARC is C(fail), C(error) or an unknown word, the message passes only with V(none).
          - V(true) means V(aligned), and V(false) means V(none). Before release 0.5.0, V(true) was like V(any), but messages
            passed even if DMARC failed.
        type: raw
        default: aligned
      protected_recipients:
        description:
          - Block messages to a recipient that matches one of these patterns. Releasing them needs an override.
          - Unless the list is empty, messages with an unreadable recipient or no known recipient are blocked too.
        type: list
        elements: str
        default: []
      allowed_senders:
        description:
          - If not empty, block messages unless the envelope sender and every sender in the From header match one of these patterns.
          - Every address in the From header counts, also one in a display name or in an encoded word.
          - A message with an empty envelope sender (a bounce) or with an unreadable sender is blocked.
        type: list
        elements: str
        default: []
      denied_senders:
        description:
          - Block messages if the envelope sender, a sender in the From header, or an address in its display name matches one of
            these patterns.
          - Unless the list is empty, messages with an unreadable sender or no sender in the From header are blocked too. An empty
            envelope sender (a bounce) alone does not block a message.
        type: list
        elements: str
        default: []
      require_ticket:
        description: Whether to refuse the whole plan if O(ticket) is not set.
        type: bool
        default: false
      require_reason:
        description: Whether to refuse the whole plan if O(reason) is not set.
        type: bool
        default: false
      overrides:
        description:
          - Names of rules to override this time. The plan records them, and for each message which of them would have
            blocked it.
        type: list
        elements: str
        default: []
  dest:
    description:
      - Path of the file for the plan. It has the mode C(0600). If not set, the plan is only returned.
      - The plan is also written to a file next to it. The name of that file contains the first 12 digits of the digest, such as
        C(INC-4711.0123456789ab.json) for C(INC-4711.json), or C(localhost.0123456789ab.plan.json) for C(localhost.plan.json).
        O(dest) holds the newest plan. See RV(plan_file) and RV(waiting).
      - To apply any of these plans, set O(emailsec.cloudflare.message_release#module:plan) to O(dest), and
        O(emailsec.cloudflare.message_release#module:plan_digest) to the digest of the plan.
      - Expired plans are not removed. A refused plan is not written.
      - An existing file must be a regular file (no symbolic link, no hard links) that belongs to you or root. If only its
        group has access to it, the group keeps the access. The directory must not be world-writable, unless it has the
        sticky bit.
    type: path
  expires_in:
    description: How long the plan can be applied, such as V(8h) or V(7d). At most V(90d).
    type: str
    default: 24h
  evidence:
    description:
      - How much evidence the plan contains. V(basic) is what the search returns. V(full) adds attachments, links and the
        sending host, and costs one request per message.
      - Links are written in a form that no program makes clickable.
    type: str
    choices: [basic, full]
    default: basic
  requested_by:
    description: Who requests the release. Recorded in the plan.
    type: str
  reason:
    description: Why the messages are to be released. Recorded in the plan.
    type: str
  ticket:
    description: Number of the ticket for the release. Recorded in the plan.
    type: str
  follow_up:
    description:
      - What is to be done after the release. The plan contains it and its digest covers it, so that whoever approves the plan
        approves this too. The role P(emailsec.cloudflare.quarantine_release#role) does it.
      - M(emailsec.cloudflare.message_release) alone only releases the messages of the plan.
    type: dict
    version_added: 0.5.0
    suboptions:
      reclassify_as:
        description:
          - Tell Cloudflare that its verdict on each released message should be this. V(none) means that the message is harmless.
        type: str
        choices: [none, bulk, spam, spoof, suspicious, malicious]
      allow_for:
        description:
          - Make an allow policy for the address of each sender whose messages are released, such as V(14d). At most V(365d).
          - It counts from the release, in whole days. A sender that is not proven by V(aligned) of O(policy.require_authentication)
            gets no policy.
        type: str
      allow_domains:
        description: Whether the allow policies are for the domains of the senders instead of their addresses.
        type: bool
        default: false
  fail_on:
    description:
      - Fail if the plan has a message with one of these statuses, which are those of M(emailsec.cloudflare.message_release).
        RV(msg) names the messages. The plan is written and returned all the same.
      - V(not_found) is a handle that Cloudflare does not know, V(ambiguous) one that matches several messages, and
        V(not_attempted) a message whose state could not be read. V(blocked) is a message that a rule of O(policy) refuses.
    type: list
    elements: str
    choices: [already_released, ambiguous, blocked, not_attempted, not_found, not_quarantined]
    default: [not_found, ambiguous, not_attempted]
    version_added: 0.5.0
notes:
  - A plan contains subjects and addresses. Keep it as confidential as the messages themselves.
  - Subjects, names and addresses are written by strangers. Never evaluate them as templates.
seealso:
  - module: emailsec.cloudflare.message_info
  - module: emailsec.cloudflare.message_release
"""

EXAMPLES = r"""
- name: Plan to release what a supplier sent in the last 24 hours (credential and account from the environment)
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

- name: Show the decisions
  ansible.builtin.debug:
    msg: "{{ plan.msg }} {{ plan.digest }}"

- name: Apply the plan once its digest is approved
  emailsec.cloudflare.message_release:
    plan: /srv/plans/INC-4711.json
    plan_digest: "{{ plan.digest }}"
"""

RETURN = r"""
msg:
  description: Summary of the decisions in one sentence.
  returned: always
  type: str
  sample: "3 messages: 2 to release to 4 recipients, 1 blocked (forbidden_dispositions 1)."
plan:
  description:
    - The plan, a document with the schema C(emailsec.cloudflare/plan), version 1.
  returned: unless an argument was refused
  type: dict
  contains:
    account_id:
      description: ID of the account that the plan is for.
      type: str
      returned: always
      sample: 023e105f4ecef8ad9ca31a8372d0c353
    created_at:
      description: When the plan was made.
      type: str
      returned: always
      sample: "2026-11-20T08:00:00Z"
    expires_at:
      description: Until when the plan can be applied.
      type: str
      returned: always
      sample: "2026-11-21T08:00:00Z"
    search:
      description: The search that found the messages. Null if the messages were given.
      type: dict
      returned: always
      sample: {"sender": "supplier.example", "delivery_status": "quarantined"}
    policy:
      description: The rules that were applied.
      type: dict
      returned: always
      sample: {"max_messages": 50}
    refused_by:
      description: Rules that refused the whole plan.
      type: list
      elements: raw
      returned: always
      sample: []
    messages:
      description: The messages and their evidence.
      type: list
      elements: dict
      returned: always
      contains:
        handles:
          description: Handles of the message.
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
            - Names of the rules that blocked the message. Besides the rules of O(policy), these are C(not_found),
              C(ambiguous) and C(not_quarantined), which cannot be overridden.
          type: list
          elements: str
          returned: always
          sample: []
        state:
          description:
            - V(released), V(not_quarantined), or V(unreadable) if Cloudflare does not say where the message is.
          type: str
          returned: when the rule C(not_quarantined) blocked the message
          version_added: 0.5.0
          sample: released
        overridden:
          description: Rules that would have blocked the message, but are overridden.
          type: list
          elements: str
          returned: always
          sample: []
        recipients:
          description: Recipients that the message would reach.
          type: list
          elements: str
          returned: always
          sample: [alice@example.com]
        candidates:
          description: Messages that an ambiguous handle matches.
          type: list
          elements: dict
          returned: when the handle is unknown or ambiguous
          sample: []
        details:
          description: Evidence in C(attachments), C(links) and C(sender). Null if Cloudflare has none.
          type: dict
          returned: with O(evidence=full)
          sample: {"attachments": [], "links": [{"href": "hxxps://supplier[.]example/", "text": "Open"}], "sender": {"ip": "192.0.2.25"}}
    follow_up:
      description: Value of O(follow_up), with all suboptions.
      type: dict
      returned: if something is to be done after the release
      version_added: 0.5.0
      sample: {"reclassify_as": "none", "allow_for": "14d", "allow_domains": false}
    digest:
      description: Same as RV(digest).
      type: str
      returned: always
      sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
digest:
  description: SHA-256 digest of the plan as canonical JSON. This is what is approved.
  returned: unless an argument was refused
  type: str
  sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
summary:
  description: Number of messages by decision, number of recipients, and number of blocked messages per rule.
  returned: unless an argument was refused
  type: dict
  sample: {"total": 3, "release": 2, "blocked": 1, "recipients": 4, "rules": {"forbidden_dispositions": 1}}
dest:
  description: Value of O(dest). This file holds the plan until another plan is made.
  returned: unless an argument was refused
  type: str
  sample: /srv/plans/INC-4711.json
plan_file:
  description:
    - Path of the file next to O(dest) that holds this plan. No other plan replaces it. Null without O(dest), or if the plan
      was refused.
  returned: unless an argument was refused
  type: str
  version_added: 0.5.0
  sample: /srv/plans/INC-4711.9f86d081884c.json
waiting:
  description:
    - The earlier plan of this account that O(dest) held until now, if it releases something and has not expired. It can still
      be applied by its digest. Null if there is none. RV(msg) mentions it too.
    - It has C(digest), C(plan_file), C(expires_at), C(requested_by), C(reason) and C(ticket).
  returned: unless an argument was refused
  type: dict
  version_added: 0.5.0
  sample: null
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
from ..module_utils._errors import CloudflareError, InputError
from ..module_utils._mail.filters import DELIVERY_STATUSES, SEARCH_OPTIONS, search_filters
from ..module_utils._mail.handles import Handle
from ..module_utils._mail.message import Message
from ..module_utils._mail.messages import Messages
from ..module_utils._mail.verdicts import EXPECTED_DISPOSITIONS
from ..module_utils._message_arguments import (
    exclusive_search_options,
    given_handles,
    handles_argument_spec,
    search_argument_spec,
)
from ..module_utils._plan.document import LONGEST, expiry
from ..module_utils._plan.file import KeptPlan, check_writable, keep_plan
from ..module_utils._plan.follow_up import FollowUp
from ..module_utils._plan.make import PlanRequest, make_plan, sentence
from ..module_utils._plan.policy import Policy, argument_spec
from ..module_utils._release.outcome import FAIL_ON, Status
from ..module_utils._release.planned import blocked
from ..module_utils._text import first_few, printable
from ..module_utils._times import from_seconds, parse_duration, to_text


def plan_request(params: dict[str, t.Any], handles: list[Handle] | None, account_id: str, now: float) -> PlanRequest:
    """Return the request in the options of the module. Raises InputError."""
    search = asked = None
    if handles is None:
        if not any(params[name] for name in SEARCH_OPTIONS):
            raise InputError(
                "A plan needs messages, or a search with at least one filter such as sender, recipient or since"
            )
        search = search_filters(params, now)
        names = (*SEARCH_OPTIONS, "delivery_status", "detections_only")
        asked = {name: params[name] for name in names if params[name] is not None}
    if parse_duration(params["expires_in"], "expires_in") > LONGEST:
        raise InputError(f"expires_in must be at most {LONGEST.days}d, not {params['expires_in']!r:.40}")
    return PlanRequest(
        account_id=account_id,
        handles=handles,
        search=search,
        policy=Policy(**(params["policy"] or {})).checked(),
        now=now,
        asked=asked,
        limit=in_range(params, "limit", 1),
        follow_up=FollowUp(**(params["follow_up"] or {})).checked("follow_up."),
        **{name: params[name] for name in ("expires_in", "evidence", "requested_by", "reason", "ticket")},
    )


# What a plan may say of a message that it does not release
_NOT_RELEASED = (
    Status.ALREADY_RELEASED, Status.AMBIGUOUS, Status.BLOCKED, Status.NOT_ATTEMPTED, Status.NOT_FOUND, Status.NOT_QUARANTINED,
)  # fmt: skip


def attention(plan: t.Mapping[str, t.Any], fail_on: t.Collection[str]) -> str:
    """Return a sentence about the messages of a plan that have one of these statuses, empty if there are none."""
    found = [
        f"{printable(item.handles[0].text, 100)} {outcome.status}"
        for item, outcome in blocked(plan)
        if outcome.status in fail_on
    ]
    return f" Needs attention: {first_few(found)}." if found else ""


def waiting_plan(kept: KeptPlan | None) -> dict[str, t.Any] | None:
    """Return what the result says about another plan that waits."""
    if not kept or not kept.waiting:
        return None
    facts = {name: kept.waiting.get(name) for name in ("digest", "requested_by", "reason", "ticket")}
    return {**facts, "plan_file": kept.waiting_file, "expires_at": to_text(expiry(kept.waiting))}


def main() -> None:
    module = AnsibleModule(
        argument_spec=api_argument_spec(
            **handles_argument_spec(),
            **search_argument_spec(),
            delivery_status={"type": "str", "choices": list(DELIVERY_STATUSES), "default": "quarantined"},
            detections_only={"type": "bool", "default": False},
            limit={"type": "int", "default": 10_000},
            policy={"type": "dict", "default": {}, "options": argument_spec()},
            dest={"type": "path"},
            expires_in={"type": "str", "default": "24h"},
            evidence={"type": "str", "choices": ["basic", "full"], "default": "basic"},
            requested_by={"type": "str"},
            reason={"type": "str"},
            ticket={"type": "str"},
            follow_up={
                "type": "dict",
                "options": {
                    "reclassify_as": {"type": "str", "choices": list(EXPECTED_DISPOSITIONS)},
                    "allow_for": {"type": "str"},
                    "allow_domains": {"type": "bool", "default": False},
                },
            },
            fail_on={
                "type": "list",
                "elements": "str",
                "choices": list(_NOT_RELEASED),
                "default": [status for status in FAIL_ON if status in _NOT_RELEASED],
            },
        ),
        mutually_exclusive=exclusive_search_options(),
        required_by={"messages_column": ["messages_file"]},
        supports_check_mode=True,
    )
    clock = Clock()
    now = clock.time()
    dest = module.params["dest"]
    used: dict[str, t.Any] = {"api_calls": 0}
    try:
        client = make_client(module, clock)
        request = plan_request(module.params, given_handles(module), client.account_id, now)
        if dest:
            check_writable(dest)
        try:
            made = make_plan(Messages(client, clock, Message), request)
        finally:
            used = client.used()
        kept = keep_plan(dest, made.plan, from_seconds(now), module.check_mode) if dest and not made.refusals else None
    except CloudflareError as error:
        fail(module, error, **used)
    plan = kept.plan if kept else made.plan
    waiting = waiting_plan(kept)
    needed = attention(plan, module.params["fail_on"])
    msg = sentence(made) + needed
    if waiting:
        msg += f" Another plan can still be applied until {waiting['expires_at']}: {waiting['digest']}, kept in {waiting['plan_file']}."
    result = {
        "msg": msg,
        "changed": bool(kept and kept.changed),
        "plan": plan,
        "digest": plan["digest"],
        "summary": plan["summary"],
        "dest": dest,
        "plan_file": kept.file if kept else None,
        "waiting": waiting,
        **used,
    }
    if made.refusals or needed:
        fail(module, None, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
