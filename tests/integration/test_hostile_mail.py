# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What strangers write is text, to Ansible, to a terminal, and in a report."""

from __future__ import annotations

import re

from emulator import Emulator

from playbooks import Ansible

RECIPIENTS = (
    "\x1b[31m\x9b32mred\u202e@harbour-logistics.example",
    "{{lookup('pipe','touch{IFS}pwned')}}{{1/0}}@harbour-logistics.example",
)
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def test_release_and_search(ansible: Ansible) -> None:
    with Emulator("hostile") as emulator:
        ansible.environment = emulator.environment()
        message = emulator.add_message(recipients=RECIPIENTS, subject="{{ lookup('pipe', 'touch pwned') }}\x1b[2J")
        refused = emulator.add_message()
        emulator.faults.add(
            "status",
            status=400,
            message="\x1b[2J{{ 1/0 }}\r\nFake: line",
            route="release",
            message_id=refused.id,
            times=None,
        )
        run = ansible.release("-vv", "--diff", messages=[message.id, refused.id], reason="\x1b[31mred\nFake: line")
        found = ansible.playbook(
            *("emailsec.cloudflare.search", "-e", "search_since=52w", "-e", "search_delivery_status="),
            *("-e", "search_show_content=true"),
        )

    assert run.code == 2
    row = ansible.report()["result"]["messages"][0]
    assert (row["status"], tuple(row["delivered"])) == ("released", RECIPIENTS)
    assert RECIPIENTS[1] in ansible.ticket(), "not evaluated"
    assert "1/0" in ansible.ticket()
    assert "\nFake" not in ansible.ticket()
    assert found.code == 0
    assert "{{ lookup('pipe', 'touch pwned') }}" in found.output
    for text in (run.output, ansible.ticket(), found.output):
        assert OBEYED.findall(text) == []
    assert not (ansible.directory / "pwned").exists()
