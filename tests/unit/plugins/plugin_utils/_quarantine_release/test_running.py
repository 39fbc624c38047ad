# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Ansible runs the role: on which machine, in which mode, and how far the tags let it go."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.running import (
    check_mode_meant,
    check_place,
    last_stage,
)
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.values import Mistake


@pytest.mark.parametrize(
    ("connection", "become", "words"),
    [
        ("ssh", False, "ansible_connection is ssh for acc"),
        ("paramiko_ssh", True, "ansible_connection is paramiko_ssh for acc"),
        ("local", True, "ansible_become is true for acc"),
    ],
)
def test_work_that_would_go_elsewhere_is_refused(connection: str, become: bool, words: str) -> None:
    with pytest.raises(Mistake, match=words):
        check_place("acc", connection, become)
    check_place("acc", "local", False)


@pytest.mark.parametrize("value", [True, "true", "Yes", "1", "on"])
def test_an_extra_variable_does_not_turn_on_check_mode(value: object) -> None:
    with pytest.raises(Mistake, match="ansible_check_mode does not turn on check mode"):
        check_mode_meant({"ansible_check_mode": value}, False)
    check_mode_meant({"ansible_check_mode": value}, True)
    check_mode_meant({"ansible_check_mode": False}, False)
    check_mode_meant({}, False)


@pytest.mark.parametrize(
    ("run", "skip", "own", "included", "expected"),
    [
        (["all"], [], [], False, "report"),
        (["all"], ["slow"], [], True, "report"),
        (["tagged"], [], [], False, "report"),
        (["report"], [], [], False, "report"),
        (["select"], [], [], False, "select"),
        (["release", "plan"], [], [], False, "release"),
        (["approve", "release"], [], [], False, "release"),
        (["verify"], ["slow"], [], True, "verify"),
        (["mail"], [], ["mail"], False, "report"),
        (["mail"], [], ["mail"], True, "report"),
        # Others are asked for, not the role.
        (["webserver"], [], ["mail"], False, ""),
        (["webserver"], ["report"], [], False, ""),
        (["untagged"], [], [], False, ""),
    ],
)
def test_how_far_the_tags_go(run: list[str], skip: list[str], own: list[str], included: bool, expected: t.Any) -> None:
    assert last_stage(run, skip, own, included) == expected


@pytest.mark.parametrize(
    "skipped", ["select", "plan", "approve", "release", "verify", "report", "always", "all", "tagged"]
)
def test_a_stage_that_is_skipped_is_refused(skipped: str) -> None:
    with pytest.raises(Mistake, match=f"--skip-tags {skipped} would leave out a stage"):
        last_stage(["all"], [skipped, "slow"], [], False)


@pytest.mark.parametrize(("run", "included"), [(["approve"], False), (["mail"], True), (["always"], True)])
def test_tags_that_leave_out_all_that_was_asked_for_are_refused(run: list[str], included: bool) -> None:
    with pytest.raises(Mistake, match="No stage of the role quarantine_release ends with the tags"):
        last_stage(run, [], [], included)
