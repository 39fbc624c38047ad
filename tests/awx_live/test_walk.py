# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One walk through all of it, held against the mailboxes. The tests build on each other, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from emulator import Emulator
from people import Person, Site, until

SENDER = "orders@partner.example"
WORKFLOW = "Plan, approve, release"


@pytest.fixture(scope="module")
def missed(emulator: Emulator) -> dict[str, str]:
    """Messages by their subject; the recipients miss them."""
    subjects = ("0042", "Offer 1", "Offer 2")
    return {
        subject: emulator.add_message(sender=SENDER, subject=subject, validation={"spf": "pass"}).id
        for subject in subjects
    }


@pytest.fixture
def operator(site: Site) -> Person:
    """A member of the team of operators."""
    return site.people["operators"]


@pytest.fixture
def approver(site: Site) -> Person:
    """A member of the team of approvers."""
    return site.people["approvers"]


@pytest.fixture
def auditor(site: Site) -> Person:
    """A member of the team of auditors."""
    return site.people["auditors"]


def start(site: Site, operator: Person, subject: str) -> int:
    """Start the workflow for one message."""
    answers = {"survey_sender": SENDER, "survey_subject": subject, "survey_hours": 720, "survey_ticket": "INC-1"}
    launched: int = operator.post(f"{site.template(WORKFLOW)}launch/", extra_vars=answers)["id"]
    return launched


def delivered(emulator: Emulator) -> Mapping[str, int]:
    """How often each message was delivered."""
    return {message: times for (message, _recipient), times in emulator.deliveries.items()}


def test_it_is_set_up(site: Site) -> None:
    run = site.set_up()
    assert run.code == 0, run.output


def test_everybody_does_their_part(
    site: Site, emulator: Emulator, missed: dict[str, str], operator: Person, approver: Person, auditor: Person
) -> None:
    """The operator starts, the approver sees the plan and approves, the auditor watches, and each can do no more than that."""
    for outsider in (approver, auditor):
        assert outsider.status("POST", f"{site.template(WORKFLOW)}launch/") == 403
    for template in ("Plan", "Apply", "Release now", "Report"):
        assert operator.status("POST", f"{site.template(template)}launch/") == 403

    run = start(site, operator, "Offer 1")
    approval = until(lambda: approver.node(run, "approve"))["id"]
    plan = approver.node(run, "plan")["id"]
    for person in (operator, approver, auditor):
        assert missed["Offer 1"] in person.output(plan)
        assert person.get(f"/workflow_jobs/{run}/")["status"] == "running"
    for other in (operator, auditor):
        assert other.status("POST", f"/workflow_approvals/{approval}/approve/") == 403
    assert not emulator.deliveries
    approver.post(f"/workflow_approvals/{approval}/approve/")

    assert operator.ended("workflow_jobs", run) == "successful"
    assert delivered(emulator) == {missed["Offer 1"]: 1}
    report = operator.node(run, "report")["id"]
    assert all("ok: Messages were released" in person.output(report) for person in (operator, approver, auditor))
    apply = operator.node(run, "apply")["id"]
    assert all(person.status("POST", f"/jobs/{apply}/relaunch/") == 403 for person in (operator, approver, auditor))


def test_a_denial_sends_nothing(site: Site, emulator: Emulator, operator: Person, approver: Person) -> None:
    before = dict(emulator.deliveries)
    run = start(site, operator, "Offer 2")
    approver.post(f"/workflow_approvals/{approver.node(run, 'approve')['id']}/deny/")
    assert operator.ended("workflow_jobs", run) == "failed"
    assert emulator.deliveries == before


def test_apply_is_cancelled_after_it_released(
    site: Site, emulator: Emulator, missed: dict[str, str], operator: Person, approver: Person
) -> None:
    """The word is unknown, the job cannot be run again, and Verify later tells what became of it."""
    emulator.configure(release_forms=["object", "array"])
    emulator.faults.add("hang", when="after", seconds=60, route="release")
    run = start(site, operator, "Offer 2")
    approver.post(f"/workflow_approvals/{approver.node(run, 'approve')['id']}/approve/")
    apply = operator.node(run, "apply")["id"]
    until(lambda: missed["Offer 2"] in delivered(emulator))
    site.admin.post(f"/jobs/{apply}/cancel/")

    assert operator.ended("workflow_jobs", run) == "failed"
    assert "Do not start the workflow again yet" in operator.output(operator.node(run, "report")["id"])

    again = site.admin.post(f"/jobs/{apply}/relaunch/")["id"]
    assert site.admin.ended("jobs", again) == "failed"
    assert delivered(emulator)[missed["Offer 2"]] == 1

    answers: dict[str, Any] = {"survey_sender": SENDER, "survey_subject": "Offer 2", "survey_hours": 720}
    verify = operator.post(f"{site.template('Verify later')}launch/", extra_vars=answers)["id"]
    assert operator.ended("jobs", verify) == "successful"
    assert missed["Offer 2"] in operator.output(verify)


@pytest.mark.parametrize("ticket", ["", 42, None])
def test_a_ticket_that_is_missing(site: Site, operator: Person, ticket: object) -> None:
    """The policy requires one, so AWX does too, and it takes text only."""
    answers: dict[str, Any] = {"survey_sender": SENDER, "survey_hours": 24}
    answers |= {} if ticket is None else {"survey_ticket": ticket}
    assert operator.status("POST", f"{site.template(WORKFLOW)}launch/", extra_vars=answers) == 400


def test_an_answer_that_looks_like_a_number(
    site: Site, emulator: Emulator, missed: dict[str, str], operator: Person
) -> None:
    """It is that text, or it is refused; it never finds something else."""
    run = start(site, operator, "0042")
    plan = operator.node(run, "plan")["id"]
    until(lambda: operator.get(f"/jobs/{plan}/")["status"] in ("successful", "failed"))
    output = operator.output(plan)
    assert missed["0042"] in output or "quotes" in output
    assert missed["Offer 1"] not in output
    assert missed["0042"] not in delivered(emulator)


def test_it_is_removed(site: Site) -> None:
    run = site.remove()
    assert run.code == 0, run.output
    for endpoint in (
        "workflow_job_templates",
        "job_templates",
        "inventories",
        "projects",
        "credentials",
        "organizations",
    ):
        names = [each["name"] for each in site.admin.get(f"/{endpoint}/?page_size=200")["results"]]
        assert not [name for name in names if name.startswith(site.prefix)]
