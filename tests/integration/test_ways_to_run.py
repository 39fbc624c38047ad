# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks and role, however people run them: what was asked for is done, or the run fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from emulator import Emulator

from playbooks import Ansible, Run, prefixed

UNKNOWN = "4NoSuchMessage00-2026-01-05T10:00:00-12345678"
ROLE = {"name": "emailsec.cloudflare.quarantine_release"}


def play(ansible: Ansible, *tasks: dict[str, Any], arguments: tuple[str, ...] = (), **keywords: Any) -> Run:
    """Run a play of somebody's own."""
    own = {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks), **keywords}
    (ansible.directory / "own.yml").write_text(yaml.safe_dump([own]))
    return ansible.playbook("own.yml", *arguments)


def accounts(ansible: Ansible, emulator: Emulator, count: int, **variables: Any) -> tuple[str, str]:
    """Return the arguments for an inventory of hosts a, b and so on, each with a message."""
    ids = [message.id for message in emulator.quarantined()]
    hosts = {
        "abcdef"[number]: {"account_id": emulator.account_id, "messages": [ids[number]]} for number in range(count)
    }
    path, name = ansible.inventory(**hosts)
    inventory = json.loads((ansible.directory / name).read_text())
    inventory["all"]["vars"] = variables
    (ansible.directory / name).write_text(json.dumps(inventory))
    return path, name


def test_an_inventory_for_remote_hosts_changes_nothing(ansible: Ansible, emulator: Emulator) -> None:
    remote = {"ansible_connection": "ssh", "ansible_become": True, "ansible_python_interpreter": "/nowhere/python"}
    inventory = accounts(ansible, emulator, 1, **remote)
    assert ansible.release(*inventory).code == 0
    assert emulator.deliveries
    assert ansible.playbook("emailsec.cloudflare.search", *inventory, "-e", "search_since=8w").code == 0
    calls = len(emulator.requests)
    own = play(ansible, {"import_role": ROLE}, arguments=inventory, hosts="all")
    found = ansible.playbook("emailsec.cloudflare.search", *inventory, "-e", "ansible_connection=ssh")
    for refused in (own, found):
        assert refused.code == 2
        assert "but ansible_connection is ssh for a, so the credential would have gone elsewhere." in refused.text
    assert len(emulator.requests) == calls


def test_check_mode_as_a_keyword(ansible: Ansible, emulator: Emulator) -> None:
    variables = prefixed({"messages": [emulator.quarantined()[0].id]})
    roles = [
        {"block": [{"include_role": ROLE}], "check_mode": True},
        {"import_role": ROLE, "check_mode": True},
        {"include_role": {**ROLE, "apply": {"check_mode": True}}},
    ]
    run = play(ansible, *roles, vars=variables)
    assert run.code == 0
    ends = [line["result"]["msg"] for line in run.results if line["task"].endswith("Show the outcome")]
    assert ends == ["1 message: 1 would_release. Check mode: nothing was sent, and no report was written."] * 3
    assert not ansible.reports.exists()
    meant = ansible.release("-e", "ansible_check_mode=true", messages=[emulator.quarantined()[0].id])
    assert meant.code == 2
    assert "ansible_check_mode does not turn on check mode. Use --check. Nothing was sent." in meant.text
    assert not emulator.requests_to("release")


@pytest.mark.parametrize(
    "tags",
    [
        ("--skip-tags", "report"), ("--skip-tags", "plan,release"), ("--skip-tags", "always,report"), ("--tags", "approve"),
        ("--tags", "relase"), ("--tags", "plan"),
    ],
)  # fmt: skip
def test_no_tags_end_with_success_and_nothing_done(ansible: Ansible, emulator: Emulator, tags: tuple[str, str]) -> None:
    run = ansible.release(*tags, messages=[emulator.quarantined()[0].id])
    assert run.code != 0
    assert "Nothing was sent." in run.text
    assert not emulator.requests


def test_a_role_that_is_included_with_a_tag_of_its_own(ansible: Ansible, emulator: Emulator) -> None:
    variables = prefixed({"messages": [emulator.quarantined()[0].id]})
    mail = ("--tags", "mail")
    plain = play(ansible, {"include_role": ROLE, "tags": ["mail"]}, arguments=mail, vars=variables)
    assert (plain.code, bool(emulator.requests)) == (2, False)
    assert "repeat them in its option apply" in plain.text
    other = play(ansible, {"import_role": ROLE}, arguments=mail, vars=variables)
    assert (other.code, bool(emulator.requests)) == (0, False)
    assert "The tags of this run do not ask for the role quarantine_release." in other.text
    applied = {"include_role": {**ROLE, "apply": {"tags": ["mail"]}}, "tags": ["mail"]}
    assert play(ansible, applied, arguments=mail, vars=variables).code == 0
    assert emulator.deliveries


