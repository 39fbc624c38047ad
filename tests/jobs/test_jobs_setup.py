# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The job templates and the workflow that the role awx_setup makes, run by AWX's rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from emulator import Emulator
from jobs import Controller, Done, Job
from made_by_setup import DEFAULTS, Setup

pytestmark = pytest.mark.skipif(not DEFAULTS.exists(), reason="this checkout has no role awx_setup")

SENDER = "orders@partner.example"


@pytest.fixture
def setup(emulator: Emulator, tmp_path: Path) -> Setup:
    """What the role makes, with nothing but accounts and credentials given."""
    return Setup(emulator, tmp_path)


def wave(emulator: Emulator) -> set[str]:
    """Mail that is missed in the first two accounts."""
    return {
        emulator.add_message(account.id, sender=SENDER, validation={"spf": "pass"}).id
        for account in emulator.accounts[:2]
    }


def job(end: Done | bool) -> Done:
    """A node of a workflow that is a job."""
    assert isinstance(end, Done)
    return end


def test_each_job_template(controller: Controller, emulator: Emulator, setup: Setup) -> None:
    missed = wave(emulator)
    answers = setup.answers(sender="partner.example", account="all")
    found = controller.run(setup.template("search"), answers=answers)
    assert found.status == "successful", found.stdout
    assert SENDER in found.stdout

    released = controller.run(
        setup.template("release"), answers=setup.answers(sender=SENDER, ticket="INC-4711", account="all")
    )
    assert released.status == "successful", released.stdout
    assert {message for message, _ in emulator.deliveries} == missed
    assert [
        released.artifacts["quarantine_release_results"][host]["result"] for host in ("harbour", "meadow", "cedar")
    ] == [
        *("ok", "ok", "nothing_to_do"),
    ]
    verified = controller.run(setup.template("verify"), answers=answers)
    assert verified.status == "successful", verified.stdout
    nothing = controller.run(setup.template("verify"), answers=setup.answers(sender=SENDER, account="cedar"))
    assert nothing.status == "failed", "nothing was found in the account that was named"

    for alone in ("apply", "workflow_report"):
        assert controller.run(setup.template(alone)).status == "failed", f"{alone} has nothing to go by"
    assert len(emulator.deliveries) == len(missed)


def test_the_workflow_with_an_approval(controller: Controller, emulator: Emulator, setup: Setup) -> None:
    missed = wave(emulator)
    seen: list[str] = []

    def approves(plan: Done) -> bool:
        seen.append(plan.stdout)
        return not emulator.deliveries

    status, done = setup.workflow.run(controller, setup.answers(sender=SENDER, ticket="INC-4711"), approves)

    assert status == "successful", job(done["report"]).stdout
    assert list(done) == ["plan", "approve", "apply", "report"]
    assert all(id in seen[0] for id in missed), "the approver sees what is asked for"
    assert {message for message, _ in emulator.deliveries} == missed
    assert set(emulator.deliveries.values()) == {1}
    assert job(done["report"]).artifacts["quarantine_release_outcome"] == "ok"


def test_the_workflow_without_an_approval(controller: Controller, emulator: Emulator, setup: Setup) -> None:
    wave(emulator)
    status, done = setup.workflow.run(controller, setup.answers(sender=SENDER, account="meadow"), lambda _: False)
    assert (status, list(done)) == ("failed", ["plan", "approve"])
    assert {request.method for request in emulator.requests} == {"GET"}


def test_the_workflow_with_nothing_to_approve(controller: Controller, emulator: Emulator, setup: Setup) -> None:
    def approves(_: Done) -> bool:
        raise AssertionError("nobody is asked")

    status, done = setup.workflow.run(controller, setup.answers(sender="nobody.example"), approves)

    assert list(done) == ["plan", "report"]
    assert status == "successful", job(done["report"]).stdout
    assert job(done["report"]).artifacts["quarantine_release_outcome"] == "nothing_to_do"


def once_it_released(emulator: Emulator, end: Callable[[Job], Done]) -> Callable[[Job], Done]:
    """What happens to a job once Cloudflare has delivered, and before the job knows."""
    emulator.configure(release_forms=["object", "array"])
    emulator.faults.add("hang", when="after", seconds=60, route="release")

    def wait_and_end(job: Job) -> Done:
        deadline = time.monotonic() + 120
        while not emulator.deliveries and time.monotonic() < deadline:
            time.sleep(0.05)
        assert emulator.deliveries
        return end(job)

    return wait_and_end


