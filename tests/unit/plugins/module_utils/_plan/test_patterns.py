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
        ("a@b.example", "\u201ca@b.example\u201d", True, True),
        ("a@b.example", "\uff42.example", True, True),
        ("a@b.example", "a\uff20b.example", True, True),
        ('"ceo"@b.example', "ceo@b.example", True, True),
        ("ceo@b.example", '"ceo"@b.example', True, True),
        ("=?utf-8?b?Y2VvQGIuZXhhbXBsZQ==?= <x@evil.example>", "ceo@b.example", False, True),
        ("=?utf-8?b?Y2VvQGIuZXhhbXBsZQ==?= <x@evil.example>", "evil.example", False, True),
        ("a@xn--zzzzzzzzzzz.example", "other.example", False, True),
        ("a@xn--zzzzzzzzzzz.example", "*", False, True),
        # Tags of bounces, and forwarders
        ("prvs=0123ab=ceo@b.example", "b.example", True, True),
        ("prvs=0123ab=ceo@b.example", "ceo@b.example", False, True),
        ("prvs=ceo=0123ab@b.example", "ceo@b.example", False, True),
        ("PRVS=ceo/0123ab@b.example", "ceo@b.example", False, True),
        ("btv1==0123ab==ceo+x@b.example", "ceo@b.example", False, True),
        ("SRS0=h=t=b.example=ceo@fwd.example", "ceo@b.example", False, True),
        ("SRS0+h=t=sub.b.example=ceo@fwd.example", "b.example", False, True),
        ("SRS0=h=t=b.example=ceo@fwd.example", "fwd.example", False, True),
        ("SRS0=h=t=b.example=prvs=0a=ceo@fwd.example", "ceo@b.example", False, True),
        ("SRS1=h=fwd.example==h=t=b.example=ceo@fwd2.example", "ceo@b.example", False, True),
        ("SRS1=h=fwd.example==h=t=b.example=ceo@fwd2.example", "fwd2.example", False, True),
        ("SRS0=h=t=b.example=ceo@fwd.example", "other.example", False, False),
        ("SRS0=nonsense@fwd.example", "other.example", False, True),
        ("SRS0=h=t=b..example=ceo@fwd.example", "fwd.example", False, True),
        ("prvs=ceo@b.example", "other.example", False, True),
        ("bounces+ceo=b.example@list.example", "b.example", False, False),
        ("bounces+ceo=b.example@list.example", "bounces@list.example", False, True),
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
        ("evil.example/", "write evil.example"),
        ("*m\u00fcnchen.example", "A-label form"),
        ("c\u200beo@x.example", "invisible character U+200B"),
        ("evil\u00ad.example", "invisible character U+00AD"),
        ("\u202eevil.example", "invisible character U+202E"),
        ("a\x00@x.example", "invisible character U+0000"),
        ("a\tb@x.example", "as its own pattern"),
        ("Alice <a@x.example>", "it has more than an address; write a@x.example"),
        ("mailto:<a@x.example>", "write a@x.example"),
        ("https://user:secret@evil.example:8080/", "write evil.example"),
        ("smtp:a@x.example", "write a@x.example"),
        ("evil.example:25", "write evil.example"),
        ("regex:.*", "write an address or a domain"),
        (f"{'x' * 64}.example", "cannot be a part of a domain"),
        ("-evil.example", "-evil cannot be a part of a domain"),
        ("x@evil-.example", "evil- cannot be a part of a domain"),
        ("^.*@x.example$", "example$ cannot be a part of a domain"),
        ("xn--zzzzzzzzzzz.example", "xn--zzzzzzzzzzz cannot be a part of a domain"),
        ("xn--n3h.example", "xn--n3h cannot be a part of a domain"),
        ("\u2603.example", "A-label form"),
        ("x" * 300, "write an address"),
    ],
)
def test_a_pattern_that_can_never_match_is_an_error_that_says_what_to_write(pattern: str, advice: str) -> None:
    with pytest.raises(InputError, match=f"can never match: .*{re.escape(advice)}"):
        parse_pattern(pattern)


def test_what_is_allowed_fits_in_all_that_it_contains() -> None:
    wrapped = [read_addresses("SRS0=h=t=b.example=ceo@fwd.example")]
    assert all_fit(["fwd.example", "b.example"], wrapped)
    assert not all_fit(["fwd.example", "bob@b.example"], wrapped)
    assert any_covered(["other.example"], [read_addresses(f"prvs={'a=' * 1000}@b.example")])


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
