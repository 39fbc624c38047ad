# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of messages that do not simply go out."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulator import Emulator

from playbooks import Ansible, statuses

ANN, BEN = RECIPIENTS = ("ann@harbour-logistics.example", "ben@harbour-logistics.example")


def mail(emulator: Emulator) -> dict[str, str]:
    """One handle for each outcome, and the status it should end with."""

    def message(outcome: object = "deliver", state: str = "quarantined") -> str:
        added = emulator.add_message(recipients=RECIPIENTS, state=state)
        emulator.script(added.id, outcome)
        return added.id

    return {
        message(): "released",
        message({"failed": [ANN]}): "partial",
        message("undelivered"): "undelivered",
        message("failed"): "failed",
        message(state="released"): "already_released",
        message(state="delivered"): "not_quarantined",
        "4NoSuchMessage00-2026-01-05T10:00:00-12345678": "not_found",
        "<minutes-7@partner.example>": "ambiguous",
    }


def test_the_module_gives_each_message_its_status(ansible: Ansible, emulator: Emulator) -> None:
    expected = mail(emulator)
    released, partial = list(expected)[:2]
    (predicted,) = ansible.module("message_release", {"messages": list(expected)}, arguments=("--check", "--diff"))
    assert not emulator.requests_to("release")
    to_send = {"released", "partial", "undelivered", "failed"}
    assert statuses(predicted) == {
        handle: "would_release" if status in to_send else status for handle, status in expected.items()
    }
    assert predicted["changed"]
    assert predicted["failed"], "the handles that are not found and ambiguous"

    (first,) = ansible.module("message_release", {"messages": list(expected)}, arguments=("--diff",))
    assert statuses(first) == expected
    assert first["changed"]
    assert first["failed"]
    assert first["diff"]["before"] == dict.fromkeys([released, partial], "quarantined")
    assert first["diff"]["after"] == {released: "released", partial: "partial"}
    assert first["summary"]["total"] == len(expected)
    assert first["summary"]["recipients_delivered"] == 3
    assert [first["messages"][1][name] for name in ("delivered", "undelivered", "failed")] == [[BEN], [], [ANN]]
    assert first["msg"].startswith("8 messages: 1 released, 1 partial, 1 undelivered, 1 failed, 1 already_released, ")
    assert emulator.deliveries == {(released, ANN): 1, (released, BEN): 1, (partial, BEN): 1}

    (tolerant,) = ansible.module("message_release", {"messages": [released, partial], "fail_on": ["unknown"]})
    assert not tolerant.get("failed")
    assert not tolerant["changed"]
    assert emulator.deliveries == {(released, ANN): 1, (released, BEN): 1, (partial, BEN): 1}


def test_the_role_fails_the_host_after_its_report(ansible: Ansible, emulator: Emulator) -> None:
    expected = mail(emulator)
    run = ansible.release(messages=list(expected), ticket="INC-9", reason="Said so", journal="journal.jsonl")
    assert (run.code, run.recap["localhost"]["failures"], run.recap["localhost"]["changed"]) == (2, 1, 1)
    reason = run.result("Show the outcome")["msg"]
    assert reason.startswith(f"Needs attention: {list(expected)[1]} partial, ")
    assert " 8 messages: 1 released, 1 partial," in reason

    report = ansible.report()
    assert report["outcome"] == "partial"
    assert (report["ticket"], report["reason"]) == ("INC-9", "Said so")
    assert (report["host"], report["account_id"]) == ("localhost", emulator.account_id)
    assert report["started"] < report["ended"]
    assert statuses(report["result"]) == expected

    ticket = ansible.ticket()
    for handle in expected:
        assert f"\n- {handle}: " in ticket
    for line in (
        "\nTicket: INC-9\nReason: Said so\n",
        "\n1 delivered to some recipients only\nWhat to do: Ask the recipients",
        "\n1 refused, or delivery failed\nWhat to do: ",
        f"\n  delivered: {BEN}\n  failed: {ANN}\n",
    ):
        assert line in ticket
    assert ansible.reports.stat().st_mode & 0o777 == 0o700
    assert {path.suffix: path.stat().st_mode & 0o777 for path in ansible.reports.iterdir()} == dict.fromkeys(
        [".json", ".txt", ".csv", ".html"], 0o600
    )
    assert (ansible.directory / "journal.jsonl").stat().st_mode & 0o777 == 0o600
    assert '"ticket": "INC-9"' in (ansible.directory / "journal.jsonl").read_text()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="takes /proc for a directory where nobody can write")
@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_reports_that_cannot_be_written_are_found_out_before(
    ansible: Ansible, emulator: Emulator, arguments: tuple[str, ...]
) -> None:
    run = ansible.release(*arguments, messages=emulator.quarantined()[0].id, report_dir="/proc", journal="")
    assert (run.code, run.total("changed")) == (2, 0)
    assert run.result("Show the outcome")["msg"] == (
        "/proc cannot be written (No such file or directory). Nothing was sent."
    )
    assert not emulator.requests_to("release")


def test_the_outcome_as_a_fact_for_later_plays(ansible: Ansible, emulator: Emulator) -> None:
    expected = mail(emulator)
    by_status = {status: handle for handle, status in expected.items()}
    cases = {
        "nothing_to_do": by_status["already_released"],
        "ok": by_status["released"],
        "failed": by_status["not_found"],
        "partial": by_status["partial"],
    }
    hosts = {word: {"quarantine_release_messages": [handle]} for word, handle in cases.items()}
    account = {"quarantine_release_account_id": emulator.account_id}
    (ansible.directory / "cases.yml").write_text(str({"all": {"hosts": hosts, "vars": account}}))
    run = ansible.release("-i", "cases.yml")
    facts = {
        line["host"]: line["result"]["ansible_facts"]["quarantine_release_result"]
        for line in run.results
        if "quarantine_release_result" in line["result"].get("ansible_facts", {})
    }
    assert facts == {word: word for word in cases}
