# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people type as variables: a mistake is refused before any request, and what is meant is searched for and said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from emulator import Emulator

from playbooks import Ansible, statuses

PLAYBOOK = "emailsec.cloudflare."
# What is typed on the command line, and the sentence about each mistake in it
NAMES: list[tuple[str, dict[str, str]]] = [
    (
        "release",
        {
            "quarantine_release_canry=1": "There is no variable quarantine_release_canry. Did you mean quarantine_release_canary?",
            "quarantine_relase_approve=true": "Did you mean quarantine_release_approve?",
            "quarantine_release_digest=sha256:0": "Did you mean quarantine_release_plan_digest?",
            "@typed.yml": "The extra variable policy is not read. Did you mean quarantine_release_policy?",
        },
    ),
    ("release", {"quarantine_release_reason=False positive": "An extra variable was cut at a blank."}),
    ("release", {'{"cloudflare_api_token": "{{ nobody }}"}': "cloudflare_api_token cannot be evaluated"}),
    ("apply", {"plan_digest=sha256:0": "Did you mean quarantine_release_plan_digest?"}),
    ("plan", {"account_id=5a1c": "Did you mean quarantine_release_account_id?"}),
    (
        "search",
        {
            "search_sendr=a.example": "There is no variable search_sendr. Did you mean search_sender?",
            "search_subject=Quarterly invoice": "An extra variable was cut at a blank.",
            "sender=a.example": "The extra variable sender is not read. Did you mean search_sender?",
        },
    ),
    ("search", {"{search_subject: 0047}": "search_subject is a number (39) and not text. Put it in quotes"}),
    ("verify", {"quarantine_release_messages=4UAqFzWsDK4FrUMp": "Did you mean search_message_id?"}),
    ("merge_reports", {"merge_witin=2h": "There is no variable merge_witin. Did you mean merge_within?"}),
]


@pytest.mark.parametrize(("playbook", "mistakes"), NAMES)
def test_a_mistake_is_refused_before_any_request(
    ansible: Ansible, emulator: Emulator, playbook: str, mistakes: dict[str, str]
) -> None:
    (ansible.directory / "typed.yml").write_text("policy: !unsafe '{denied_senders: [a.example]}'\n")
    named = [f"quarantine_release_messages={emulator.quarantined()[0].id}"] if playbook == "release" else []
    run = ansible.playbook(PLAYBOOK + playbook, *(word for given in [*named, *mistakes] for word in ("-e", given)))
    assert run.code == 2
    for words in mistakes.values():
        assert words in run.text
    assert not emulator.requests


VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "truth": ({"search_recipient": False}, "search_recipient is true or false (False) and not text."),
    "two": ({"search_recipient": "a@x.example, b@x.example"}, "search_recipient must be one address or one domain"),
    "no_truth": ({"search_show_content": "ja"}, "search_show_content must be true or false"),
    "status": ({"search_fail_on": "bounce"}, "The value of search_fail_on must be one or more of: quarantined, "),
    "undefined": ({"search_sender": "{{ nobody }}"}, "search_sender cannot be evaluated"),
    "secret": ({"cloudflare_api_token": "{{ nobody }}"}, "cloudflare_api_token cannot be evaluated"),
}


def test_a_value_is_refused_before_any_request(ansible: Ansible, emulator: Emulator) -> None:
    common = {"quarantine_release_account_id": emulator.account_id}
    hosts = {host: given for host, (given, _words) in VALUES.items()}
    (ansible.directory / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}))
    run = ansible.playbook(f"{PLAYBOOK}search", "-i", "hosts.json")
    assert {host: row["failures"] for host, row in run.recap.items()} == dict.fromkeys(VALUES, 1), run.output
    for host, (_given, words) in VALUES.items():
        assert words in run.messages(host)[-1], host
    assert not emulator.requests


