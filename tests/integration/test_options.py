# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role and playbooks offer what the modules offer, under the names and with the defaults that are documented."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from playbooks import CHECKOUT

ROLE = CHECKOUT / "roles" / "quarantine_release"


def load(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def documented_options(path: str, part: str = "DOCUMENTATION") -> dict[str, Any]:
    """The options in the DOCUMENTATION of a plugin, or in another part of a fragment."""
    for node in ast.walk(ast.parse((CHECKOUT / "plugins" / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == part:
            options: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value))["options"]
            return options
    raise AssertionError(f"{path} documents nothing")


def connection_options() -> dict[str, str]:
    """What module_defaults of a play should hold: each connection option but the account."""
    return {name: f"cloudflare_{name}" for name in documented_options("doc_fragments/api.py", "CONNECTION")}


def test_the_role_has_each_option_of_the_module_with_its_default() -> None:
    variables = load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    options = documented_options("modules/message_release.py")
    for name in ("messages", "plan", "plan_digest", "only", "verify_delivery", "started_by"):
        del options[name]  # those that the role gives in other ways
    for name, option in options.items():
        variable = variables[f"quarantine_release_{name}"]
        # Ansible itself would refuse an empty answer for any other type, so the role reads these.
        plain = option["type"] in ("str", "path") and "choices" not in option and name != "journal"
        assert variable["type"] == (option["type"] if plain else "raw"), name
        assert not {"elements", "choices"} & set(variable), name
        assert variable.get("default") == option.get("default"), name


def test_the_role_s_own_defaults_are_those_documented() -> None:
    variables = load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    for name, value in load(ROLE / "defaults" / "main.yml").items():
        assert variables[name]["default"] == value


@pytest.mark.parametrize("playbook", ["release", "search"])
def test_a_playbook_hands_over_each_connection_option(playbook: str) -> None:
    (play,) = load(CHECKOUT / "playbooks" / f"{playbook}.yml")
    handed_over = play["module_defaults"]["group/emailsec.cloudflare.api"]
    assert handed_over.keys() == connection_options().keys()
    for option, variable in connection_options().items():
        assert variable in handed_over[option]
