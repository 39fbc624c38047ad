#!/usr/bin/python
# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: message_evidence
short_description: Save messages, pictures of them, and why they were held
version_added: 0.5.0
description:
  - Saves what an approver or an investigator needs of messages. This can be the message itself, a picture of it, the detections,
    the trace of the mail servers, and what was done with it.
  - Each message gets a directory of its own below O(dest). A file is written whole or not at all. A file that is already there
    with the same content is left alone.
  - The files hold what strangers sent, such as malicious attachments in C(raw.eml). Do not open them on a machine that matters.
    C(preview.png) is a picture that Cloudflare made, and is checked to be one.
  - Only sends requests that read. Requires the permission C(Cloud Email Security) with C(Read).
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
      - Reads the parts, except pictures, and compares them with the files. Writes no files, no directories and no journal.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - A second run changes nothing, unless Cloudflare has something new, such as an entry in the action log.
options:
  messages:
    description:
      - Messages to save. Each is given by its investigate ID (C(4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678)), its legacy
        postfix ID (C(4Njp3P0STMz2c02Q)) or its RFC 5322 Message-ID (C(<a1@sender.example>)).
      - The same handle given twice counts once. Several handles of one message are reported one by one, but the message
        is saved once.
      - With an empty list, the module does nothing.
      - A Message-ID that matches several messages is V(ambiguous), and none of them is saved.
      - Exactly one of O(messages) and O(messages_file) is required.
    type: list
    elements: raw
    aliases: [ids, postfix_ids]
  dest:
    description:
      - Directory for the files. A relative path starts at the directory of the playbook.
      - Directories that are missing are made with the mode C(0700), and files with C(0600). The module checks before any request
        that something can be written there.
      - The directory of a message is named by its investigate ID. Characters that are not safe in the name of a file are
        percent-encoded, so that no ID leads out of O(dest). A very long ID is cut, and ends with its digest.
      - A file that is a symbolic link, has hard links, belongs to another user or can be written by everybody is not
        replaced. Neither is a directory of a message that is a symbolic link or belongs to another user.
    type: path
    required: true
  parts:
    description:
      - What to save of each message.
      - V(raw) is the message as Cloudflare gives it, C(raw.eml). Cloudflare gives it as text, so bytes that are no UTF-8 may be
        replaced.
      - V(preview) is a picture of the message that Cloudflare made, C(preview.png). If there is one already, it is not asked for
        again, because Cloudflare may record each request for it in the action log.
      - V(detections), C(detections.json), has the reasons of the verdict, with attachments and links.
      - V(trace), C(trace.json), has the lines of the mail servers.
      - V(action_log), C(action_log.json), has what was done with the message after its delivery.
      - Cloudflare has V(raw) and V(preview) only of messages with a detection.
    type: list
    elements: str
    choices: [raw, preview, detections, trace, action_log]
    default: [raw, preview, detections, trace, action_log]
  max_bytes:
    description:
      - How many bytes Cloudflare's answer for one part may have, V(1) to V(67108864). A part whose answer is larger is not
        saved, and no more of it is read.
      - In an answer, V(preview) is a third larger than the file.
    type: int
    default: 26214400
  journal:
    description:
      - Path of a file, in JSON Lines format, that records what was saved of each message. It can be the journal of
        M(emailsec.cloudflare.message_release). A relative path starts at the directory of the playbook.
      - The file has to meet the same conditions as O(emailsec.cloudflare.message_release#module:journal).
    type: path
  reason:
    description: Why the messages are saved. Recorded in the journal and the result, not sent to Cloudflare.
    type: str
  ticket:
    description: Number of the ticket. Recorded in the journal and the result, not sent to Cloudflare.
    type: str
  started_by:
    description:
      - Who runs the task. Recorded in the journal and the result, not sent to Cloudflare.
      - If not set, the system user that runs the module is used.
    type: str
notes:
  - On SIGTERM or SIGINT, the module finishes the request in flight and then stops. The result says what was saved and what was not.
seealso:
  - module: emailsec.cloudflare.message_info
  - module: emailsec.cloudflare.message_plan
"""

EXAMPLES = r"""
- name: Save all that Cloudflare has of two messages
  emailsec.cloudflare.message_evidence:
    messages:
      - !unsafe 4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678
      - !unsafe <a1@sender.example>
    dest: /srv/evidence/INC-4711
    ticket: !unsafe INC-4711
  register: evidence

- name: Show what could not be had
  ansible.builtin.debug:
    msg: "{{ item.handle }}: {{ item.detail }}"
  loop: "{{ evidence.messages | selectattr('unavailable') }}"
  loop_control:
    label: "{{ item.handle }}"

- name: Save only pictures, none of them larger than a mebibyte
  emailsec.cloudflare.message_evidence:
    messages_file: ids.txt
    dest: /srv/evidence/pictures
    parts: [preview]
    max_bytes: 1048576
"""

RETURN = r"""
msg:
  description: Summary of the outcome in one sentence. If the run ended early, the reason.
  returned: always
  type: str
  sample: "3 messages: 2 saved, 1 partial."
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
        - V(saved), all parts are there, and this run wrote at least one of them.
        - V(unchanged), all parts were there already.
        - V(partial), Cloudflare does not have a part, or gave something else in its place. See RV(messages[].unavailable).
        - V(failed), a part could not be read because the server had trouble, or could not be written. Run the same again.
        - V(not_found), Cloudflare does not know the handle.
        - V(ambiguous), the handle matches several messages. None of them was saved.
        - V(not_attempted), the run stopped before it.
        - V(would_save), files would be written. Only in check mode.
      type: str
      returned: always
      sample: saved
    saved:
      description: Absolute paths of the files that are there now, whether this run wrote them or not. In check mode, that would be there.
      type: list
      elements: str
      returned: always
      sample: [/srv/evidence/4Njp3P0STMz2c02Q-2024-01-05T10%3A00%3A00-12345678/raw.eml]
    unavailable:
      description: The parts that are not there, each with the reason.
      type: dict
      returned: always
      sample: {"preview": "The answer is larger than 1048576 bytes."}
    detail:
      description: Explanation of the outcome.
      type: str
      returned: always
      sample: Saved raw.eml.
    changed:
      description: Whether a file was written. In check mode, whether one would be.
      type: bool
      returned: always
      sample: true
summary:
  description: Number of rows per status, and C(total).
  returned: unless an argument was refused
  type: dict
  sample: {"saved": 2, "partial": 1, "total": 3}
account_id:
  description: ID of the account that was used.
  returned: unless an argument was refused
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_calls:
  description: Number of HTTP requests made.
  returned: unless an argument was refused
  type: int
  sample: 12
reason:
  description: Value of O(reason).
  returned: unless an argument was refused
  type: str
  sample: Reported by the recipient
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
from ..module_utils._errors import CloudflareError, InputError
from ..module_utils._followup.evidence import FAIL_ON, FILES, LARGEST, Request, save_evidence
from ..module_utils._followup.evidence_files import check_dest
from ..module_utils._message_arguments import HANDLES_RULES, end_follow_up, given_handles, handles_argument_spec
from ..module_utils._release.planned import this_user


def main() -> None:
    module = AnsibleModule(
        argument_spec=api_argument_spec(
            **handles_argument_spec(),
            dest={"type": "path", "required": True},
            parts={"type": "list", "elements": "str", "choices": list(FILES), "default": list(FILES)},
            max_bytes={"type": "int", "default": 25 * 1024 * 1024},
            journal={"type": "path"},
            reason={"type": "str"},
            ticket={"type": "str"},
            started_by={"type": "str"},
        ),
        **HANDLES_RULES,
        supports_check_mode=True,
    )
    params = module.params
    clock = Clock()
    clock.stop_on_signals()
    try:
        client = make_client(module, clock)
        refuse_null(module, "dest")
        if not params["parts"]:
            raise InputError(f"parts is empty. Name at least one of {', '.join(FILES)}. Nothing was sent.")
        trail = {name: params[name] or None for name in ("ticket", "reason")}
        request = Request(
            handles=given_handles(module) or [],
            dest=check_dest(params["dest"]),
            parts=params["parts"],
            most=in_range(params, "max_bytes", 1, LARGEST),
            check_mode=module.check_mode,
            trail={**trail, "started_by": params["started_by"] or this_user()},
            journal=params["journal"],
        )
        run = save_evidence(client, clock, request)
    except CloudflareError as error:
        fail(module, error)
    end_follow_up(module, client, run, request.trail, FAIL_ON)


if __name__ == "__main__":
    main()