@pytest.mark.parametrize("end", [Job.cancel, Job.kill])
@pytest.mark.parametrize("shared", [False, True])
def test_apply_ends_after_it_released(
    controller: Controller, emulator: Emulator, tmp_path: Path, shared: bool, end: Callable[[Job], Done]
) -> None:
    """Nobody is told to start the workflow again, and a relaunch delivers nothing twice, though the state lags."""
    setup = Setup(emulator, tmp_path, shared_directory=str(tmp_path / "shared") if shared else "")
    emulator.configure(state_lag=9.0 if shared else 600.0)
    wave(emulator)
    answers = setup.answers(sender=SENDER, account="all")

    status, done = setup.workflow.run(
        controller, answers, lambda _: True, meanwhile={"apply": once_it_released(emulator, end)}
    )

    assert (status, job(done["apply"]).artifacts) == ("failed", {})
    report = job(done["report"])
    assert report.artifacts["quarantine_release_outcome"] == "unknown"
    assert "Do not start the workflow again yet" in report.stdout
    assert "can start" not in report.stdout

    relaunched = controller.launch(
        setup.template("apply"),
        artifacts=job(done["plan"]).artifacts,
        answers=answers,
        relaunched=True,
    ).wait()
    assert (relaunched.status == "failed") != shared, relaunched.stdout
    assert ("the plan in it was applied before" in relaunched.stdout) != shared
    assert set(emulator.deliveries.values()) == {1}


def test_a_second_plan_right_after_the_first(controller: Controller, emulator: Emulator, setup: Setup) -> None:
    """Without a shared directory no job knows of another; each waits until the state shows what the one before released."""
    emulator.configure(state_lag=9.5)
    wave(emulator)
    answers = setup.answers(sender=SENDER, account="meadow")
    plans = [controller.run(setup.template("plan"), answers=answers) for _ in range(2)]

    applied = [
        controller.run(setup.template("apply"), artifacts=plan.artifacts, answers=answers, workflow_job=number)
        for number, plan in enumerate(plans, 901)
    ]

    assert [job.status for job in applied] == ["successful"] * 2, [job.stdout for job in applied]
    assert set(emulator.deliveries.values()) == {1}
    again = controller.run(setup.template("release"), answers=answers)
    assert again.status == "successful", again.stdout
    assert set(emulator.deliveries.values()) == {1}


def test_apply_that_refuses_its_plan_is_no_riddle(controller: Controller, emulator: Emulator, setup: Setup) -> None:
    """What was certainly not sent is a failure, and no unknown."""
    wave(emulator)
    plan = controller.run(setup.template("plan"), answers=setup.answers(sender=SENDER, account="meadow"))
    packed = plan.artifacts["quarantine_release_plan_packed"]["meadow"]
    broken = {**plan.artifacts, "quarantine_release_plan_packed": {"meadow": packed[:9]}}
    refused = controller.run(setup.template("apply"), artifacts=broken)
    assert refused.status == "failed"
    report = controller.run(setup.template("workflow_report"), artifacts={**broken, **refused.artifacts})
    assert (report.status, report.artifacts["quarantine_release_outcome"]) == ("failed", "failed")
    assert not emulator.deliveries


def writes(emulator: Emulator) -> list[str | None]:
    """The routes of the requests that could have changed something, but those that only tried a format."""
    return [request.route for request in emulator.requests if request.method != "GET" and request.status != 400]


def proven(emulator: Emulator) -> None:
    """A message whose sender is proven."""
    validation = {"spf": "pass", "dkim": "pass", "dmarc": "pass"}
    emulator.add_message(sender=SENDER, disposition="SPAM", validation=validation)


