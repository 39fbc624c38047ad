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
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.pasted import cleaned
from hypothesis import assume, given
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
        ("x@[IPv6:2001:db8::1]", MESSAGE_ID),
        ('"quoted left"@sender.example', MESSAGE_ID),
        ("o'brien@sender.example", MESSAGE_ID),
        ("<no-at-sign>", MESSAGE_ID),
        ("<with a blank@sender.example>", MESSAGE_ID),
        ('<"quoted"@sender.example>', MESSAGE_ID),
        ("<'a'.b,c;d.@sender.example>", MESSAGE_ID),
        ("<\u00e4@sender.example>", MESSAGE_ID),
        ("<" + "x" * 996 + ">", MESSAGE_ID),
        ("x" * 998, POSTFIX_ID),
    ],
)
def test_each_kind_is_told_by_its_shape(text: str, kind: str) -> None:
    assert parse_handle(text) == (text, kind)


HANDLES = (
    "4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678",
    "4Njp3P0STMz2c02Q",
    "<a1@sender.example>",
    "a1@sender.example",
    "<no-at-sign>",
    '<"quoted, left;" @sender.example>',
    '"quoted left"@sender.example',
)
AROUND = [
    *((blank, blank) for blank in (" ", "\t", "\n", "\r\n", "\r", "\xa0", "\u2007", "\u3000", "\u2028")),
    *((hidden, hidden) for hidden in ("\ufeff", "\u200b", "\u200e", "\u2060", "\xad", "\u202a")),
    *((mark, mark) for mark in "\"'`"),
    ("```", "```"), ("\u201c", "\u201d"), ("\u201e", "\u201c"), ("\u2018", "\u2019"), ("\xab", "\xbb"), ("\u201d", "\u201d"),
    *(("", mark) for mark in (",", ";", ".", ",,", "\uff0c", " ,", "\u200b.")),
    ('"', '",'), ("\ufeff\u201c ", "\xa0\u201d;\r\n"),
]  # fmt: skip


@pytest.mark.parametrize("handle", HANDLES)
@pytest.mark.parametrize(("before", "after"), AROUND, ids=repr)
def test_what_is_pasted_around_a_handle_does_not_count(handle: str, before: str, after: str) -> None:
    assert parse_handle(before + handle + after) == parse_handle(handle)
    assert parse_handle(handle).text == handle


@given(st.sampled_from(HANDLES), st.lists(st.sampled_from(AROUND), max_size=4))
def test_nor_does_it_if_there_is_more_of_it(handle: str, around: list[tuple[str, str]]) -> None:
    text = handle
    for before, after in around:
        text = before + text + after
    assume(".." not in text)
    assert parse_handle(text).text == handle


@pytest.mark.parametrize(
    ("pasted", "handle"),
    [
        ("<mailto:a@b.example|a@b.example>", "<a@b.example>"),
        ("<mailto:a@b.example>", "<a@b.example>"),
        ("mailto:a@b.example", "<a@b.example>"),
        ("[a@b.example](mailto:a@b.example)", "<a@b.example>"),
        ("<a@b.example<mailto:a@b.example>>", "<a@b.example>"),
        ("&lt;a@b.example&gt;", "<a@b.example>"),
        ("&lt;<mailto:a@b.example|a@b.example>&gt;", "<a@b.example>"),
        ("&quot;&lt;a@b.example&gt;&quot;", "<a@b.example>"),
        ("&amp;lt;a@b.example&amp;gt;", "<a@b.example>"),
        ("%3Ca%2B1%40b.example%3E", "<a+1@b.example>"),
        ("Message-ID: <a@b.example>", "<a@b.example>"),
        ("4Njp3P0STMz2c02Q-2024-01-05T10%3A00%3a00-12345678", "4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678"),
    ],
)
def test_what_programs_make_of_a_handle_is_undone(pasted: str, handle: str) -> None:
    assert parse_handle(pasted).text == handle


