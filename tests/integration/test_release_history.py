# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""release_history_info on the journal that the role keeps."""

from __future__ import annotations

from emulator import Emulator

from playbooks import Ansible


def test_the_history_of_several_accounts_without_a_credential(ansible: Ansible, emulator: Emulator) -> None:
    first, second = (account.id for account in emulator.accounts[:2])
    mail = {account: emulator.add_message(account) for account in (first, second)}
    partly = emulator.add_message(first, recipients=["a@x.example", "b@x.example"])
    emulator.script(partly.id, {"failed": ["b@x.example"]})
    missed = emulator.add_message(first)
    emulator.script(missed.id, "failed")
    hosts = {
        "one": {"account_id": first, "messages": [mail[first].id, partly.id, missed.id], "ticket": "INC-1"},
        "two": {"account_id": second, "messages": [mail[second].postfix_id], "ticket": "INC-2"},
    }
    ansible.release(*ansible.inventory(**hosts), journal="journal.jsonl")
    requests = len(emulator.requests)

    for name in list(ansible.environment):
        del ansible.environment[name]
    whole, ticket, old, checked, missing = ansible.module(
        "release_history_info",
        {"journal": "journal.jsonl", "since": "1h"},
        {"journal": ["journal.jsonl"], "ticket": "INC-2"},
        {"journal": "journal.jsonl", "until": "1h"},
        {"journal": "journal.jsonl"},
        {"journal": "nowhere.jsonl"},
    )
    found = {(entry["account_id"], entry["id"]): entry["status"] for entry in whole["entries"]}
    assert found == {
        (first, mail[first].id): "released",
        (first, partly.id): "partial",
        (second, mail[second].id): "released",
    }
    assert whole["summary"]["runs"] == 2
    assert [(entry["id"], entry["ticket"]) for entry in ticket["entries"]] == [(mail[second].id, "INC-2")]
    assert old["entries"] == []
    assert checked["entries"] == whole["entries"]
    assert missing["failed"]
    assert "nowhere.jsonl cannot be read (No such file or directory)" in missing["msg"]
    assert len(emulator.requests) == requests
    assert not any(result["changed"] for result in (whole, ticket, old, checked))
