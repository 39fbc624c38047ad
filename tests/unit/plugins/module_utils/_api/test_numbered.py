# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists whose pages have numbers: when they end, and when they are not complete."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.numbered import numbered_pages
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import DoubtfulError
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import envelope

ROWS = [{"n": number} for number in range(7)]


def walk(
    rows: t.Sequence[t.Any], size: int, wanted: int = 3, ignores_page: bool = False, **info: t.Any
) -> tuple[list[int], bool, list[int]]:
    """Return the rows of all pages, whether the list was broken, and the pages that were asked for."""
    asked = []

    def get(query: dict[str, t.Any]) -> dict[str, t.Any]:
        assert query["per_page"] == wanted
        asked.append(query["page"])
        start = 0 if ignores_page else (query["page"] - 1) * size
        return envelope(rows[start : start + size], result_info=info)

    pages = list(numbered_pages(get, {"per_page": wanted}, lambda: None))
    assert [page.more for page in pages[:-1]] == [True] * (len(pages) - 1)
    assert not pages[-1].more
    return [row["n"] for page in pages for row in page.rows], pages[-1].broken, asked


@pytest.mark.parametrize(
    ("info", "asked"),
    [
        ({"total_pages": 3}, 3),
        ({"total_count": 7}, 3),
        ({}, 3),
        ({"total_pages": 0, "total_count": 0}, 3),
        ({"total_pages": None, "total_count": "7"}, 3),
    ],
)
def test_the_end_of_a_list(info: dict[str, t.Any], asked: int) -> None:
    assert walk(ROWS, 3, **info) == (list(range(7)), False, list(range(1, asked + 1)))


def test_a_list_that_ends_with_a_full_page() -> None:
    assert walk(ROWS[:6], 3) == (list(range(6)), False, [1, 2, 3])
    assert walk(ROWS[:6], 3, total_pages=2) == (list(range(6)), False, [1, 2])
    assert walk([], 3) == ([], False, [1])


@pytest.mark.parametrize("info", [{"per_page": 2}, {"total_count": 7}, {"total_pages": 4}])
def test_a_server_with_smaller_pages_than_asked_for(info: dict[str, t.Any]) -> None:
    assert walk(ROWS, 2, **info)[:2] == (list(range(7)), False)


def test_a_server_that_repeats_its_pages() -> None:
    assert walk(ROWS, 3, ignores_page=True) == ([0, 1, 2, 0, 1, 2], True, [1, 2])


def test_a_server_that_promises_more_than_it_gives() -> None:
    assert walk(ROWS, 3, total_count=100) == (list(range(7)), True, [1, 2, 3, 4])
    assert walk(ROWS, 3, total_pages=9)[1]


def test_a_list_without_an_end() -> None:
    def get(query: dict[str, t.Any]) -> dict[str, t.Any]:
        return envelope([query["page"]] * 3, result_info={})

    *pages, last = numbered_pages(get, {"per_page": 3}, lambda: None)
    assert (len(pages), last.broken) == (999, True)


@pytest.mark.parametrize("result", [None, {}, "x", 7])
def test_what_is_no_list(result: object) -> None:
    with pytest.raises(DoubtfulError, match="holds no list"):
        list(numbered_pages(lambda query: envelope(result), {}, lambda: None))


def test_null_and_a_count_of_0_is_an_empty_list() -> None:
    (page,) = numbered_pages(lambda query: envelope(None, result_info={"count": 0}), {}, lambda: None)
    assert page.rows == []


def test_a_list_that_comes_slowly_is_given_up() -> None:
    def late() -> None:
        raise DoubtfulError("too late")

    with pytest.raises(DoubtfulError, match="too late"):
        list(numbered_pages(lambda query: envelope(ROWS), {"per_page": 7}, late))