@given(
    st.text(alphabet="<>a@b \"'`,;.%3aAT0&lt;gmailto:|[]()\t\ufeff", max_size=24),
    st.sampled_from(["", "<", "a@b", "<a"]),
)
def test_cleaning_a_handle_again_changes_nothing(text: str, more: str) -> None:
    once = cleaned(more + text)
    assert cleaned(once) == once


@given(st.text(alphabet=st.characters(exclude_categories=("C", "Z"), exclude_characters="<>"), min_size=1, max_size=30))
def test_whatever_is_in_angle_brackets_is_another_message_id(inner: str) -> None:
    text = f"<{inner}>"
    try:
        assert parse_handle(text) == (text, MESSAGE_ID)
    except InputError as error:
        assert "contains" in str(error) or "is a link" in str(error)


def test_a_found_message_is_taken_by_its_id() -> None:
    assert [handle.text for handle in parse_handles([{"id": "4Njp3P0STMz2c02Q", "subject": "x"}, "a1"])] == [
        "4Njp3P0STMz2c02Q",
        "a1",
    ]


ONE, OTHER = "4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678", "4WtWkr6nlBz9sNH-2024-08-28T15:32:35-9"


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("", None),
        (ONE, [ONE]),
        (f"\ufeff{ONE}\r", [ONE]),
        (f"{ONE},{OTHER}", [ONE, OTHER]),
        (f"{ONE}; {OTHER},\r\n<a, b@c>", [ONE, OTHER, "<a, b@c>"]),
        (f"{ONE} {OTHER}\t{ONE}", [ONE, OTHER]),
        (f"{ONE} 4WtWkr6nlBz9sNH", [ONE, "4WtWkr6nlBz9sNH"]),
        ("<a b@c> <d@e>", ["<a b@c>", "<d@e>"]),
        ("4Njp3P0STMz2c02Q 4WtWkr6nlBz9sNH", ["4Njp3P0STMz2c02Q", "4WtWkr6nlBz9sNH"]),
        (f'["{ONE}", "{OTHER}"]', [ONE, OTHER]),
        (f" ['{ONE}', '{OTHER}'] ", [ONE, OTHER]),
        (f'["{ONE}",\n "{OTHER}"\n]', [ONE, OTHER]),
        (f'[{{"id": "{ONE}"}}]', [ONE]),
        ("a1\nb2", ["a1", "b2"]),
        ("&lt;a@b.example&gt;, &lt;c@d.example&gt;", ["<a@b.example>", "<c@d.example>"]),
    ],
)
def test_a_text_that_certainly_lists_handles_is_split(text: str, handles: list[str] | None) -> None:
    if handles is None:
        with pytest.raises(InputError, match=r"messages\[0\] is empty"):
            parse_handles(text)
    else:
        assert [handle.text for handle in parse_handles(text)] == handles
        if text.startswith(("[", " [")):
            assert [handle.text for handle in parse_handles([text])] == handles


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{ONE},", r"messages ends in a separator \(,\)"),
        (f"{ONE};\n", r"messages ends in a separator \(;\)"),
        (f"{ONE}\tAlice", "which may be more than handles"),
        (f"{ONE}\talice@example.com", "which may be more than handles"),
        (f"{OTHER}\n{ONE} INC0012345", "which may be more than handles"),
        ("4Njp3P0STMz2c02Q INC0012345", "which may be more than handles"),
        (f"{ONE}\n- {OTHER}", "which may be more than handles"),
        (f"1. {ONE}\n2. {OTHER}", "which may be more than handles"),
        (f"please release {ONE}", "which may be more than handles"),
        (f"[{ONE}, {OTHER}]", r"U\+005B LEFT SQUARE BRACKET"),
        ("[1, 2]", r"messages\[0\] is not a string but of type int"),
        ("[" * 100_000, r"octets|SQUARE BRACKET"),
    ],
)
def test_a_text_that_is_understood_only_in_part_is_refused_whole(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse_handles(text)
    assert str(caught.value).endswith("Nothing was sent.")
    assert len(str(caught.value)) < 500


BAD = [
    ("", "is empty"),
    (" \t\u200b", "is empty"),
    (None, "is not a string but null"),
    (7, "is not a string but of type int"),
    (True, "is not a string but of type bool"),
    ({"id": 7}, "is not a string but of type int"),
    ({"id": None}, "a dictionary without an id"),
    ({"handle": "x"}, r"a dictionary without an id; .*map\(attribute='id'\)"),
    (["x"], "is not a string but of type list"),
    ("a/b", "a slash"),
    ("a\\b", "a backslash"),
    ("../../accounts", "a slash"),
    ("..", "ends in several full stops"),
    ("4Njp3P...", "ends in several full stops, as a text does that was cut"),
    ("a@b...", "ends in several full stops"),
    ("4Njp3P\u2026", r"U\+2026 HORIZONTAL ELLIPSIS"),
    ("ID:", r"U\+003A COLON"),
    (".", "has only punctuation"),
    ("a b", r"white space \(U\+0020 SPACE\)"),
    ("ID\tAlice", r"white space \(U\+0009 TAB\)"),
    ("a\nb", "a line break"),
    ("a\r\nX-Auth-Key: y", "a carriage return"),
    ("a\x00", r"a control character \(U\+0000\)"),
    ("a\x7fb", "a control character"),
    ("a\u200bb", r"U\+200B ZERO WIDTH SPACE"),
    ("<a\u200bb@c>", r"U\+200B ZERO WIDTH SPACE"),
    ("a\u202eb", r"U\+202E RIGHT-TO-LEFT OVERRIDE"),
    ("a\ud800", r"U\+D800"),
    ("a\u00a0b", r"white space \(U\+00A0 NO-BREAK SPACE\)"),
    ("a\u2013b", r"U\+2013 EN DASH"),
    ("\u0430bc", r"U\+0430 CYRILLIC SMALL LETTER A"),
    ("a@b\u201d", r"U\+201D RIGHT DOUBLE QUOTATION MARK"),
    ("'a", r"U\+0027 APOSTROPHE"),
    ('"a@b', r"U\+0022 QUOTATION MARK"),
    ("<a@b", r"U\+003C LESS-THAN SIGN"),
    ("a@b>", r"U\+003E GREATER-THAN SIGN"),
    ("<a@b><c@d>", r"U\+003E GREATER-THAN SIGN"),
    ("Alice <a@b>", r"white space"),
    ("<a@b>, <c@d>", r"U\+003E GREATER-THAN SIGN"),
    ("a@b,c@d", r"U\+002C COMMA"),
    ("@b", "not the form left@right"),
    ("a@", "not the form left@right"),
    ("<>", "nothing between its angle brackets"),
    ("< >", "nothing between its angle brackets"),
    ("<mailto:a@b|c@d>", "is a link"),
    ("<https://dash.cloudflare.com>", "is a link"),
    ("- ID", "white space"),
    ("-ID", "begins with - in front of the id"),
    ("1. ID", "white space"),
    ("1.ID", r"begins with 1\. in front of the id"),
    ("1) ID", "U\\+0029 RIGHT PARENTHESIS|white space"),
    ("\u2022 ID", "white space|BULLET"),
    ("id=ID", "begins with id= in front of the id"),
    ("a%40b", r"U\+0025 PERCENT SIGN"),
    ("(ID)", r"U\+0028 LEFT PARENTHESIS"),
    ("[ID]", r"U\+005B LEFT SQUARE BRACKET"),
    ("x" * 999, "has 999 octets, and no id has more than 998"),
    ("<" + "\u00e4" * 500 + ">", "has 1002 octets"),
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
    assert ("@" in handle.text or handle.text.startswith("<")) == (handle.kind == MESSAGE_ID)
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
        "Unusable message handles: messages[1] is empty; messages[2] contains a slash; messages[3] is not a string but of type int; "
        "put the id in quotes. Give each id alone, as an item of its own, and a Message-ID in angle brackets. Nothing was sent."
    )


def test_a_thousand_bad_handles_still_make_a_short_sentence() -> None:
    with pytest.raises(InputError, match="and 995 more") as caught:
        parse_handles([""] * 1000)
    assert len(str(caught.value)) < 400


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
