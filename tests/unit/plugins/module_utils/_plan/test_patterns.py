# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patterns: what allows fits exactly, what refuses covers all that belongs to it, and none is accepted that can never match."""

from __future__ import annotations

import re

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.addresses import read_addresses
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.patterns import (
    all_fit,
    any_covered,
    parse_pattern,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("address", "pattern", "fits", "covered"),
    [
        ("a@b.example", "a@b.example", True, True),
        ("A@B.Example.", "*@b.example", True, True),
        ("a@b.example", "b.example", True, True),
        ("a@b.example", " <B.EXAMPLE.> ", True, True),
        ("a@b.example", '"b.example"', True, True),
        ("a@sub.b.example", "b.example", False, True),
        ("a@sub.b.example", "*@b.example", False, True),
        ("a@sub.b.example", "a@b.example", False, False),
        ("a@sub.b.example", "*.b.example", True, True),
        ("a@b.example", "*.b.example", False, False),
        ("a+tag@b.example", "a@b.example", False, True),
        ("a+tag@b.example", "a+*@b.example", True, True),
        ("ab@b.example", "a@b.example", False, False),
        ("a@evil-b.example", "b.example", False, False),
        ("a@b.example.evil.example", "*@b.example", False, False),
        ("b.example@evil.example", "b.example", False, False),
        ('"x@b.example"@evil.example', "*@b.example", False, False),
        ("ceo@b.zip", "zip", False, True),
        ("a@m\u00fcnchen.example", "xn--mnchen-3ya.example", True, True),
        ("a@xn--mnchen-3ya.example", "M\u00dcNCHEN.example", True, True),
        ("a@x.m\u00fcnchen.example", "*.m\u00fcnchen\u3002example", True, True),
        ("a@p\u0430rtner.example", "partner.example", False, False),
        ("J\u00f6rg@b.example", "jo\u0308rg@b.example", True, True),
        ("a@b.example", "*", True, True),
        ("a@b.example, c@d.example", "b.example", False, True),
        ("<>", "*", False, False),
        ("garbage", "*", False, True),
    ],
)
def test_what_fits_and_what_is_covered(address: str, pattern: str, fits: bool, covered: bool) -> None:
    found = [read_addresses(address)]
    assert all_fit([pattern], found) is fits
    assert any_covered([pattern], found) is covered


def test_without_patterns_nothing_is_covered() -> None:
    assert not any_covered([], [None])


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("", "it is empty"),
        (" ", "it is empty"),
        ("<>", "it is empty"),
        ("@evil.example", "write evil.example"),
        (".evil.example", "write evil.example, or *.evil.example"),
        (".", "begins with a dot"),
        ("mailto:x@y.example", "write x@y.example"),
        ("https://evil.example/a?b", "write evil.example"),
        ("ceo@", "write ceo@partner.example"),
        ("[a-c]@evil.example", "brackets have no meaning"),
        ("x@[192.0.2.1]", "brackets have no meaning"),
        ("a.example b.example", "as its own pattern"),
        ("a.example,b.example", "as its own pattern"),
        ("john doe@x.example", "as its own pattern"),
        ("a@b@c.example", "write an address"),
        ("a..example", "write an address"),
        ("evil.example/", "write an address"),
        ("*m\u00fcnchen.example", "A-label form"),
        ("c\u200beo@x.example", "A-label form"),
        ("x" * 300, "write an address"),
    ],
)
def test_a_pattern_that_can_never_match_is_an_error_that_says_what_to_write(pattern: str, advice: str) -> None:
    with pytest.raises(InputError, match=f"can never match: .*{re.escape(advice)}"):
        parse_pattern(pattern)


@given(st.one_of(st.text(), st.text(alphabet='ab@.*?[]+-_"<> ,\u00fc', max_size=12)))
def test_a_pattern_that_is_accepted_can_match(text: str) -> None:
    try:
        pattern = parse_pattern(text)
    except InputError as error:
        assert len(str(error)) < 300
        return
    local, domain = (part.replace("*", "a").replace("?", "x") for part in (pattern.local or "a", pattern.domain))
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
    found = [read_addresses(f"{quoted}@{domain}")]
    assert all_fit([text], found)
    assert any_covered([text], found)


@given(
    st.sampled_from(["a@b.example", "b.example", "*@b.example", "a+x@b.example"]),
    st.sampled_from(["a@b.example", "a+x@b.example", "a@c.b.example", "c@d.example"]),
)
def test_what_fits_is_covered(pattern: str, address: str) -> None:
    found = [read_addresses(address)]
    assert any_covered([pattern], found) or not all_fit([pattern], found)
