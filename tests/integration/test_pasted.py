# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handles as people paste them, and found messages in place of ids: the mail that was meant is released, and no other."""

from __future__ import annotations

from emulator import Emulator

from playbooks import Ansible


def test_pasted_handles_release_what_was_meant(ansible: Ansible, emulator: Emulator) -> None:
    odd = emulator.add_message(message_id='<20261120 "no" at sign>')
    bare = emulator.add_message(message_id="<20261120.without-brackets>")
    quoted, listed, other, found = (emulator.add_message(sender=f"s{number}@partner.example") for number in range(4))
    lists = [
        [f"\u201c{quoted.id}\u201d,", f"\ufeff{quoted.id.replace(':', '%3A')}\r"],
        f'["{listed.id}", "{other.id}"]',
        [odd.message_id, "20261120.without-brackets"],
    ]
    module = "emailsec.cloudflare.message_release"
    run = ansible.tasks(
        *({module: {"messages": messages}} for messages in lists),
        {"emailsec.cloudflare.message_info": {"sender": found.sender}, "register": "found"},
        {module: {"messages": "{{ found.messages }}"}},
    )
    assert run.code == 0, run.output
    assert [len(line["result"]["messages"]) for line in run.results] == [1, 2, 2, 1, 1]
    meant = {message.id for message in (quoted, listed, other, odd, bare, found)}
    assert {message for message, _recipient in emulator.deliveries} == meant


def test_a_number_for_a_text_searches_nothing(ansible: Ansible, emulator: Emulator) -> None:
    wrong: list[dict[str, object]] = [
        {"subject": 39},
        {"recipient": False},
        {"sender": "a@x.example, b@x.example"},
        {"domain": "@partner.example"},
    ]
    results = ansible.module("message_info", *wrong)
    assert all(result["failed"] for result in results)
    assert "subject is not a string but of type int (39); put it in quotes" in results[0]["msg"]
    assert "sender must be one address or one domain" in results[2]["msg"]
    assert not emulator.requests
