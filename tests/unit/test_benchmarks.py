# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmarks: what they start can start, and what they say follows from what they measured."""

from __future__ import annotations

import datetime
import importlib
import sys
import types
import typing as t
from pathlib import Path

import ansible_collections
import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.declared import read_declared
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, TOKEN

Part = t.Callable[[str], t.Any]


@pytest.fixture
def part(tool: t.Callable[[str], t.Any], monkeypatch: pytest.MonkeyPatch) -> Part:
    """Import a part of the benchmarks."""
    tool("bootstrap")
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1]))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def emulator(stored: t.Sequence[t.Mapping[str, t.Any]] = ()) -> types.SimpleNamespace:
    """Return an emulator whose list has these entries."""
    return types.SimpleNamespace(
        accounts=[{"id": ACCOUNT}], variables=lambda: {"CLOUDFLARE_API_TOKEN": TOKEN}, ask=lambda _path: stored
    )


def test_modules_start_by_themselves(part: Part, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = types.SimpleNamespace(python=Path(sys.executable), variables=lambda: {"PATH": ""})
    for name in ("contenders", "program"):
        monkeypatch.setattr(part(name), "BENCHMARKS", started)
    monkeypatch.setattr(part("program"), "COLLECTIONS", Path(next(iter(ansible_collections.__path__))).parent)
    place = part("bench").Bench(emulator(), tmp_path)
    assert part("contenders").start_release(place, []).wait().code == 0


@pytest.mark.parametrize(
    ("numbers", "name", "fewest"),
    [
        ((0, 1000), "1,000 new", 2),
        ((0, 2001), "2,001 new", 4),
        ((1000, 1000), "1,000 unchanged", 1),
        ((1001, 1001), "1,001 unchanged", 2),
        ((5000, 5000, 10), "10 of 5,000 changed", 6),
    ],
)
def test_one_read_for_each_page_and_one_write_for_a_thousand_changes(
    part: Part, numbers: tuple[int, ...], name: str, fewest: int
) -> None:
    case = part("lists").Case(*numbers)
    assert (case.name(), case.fewest()) == (name, fewest)


def test_as_many_entries_change_as_the_case_says(part: Part) -> None:
    case = part("lists").Case(5000, 5000, 10)
    before, after = case.before(), case.after()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 10
    assert len(read_declared(KINDS["block_senders"], after, datetime.date(2026, 11, 27))) == 5000


@pytest.mark.parametrize("wrong", ["missing", "twice", "changed"])
def test_a_list_that_is_not_as_declared_is_no_measurement(part: Part, wrong: str) -> None:
    lists = part("lists")
    case = lists.Case(0, 3)
    stored = [{"id": str(number), **entry} for number, entry in enumerate(case.after())]
    lists.check(types.SimpleNamespace(emulator=emulator(stored[::-1])), lists.SDK, case)
    if wrong == "missing":
        stored.pop()
    elif wrong == "twice":
        stored.append(stored[0])
    else:
        stored[1]["comments"] = None
    with pytest.raises(part("program").Failed, match="Python SDK"):
        lists.check(types.SimpleNamespace(emulator=emulator(stored)), lists.SDK, case)


def test_what_is_extrapolated_is_on_the_line_and_marked(part: Part) -> None:
    row, lists = part("row"), part("lists")
    small, large = (row.Row(lists.LOOPED, size, 2 + size, 1 + size, 1 + size, 38e6) for size in (5, 20))
    guessed = row.extrapolate(small, large, 1000)
    assert guessed[2:5] == pytest.approx((1002, 1001, 1001))
    assert guessed.extrapolated
    assert guessed.cells() == ("≈ 17 min", "≈ 1,001", "≈ 1,001", "38 MB")


def test_the_targets_tell_what_was_missed(part: Part) -> None:
    lists, row = part("lists"), part("row")
    new, same = lists.Case(0, 1000), lists.Case(1000, 1000)
    rows = [
        (new, row.Row(lists.OURS, 1000, 3.0, 3, 1, 40e6)),
        (new, row.Row(lists.SDK, 1000, 60.0, 1001, 1, 50e6)),
        (same, row.Row(lists.OURS, 1000, 2.0, 1, 1, 40e6)),
    ]
    measured = lists.Lists(part("machine").Machine("A machine."), rows, 3, same, 1.2, 0.8)
    assert measured.targets().rows == [
        ("1,000 new: requests", "3", "2", "no"),
        ("1,000 unchanged: requests", "1", "1", "yes"),
        ("1,000 unchanged: time added to a module that does nothing", "0.8 s", "1.0 s", "yes"),
    ]
    (table,) = measured.tables()
    assert [line[-1] for line in table.rows] == ["1.0", "20.0", "1.0"]
