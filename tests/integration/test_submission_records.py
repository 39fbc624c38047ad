# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""submission_info in real plays: what was submitted, and what became of it."""

from __future__ import annotations

from typing import Any

import requests
from emulator import Emulator

from playbooks import Ansible


def postfix_ids(result: dict[str, Any]) -> list[str]:
    """The messages of the submissions in a result."""
    return [entry["original_postfix_id"] for entry in result["entries"]]


def test_submissions_and_their_outcomes(ansible: Ansible, emulator: Emulator) -> None:
    first, second = [message for message in emulator.quarantined() if message.disposition == "SPAM"][:2]
    emulator.destine(second.id, {"disposition": "SPAM", "after": None})
    for message in (first, second):
        order = {"alert_id": message.alert_id, "expected_disposition": "NONE"}
        answer = requests.post(
            f"{emulator.url}/accounts/{emulator.account_id}/email-security/submissions",
            json={"type": "reclassification", "messages": [order]},
            headers=emulator.credentials["write"].headers,
            timeout=10,
        )
        assert answer.status_code == 202
        emulator.clock.advance(1)
    emulator.clock.advance(3600)

    mine, reviewed, users, limited, checked = ansible.module(
        "submission_info",
        {"type": "TEAM", "requested_disposition": "NONE", "since": "7d"},
        {"status": "reviewed", "outcome_disposition": "NONE"},
        {"type": "USER"},
        {"limit": 1},
        {"type": "TEAM"},
    )
    assert postfix_ids(mine) == [second.postfix_id, first.postfix_id]
    assert mine["msg"] == "2 submissions: 1 reviewed, 1 unreviewed."
    assert postfix_ids(reviewed) == [first.postfix_id]
    assert reviewed["entries"][0]["original_disposition"] == "SPAM"
    assert users["summary"]["total"] == 1
    assert (limited["summary"]["total"], limited["truncated"]) == (1, True)
    assert checked["entries"] == mine["entries"]
    assert not any(result["changed"] or result["failed"] for result in (mine, reviewed, users, limited, checked))
    assert [request.method for request in emulator.requests].count("POST") == 2  # those of this test
    assert not any(request.violations for request in emulator.requests)


def test_many_submissions_and_faults(ansible: Ansible, emulator: Emulator) -> None:
    message = emulator.quarantined()[0]
    for number in range(1005):
        emulator.world.add_submission(
            emulator.account_id, message, type="Team", requested="NONE", at=emulator.clock.now() - number
        )
    emulator.faults.add("status", route="submissions", status=502, body="html")
    emulator.faults.add("truncate", route="submissions", skip=1)
    emulator.faults.add("status", route="submissions", status=403, skip=3)
    options = {"type": "TEAM"}
    whole, refused = ansible.module("submission_info", options, options)
    assert (whole["summary"]["total"], whole["truncated"]) == (1005, False)
    assert len({entry["submission_id"] for entry in whole["entries"]}) == 1005
    assert (refused["failed"], refused["truncated"], refused["status"]) == (True, True, 403)
