# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook retract: what was released is taken back, once, and what could not be is never green."""

from __future__ import annotations

import json
from typing import Any

from emulator import Emulator
from emulator.mail import Message

from playbooks import Ansible, Run, statuses

JOURNAL = "releases.jsonl"


def retract(ansible: Ansible, *arguments: object, **variables: Any) -> Run:
    """Run the playbook; variables without their prefix, the journal unless another source is named."""
    named = {} if "report" in variables else {"journal": JOURNAL}
    given = {f"retract_{name}": value for name, value in {**named, **variables}.items()}
    return ansible.playbook("emailsec.cloudflare.retract", *arguments, "-e", json.dumps(given))


def report(ansible: Ansible, host: str = "localhost", suffix: str = "json") -> Any:
    """Return the newest report."""
    path = sorted((ansible.directory / "retract-reports").glob(f"{host}-*.retract.{suffix}"))[-1]
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if suffix == "json" else text


def writes(emulator: Emulator) -> list[str | None]:
    """Return the routes of the requests that could have changed something."""
    return [request.route for request in emulator.requests if request.method != "GET"]


def released(ansible: Ansible, emulator: Emulator, *verdicts: str, **variables: Any) -> list[Message]:
    """Release a message for each of these verdicts, which Cloudflare gives to it afterwards."""
    messages = [emulator.add_message(subject="Your invoice") for _verdict in verdicts]
    run = ansible.release(messages=[message.id for message in messages], journal=JOURNAL, **variables)
    assert run.code == 0, run.output
    for message, verdict in zip(messages, verdicts, strict=True):
        emulator.judge(message.id, verdict)
    emulator.requests.clear()
    return messages


def test_what_turns_bad_is_taken_back_once(ansible: Ansible, emulator: Emulator) -> None:
    bad, bec, spam, good = released(
        ansible, emulator, "MALICIOUS", "MALICIOUS-BEC", "SPAM", "NONE", ticket="INC-1", approved_by="carol"
    )
    # Not before, as a release that is not seen yet is not taken back.
    emulator.configure(state_lag=3)
    checked = retract(ansible, "--check", "--diff")
    assert checked.code == 0, checked.output
    assert "4 releases since 24h: 2 would_move, 2 kept. Check mode: nothing was moved" in checked.text
    assert writes(emulator) == []
    assert not (ansible.directory / "retract-reports").exists()

    first = retract(ansible, "-vvvv", "--diff")
    assert (first.code, first.recap["localhost"]["changed"]) == (0, 1), first.output
    assert writes(emulator) == ["bulk_move"]
    assert all(set(message.folders.values()) == {"JunkEmail"} for message in (bad, bec))
    assert not spam.folders
    assert not good.folders
    made = report(ansible)
    assert statuses(made["result"]) == {bad.id: "moved", bec.id: "moved", spam.id: "kept", good.id: "kept"}
    row = made["result"]["messages"][0]
    assert (row["verdict"], row["ticket"], row["approved_by"]) == ("MALICIOUS", "INC-1", "carol")
    assert row["released_at"].endswith("Z")
    assert 0 <= row["in_mailboxes_seconds"] < 180
    assert row["in_mailboxes"].endswith((" s", " min"))
    for suffix in ("csv", "html"):
        text = report(ansible, suffix=suffix)
        assert all(words in text for words in ("MALICIOUS", "INC-1", "carol", row["released_at"].partition(".")[0]))
    for content in (bad.sender, "Your invoice", *bad.recipients):
        assert content not in first.output

    emulator.requests.clear()
    second = retract(ansible)
    assert (second.code, second.recap["localhost"]["changed"]) == (0, 0), second.output
    assert writes(emulator) == []
    assert "2 already_moved, 2 kept" in second.text


def test_all_by_a_report(ansible: Ansible, emulator: Emulator) -> None:
    first, second = released(ansible, emulator, "NONE", "SPAM", report_formats=["json"], ticket="INC-2")
    [path] = ansible.reports.glob("localhost-*.json")
    run = retract(ansible, report=str(path), when="all", destination="deleted_items", show_content=True)
    assert run.code == 0, run.output
    assert all(set(message.folders.values()) == {"DeletedItems"} for message in (first, second))
    assert [row["ticket"] for row in report(ansible)["result"]["messages"]] == ["INC-2"] * 2
    assert first.sender in run.output
    few = json.loads(path.read_text())
    few["result"]["messages"].pop()
    path.write_text(json.dumps(few))
    cut = retract(ansible, report=str(path))
    assert (cut.code, "does not have all messages" in cut.text) == (2, True), cut.output


def test_two_accounts_in_one_journal_and_one_that_no_host_has(ansible: Ansible, emulator: Emulator) -> None:
    accounts = [account.id for account in emulator.accounts[:3]]
    mail = [emulator.add_message(account) for account in accounts]
    hosts = {
        f"host{number}": {"account_id": account, "messages": [message.id]}
        for number, (account, message) in enumerate(zip(accounts, mail, strict=True))
    }
    ansible.release(*ansible.inventory(**hosts), journal=JOURNAL)
    emulator.requests.clear()
    for message in mail:
        emulator.judge(message.id, "SPOOF")
    two = ansible.inventory(**{host: {"account_id": hosts[host]["account_id"]} for host in ("host0", "host1")})

    run = retract(ansible, *two)
    assert (run.code, run.recap["host0"]["failures"], run.recap["host1"]["failures"]) == (2, 1, 0), run.output
    assert f"No host of the inventory has the account {accounts[2]}" in run.text
    assert [bool(message.folders) for message in mail] == [True, True, False]
    assert [len(report(ansible, host)["result"]["messages"]) for host in ("host0", "host1")] == [1, 1]

    all_of_them = ansible.inventory(**{host: {"account_id": hosts[host]["account_id"]} for host in hosts})
    limited = retract(ansible, *all_of_them, "--limit", "host0")
    assert limited.code == 0, limited.output
    third = retract(ansible, *all_of_them)
    assert third.code == 0, third.output
    assert all(message.folders for message in mail)
    assert writes(emulator) == ["bulk_move"] * 3


