#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_history_info
short_description: List what was released, by the journal
version_added: 0.5.0
description:
  - Reads journals of M(emailsec.cloudflare.message_release), and returns what was released, when, by which run and for which ticket.
  - Makes no request and needs no credential, so it has none of the connection options.
author:
  - emailsec.cloudflare contributors (@emailsec)
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without modifying anything.
    support: full
    details: This module does not change anything.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details: This module does not change anything.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second run reports no change.
    support: full
    details: This module does not change anything.
options:
  journal:
    description:
      - Path of a journal, or a list of paths. A relative path starts at the directory of the playbook.
      - Each file has to meet the same conditions as O(emailsec.cloudflare.message_release#module:journal), so that nobody else can
        have written it. It is only read.
      - A run may write to the journal meanwhile. A line that is not complete yet is in RV(unreadable).
    type: list
    elements: path
    required: true
  since:
    description:
      - List releases of this time or later. Either an ISO 8601 date or time, in UTC if it has no time zone, or a number followed
        by V(m), V(h), V(d) or V(w) for a time before now, such as V(24h).
    type: str
  until:
    description: List releases of this time or earlier, in the same forms as O(since).
    type: str
  ticket:
    description: List releases for this ticket.
    type: str
notes:
  - Subjects and senders are not in a journal. Recipients are, in RV(entries[].delivered).
seealso:
  - module: emailsec.cloudflare.message_release
  - module: emailsec.cloudflare.message_move
"""

EXAMPLES = r"""
- name: List what was released in the last day
  emailsec.cloudflare.release_history_info:
    journal: quarantine-release-reports/journal.jsonl
    since: 24h
  register: history

- name: Show who approved it
  ansible.builtin.debug:
    msg: "{{ item.time }} {{ item.id }}: {{ item.status }}, approved by {{ item.approved_by or 'nobody named' }}"
  loop: "{{ history.entries }}"
  loop_control:
    label: "{{ item.id }}"

- name: List what was released for a ticket, in the journals of two controllers
  emailsec.cloudflare.release_history_info:
    journal:
      - /srv/journals/north.jsonl
      - /srv/journals/south.jsonl
    ticket: !unsafe INC-4711
"""

RETURN = r"""
msg:
  description: Number of releases in one sentence, or the reason of a failure.
  returned: always
  type: str
  sample: "3 releases in 2 runs: 2 released, 1 unknown."
entries:
  description:
    - The releases, the oldest first. A message that several runs released has an entry for each of them.
    - Messages that a run sent without delivering them to anybody are not listed.
  returned: success
  type: list
  elements: dict
  contains:
    account_id:
      description: ID of the account.
      type: str
      returned: always
      sample: 023e105f4ecef8ad9ca31a8372d0c353
    id:
      description: Investigate ID of the message, or null if the journal does not have it.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678
    postfix_id:
      description: Legacy postfix ID of the message, or null if the journal does not have it.
      type: str
      returned: always
      sample: 4Njp3P0STMz2c02Q
    status:
      description:
        - V(released), it was delivered to every recipient, or left quarantine because of the run.
        - V(partial), it was delivered to some recipients, but not to all.
        - V(unknown), it was sent, but the journal does not say what became of it. The run was killed, or could not find out.
      type: str
      returned: always
      sample: released
    time:
      description: When the outcome was recorded, or with V(unknown), when it was sent.
      type: str
      returned: always
      sample: "2026-11-20T09:00:00Z"
    delivered:
      description: Recipients that the message was delivered to, as far as the journal names them.
      type: list
      elements: str
      returned: always
      sample: [alice@example.com]
    run:
      description: ID of the run.
      type: str
      returned: always
      sample: 0b2ccae14bd94b6e9f1fd9b0f2f4a1a9
    ticket:
      description: Ticket of the release, or null.
      type: str
      returned: always
      sample: INC-4711
    reason:
      description: Why it was released, or null.
      type: str
      returned: always
      sample: False positive
    started_by:
      description: Who ran the task, or null.
      type: str
      returned: always
      sample: alice
    requested_by:
      description: Who requested the release, or null.
      type: str
      returned: always
      sample: bob
    approved_by:
      description: Who approved the release, or null.
      type: str
      returned: always
      sample: carol
    plan_digest:
      description: Digest of the plan that was applied, or null.
      type: str
      returned: always
      sample: null
    journal:
      description: Path of the journal.
      type: str
      returned: always
      sample: /srv/journals/north.jsonl
summary:
  description: Number of entries per status, C(total), and the number of C(runs) and of C(unreadable) lines.
  returned: success
  type: dict
  sample: {"released": 2, "partial": 0, "unknown": 1, "total": 3, "runs": 2, "unreadable": 0}
unreadable:
  description:
    - Lines that are cut off, or that no run can have written, at most 100. The others count. The module also warns of them.
  returned: success
  type: list
  elements: dict
  contains:
    journal:
      description: Path of the journal.
      type: str
      returned: always
      sample: /srv/journals/north.jsonl
    line:
      description: Number of the line, from 1.
      type: int
      returned: always
      sample: 7
    reason:
      description: What is wrong with it.
      type: str
      returned: always
      sample: it is cut off, or is not JSON
  sample: []
api_calls:
  description: Number of HTTP requests made, which is 0.
  returned: success
  type: int
  sample: 0
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._arguments import fail, refuse_null
from ..module_utils._clock import Clock
from ..module_utils._errors import CloudflareError, InputError
from ..module_utils._release.released import Releases, read_moment


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "journal": {"type": "list", "elements": "path", "required": True},
            "since": {"type": "str"},
            "until": {"type": "str"},
            "ticket": {"type": "str"},
        },
        supports_check_mode=True,
    )
    params = module.params
    now = Clock().time()
    try:
        refuse_null(module, "journal")
        for name in ("journal", "ticket"):
            if params[name] in ("", []):
                raise InputError(
                    f"{name} is empty. Give a value{', or leave the option out' if name == 'ticket' else ''}"
                )
        since, until = (
            read_moment(params[name], name, now) if params[name] is not None else None for name in ("since", "until")
        )
        if since and until and since > until:
            raise InputError("since must not be after until")
        releases = Releases(now, since, until, params["ticket"])
        for path in dict.fromkeys(params["journal"]):
            releases.read(path)
    except CloudflareError as error:
        fail(module, error)
    for flaw in releases.unreadable[:5]:
        module.warn(f"Line {flaw['line']} of {flaw['journal']} does not count: {flaw['reason']}.")
    module.exit_json(**releases.data())


if __name__ == "__main__":
    main()
