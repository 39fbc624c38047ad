# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of strangers: safe to look at, and, where it must be, no template."""

from __future__ import annotations

import jinja2
import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._text import inert, printable
from hypothesis import given
from hypothesis import strategies as st

BRACES = st.text(st.sampled_from("{}%# a\n"), max_size=30)


def test_what_is_too_long_is_cut_with_a_mark() -> None:
    assert printable("x" * 301) == "x" * 300 + "\u2026 (cut)"
    assert printable("x" * 300) == "x" * 300
    assert printable("x" * 10_000, None) == "x" * 10_000
    assert printable(None) == ""


def test_marks_do_not_pile_up() -> None:
    assert printable("a" + "\u0301" * 4 + "b\u0301") == "a" + "\u0301" * 4 + "b\u0301"
    assert printable("a" + "\u0301" * 50) == "a" + "\u0301" * 4 + "\ufffd" * 46
    assert printable("\u0e01\u0e34\u0e48") == "\u0e01\u0e34\u0e48", "Thai"


@given(st.text())
def test_it_is_short_and_has_no_control_characters(text: str) -> None:
    shown = printable(text, 20)
    assert len(shown) <= 27
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
    shown.encode()


@given(BRACES | st.text())
def test_what_is_inert_comes_out_of_a_template_engine_as_it_went_in(text: str) -> None:
    shown = inert(text)
    assert jinja2.Environment().from_string(shown).render() == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ 7 * 7 }}", "{ { 7 * 7 }}"),
        ("{{{%", "{ { { %"),
        ("{a} %} #}", "{a} %} #}"),
        ("\U0001f680 \u65e5", "\ufffd \u65e5"),
    ],
)
def test_what_ansible_would_take_for_something_else_is_taken_apart(text: str, shown: str) -> None:
    assert inert(text) == shown
