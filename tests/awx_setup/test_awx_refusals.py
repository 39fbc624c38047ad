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


def test_check_mode_of_a_first_run(awx: Awx, controller: Controller) -> None:
    """It says what would be made first, that it cannot see further, and writes nothing."""
    run = controller.set_up("--check")
    assert run.code == 0, run.output
    assert run.total("changed") == 2  # the type of the credentials, the instance group
    assert "Some of this would be created." in run.text
    assert awx.writes == []


def test_wrong_token(awx: Awx, tmp_path: Path) -> None:
    """AWX refuses, and nothing is made."""
    run = Controller(tmp_path, awx, CONTROLLER_OAUTH_TOKEN="wrong").set_up()
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


def test_credentials_made_by_others(awx: Awx, controller: Controller) -> None:
    """Where they are not there, it is told which one is missing."""
    run = controller.set_up(manage_credentials=False, read_inputs={}, write_inputs={})
    assert run.code != 0
    assert "/api/v2/credentials/?name=Quarantine%3A+may+read returned 0 items, expected 1" in run.text
    assert awx.inventory().get("credentials") is None
