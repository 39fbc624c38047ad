# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handles: what names a message, and what cannot."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import (
    INVESTIGATE_ID,
    MESSAGE_ID,
    POSTFIX_ID,
    parse_handle,
    parse_handles,
    same_message_id,
)
from hypothesis import given
from hypothesis import strategies as st

UTC = datetime.UTC


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678", INVESTIGATE_ID),
        ("4Njp3P0STMz2c02Q", POSTFIX_ID),
        ("4WtWkr6nlBz9sNH-2024-08-28T15:32:35", POSTFIX_ID),
        ("some.opaque_id~1", POSTFIX_ID),
        ("<a1@sender.example>", MESSAGE_ID),
        ("a1@sender.example", MESSAGE_ID),
        ("<a/b+c=d@sender.example>", MESSAGE_ID),
        ("<x@[192.0.2.1]>", MESSAGE_ID),
    ],
)
def test_each_kind_is_told_by_its_shape(text: str, kind: str) -> None:
    assert parse_handle(text) == (text, kind)


def test_spaces_around_a_handle_do_not_count() -> None:
    assert parse_handle("  4Njp3P0STMz2c02Q ").text == "4Njp3P0STMz2c02Q"


BAD = [
    ("", "is empty"),
    ("   ", "is empty"),
    (None, "is not a string but null"),
    (7, "is not a string but of type int"),
    (True, "is not a string but of type bool"),
    ({"id": "x"}, "is not a string but of type dict"),
    (["x"], "is not a string but of type list"),
    ("a/b", "slash"),
    ("a\\b", "slash"),
    ("../../accounts", "slash"),
    ("..", "another character"),
    (".", "another character"),
    ("a b", "white space"),
    ("a\nb", "line break"),
    ("a\n", "line break"),
    ("a\r\nX-Auth-Key: y", "line break"),
    ("a\x00", "control character"),
    ("a\x7f", "control character"),
    ("a\u200bb", "control character"),
    ("a\u202eb", "control character"),
    ("a\ud800", "control character"),
    ("a\u00a0b", "white space"),
    ("a@b\n", "line break"),
    ("<a@b", "looks like a Message-ID"),
    ("a@b>", "looks like a Message-ID"),
    ("@b", "looks like a Message-ID"),
    ("a@", "looks like a Message-ID"),
    ("<a@b><c@d>", "looks like a Message-ID"),
    ("<a>", "another character"),
    ("x" * 999, "999 characters"),
]


@pytest.mark.parametrize(("value", "reason"), BAD, ids=repr)
def test_what_can_be_no_handle_is_refused_with_the_reason(value: object, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_handle(value)


@given(st.text(max_size=60))
def test_any_text_is_a_harmless_handle_or_refused(text: str) -> None:
    try:
        handle = parse_handle(text)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert handle.text
    assert handle.text == handle.text.strip()
    assert handle.text.isprintable()
    assert ("@" in handle.text) == (handle.kind == MESSAGE_ID)
    assert handle.kind == MESSAGE_ID or not set("/\\<>") & set(handle.text)
    assert parse_handle(handle.text) == handle
    assert handle.time is None or handle.time.tzinfo == UTC


@given(st.one_of(st.none(), st.integers(), st.floats(), st.booleans(), st.binary(), st.lists(st.text())))
def test_nothing_but_text_is_a_handle(value: object) -> None:
    with pytest.raises(InputError, match="is not a string"):
        parse_handle(value)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("A-2024-01-05T10:00:00-1", datetime.datetime(2024, 1, 5, 10, tzinfo=UTC)),
        ("A-b-2024-01-05T10:00:00-1", datetime.datetime(2024, 1, 5, 10, tzinfo=UTC)),
        ("A-2024-13-45T10:00:00-1", None),
        ("A-2024-01-05T10:00:00", datetime.datetime(2024, 1, 5, 10, tzinfo=UTC)),
        ("A-0001-01-01T00:00:00-1", None),
        ("A-9999-12-31T23:59:59-1", None),
        ("A", None),
        ("<a-2024-01-05T10:00:00-1@b>", None),
    ],
)
def test_the_time_inside_an_id_is_a_hint_where_there_is_one(text: str, time: datetime.datetime | None) -> None:
    assert parse_handle(text).time == time


def test_an_alert_id_is_recognised() -> None:
    assert parse_handle("4WtWkr6nlBz9sNH-2024-08-28T15:32:35").looks_like_alert_id
    assert not parse_handle("4WtWkr6nlBz9sNH-2024-08-28T15:32:35-9").looks_like_alert_id


def test_duplicates_are_folded_and_the_order_is_kept() -> None:
    assert [handle.text for handle in parse_handles(["b", "a", " b", "a", "c"])] == ["b", "a", "c"]


def test_no_handles_are_no_mistake() -> None:
    assert parse_handles([]) == []


def test_one_sentence_names_every_bad_handle_by_its_place() -> None:
    with pytest.raises(InputError) as caught:
        parse_handles(["good", "", "x/y", 3])
    assert str(caught.value) == (
        "Unusable message handles: messages[1] is empty; messages[2] contains a slash or another character that no id has; "
        "messages[3] is not a string but of type int; put the id in quotes. Nothing was sent."
    )


def test_a_thousand_bad_handles_still_make_a_short_sentence() -> None:
    with pytest.raises(InputError, match="and 995 more") as caught:
        parse_handles([""] * 1000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("<a@b>", "a@b", True),
        ("a@b", " <a@b> ", True),
        ("<a@b>", "<A@b>", False),
        (None, "a@b", False),
        (None, None, False),
    ],
)
def test_message_ids_are_the_same_with_or_without_brackets(left: t.Any, right: t.Any, same: bool) -> None:
    assert same_message_id(left, right) is same
