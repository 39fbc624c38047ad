# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks and roles as YAML: nothing of a user's own inventory or play changes what they do."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOR_ACCOUNTS = (
    "release",
    "search",
    "merge_reports",
    "retract",
    "settings",
    "export_settings",
    "remove_expired_settings",
)
TASKS = sorted(ROOT.glob("roles/*/tasks/*.yml"))
PLAYS = {
    path: plays
    for path in sorted((ROOT / "playbooks").glob("*.yml"))
    if "import_playbook" not in str(plays := yaml.safe_load(path.read_text(encoding="utf-8")))
}


def tasks_in(value: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Yield all tasks, also those in blocks."""
    for task in value or []:
        yield task
        for part in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers"):
            yield from tasks_in(task.get(part))


@pytest.mark.parametrize("path", [*TASKS, *PLAYS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_loop_never_takes_the_variable_of_a_loop_around_it(path: Path) -> None:
    for task in tasks_in(yaml.safe_load(path.read_text(encoding="utf-8"))):
        if any(key == "loop" or key.startswith("with_") for key in task):
            variable = task["loop_control"]["loop_var"]
            prefix = f"__{path.parents[1].name}_" if path in TASKS else ""
            assert variable != "item", task["name"]
            assert variable.startswith(prefix), task["name"]
        assert "{{ item" not in str(task)


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: path.stem)
def test_an_inventory_cannot_send_the_work_elsewhere(path: Path) -> None:
    for play in PLAYS[path]:
        wanted = {
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }
        assert {name: play["vars"].get(name) for name in wanted} == wanted
        assert play["connection"] == "local"


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: path.stem)
def test_a_play_without_hosts_is_an_error(path: Path) -> None:
    for play in PLAYS[path]:
        chosen = "emailsec.cloudflare.play_hosts(groups, ansible_inventory_sources" in play["hosts"]
        assert chosen or play["hosts"] == "localhost"
        assert chosen == (path.stem in FOR_ACCOUNTS)