def test_answers_say_what_is_to_follow(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    setup = Setup(emulator, tmp_path, ask_follow_up=True)
    proven(emulator)
    seen: list[str] = []

    def approves(plan: Done) -> bool:
        seen.append(plan.stdout)
        return not writes(emulator)

    answers = setup.answers(sender=SENDER, account="harbour", reclassify="yes", allow_days=14)
    status, done = setup.workflow.run(controller, answers, approves)

    assert status == "successful", job(done["apply"]).stdout
    assert "Cloudflare is told that the verdict on each released message should be none." in seen[0]
    assert "lets the address of each authenticated sender through for 14d" in seen[0]
    assert writes(emulator) == ["release", "submit", "batch_allow_policies"]
    (policy,) = emulator.entries("allow_policies")
    assert (policy["pattern_type"], policy["pattern"]) == ("EMAIL", SENDER)


@pytest.mark.parametrize(
    "given",
    [{}, {"reclassify": "", "allow_days": ""}, {"reclassify": "~", "allow_days": "0"}],
    ids=["as the form shows it", "empty", "odd"],
)
def test_no_answer_is_a_no(controller: Controller, emulator: Emulator, tmp_path: Path, given: dict[str, Any]) -> None:
    proven(emulator)
    setup = Setup(emulator, tmp_path, ask_follow_up=True)
    released = controller.run(
        setup.template("release"), answers=setup.answers(sender=SENDER, account="harbour", **given)
    )
    assert released.status == "successful", released.stdout
    assert writes(emulator) == ["release"]


@pytest.mark.parametrize("days", [-5, 366, "14d", "two weeks"])
def test_what_is_no_number_of_days_is_refused(
    controller: Controller, emulator: Emulator, tmp_path: Path, days: Any
) -> None:
    """AWX refuses it in its form; a job that gets it all the same sends nothing."""
    proven(emulator)
    setup = Setup(emulator, tmp_path, ask_follow_up=True)
    refused = controller.run(
        setup.template("release"), answers=setup.answers(sender=SENDER, account="harbour", allow_days=days)
    )
    assert refused.status == "failed"
    assert "quarantine_release_allow_for must be" in refused.stdout
    assert not emulator.requests


@pytest.mark.parametrize("answer", ["0042", "12:30:45", "~"])
def test_an_answer_is_that_text_or_refused(
    controller: Controller, emulator: Emulator, setup: Setup, answer: str
) -> None:
    """With ansible-core 2.19 and later, AWX's answers become numbers and dates; none of them searches for something else."""
    wanted = emulator.add_message(sender=SENDER, subject=f"Invoice {answer}", validation={"spf": "pass"}).id
    other = emulator.add_message(
        sender=SENDER, subject="Invoice 34 45045 1.1 2.5 True 47", validation={"spf": "pass"}
    ).id
    for playbook in ("plan", "search"):
        template = setup.template(playbook)
        job = controller.run(template, answers=setup.answers(subject=answer, account="harbour"))
        assert other not in job.stdout
        if wanted not in job.stdout:
            assert job.status == "failed"
            assert "quotes" in job.stdout or "at least one of" in job.stdout, job.stdout
        quoted = controller.run(template, answers=setup.answers(subject=f'"{answer}"', account="harbour"))
        assert wanted in quoted.stdout, quoted.stdout
        assert other not in quoted.stdout


def test_an_empty_answer_is_left_out_of_what_is_told(controller: Controller, emulator: Emulator, setup: Setup) -> None:
    wave(emulator)
    for playbook in ("plan", "search"):
        job = controller.run(setup.template(playbook), answers=setup.answers(sender=SENDER, account="meadow"))
        told = "Searched for: "
        assert told in job.stdout
        searched = job.stdout[job.stdout.index(told) :].split(".;")[0][:200]
        assert f"sender {SENDER}" in searched
        assert "subject" not in searched.split("TASK")[0]


def test_no_path_that_nobody_can_open(controller: Controller, emulator: Emulator, setup: Setup, tmp_path: Path) -> None:
    wave(emulator)
    answers = setup.answers(sender=SENDER, account="meadow")
    plan = controller.run(setup.template("plan"), answers=answers)
    applied = controller.run(setup.template("apply"), artifacts=plan.artifacts, answers=answers)
    digest = plan.artifacts["quarantine_release_plan_digest"]["meadow"]
    for done in (plan, applied):
        assert f"Plan: {digest}" in done.stdout
        assert "quarantine-release-reports" not in done.stdout

    shared = tmp_path / "shared"
    lasting = Setup(emulator, tmp_path, shared_directory=str(shared))
    found = controller.run(lasting.template("plan"), answers=answers, workflow_job=7)
    assert f"Report: {shared}/7/meadow-" in found.stdout


def many(emulator: Emulator, number: int) -> set[str]:
    """So many messages that are missed in one account."""
    sent = (
        emulator.add_message(sender=SENDER, subject=f"Offer {number}", validation={"spf": "pass"})
        for number in range(number)
    )
    return {message.id for message in sent}


def test_the_approver_sees_all_of_a_long_plan(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    setup = Setup(emulator, tmp_path, policy={"max_messages": 500, "max_recipients": 500, "max_per_sender": 500})
    missed = many(emulator, 260)
    plan = controller.run(setup.template("plan"), answers=setup.answers(sender=SENDER, account="all"))
    assert plan.status == "successful", plan.stdout[-3000:]
    assert "quarantine_release_plan_packed" in plan.artifacts
    assert [message for message in missed if message not in plan.stdout] == []
    assert plan.artifacts["quarantine_release_plan_digest"]["harbour"] in plan.stdout


@pytest.mark.parametrize("playbook", ["plan", "release"])
def test_no_line_of_a_job_has_a_whole_result(
    controller: Controller, emulator: Emulator, setup: Setup, playbook: str
) -> None:
    """Rules refuse 600 messages, and the output can still be shown."""
    many(emulator, 600)
    job = controller.run(setup.template(playbook), answers=setup.answers(sender=SENDER, account="all"))
    assert job.status == "failed"
    assert "blocked" in job.stdout
    longest = max(len(line) for event in job.events for line in event.get("stdout", "").splitlines())
    assert longest < 2000
    assert sum(len(event.get("stdout", "")) for event in job.events) < 120_000
    assert not emulator.deliveries
