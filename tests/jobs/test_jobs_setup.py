# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The job templates and the workflow that the role awx_setup makes, run by AWX's rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulator import Emulator
from jobs import Controller, Done
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
