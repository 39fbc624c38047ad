# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Input that cannot be meant: one sentence, before any request."""

from __future__ import annotations

from typing import Any

from emulator import Emulator

from playbooks import Ansible

MODULE: list[tuple[dict[str, Any], str]] = [
    ({"account_id": "Harbour Logistics"}, "account_id must be 32 hexadecimal digits"),
    ({"messages": ["4UAq", ""]}, "messages[1] is empty"),
    ({"messages": [12345]}, "messages[0] is not a string but of type int; put the id in quotes"),
    ({"messages": ["../../zones"]}, "messages[0] contains a slash"),
    ({"messages": ["4UAq\n4tT3"]}, "messages[0] contains white space, a line break or a control character"),
    ({"batch_size": 0}, "batch_size must be from 1 to 1000, not 0"),
    ({"batch_size": 1001}, "batch_size must be from 1 to 1000, not 1001"),
    ({"concurrency": 17}, "concurrency must be from 1 to 16, not 17"),
    ({"stop_after_failures": -1}, "stop_after_failures must be at least 0, not -1"),
    ({"api_token": "a" * 40, "api_key": "b" * 37}, "not both kinds of credential"),
    ({"api_key": "b" * 37}, "the email is missing"),
    ({"api_url": "cloudflare"}, "api_url must be a URL such as https://api.cloudflare.com/client/v4"),
    ({"api_url": "https://me:secret-4711@127.0.0.1/"}, "api_url must not contain a user name or password"),
    ({"ca_path": "/nowhere/ca.pem"}, "ca_path /nowhere/ca.pem cannot be read as CA certificates"),
    (
        {"journal": "/nowhere/journal.jsonl"},
        "The journal /nowhere/journal.jsonl cannot be written (No such file or directory)",
    ),
]


def test_the_module_refuses_it(ansible: Ansible, emulator: Emulator) -> None:
    results = ansible.module(
        "message_release", *({"messages": ["4UAqFzWsDK4FrUMp"], **options} for options, _words in MODULE)
    )
    for (options, words), result in zip(MODULE, results, strict=True):
        assert result["failed"], options
        assert words in result["msg"], options
        assert "\n" not in result["msg"]
        assert "secret-4711" not in str(result)
    assert not emulator.requests


def test_there_is_no_credential(ansible: Ansible, emulator: Emulator) -> None:
    ansible.environment = {"CLOUDFLARE_BASE_URL": emulator.url, "CLOUDFLARE_API_TOKEN": ""}
    without_account, without_token = ansible.module(
        "message_release", {"messages": ["4UAq"]}, {"messages": ["4UAq"], "account_id": emulator.account_id}
    )
    assert "account_id is missing" in without_account["msg"]
    assert "set the environment variable CLOUDFLARE_API_TOKEN or give api_token" in without_token["msg"]
    assert not emulator.requests


def test_nothing_to_do_takes_no_request(ansible: Ansible, emulator: Emulator) -> None:
    run = ansible.release(messages=" \n")
    assert (run.code, run.total("changed")) == (0, 0)
    assert "Nothing to release: the list of messages is empty." in run.text
    assert not emulator.requests


ROLE: dict[str, tuple[dict[str, Any], str]] = {
    "mapping": ({"messages": {"id": "4UAq"}}, "quarantine_release_messages is a dictionary and not a list."),
    "rows": ({"messages": [{"handle": "4UAq"}]}, "quarantine_release_messages[0] is a dictionary without an id"),
    "null": ({"messages": None}, "Set what to release: quarantine_release_messages, "),
    "cut": ({"messages": "4UAqFzWsDK4FrUMp,"}, "quarantine_release_messages ends in a separator"),
    "mistyped": (
        {"messages": ["4UAq"], "polcy": {"denied_senders": ["a.example"]}},
        "There is no variable quarantine_release_polcy. Did you mean quarantine_release_policy?",
    ),
    "number": ({"search": {"subject": 39}}, "quarantine_release_search.subject is a number (39) and not text."),
    "undefined": ({"messages": ["4UAq"], "ticket": "{{ nobody }}"}, "nobody"),
    "no_truth": (
        {"messages": ["4UAq"], "approve": "ture"},
        "quarantine_release_approve must be true or false, not 'ture'.",
    ),
    "many": (
        {"messages": "4UAq, 4tT3\n4f0S", "max_messages": 2},
        "3 messages are more than quarantine_release_max_messages (2)",
    ),
    "no_directory": ({"messages": ["4UAq"], "report_dir": "ansible.cfg"}, "ansible.cfg"),
    "unknown_status": (
        {"messages": ["4UAq"], "fail_on": ["typo"]},
        "value of quarantine_release_fail_on must be one or more of",
    ),
    "both": (
        {"messages": ["4UAq"], "search": {"sender": "a.example"}},
        "Set only one of quarantine_release_messages, quarantine_release_messages_file and",
    ),
    "typo": ({"search": {"sendr": "a.example"}}, "Not an option of quarantine_release_search: sendr."),
    "no_dictionary": (
        {"search": "sender=a.example"},
        "must be dictionaries, such as {sender: partner.example, since: 7d}.",
    ),
    "no_number": (
        {"messages": ["4UAq"], "canary": "few"},
        "quarantine_release_canary must be a whole number, not 'few'.",
    ),
    "no_mode": ({"messages": ["4UAq"], "mode": "relase"}, "quarantine_release_mode must be plan, apply or release."),
    "nothing": (
        {},
        "Set what to release: quarantine_release_messages, quarantine_release_messages_file or quarantine_release_search.",
    ),
}


def test_the_role_refuses_it(ansible: Ansible, emulator: Emulator) -> None:
    inventory = ansible.inventory(**{host: case for host, (case, _words) in ROLE.items()})
    run = ansible.release(*inventory, "--forks", 2)
    assert {host: row["failures"] for host, row in run.recap.items()} == dict.fromkeys(ROLE, 1)
    for host, (_case, words) in ROLE.items():
        assert words in [line["result"] for line in run.results if line["host"] == host][-1]["msg"]
    assert not emulator.requests


def test_a_playbook_that_plans_does_nothing_else(ansible: Ansible, emulator: Emulator) -> None:
    message = emulator.quarantined()[0].id
    for playbook in (ansible.plan, ansible.apply):
        for mode in ("release", "", None):
            run = playbook(messages=[message], mode=mode)
            assert run.code == 2
            assert "This playbook supports only quarantine_release_mode=" in run.text
    assert not emulator.requests
