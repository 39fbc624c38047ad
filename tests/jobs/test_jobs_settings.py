# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the job templates and the workflow of the settings do, run by AWX's rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from emulator import Emulator
from inventories import Inventory
from jobs import Controller, Done
from made_by_setup import Setup

DRIFT, APPLY, EXPIRED = (f"Quarantine: Settings: {name}" for name in ("show drift", "apply", "remove expired"))
BLOCKED = {"pattern": "spam.example", "pattern_type": "DOMAIN"}


def declared(emulator: Emulator, directory: Path, **more: Any) -> Setup:
    """What the role makes, with an inventory that declares a list for two accounts, and more for the first one."""
    setup = Setup(emulator, directory, settings=True)
    hosts = {
        name: {"quarantine_release_account_id": account.id, "settings_block_senders": [BLOCKED]}
        for name, account in zip(("harbour", "meadow"), emulator.accounts, strict=False)
    }
    hosts["harbour"] |= more
    for name in (DRIFT, APPLY, EXPIRED):
        setup.templates[name] = replace(setup.templates[name], inventory=Inventory(hosts))
    return setup


def blocked(emulator: Emulator) -> list[list[str]]:
    """The blocked senders of the two accounts."""
    return [
        [entry["pattern"] for entry in emulator.entries("block_senders", account.id)]
        for account in emulator.accounts[:2]
    ]


def writes(emulator: Emulator) -> int:
    return len([request for request in emulator.requests if request.method != "GET"])


def test_only_what_was_approved_is_applied(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    setup = declared(emulator, tmp_path)
    alone = controller.run(setup.templates[APPLY])
    assert (alone.status, writes(emulator)) == ("failed", 0), alone.stdout

    seen: list[tuple[str, int]] = []

    def approves(check: Done) -> bool:
        seen.append((check.stdout, writes(emulator)))
        return True

    for account, lists in (("meadow", [[], ["spam.example"]]), ("all", [["spam.example"], ["spam.example"]])):
        before = writes(emulator)
        status, done = setup.settings_workflow.run(controller, {"survey_account": account}, approves)
        assert (status, blocked(emulator)) == ("successful", lists), done
        assert seen[-1][1] == before
    assert ["harbour: block_senders" in text for text, _number in seen] == [False, True]
    before = writes(emulator)
    status, done = setup.settings_workflow.run(controller, {"survey_account": "all"}, approves)
    assert (status, list(done), writes(emulator)) == ("failed", ["check"], before)


def test_drift_turns_a_job_red(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    setup = declared(emulator, tmp_path)
    red = controller.run(setup.templates[DRIFT])
    assert (red.status, writes(emulator)) == ("failed", 0), red.stdout
    told = {host: result["msg"] for host, result in red.results("Fail with the reason").items()}
    words = "Drift. block_senders: 1 created, 0 updated, 0 deleted, 0 unchanged. Digest of these changes: sha256:"
    assert told.keys() == {"harbour", "meadow"}
    assert all(line.startswith(words) for line in told.values()), told


def test_what_has_expired_is_removed_and_nothing_is_applied(
    controller: Controller, emulator: Emulator, tmp_path: Path
) -> None:
    setup = declared(emulator, tmp_path, settings_purge=True)
    for pattern, day in (("old.example", "2020-01-01"), ("new.example", "2099-01-01")):
        row = {"pattern": pattern, "pattern_type": "DOMAIN", "is_regex": False, "comments": f"[expires {day}]"}
        emulator.add_entries("block_senders", row)
    done = controller.run(setup.templates[EXPIRED])
    assert (done.status, blocked(emulator)) == ("successful", [["new.example"], []]), done.stdout
