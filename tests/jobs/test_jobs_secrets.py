# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credential comes from the environment alone, may do no more than it should, and shows nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from emulator import Emulator
from jobs import Controller, Done
from templates import SURVEY_VARS, report_of, template


def kept_texts(job: Done, *directories: Path) -> dict[str, str]:
    """All that is left of a job: its events, its artifacts, and what it wrote into directories that last."""
    # ansible-runner itself records the environment in this file. AWX removes it with the private data directory.
    files = [path for path in job.kept.rglob("*") if path.is_file() and path.name != "command"]
    files += [path for directory in directories for path in directory.rglob("*") if path.is_file()]
    assert len(files) > 10
    return {str(path): path.read_text(encoding="utf-8") for path in files} | {"events": json.dumps(job.events)}


def test_no_secret_and_no_address(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    secret = emulator.credentials["write"].secret
    message = emulator.add_message(sender="a@partner.example", recipients=["ann@harbour-logistics.example"])
    emulator.faults.add("status", status=400, message=f"no {secret}", route="release", times=2)
    reports = tmp_path / "reports"

    job = controller.run(
        template(
            emulator,
            "release",
            verbosity=4,
            diff=True,
            extra_vars={"quarantine_release_report_formats": ["txt", "csv", "html"]},
        ),
        answers={"quarantine_release_messages": f"{message.id}, nix", "quarantine_release_report_dir": str(reports)},
    )

    assert job.status == "failed"
    assert "not_found" in job.stdout
    texts = kept_texts(job, reports)
    assert [name for name, text in texts.items() if secret in text] == []
    assert [name for name, text in texts.items() if "ann@harbour" in text and "reports" not in name] == []
    assert json.dumps(job.artifacts).count("@") == 0


def test_a_credential_that_may_only_read(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    message = emulator.add_message(sender="a@partner.example", validation={"spf": "pass"})
    shared = {"quarantine_release_report_dir": str(tmp_path / "reports")}

    planned = controller.run(
        template(emulator, "plan", "read_only", extra_vars={**SURVEY_VARS, **shared}),
        answers={"survey_sender": "a@partner.example"},
    )
    assert planned.status == "successful", planned.stdout
    released = controller.run(
        template(emulator, "release", "read_only", extra_vars=shared),
        answers={"quarantine_release_messages": message.id},
    )

    assert (released.status, released.rc) == ("failed", 2)
    assert "Cloud Email Security: Write" in released.stdout
    assert released.artifacts["quarantine_release_results"]["localhost"]["summary"]["not_attempted"] == 1
    (row,) = report_of(tmp_path / "reports")["result"]["messages"]
    assert (row["handle"], row["status"]) == (message.id, "not_attempted")
    assert not emulator.deliveries


@pytest.mark.parametrize("trouble", ["missing", "expired"])
def test_a_credential_that_is_no_good(controller: Controller, emulator: Emulator, trouble: str) -> None:
    good = {"environment": {"CLOUDFLARE_API_TOKEN": ""}} if trouble == "missing" else {}

    job = controller.run(
        template(emulator, "release", "expired" if trouble == "expired" else "write", **good),
        answers={"quarantine_release_messages": emulator.add_message().id},
    )

    assert job.status == "failed"
    assert {"missing": "CLOUDFLARE_API_TOKEN", "expired": "token"}[trouble] in job.stdout
    assert job.artifacts["quarantine_release_results"]["localhost"]["result"] == "failed"


def test_a_home_that_cannot_be_written(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    controller.home = "/dev/null/home"
    message = emulator.add_message()

    job = controller.run(
        # Ansible itself needs a place for its temporary files.
        template(emulator, "release", environment={"ANSIBLE_HOME": str(tmp_path / "ansible")}),
        answers={"quarantine_release_messages": message.id},
    )

    assert job.status == "successful", job.stdout
    assert set(emulator.deliveries.values()) == {1}
