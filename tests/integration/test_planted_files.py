# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links that somebody planted in the report directory: nothing is written through them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from emulator import Emulator

from playbooks import Ansible

SEARCH = {"sender": "partner.example", "since": "7d"}


@pytest.fixture
def precious(ansible: Ansible) -> Path:
    """A file of the Ansible user, alone in its directory."""
    (ansible.directory / "home").mkdir()
    file = ansible.directory / "home" / "profile"
    file.write_text("as it was")
    ansible.reports.mkdir(mode=0o700)
    return file


def untouched(precious: Path) -> bool:
    """Tell whether nothing happened to the file and its directory."""
    return [file.read_text() for file in precious.parent.iterdir()] == ["as it was"]


def test_links_in_place_of_journal_and_plan_are_refused(ansible: Ansible, emulator: Emulator, precious: Path) -> None:
    links = {"journal.jsonl": precious, "localhost.plan.json": precious, "dangling": precious.parent / "new"}
    for name, target in links.items():
        (ansible.reports / name).symlink_to(target)
    released = ansible.release(messages=[], reason="x; true\n")
    assert (
        released.code,
        "journal.jsonl cannot be written (it is a symbolic link). Nothing was sent." in released.text,
    ) == (2, True)
    released = ansible.release(messages=[], journal="quarantine-release-reports/dangling")
    assert (released.code, "it is a symbolic link" in released.text) == (2, True)
    planned = ansible.plan(search=SEARCH)
    assert (planned.code, "localhost.plan.json cannot be written (it is a symbolic link)" in planned.text) == (2, True)
    applied = ansible.apply(plan_digest=f"sha256:{'0' * 64}")
    assert (applied.code, "localhost.plan.json cannot be read (it is a symbolic link)" in applied.text) == (2, True)
    assert not emulator.deliveries
    assert untouched(precious)


def test_a_directory_may_be_a_link(ansible: Ansible, emulator: Emulator) -> None:
    (ansible.directory / "volume").mkdir()
    ansible.reports.symlink_to(ansible.directory / "volume")
    assert ansible.release(search=SEARCH).code == 0
    assert len(emulator.deliveries) == 2
    assert (ansible.directory / "volume" / "journal.jsonl").exists()


def test_a_plan_that_was_handed_over_is_not_written_through_a_link(
    ansible: Ansible, emulator: Emulator, precious: Path
) -> None:
    artifacts = ansible.plan(search=SEARCH, handover="artifact").artifacts
    (ansible.reports / "localhost.received.plan.json").symlink_to(precious.parent)
    applied = ansible.playbook("emailsec.cloudflare.apply", "-e", json.dumps(artifacts))
    assert (applied.code, "localhost.received.plan.json cannot be written (it is a symbolic link)" in applied.text) == (
        2,
        True,
    )
    assert not emulator.deliveries
    assert untouched(precious)


def test_merged_reports_are_not_written_through_a_link(ansible: Ansible, precious: Path) -> None:
    (ansible.reports / "localhost-1.json").write_text(
        '{"host": "localhost", "outcome": "ok", "started": "", "result": {}}'
    )
    (ansible.reports / "all-accounts.csv").symlink_to(precious.parent)
    merged = ansible.playbook("emailsec.cloudflare.merge_reports")
    assert (merged.code, "all-accounts.csv cannot be written (it is a symbolic link)." in merged.text) == (2, True)
    assert untouched(precious)
    (ansible.reports / "all-accounts.csv").unlink()
    assert ansible.playbook("emailsec.cloudflare.merge_reports").code == 0
    assert (ansible.reports / "all-accounts.csv").is_file()
