# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judge of the storms against the settings lists sees what is wrong, and nothing else."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

KIND = "trusted_domains"
TODAY = "2026-11-22"
Row = dict[str, t.Any]


@pytest.fixture
def truth(monkeypatch: pytest.MonkeyPatch) -> t.Any:
    """The judge."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "chaos"))
    import settings_truth

    return settings_truth


def state(*rows: Row) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def row(name: str, **fields: t.Any) -> Row:
    made = {"id": name, "pattern": f"{name}.example", "is_regex": False, "created_at": "1", "modified_at": "1"}
    return {**made, "comments": "", **fields}


A, B, NEW = row("a"), row("b"), row("new")
CHANGED = row("b", comments="why", modified_at="2")
ENTRIES = [
    {"pattern": "New.example"},
    {"pattern": "B.example", "comments": "why"},
    {"pattern": "c.example", "state": "absent"},
]
BEFORE, AFTER = state(A, B, row("c")), state(A, CHANGED, NEW)
STEPS = [BEFORE, AFTER]
SHOWN = [{"id": "new", "pattern": "new.example"}, {"id": "b", "pattern": "b.example", "comments": "why"}]
RESULT = {"changed": True, "created": 1, "updated": 1, "deleted": 1, "entries": SHOWN, "msg": ""}
NOTHING = {**RESULT, "changed": False, "created": 0, "updated": 0, "deleted": 0}
DONE = [("POST", 200, None)]


def found(truth: t.Any, states: list[t.Any], requests: list[t.Any], result: Row | None, **more: t.Any) -> str:
    others = frozenset(more.pop("others", ()))
    wish = truth.Wish(KIND, ENTRIES, **{"purge": False, "remove_expired": False, "today": TODAY, **more})
    return " ".join(truth.flaws(truth.Run(wish, states, requests, result, others)))


def test_it_accepts_what_is_right(truth: t.Any) -> None:
    assert found(truth, STEPS, DONE, RESULT) == ""
    assert found(truth, [AFTER], [], NOTHING) == ""
    assert found(truth, STEPS, [("POST", 504, "status")], None) == ""
    # Somebody else deleted one, and created one that was to be created.
    assert (
        found(
            truth,
            [BEFORE, state(B, row("c"), NEW), state(NEW, CHANGED)],
            [("POST", 400, None), *DONE],
            {**RESULT, "created": 0},
            others={("a.example",), ("new.example",)},
        )
        == ""
    )
    unknown = {
        **NOTHING,
        "failed": True,
        "entries": [],
        "msg": "3 more changes were sent, and it is unknown whether they were made",
    }
    assert found(truth, STEPS, DONE, unknown) == ""


@pytest.mark.parametrize(
    ("states", "requests", "result", "words"),
    [
        ([*STEPS, state(CHANGED, NEW)], DONE, RESULT, "(a) was deleted, and need not be"),
        ([*STEPS, state(A, CHANGED, NEW, row("d"))], DONE, RESULT, "was created, and need not be"),
        ([*STEPS, state({**A, "comments": "x"}, CHANGED, NEW)], DONE, RESULT, "(a) was changed, and need not be"),
        ([*STEPS, state(A, {**CHANGED, "modified_at": "3"}, NEW)], DONE, RESULT, "written once more"),
        ([*STEPS, state(A, CHANGED, NEW, row("new2", pattern="NEW.example"))], DONE, RESULT, "created 2 times"),
        (STEPS, [*DONE, ("POST", 400, None)], RESULT, "sent twice, or wrong"),
        (STEPS, DONE, {**RESULT, "created": 0}, "0 are said to be created, but it was 1 to 1"),
        (STEPS, DONE, {**RESULT, "deleted": 2}, "2 are said to be deleted"),
        (STEPS, DONE, {**RESULT, "changed": False}, "changed is not"),
        ([BEFORE], [], {**NOTHING, "entries": []}, "it did not fail, and"),
        (STEPS, DONE, {"failed": True, "msg": "no"}, "it says nothing of what it did"),
        (STEPS, DONE, {**RESULT, "entries": [{**SHOWN[0], "id": "x"}]}, "there is no such one"),
        (STEPS, DONE, {**RESULT, "entries": [{**SHOWN[1], "comments": "x"}]}, "the result shows"),
    ],
)  # fmt: skip
def test_it_sees_what_is_wrong(truth: t.Any, states: t.Any, requests: t.Any, result: Row, words: str) -> None:
    assert words in found(truth, states, requests, result)


def test_it_knows_what_somebody_else_did(truth: t.Any) -> None:
    wish = truth.Wish(KIND, ENTRIES, False, False, TODAY)
    run = truth.Run(wish, STEPS, DONE, RESULT, frozenset({("c.example",)}), [0, 0, 1])
    assert "1 are said to be deleted, but it was 0 to 0" in " ".join(truth.flaws(run))
    assert list(truth.flaws(run._replace(result={**RESULT, "deleted": 0}))) == []


def test_it_sees_changes_of_what_nobody_may_change(truth: t.Any) -> None:
    synchronized = row("a", directory_node_id=7)
    assert "nobody may change" in found(truth, [state(synchronized), state()], DONE, None, purge=True)


def test_it_counts_the_writes_of_a_calm_run(truth: t.Any) -> None:
    wish = truth.Wish(KIND, ENTRIES, False, False, TODAY)
    assert list(truth.calm_flaws(truth.Run(wish, STEPS, DONE, RESULT))) == []
    assert "2 writes" in " ".join(truth.calm_flaws(truth.Run(wish, STEPS, DONE * 2, RESULT)))
    assert "failed" in " ".join(truth.calm_flaws(truth.Run(wish, STEPS, DONE, None)))
    assert "wrote" in " ".join(truth.check_flaws(truth.Run(wish, STEPS, DONE, RESULT)))
    assert list(truth.check_flaws(truth.Run(wish, [BEFORE], [], RESULT))) == []


def test_two_runs_may_not_end_with_what_neither_declared(truth: t.Any) -> None:
    first, second = (
        truth.Wish(KIND, [{"pattern": "b.example", "comments": text}], False, False, TODAY) for text in "xy"
    )

    def flaws(end: Row, **more: t.Any) -> list[str]:
        runs = [truth.Run(wish, [state(end)], [], {**RESULT, **more}) for wish in (first, second)]
        return list(truth.joint_flaws(*runs))

    assert flaws(row("b", comments="x")) == flaws(row("b", comments="y")) == flaws(B, failed=True) == []
    assert flaws(B)


def test_it_knows_marks_and_purge(truth: t.Any) -> None:
    past, future = (row(day, comments=f"x [expires {day}]") for day in ("2020-01-01", "2099-01-01"))

    def gone(**more: bool) -> set[str]:
        wish = truth.Wish(KIND, [], **{"purge": False, "remove_expired": False, **more}, today=TODAY)
        return set(truth.left(state(past, future), wish).delete)

    assert gone() == set()
    assert gone(remove_expired=True) == {"2020-01-01"}
    assert gone(purge=True) == {"2020-01-01", "2099-01-01"}
