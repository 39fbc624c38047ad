# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every test that docs/security.md names is there, and every claim about an attacker names one."""

from __future__ import annotations

import ast
import re

from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import ROOT

NOTES = ROOT / "docs" / "security.md"
TEXT = NOTES.read_text(encoding="utf-8")
ATTACKERS = (
    "Sender",
    "Other user of the controller",
    "Server, proxy or network",
    "Operator",
    "Writer of a shared directory",
    "Client of the Logpush port",
)
CLAIMS = "Test"  # the head of the last column of a table in which each row is a claim
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


def claims(section: str) -> list[list[str]]:
    """Return the rows of the tables of claims in a section, each as its cells."""
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE):
        head, _line, *rows = ([cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines())
        if head[-1] == CLAIMS:
            assert {len(row) for row in rows} == {len(head)}
            found += rows
    return found


def test_each_attacker_has_claims() -> None:
    sections = dict(re.findall(r"^### (.+)\n((?:(?!#).*\n)+)", TEXT, re.MULTILINE))
    assert [name for name in ATTACKERS if len(claims(sections[name])) < 5] == []


def test_every_claim_names_a_test() -> None:
    assert len(claims(TEXT)) > 70
    assert [row for row in claims(TEXT) if not re.search(r"\]\[[^\]]+\]", row[-1])] == []