def test_what_is_not_certain_is_never_green(ansible: Ansible, emulator: Emulator) -> None:
    lost, half, odd = released(ansible, emulator, "MALICIOUS", "SUSPICIOUS", "PECULIAR")
    emulator.script_move(half.id, {"failed": {half.recipients[0]: "MAILBOX_FULL"}}, {})
    emulator.configure(move_log="mailbox")
    emulator.faults.add("status", status=504, body="html", when="after", route="bulk_move")
    first = retract(ansible)
    # The answer was lost, and the action log tells the truth.
    assert statuses(report(ansible)["result"]) == {lost.id: "moved", half.id: "failed", odd.id: "not_attempted"}
    assert (first.code, first.recap["localhost"]["changed"]) == (2, 1), first.output
    assert f"{half.id} failed, {odd.id} not_attempted" in first.text
    assert report(ansible)["outcome"] == "partial"

    emulator.judge(odd.id, "BULK")
    emulator.faults.add("cut", route="bulk_move")
    second = retract(ansible)
    assert statuses(report(ansible)["result"]) == {lost.id: "already_moved", half.id: "unknown", odd.id: "kept"}
    assert (second.code, report(ansible)["outcome"]) == (2, "unknown"), second.output
    assert writes(emulator) == ["bulk_move"] * 2

    emulator.faults.add("status", status=500, body="html", method="GET", times=None)
    unread = retract(ansible, "-e", "cloudflare_retries=0")
    assert unread.code == 2, unread.output
    assert set(statuses(report(ansible)["result"]).values()) == {"not_attempted"}
    assert all(message.id in unread.text for message in (lost, half, odd))
    assert writes(emulator) == ["bulk_move"] * 2


def test_a_line_of_the_journal_that_cannot_be_read_is_named(ansible: Ansible, emulator: Emulator) -> None:
    [bad] = released(ansible, emulator, "SPOOF")
    with (ansible.directory / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write('{"time": "2026-\n')
    run = retract(ansible)
    assert run.code == 2
    assert "Line 4 of" in run.text, run.output
    assert "cannot be read: it is cut off, or is not JSON." in run.text
    assert statuses(report(ansible)["result"]) == {bad.id: "moved"}


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"jurnal": "x"}, "There is no variable retract_jurnal. Did you mean retract_journal?"),
    "both": ({"report": "x.json"}, "retract_journal and retract_report are both set."),
    "neither": ({"journal": ""}, "retract_journal and retract_report are both missing."),
    "nowhere": ({"journal": "nowhere.jsonl"}, "nowhere.jsonl cannot be read (No such file or directory)"),
    "number": ({"since": 24}, "retract_since is a number (24) and not text."),
    "no_unit": ({"since": "24"}, "retract_since must be a time such as"),
    "when": ({"when": "better"}, "retract_when must be worse or all."),
    "destination": ({"destination": "inbox"}, "retract_destination must be junk_email, deleted_items,"),
    "purge": ({"destination": "recoverable_items_purges"}, "Set retract_purge to true if you mean it."),
    "no_verdicts": ({"dispositions": []}, "retract_dispositions must be a list of verdicts"),
    "no_verdict": ({"dispositions": ["EVIL"]}, "retract_dispositions has 'EVIL', which is no verdict"),
    "no_truth": ({"purge": "maybe"}, "retract_purge must be true or false"),
    "report_dir": ({"report_dir": "/proc/1/reports"}, "/proc/1/reports cannot be written"),
}


def test_a_mistake_is_refused_before_any_request(ansible: Ansible, emulator: Emulator) -> None:
    (ansible.directory / JOURNAL).touch(0o600)
    hosts = {
        host: {f"retract_{name}": value for name, value in {"journal": JOURNAL, **given}.items()}
        for host, (given, _words) in MISTAKES.items()
    }
    common = {"quarantine_release_account_id": emulator.account_id}
    (ansible.directory / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}))
    run = ansible.playbook("emailsec.cloudflare.retract", "-i", "hosts.json")
    assert {host: row["failures"] for host, row in run.recap.items()} == dict.fromkeys(MISTAKES, 1), run.output
    for host, (_given, words) in MISTAKES.items():
        told = run.result("Fail with the reason", host)["msg"]
        assert words in told, host
        assert "Nothing was sent." in told, host
    assert not emulator.requests


def test_other_mistakes_are_refused_before_any_request(ansible: Ansible, emulator: Emulator) -> None:
    (ansible.directory / JOURNAL).touch(0o600)
    for arguments, words in (
        (("-e", "journal=x"), "The extra variable journal is not read. Did you mean retract_journal?"),
        (("-i", "nowhere.yml"), "nowhere.yml does not exist."),
        (("--tags", "release"), "This playbook has no tags"),
        (("-e", "quarantine_release_account_id=5a1c"), "quarantine_release_account_id must be 32 hexadecimal digits"),
        (("-e", "ansible_check_mode=true"), "does not turn on check mode. Use --check."),
        (
            ansible.inventory(one={"account_id": ""}, two={"account_id": ""}),
            "quarantine_release_account_id is not set for one.",
        ),
    ):
        run = retract(ansible, *arguments)
        assert (run.code != 0, words in run.text) == (True, True), run.output
    assert not emulator.requests
