# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings lists with the real ansible-playbook: check, run, check again, and run again, and what that costs."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from emulator import Emulator

from playbooks import CHECKOUT, Ansible

WANTED: dict[str, list[dict[str, Any]]] = {
    "allow_policies": [
        {
            "pattern": "billing@partner.example",
            "pattern_type": "EMAIL",
            "is_acceptable_sender": True,
            "expires": "2099-12-31",
        },
        {
            "pattern": r"^\S+@news\.partner\.example$",
            "pattern_type": "EMAIL",
            "is_regex": True,
            "comments": "{{ 1 + 1 }} é",
        },
    ],
    "block_senders": [{"pattern": "198.51.100.0/24", "pattern_type": "IP"}],
    "trusted_domains": [{"pattern": "Partner.Example", "is_recent": True}],
    "content_policies": [{"name": "Gift cards", "pattern": "gift.?cards", "targets": ["BODY", "SUBJECT"]}],
    "impersonation_registry": [{"name": "Jane Doe", "email": "jane.doe@corp.example"}],
    "sending_domain_restrictions": [{"domain": "partner.example", "exclude": ["old.partner.example"]}],
    "url_ignore_patterns": [{"pattern": r"https://portal\.partner\.example/.*"}],
    "domains": [{"domain": "corp.example", "allowed_delivery_modes": ["DIRECT"], "drop_dispositions": ["SPAM"]}],
}
CHECK = ("--check", "--diff")


@pytest.fixture
def tasks() -> list[dict[str, Any]]:
    """A task for each list. The texts are data."""
    return [
        {
            f"emailsec.cloudflare.{kind}": {
                "entries": f"{{{{ wanted.{kind} }}}}",
                "purge": True,
                **({"manage_existence": True} if kind == "domains" else {}),
            },
            "vars": {"wanted": {kind: unsafe(entries)}},
        }
        for kind, entries in WANTED.items()
    ]


class Unsafe(str):
    """A text that Ansible does not take for a template."""


yaml.SafeDumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def unsafe(value: Any) -> Any:
    """The same value with its texts as data."""
    if isinstance(value, dict):
        return {name: unsafe(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unsafe(item) for item in value]
    return Unsafe(value) if isinstance(value, str) else value


def changed(run: Any) -> list[bool]:
    assert [line["result"].get("msg") for line in run.results if line["result"].get("failed")] == []
    return [line["result"]["changed"] for line in run.results]


def writes(emulator: Emulator) -> list[str | None]:
    return [request.route for request in emulator.requests if request.method != "GET"]


def test_check_run_check_run(ansible: Ansible, emulator: Emulator, tasks: list[dict[str, Any]]) -> None:
    emulator.add_entries("block_senders", {"pattern": "gone@x.example", "pattern_type": "EMAIL", "is_regex": False})
    drift = ansible.tasks(*tasks, arguments=CHECK)
    assert changed(drift) == [True] * len(WANTED)
    assert writes(emulator) == []
    assert "billing@partner.example" in drift.output
    assert changed(ansible.tasks(*tasks)) == [True] * len(WANTED)
    singles = ("impersonation_registry", "sending_domain_restrictions")
    assert writes(emulator) == [f"{'create' if kind in singles else 'batch'}_{kind}" for kind in WANTED]
    assert emulator.entries("allow_policies")[1]["comments"] == "{{ 1 + 1 }} é"
    assert [entry["pattern"] for entry in emulator.entries("block_senders")] == ["198.51.100.0/24"]
    before = len(emulator.requests)
    assert changed(ansible.tasks(*tasks, arguments=CHECK)) == [False] * len(WANTED)
    assert changed(ansible.tasks(*tasks)) == [False] * len(WANTED)
    assert len(emulator.requests) - before == 2 * len(WANTED)
    assert [request.violations for request in emulator.requests if request.violations] == []


def test_lost_answers_and_a_list_that_lags_make_nothing_twice(
    ansible: Ansible, emulator: Emulator, tasks: list[dict[str, Any]]
) -> None:
    emulator.configure(state_lag=1)
    for kind in WANTED:
        single = kind in ("impersonation_registry", "sending_domain_restrictions")
        route = f"create_{kind}" if single else f"batch_{kind}"
        emulator.faults.add("status", route=route, status=504, body="html", when="after")
    assert changed(ansible.tasks(*tasks)) == [True] * len(WANTED)
    assert {kind: len(emulator.entries(kind)) for kind in WANTED} == {kind: len(WANTED[kind]) for kind in WANTED}
    assert len(writes(emulator)) == len(WANTED)


def test_what_is_read_is_given_back_without_a_change(
    ansible: Ansible, emulator: Emulator, tasks: list[dict[str, Any]]
) -> None:
    ansible.tasks(*tasks)
    back = [
        {f"emailsec.cloudflare.{kind}": {"entries": f"{{{{ read.settings.{kind} }}}}", "purge": True}}
        for kind in WANTED
        if kind != "domains"
    ]
    run = ansible.tasks({"emailsec.cloudflare.settings_info": {}, "register": "read"}, *back)
    assert changed(run) == [False] * (len(back) + 1)


def test_the_guide_from_the_dashboard_to_a_file(ansible: Ansible, emulator: Emulator) -> None:
    row = {"pattern": "a@partner.example", "pattern_type": "EMAIL", "is_regex": False, "comments": "{{ 1 + 1 }} \u00e9"}
    emulator.add_entries("allow_policies", row)
    emulator.add_entries("block_senders", {**row, "comments": "x [expires 2099-12-31]"})
    guide = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"^```yaml\n# (\w+\.yml)\n(.*?)^```", guide, re.MULTILINE | re.DOTALL):
        (ansible.directory / name).write_text(text, encoding="utf-8")
    assert ansible.playbook("save.yml").code == 0
    assert changed(ansible.playbook("settings.yml", *CHECK)) == [False, False]
    emulator.add_entries("block_senders", {**row, "pattern": "drift@partner.example"})
    drift = ansible.playbook("settings.yml", *CHECK)
    assert changed(drift) == [False, True]
    assert "drift@partner.example" in drift.output
    assert changed(ansible.playbook("settings.yml")) == [False, True]
    assert [entry["pattern"] for entry in emulator.entries("block_senders")] == ["a@partner.example"]
    assert emulator.entries("allow_policies")[0]["comments"] == row["comments"]