def test_a_variable_of_an_inventory_may_have_a_bare_name(ansible: Ansible, emulator: Emulator) -> None:
    own = {"account_id": "x", "policy": "x", "messages": "x", "ticket": "INC-1"}
    hosts = {
        "one": {
            "quarantine_release_account_id": emulator.account_id,
            "quarantine_release_ticket": "{{ ticket }}",
            **own,
        }
    }
    (ansible.directory / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    message = emulator.quarantined()[0].id
    run = ansible.release(
        "-i", "hosts.json", "-e", '{"ticket": "INC-2"}', messages=[message], canary="", return_messages=None
    )
    assert run.code == 0, run.output
    assert "1 message was asked for." in run.text
    assert ansible.report("one")["ticket"] == "INC-2"


def test_an_account_that_is_missing_is_not_that_of_the_environment(ansible: Ansible, emulator: Emulator) -> None:
    name = "quarantine_release_account_id"
    missing: dict[str, dict[str, str]] = {"unset": {}, "empty": {name: ""}, "omitted": {name: "{{ omit }}"}}
    hosts = {"one": {name: emulator.account_id}, **missing}
    (ansible.directory / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    searched = ansible.playbook(f"{PLAYBOOK}search", "-i", "hosts.json")
    released = ansible.release("-i", "hosts.json", messages=[emulator.quarantined()[0].id])
    for run in (searched, released):
        failures = {host: row["failures"] for host, row in run.recap.items()}
        assert (run.code, failures) == (2, {"one": 0, **dict.fromkeys(missing, 1)}), run.output
        for host in missing:
            assert f"quarantine_release_account_id is not set for {host}." in run.text


def test_rows_of_a_search_are_released(ansible: Ansible, emulator: Emulator) -> None:
    message = emulator.quarantined()[0]
    run = ansible.tasks(
        {
            "emailsec.cloudflare.message_info": {
                "sender": message.sender,
                "delivery_status": "quarantined",
                "since": "8w",
            },
            "register": "found",
        },
        {
            "ansible.builtin.include_role": {"name": "emailsec.cloudflare.quarantine_release"},
            "vars": {
                "quarantine_release_messages": "{{ found.messages }}",
                "quarantine_release_report_dir": "{{ omit }}",
            },
        },
    )
    assert run.code == 0, run.output
    assert message.id in statuses(ansible.report()["result"])


def test_the_output_says_first_what_was_searched_for(ansible: Ansible) -> None:
    shown = json.dumps({"search_sender": "billing@supplier.example", "search_subject": "'0047'", "search_since": None})
    found = ansible.playbook(f"{PLAYBOOK}search", "-e", shown, "-e", "search_show_content=true")
    assert found.code == 0, found.output
    assert (
        'Searched for: sender billing@supplier.example; subject \\"0047\\"; delivery status quarantined; since 7d; limit 100.'
        in found.text
    )
    planned = ansible.plan(
        search={"sender": "billing@supplier.example", "recipient": "", "subject": "invoice", "since": "8w"}
    )
    words = "Searched for: sender (an address) at supplier.example; subject (not shown); since 8w."
    assert words in planned.text
    assert planned.text.index(words) < planned.text.index("Show what was decided")
    everything = ansible.playbook(f"{PLAYBOOK}search", "-e", '{"search_sender": null, "search_recipient": ""}')
    assert "Searched for: any message; delivery status quarantined; since 7d; limit 100." in everything.text


@pytest.mark.parametrize("written", ["0047", "!unsafe 0047", "'0047'", "!unsafe \"'0047'\""])
def test_text_that_looks_like_a_number_is_text_or_refused(ansible: Ansible, emulator: Emulator, written: str) -> None:
    """Since 2.19, Ansible makes a number of the second one too."""
    (ansible.directory / "typed.yml").write_text(f"quarantine_release_ticket: {written}\n")
    message = emulator.quarantined()[0].id
    run = ansible.playbook(f"{PLAYBOOK}release", "-e", "@typed.yml", "-e", f"quarantine_release_messages={message}")
    if run.code == 0:
        assert ansible.report()["ticket"] == "0047"
        assert "'" in written or "!" in written
    else:
        assert "quarantine_release_ticket is a number (39) and not text." in run.text
        assert not emulator.requests
        assert "'" not in written


def test_an_empty_policy_judges_by_the_default_rules(ansible: Ansible, emulator: Emulator) -> None:
    bad = emulator.add_message(disposition="MALICIOUS", validation={"dmarc": "pass"})
    run = ansible.release(messages=[bad.id], policy={})
    assert "blocked" in run.text
    assert not emulator.deliveries


def test_verify_fails_if_it_finds_nothing_of_what_it_was_asked_for(ansible: Ansible, emulator: Emulator) -> None:
    missing = ansible.playbook(f"{PLAYBOOK}verify", "-e", "search_sender=billing@supplier.example")
    assert missing.code == 2
    assert "Found: 0. This fails because search_fail_on has nothing." in missing.text
    assert ansible.playbook(f"{PLAYBOOK}verify").code == 0
    assert emulator.requests
