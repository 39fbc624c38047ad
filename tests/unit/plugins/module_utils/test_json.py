# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of JSON whose shape nobody promises."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._json import (
    items,
    mapping,
    number,
    parse,
    rows,
    string,
    strings,
)


def test_what_has_the_expected_shape_is_returned_as_it_is() -> None:
    assert mapping({"a": 1}) == {"a": 1}
    assert string("a") == "a"
    assert strings(["a", "b"]) == ["a", "b"]
    assert items([1, "a"]) == [1, "a"]
    assert rows([{"a": 1}, {}]) == [{"a": 1}, {}]


@pytest.mark.parametrize("value", [None, 1, True, 1.5])
def test_anything_else_is_nothing(value: object) -> None:
    assert (mapping(value), string(value), strings(value), items(value), rows(value)) == ({}, None, [], [], [])
    assert (mapping([value]), string([value]), strings([value]), rows([value])) == ({}, None, [], [])


def test_a_string_alone_is_a_list_of_one() -> None:
    assert strings("a") == ["a"]
    assert strings(["a", 1, None, "b"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "told"),
    [(7, 7), ("7", 7), ("007", 7), (True, None), ("-1", None), ("\u0663", None), (1.5, None), ("", None), (None, None)],
)
def test_a_number_may_be_written_as_text(value: object, told: int | None) -> None:
    assert number(value) == told


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000])
def test_text_that_is_not_json_is_none(text: str | bytes) -> None:
    assert parse(text) is None


def test_json_is_parsed() -> None:
    assert parse(b'{"a": [1]}') == {"a": [1]}
