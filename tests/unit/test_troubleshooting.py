# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every message that docs/troubleshooting.md explains is one that the collection, or Ansible, really gives."""

from __future__ import annotations

import ast
import re
import typing as t

import pytest
from ansible.module_utils.basic import missing_required_lib
from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import ROOT

GUIDE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
EXPLAINED = re.findall(r"^### `(.+)`$", GUIDE, re.MULTILINE)
HOLE = "\0"


def texts(path: t.Any) -> t.Iterator[str]:
    """Yield the strings of a Python file, with a hole for each value that is put into them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def sources() -> list[str]:
    """Return all texts that a message may come from."""
    files = [*sorted((ROOT / "plugins").rglob("*.py")), *sorted((ROOT / "extensions").rglob("*.py"))]
    python = [text for path in files for text in texts(path)]
    role = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "roles").rglob("*.yml"))]
    return [*python, *(" ".join(text.split()) for text in role), missing_required_lib("requests")]


SOURCES = sources()


def is_given(message: str) -> bool:
    """Tell whether one text holds all parts of a message in their order."""
    parts = [re.escape(part.strip(" .:")) for part in message.split("…")]
    pattern = re.compile(".*".join(filter(None, parts)), re.DOTALL)
    return any(pattern.search(text) for text in SOURCES)


@pytest.mark.parametrize("message", EXPLAINED)
def test_the_message_is_given(message: str) -> None:
    assert is_given(message)


def test_there_are_messages_and_others_are_not_given() -> None:
    assert len(EXPLAINED) > 40
    assert len(set(EXPLAINED)) == len(EXPLAINED)
    assert not is_given("the dog ate the … token")
