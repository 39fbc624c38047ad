# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a survey delivers: strings for everything, and whatever somebody types or pastes. None of it is ever run."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulator import Emulator
from jobs import Controller
from templates import SURVEY_VARS, report_of, template

# What people leave unanswered in a form
UNANSWERED = {
    f"quarantine_release_{name}": ""
    for name in (
        *(
            "account_id",
            "canary",
            "chunk_size",
            "evidence",
            "expires_in",
            "journal",
            "mode",
            "plan_digest",
            "plan_file",
        ),
        *("policy", "reason", "report_dir", "requested_by", "search", "ticket", "verify"),
    )
}
TYPED = {
    f"quarantine_release_{name}": text
    for name, text in {
        "batch_size": "50",
        "check_state": "true",
        "concurrency": "1",
        "max_messages": "1000",
        "settle_time": "3",
        "show_content": "false",
        "stop_after_failures": "0",
        "approve": "no",
        "fail_on": "failed,unknown",
    }.items()
}


def test_everything_as_a_string(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    first, second, third, fourth = (emulator.add_message() for _ in range(4))
    pasted = f"  {first.id}, {second.postfix_id};\r\n\r\n{third.id}\t{first.id}\n{fourth.message_id}  \n"
    reports = tmp_path / "reports"
    answers = {
        **UNANSWERED,
        **TYPED,
        "quarantine_release_messages": pasted,
        "quarantine_release_report_dir": str(reports),
        "quarantine_release_ticket": "'4711'",
    }

    foretold = controller.run(template(emulator, "release", check=True, diff=True), answers=answers)
    assert (foretold.status, foretold.recap["changed"]) == ("successful", {"localhost": 1}), foretold.stdout
    assert not emulator.requests_to("release")
    assert not reports.exists()

    job = controller.run(template(emulator, "release"), answers=answers)
    assert (job.status, job.rc, job.recap["changed"]) == ("successful", 0, {"localhost": 1}), job.stdout
    assert "4 messages: 4 released, 4 recipients reached." in job.stdout
    assert set(emulator.deliveries.values()) == {1}
    assert {message for message, _ in emulator.deliveries} == {first.id, second.id, third.id, fourth.id}
    assert job.artifacts["quarantine_release_results"]["localhost"]["result"] == "ok"
    report = report_of(reports)
    assert str(report["ticket"]) == "4711"
    assert (report["started_by"], report["awx_job_id"]) == ("operator", 102)


def test_nothing_is_answered(controller: Controller, emulator: Emulator) -> None:
    nothing = {**UNANSWERED, "quarantine_release_messages": " \n ", "survey_sender": "", "survey_since": ""}
    released = controller.run(template(emulator, "release"), answers=nothing)
    planned = controller.run(template(emulator, "plan", extra_vars=SURVEY_VARS), answers={"survey_sender": ""})
    applied = controller.run(template(emulator, "apply"), answers={"quarantine_release_messages": ""})

    assert (released.status, released.artifacts["quarantine_release_results"]["localhost"]["result"]) == (
        "successful",
        "nothing_to_do",
    ), released.stdout
    assert planned.status == "failed"
    assert (
        "Set what to release: quarantine_release_messages, quarantine_release_messages_file or quarantine_release_search. Nothing was sent."
        in planned.stdout
    )
    assert applied.status == "failed"
    assert "The mode apply needs quarantine_release_plan_digest, the digest that was approved." in applied.stdout
    assert not emulator.requests


# Each of them would leave a file behind, were it ever taken for a template.
TRAP = "{{ lookup('pipe', 'touch TRAP') }}{% for x in cycler.__init__.__globals__.os.popen('touch TRAP') %}{% endfor %}"


@pytest.mark.parametrize("playbook", ["search", "plan", "release"])
def test_no_answer_is_run(controller: Controller, emulator: Emulator, tmp_path: Path, playbook: str) -> None:
    trap = tmp_path / "trap"
    hostile = TRAP.replace("TRAP", str(trap)) + " 'quoted\" $(touch TRAP) `touch TRAP` é 日本語 ".replace(
        "TRAP", str(trap)
    )
    message = emulator.add_message(sender="a@partner.example")
    reports = str(tmp_path / "reports")
    answers = {
        "search": {
            "search_subject": hostile,
            "search_recipient": "",
            "search_since": "7d",
            "search_show_content": "true",
        },
        "plan": {"survey_sender": "", "survey_subject": hostile, "survey_ticket": hostile, "survey_reason": hostile},
        "release": {
            "quarantine_release_messages": message.id,
            "quarantine_release_ticket": hostile,
            "quarantine_release_reason": f"  {hostile}  ",
        },
    }[playbook]
    variables = {"quarantine_release_report_dir": reports, **(SURVEY_VARS if playbook == "plan" else {})}

    job = controller.run(template(emulator, playbook, extra_vars=variables, verbosity=1), answers=answers)

    assert not trap.exists()
    if playbook == "search":
        assert (job.status, "Found: 0" in job.stdout) == ("successful", True)
        asked = dict(emulator.requests_to("search")[-1].query)
        assert asked["subject"].strip() == hostile.strip()
    else:
        report = report_of(Path(reports))
        shown = report["plan"] if playbook == "plan" else report
        assert (shown["ticket"].strip(), shown["reason"].strip()) == (hostile.strip(), hostile.strip())
    if playbook == "release":
        assert job.status == "successful", job.stdout
        refused = controller.run(
            template(emulator, playbook), answers={"quarantine_release_messages": f"{message.id}, {hostile}"}
        )
        assert refused.status == "failed"
        assert "Unusable message handles" in refused.stdout
        assert not trap.exists()
        assert len(emulator.deliveries) == len(message.recipients)


def test_a_paste_of_ten_thousand_characters(controller: Controller, emulator: Emulator) -> None:
    text = ("Dear all,\nplease release the mail from our bank. " * 250)[:10_000]

    job = controller.run(
        template(emulator, "release"), answers={"quarantine_release_messages": text, "quarantine_release_reason": text}
    )

    assert job.status == "failed"
    assert "quarantine_release_messages has 'Dear all', which may be more than handles." in job.stdout
    assert not emulator.requests
