# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every test that docs/security.md names is there, and every claim with a mark names one."""

from __future__ import annotations

import ast
import re

from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import ROOT

NOTES = ROOT / "docs" / "security.md"
TEXT = NOTES.read_text(encoding="utf-8")
NAMED = re.findall(r'^\[([^\]]+)\]: (\S+) "(\w+)"$', TEXT, re.MULTILINE)


def test_every_test_that_is_named_exists() -> None:
    assert len(NAMED) > 30
    missing = []
    for _mark, file, name in NAMED:
        tree = ast.parse((NOTES.parent / file).read_text(encoding="utf-8"))
        if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{file}::{name}")
    assert missing == []


def test_every_mark_is_used_and_is_explained() -> None:
    used = set(re.findall(r"\]\[([^\]]+)\]", TEXT))
    assert used == {mark for mark, _file, _name in NAMED}