def test_a_failure_is_not_swallowed_by_the_facts(ansible: Ansible, emulator: Emulator) -> None:
    once = {"import_role": ROLE, "when": "quarantine_release_result is not defined"}
    assert play(ansible, once, vars=prefixed({"messages": [UNKNOWN]})).code == 2
    first = {"include_role": ROLE, "vars": prefixed({"messages": [emulator.quarantined()[0].id]})}
    second = {"include_role": ROLE, "vars": prefixed({"messages": ["a"], "canary": "x"})}
    show = {"debug": {"msg": "Now {{ quarantine_release_result }}."}}
    run = play(ansible, first, show, {"block": [second], "rescue": [show]})
    assert "Now ok." in run.text
    assert "Now failed." in run.text


def test_loops_of_a_user_and_a_variable_that_is_undefined(ansible: Ansible, emulator: Emulator) -> None:
    ids = [message.id for message in emulator.quarantined()[:2]]
    loop = {"include_role": ROLE, "loop": ids}
    variables = prefixed({"messages": ["{{ item }}"], "report_dir": "reports-{{ item[:4] }}"})
    assert play(ansible, loop, vars=variables).code == 0
    for name in ids:
        assert list(ansible.directory.glob(f"reports-{name[:4]}/localhost-*.json"))
    calls = len(emulator.requests)
    undefined = play(ansible, {"include_role": ROLE}, vars=variables)
    assert undefined.code == 2
    assert "'item' is undefined" in undefined.text
    assert len(emulator.requests) == calls


def test_the_report_names_the_account_of_the_task(ansible: Ansible, emulator: Emulator) -> None:
    other = emulator.add_account("Other")
    message = emulator.add_message(other.id)
    role = {"include_role": {**ROLE, "apply": {"environment": {"CLOUDFLARE_ACCOUNT_ID": other.id}}}}
    run = play(ansible, role, vars=prefixed({"messages": [message.id]}))
    assert run.code == 0
    assert ansible.report()["account_id"] == other.id
    assert f"Account: {other.id} (localhost)" in ansible.ticket()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-i", "missing.yml"), "missing.yml does not exist"),
        (("-i", "ansible.cfg"), "There are no hosts in the inventory"),
        (("-e", "quarantine_release_hosts=nope"), "No host of the inventory matches nope"),
    ],
)
@pytest.mark.parametrize("playbook", ["release", "search"])
def test_no_hosts_are_an_error(
    ansible: Ansible, emulator: Emulator, playbook: str, arguments: tuple[str, ...], words: str
) -> None:
    messages = json.dumps(prefixed({"messages": [emulator.quarantined()[0].id]}) if playbook == "release" else {})
    run = ansible.playbook(f"emailsec.cloudflare.{playbook}", *arguments, "-e", messages)
    assert run.code != 0
    assert words in run.text
    assert not emulator.requests


def test_batches_have_one_report_and_one_judgement(ansible: Ansible, emulator: Emulator) -> None:
    inventory = accounts(ansible, emulator, 3)
    nothing = emulator.add_message(state="released").id
    (ansible.directory / "host_vars").mkdir()
    for host in "ac":
        (ansible.directory / "host_vars" / f"{host}.yml").write_text(f"quarantine_release_messages: [{nothing}]")
    batches: dict[str, Any] = {
        "hosts": "all",
        "serial": 1,
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    }
    gate = prefixed({"mode": "plan", "fail_if_nothing": True})
    some = play(ansible, {"import_role": ROLE}, arguments=(*inventory, "-e", json.dumps(gate)), **batches)
    none = play(ansible, {"import_role": ROLE}, arguments=(*inventory, "-l", "a:c", "-e", json.dumps(gate)), **batches)
    assert some.code == 0, "b has something to approve"
    assert (none.code, none.recap["a"]["failures"], none.recap["c"]["failures"]) == (2, 0, 1)
    pages = sorted(ansible.reports.glob("all-accounts-*.html"))
    assert len(pages) == 2
    assert all("There is no report of this account." not in page.read_text() for page in pages)


def test_the_merged_report_fails_if_an_account_did(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    inventory = accounts(ansible, emulator, 2)
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "b.yml").write_text(f"quarantine_release_messages: [{UNKNOWN}]")
    assert ansible.release(*inventory).code == 2
    merged = ansible.playbook("emailsec.cloudflare.merge_reports", *inventory)
    assert merged.code == 2
    told = merged.result("Merge the reports")["msg"]
    assert told.startswith("Needs attention: b failed. Accounts: 2, failed 1, ok 1. Report: ")
    page = (ansible.reports / "all-accounts.html").read_text()
    assert page.index("<b>b</b>") < page.index("<b>a</b>")
