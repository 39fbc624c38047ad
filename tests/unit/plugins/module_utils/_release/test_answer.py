# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the answer to a release call."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.answer import (
    Entry,
    Names,
    match,
    outcome_of,
    read_entries,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import entry, investigate_id, postfix_id
from hypothesis import given
from hypothesis import strategies as st

A, B, C = (investigate_id(number) for number in (1, 2, 3))
PA = postfix_id(1)
A2 = f"{PA}-2026-11-21T10:00:00-9"  # another message with the postfix id of A


def delivered(answer: object, *wanted: Names) -> list[list[str] | None]:
    """Return who got each wanted message according to the answer."""
    entries = read_entries(answer)
    assert entries is not None
    return [found.delivered if found else None for found in match(entries, wanted)]


def known(id_: str | None, postfix: str | None = None) -> Names:
    """Return a wanted message by what is known of it."""
    return Names(id_, postfix)


def said(name: str | None, *recipients: str, postfix: object = None) -> dict[str, t.Any]:
    """Return one entry of an answer."""
    return {"id": name, "postfix_id": postfix, "delivered": list(recipients)}


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_entries_are_matched_by_id_and_never_by_position(order: tuple[int, ...]) -> None:
    answer = [entry(number) for number in order]
    assert delivered(answer, known(A), known(B), known(C)) == [
        ["user1@corp.example"],
        ["user2@corp.example"],
        ["user3@corp.example"],
    ]


@pytest.mark.parametrize(
    ("answer", "wanted", "found"),
    [
        (said(A, "a"), [known(A)], [["a"]]),  # a single object in place of the array
        ([said(A, "a")], [known(B)], [None]),
        ([said(B, "b")], [known(A), known(B), known(C)], [None, ["b"], None]),
        ([said(C, "c"), said(A, "a")], [known(A), known(B)], [["a"], None]),  # a row nobody asked for
        ([said(None, "a", postfix=PA)], [known(A, PA)], [["a"]]),
        ([said(None, "a", postfix=PA)], [known(A)], [["a"]]),  # an old server, an id that begins with it
        ([said(A, "a", postfix=PA)], [known(None, PA)], [["a"]]),
        ([said(A, "a")], [known(None, PA)], [["a"]]),
        ([said(A, "a"), said(A, "b")], [known(A)], [["a", "b"]]),  # one entry for each recipient
        ([said(A, "a"), said(A, "a")], [known(A)], [["a"]]),
        ([said(A, "a", postfix=7)], [known(A)], [["a"]]),
        ([said(PA, "a")], [known(A, PA)], [["a"]]),  # a server that gives postfix ids as ids
        ([], [known(A)], [None]),
        ([{**said(A, "a"), "new": {"x": 1}}], [known(A)], [["a"]]),
        ([{"id": A, "delivered": "a"}], [known(A)], [["a"]]),
        ([{"id": A, "delivered": [None, 3, "", "a"]}], [known(A)], [["a"]]),
        ([{"id": A, "delivered": None}], [known(A)], [[]]),
        ([{"id": A}], [known(A)], [[]]),
        # Two messages with one postfix id: what is said of one is not said of the other.
        ([said(A2, "x", postfix=PA)], [known(A, PA), known(A2, PA)], [None, ["x"]]),
        ([said(A, "a", postfix=PA), said(A2, "x", postfix=PA)], [known(A2, PA), known(A, PA)], [["x"], ["a"]]),
        ([said(None, "a", postfix=PA)], [known(A, PA), known(A2, PA)], [None, None]),
    ],
)
def test_what_the_answer_says_of_each(answer: object, wanted: list[Names], found: list[list[str] | None]) -> None:
    assert delivered(answer, *wanted) == found


@pytest.mark.parametrize(
    "result",
    [
        None,
        "x",
        3,
        True,
        [1],
        ["x"],
        [None],
        [[]],
        [{}],
        {},
        [{"id": None}],
        [{"id": 3}],
        [entry(1), {"delivered": ["a"]}],
    ],
)
def test_a_garbled_result_is_told_as_such(result: object) -> None:
    assert read_entries(result) is None


@pytest.mark.parametrize(
    ("lists", "status", "changed"),
    [
        ((["a"], [], []), "released", True),
        ((["a", "b"], [], []), "released", True),
        ((["a"], ["b"], []), "partial", True),
        ((["a"], [], ["b"]), "partial", True),
        ((["a"], ["b"], ["c"]), "partial", True),
        (([], ["a"], []), "undelivered", False),
        (([], ["a"], ["b"]), "undelivered", False),
        (([], [], ["a"]), "failed", False),
    ],
)
def test_the_lists_decide_the_status(lists: tuple[list[str], ...], status: str, changed: bool) -> None:
    outcome = outcome_of(Entry(A, None, *lists))
    assert outcome
    assert (outcome.status, outcome.changed) == (status, changed)
    assert [list(names) for names in outcome[2:5]] == list(lists)


@pytest.mark.parametrize("nothing", [None, Entry(A, None, [], [], [])])
def test_no_entry_and_empty_lists_state_no_outcome(nothing: Entry | None) -> None:
    assert outcome_of(nothing) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from([A, PA]),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["id", "postfix_id", "delivered", "failed", "x"]), inner)
        ),
    )
)
def test_no_result_breaks_the_reading(result: object) -> None:
    entries = read_entries(result)
    if entries is not None:
        assert len(match(entries, [known(A, PA), known(B)])) == 2
