# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Setting up AWX when something is wrong: a clear word, and nothing half done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from awx_emulator import Awx
from controller import DATA, READ_TOKEN, WRITE_TOKEN, Controller

HARBOUR, MEADOW = DATA["accounts"]
EVERY_QUARTER = "DTSTART:20260101T000000Z RRULE:FREQ=MINUTELY;INTERVAL=15"


def test_check_mode_of_a_first_run(awx: Awx, controller: Controller) -> None:
    """It says what would be made first, that it cannot see further, and writes nothing."""
    run = controller.set_up("--check")
    assert run.code == 0, run.output
    assert run.total("changed") == 2  # the type of the credentials, the instance group
    assert "Some of this would be created." in run.text
    assert awx.writes == []


def test_wrong_token(awx: Awx, tmp_path: Path) -> None:
    """AWX refuses, and nothing is made."""
    run = Controller(tmp_path, awx, environment={"CONTROLLER_OAUTH_TOKEN": "wrong"}).set_up()
    assert run.code != 0
    assert "Invalid authentication credentials for /api/v2/credential_types/ (HTTP 401)" in run.text
    assert awx.writes == []
    assert {request.status for request in awx.requests} == {401}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"accounts": []}, "Name the Cloudflare accounts in awx_setup_accounts"),
        ({"accounts": [HARBOUR, HARBOUR]}, "must be unique"),
        ({"accounts": [{**HARBOUR, "name": "all"}]}, 'not be "all"'),
        ({"accounts": [{**HARBOUR, "name": "a:!b"}]}, "consist of letters, digits"),
        ({"accounts": [{**HARBOUR, "account_id": "5a1c"}]}, "must have 32 hexadecimal digits"),
        ({"accounts": [{**HARBOUR, "acount": "typo"}]}, "acount"),
        ({"read_inputs": {"api_email": "a@example.com"}}, "A credential has no secret. Set AWX_SETUP_READ_API_TOKEN"),
        ({"retract_schedule": EVERY_QUARTER}, "awx_setup_retract_schedule needs awx_setup_shared_directory"),
        *(
            (
                {"retract_schedule": rule, "shared_directory": "/srv"},
                "awx_setup_retract_schedule must be a rule as AWX takes it",
            )
            for rule in (
                "15m",
                "*/15 * * * *",
                EVERY_QUARTER.replace("Z", ""),
                EVERY_QUARTER.replace(";INTERVAL=15", ""),
            )
        ),
        ({"settings_schedule": EVERY_QUARTER}, "need awx_setup_settings. Set it to true."),
        (
            {"settings": True, "settings_expired_schedule": "daily"},
            "awx_setup_settings_expired_schedule must be a rule as AWX takes it",
        ),
        (
            {"job_templates": [{"name": "x", "playbook": "y", "ask_variables_on_launch": True}]},
            "ask_variables_on_launch",
        ),
    ],
)
def test_bad_data(awx: Awx, controller: Controller, changes: dict[str, Any], problem: str) -> None:
    """It is refused before AWX hears of it."""
    run = controller.set_up(**changes)
    assert run.code != 0
    assert problem in run.text
    assert READ_TOKEN not in run.output
    assert WRITE_TOKEN not in run.output
    assert awx.requests == []


def test_a_first_update_of_the_project_that_failed(awx: Awx, controller: Controller) -> None:
    """It is tried again; if that fails too, the job of AWX is named; the next run recovers, and the one after changes nothing."""
    awx.store.failing_updates = 2
    run = controller.set_up()
    assert run.code != 0
    second = max(awx.store.updates)
    assert f"/#/jobs/project/{second}/output" in run.text
    assert 'AWX could not get the project "Quarantine: playbooks" from https://github.com' in run.text
    assert "Playbook not found" not in run.text
    assert awx.inventory().get("job_templates") is None

    awx.store.failing_updates = 0
    again = controller.set_up()
    assert again.code == 0, again.output
    assert len(awx.inventory()["job_templates"]) == 6
    third = controller.set_up()
    assert (third.code, third.total("changed"), awx.writes) == (0, 0, [])


@pytest.mark.parametrize("failing", [0, 1])
def test_another_branch_is_fetched(awx: Awx, controller: Controller, failing: int) -> None:
    """AWX updates the project by itself when its branch changes; where that fails it is asked once more."""
    assert controller.set_up().code == 0
    awx.store.failing_updates = failing
    run = controller.set_up(project_scm_branch="another")
    assert run.code == 0, run.output
    assert awx.one("projects", "Quarantine: playbooks")["status"] == "successful"
    assert len([request for request in awx.writes if request.path.endswith("/update/")]) == failing


def test_credentials_made_by_others(awx: Awx, controller: Controller) -> None:
    """Where they are not there, it is told which one is missing."""
    run = controller.set_up(manage_credentials=False, read_inputs={}, write_inputs={})
    assert run.code != 0
    assert "/api/v2/credentials/?name=Quarantine%3A+may+read returned 0 items, expected 1" in run.text
    assert awx.inventory().get("credentials") is None
