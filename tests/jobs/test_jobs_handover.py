# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan goes from one job to the next: nothing lasts in a container, so it is a shared directory or an artifact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator import Emulator
from jobs import Controller, Done
from templates import SURVEY_VARS, template

SENDER = {"survey_sender": "a@partner.example"}


def planned(controller: Controller, emulator: Emulator, **variables: Any) -> Done:
    """A job that plans to release one message, with a credential that may only read."""
    variables = {f"quarantine_release_{name}": value for name, value in variables.items()}
    emulator.add_message(sender=SENDER["survey_sender"], validation={"spf": "pass"})
    job = controller.run(
        template(emulator, "plan", "read_only", extra_vars={**SURVEY_VARS, **variables}), answers=SENDER
    )
    assert job.status == "successful", job.stdout
    return job


def applied(controller: Controller, emulator: Emulator, artifacts: dict[str, Any], **variables: Any) -> Done:
    """A job that applies what an earlier one published."""
    variables = {f"quarantine_release_{name}": value for name, value in variables.items()}
    return controller.run(template(emulator, "apply", extra_vars=variables), artifacts=artifacts, answers=SENDER)


def test_by_a_directory_that_both_see(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    shared = str(tmp_path / "shared")
    artifacts = planned(controller, emulator, report_dir=shared).artifacts

    job = applied(controller, emulator, artifacts, report_dir=shared)

    assert job.status == "successful", job.stdout
    assert job.artifacts["quarantine_release_results"]["localhost"]["result"] == "ok"
    assert set(emulator.deliveries.values()) == {1}

    path = Path(artifacts["quarantine_release_plan_file"]["localhost"])
    plan = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**plan, "reason": "another"}), encoding="utf-8")
    tampered = applied(controller, emulator, artifacts, report_dir=shared)
    other = applied(
        controller,
        emulator,
        {**artifacts, "quarantine_release_plan_digest": {"localhost": f"sha256:{'0' * 64}"}},
        report_dir=shared,
    )
    assert (tampered.status, other.status) == ("failed", "failed")
    assert "was changed after it was made" in tampered.stdout
    assert len(emulator.deliveries) == 1


def test_a_file_does_not_travel(controller: Controller, emulator: Emulator) -> None:
    artifacts = planned(controller, emulator).artifacts
    calls = len(emulator.requests)

    job = applied(controller, emulator, artifacts)

    assert job.status == "failed"
    assert "cannot be read" in job.stdout
    assert len(emulator.requests) == calls, "refused before any request"


def test_as_an_artifact(controller: Controller, emulator: Emulator) -> None:
    artifacts = planned(controller, emulator, handover="artifact").artifacts
    packed = artifacts["quarantine_release_plan_packed"]["localhost"]
    cut = {**artifacts, "quarantine_release_plan_packed": {"localhost": packed[: len(packed) // 2]}}
    approved = {entry.id for entry in emulator.quarantined() if entry.sender == SENDER["survey_sender"]}
    forged = planned(controller, emulator, handover="artifact", reason="another").artifacts
    swapped = {**artifacts, "quarantine_release_plan_packed": forged["quarantine_release_plan_packed"]}
    calls = len(emulator.requests)

    for refused, words in ((cut, "was cut on its way"), (swapped, "The plan is not the approved one")):
        job = applied(controller, emulator, refused)
        assert job.status == "failed"
        assert words in job.stdout, job.stdout
    assert len(emulator.requests) == calls, "refused before any request"

    job = applied(controller, emulator, artifacts)

    assert job.status == "successful", job.stdout
    assert set(emulator.deliveries.values()) == {1}
    assert {message for message, _ in emulator.deliveries} == approved


def test_a_plan_that_is_too_long_for_an_artifact(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_message(sender=SENDER["survey_sender"], validation={"spf": "pass"})
    variables = {"quarantine_release_handover": "artifact", "quarantine_release_handover_limit": "100"}
    refused = controller.run(
        template(emulator, "plan", "read_only", extra_vars={**SURVEY_VARS, **variables}), answers=SENDER
    )
    assert refused.status == "failed"
    assert "quarantine_release_handover_limit allows 100 in artifacts. Nothing was handed over." in refused.stdout
    assert not {"quarantine_release_plan_packed", "quarantine_release_plan_digest"} & refused.artifacts.keys()

    shared = str(tmp_path / "shared")
    artifacts = planned(controller, emulator, handover="auto", handover_limit=100, report_dir=shared).artifacts
    assert "quarantine_release_plan_packed" not in artifacts
    job = applied(controller, emulator, artifacts, report_dir=shared)
    assert job.status == "successful", job.stdout
    assert set(emulator.deliveries.values()) == {1}
