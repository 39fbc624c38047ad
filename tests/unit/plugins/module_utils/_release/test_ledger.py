# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger: the only writer of outcomes."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import DoubtfulError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import parse_handle
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release import ledger as ledger_file
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.items import Item
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.ledger import Ledger
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.outcome import (
    BREAKING,
    STATUSES,
    Outcome,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import investigate_id


@pytest.mark.parametrize("status", STATUSES)
def test_failures_count_for_the_breaker(status: str) -> None:
    ledger = Ledger()
    item = Item(parse_handle(investigate_id(1)))
    ledger.record(item, Outcome(status, ""))
    assert item.outcome == Outcome(status, "")
    assert ledger.failures == (status in BREAKING)


def test_outcomes_before_an_error_are_kept() -> None:
    items = [Item(parse_handle(investigate_id(number))) for number in (1, 2)]

    def found() -> t.Iterator[tuple[Item, Outcome]]:
        yield items[0], Outcome("released", "")
        raise DoubtfulError("no answer")

    with pytest.raises(DoubtfulError):
        Ledger().record_all(found())
    assert [item.outcome is None for item in items] == [False, True]


def test_nobody_else_writes_outcomes() -> None:
    writers = set()
    for path in Path(ledger_file.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "outcome" and isinstance(node.ctx, ast.Store):
                writers.add(path.name)
    assert writers == {"items.py", "ledger.py"}, "items.py only begins with None"
