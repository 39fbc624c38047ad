# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading addresses: every one that a reader may see, in one spelling, and nothing that is only nearly one."""

from __future__ import annotations

import email.policy
from email.parser import Parser

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail import addresses as addresses_module
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.addresses import (
    Address,
    addresses_in_name,
    plain_domain,
    read_addresses,
)
from hypothesis import example, given
from hypothesis import strategies as st


def read(text: str | None) -> list[str] | None:
    """Return the addresses as text."""
    found = read_addresses(text)
    return None if found is None else [f"{address.local}@{address.domain}" for address in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cfo@partner.example", ["cfo@partner.example"]),
        (" <CFO@Partner.Example.> ", ["cfo@partner.example"]),
        ("cfo@partner.example, x@evil.example", ["cfo@partner.example", "x@evil.example"]),
        ("cfo@partner.example;x@evil.example", ["cfo@partner.example", "x@evil.example"]),
        ("Board: a@x.example, b@y.example;", ["a@x.example", "b@y.example"]),
        ('"cfo@partner.example" <x@evil.example>', ["cfo@partner.example", "x@evil.example"]),
        ("cfo@partner.example <x@evil.example>", ["cfo@partner.example", "x@evil.example"]),
        ("x@evil.example (cfo@partner.example)", ["x@evil.example", "cfo@partner.example"]),
        ("Müller, Jörg <j@x.example>", ["j@x.example"]),
        ('"cfo@partner.example"@evil.example', ["cfo@partner.example@evil.example"]),
        ('"c\\fo"@partner.example', ["cfo@partner.example"]),
        ("cfo\uff20partner.example <x@evil.example>", ["cfo@partner.example", "x@evil.example"]),
        ("a@m\u00fcnchen.example", ["a@xn--mnchen-3ya.example"]),
        ("a@mu\u0308nchen\u3002example", ["a@xn--mnchen-3ya.example"]),
        ("a@XN--MNCHEN-3YA.example", ["a@xn--mnchen-3ya.example"]),
        ("a@_spf.x.example", ["a@_spf.x.example"]),
        ("=?utf-8?q?cfo=40partner=2Eexample?= <x@evil.example>", ["x@evil.example", "cfo@partner.example"]),
        ("=?utf-8?q?J=C3=B6rg=2C_M?= <j@x.example>", ["j@x.example"]),
        ("=?nonsense?q?a?= <j@x.example>", None),
        ("a@xn--zzzzzzzzzzz.example", None),
        ("a@XN--N3H.example", None),
        ("a@-x.example", None),
        (f"a@{'x' * 64}.example", None),
        (f"a@{'x.' * 130}example", None),
        (None, []),
        (" \r\n ", []),
        ("<>", []),
        ("undisclosed-recipients:;", []),
        ("postmaster", None),
        ("Partner <partner.example>", None),
        ("a@@b.example", None),
        ("a@b@c.example", None),
        ("@b.example", None),
        ("a@", None),
        ("cfo(x)@partner.example", None),
        ("cfo @ partner.example", None),
        ("<@relay.example:cfo@partner.example>", None),
        ('x"cfo"@partner.example', None),
        ("a@[192.0.2.1]", None),
        ("a@b..example", None),
        ("a@partner.example\uff1b.evil.example", None),
        ("a@partner.example\u2215.evil.example", None),
        ("c\u200bfo@partner.example", None),
        ("c\x00fo@partner.example", None),
        ("a@\ud800.example", None),
        ("(" * 4000, None),
        ("(" * 4000 + "a@b.example", None),
        ("a@b.example," * 1000, None),
        ("a" * 2_000_000, None),
    ],
)
def test_every_address_is_found_or_it_cannot_be_read(text: str | None, expected: list[str] | None) -> None:
    assert read(text) == expected


likely = st.text(alphabet='ab@.,;:<>()[]"\\ \t\r\n+-_=?\u00fc\uff20\u3002\u200b\u0430\ud800', max_size=40)
encoded = st.builds(
    "{}=?{}?{}?{}?={}".format,
    likely,
    st.sampled_from(["utf-8", "iso-8859-1", "utf-16", "nonsense", "\ud800", ""]),
    st.sampled_from(["q", "b", "B", "x"]),
    st.one_of(likely, st.just("YUBiLmV4YW1wbGU=")),
    likely,
)


@given(st.one_of(likely, encoded, st.text()))
@example("a@b,@c")
def test_nothing_breaks_the_reader_and_what_it_reads_is_plain(text: str) -> None:
    for address in (*(read_addresses(text) or ()), *(addresses_in_name(text) or ())):
        assert address.domain.isascii()
        assert plain_domain(address.domain) == address.domain
        assert address.local
        assert address.untagged.untagged == address.untagged


@given(st.text(alphabet='ab@.,;:<>()"\\ =', max_size=30))
@example('"a@b" <c@d>')
def test_what_another_parser_finds_is_found_too(text: str) -> None:
    """The newer parser of Python, which mail programs use: it finds no address that the reader does not know of."""
    found = read_addresses(text)
    if found is None:
        return
    header = Parser(policy=email.policy.default).parsestr(f"From: {text}\n\n")["From"]
    others = {(one.username, one.domain) for one in getattr(header, "addresses", ()) if one.username and one.domain}
    assert {(local.lower(), domain.rstrip(".").lower()) for local, domain in others} <= set(found)


def test_without_idna_only_ascii_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_domain.cache_clear()
    monkeypatch.setattr(addresses_module, "idna", None)
    assert plain_domain("partner.example") == "partner.example"
    assert plain_domain("m\u00fcnchen.example") is None
    plain_domain.cache_clear()


def test_a_tag_is_left_out_but_not_all_of_the_address() -> None:
    assert Address("a+b+c", "x.example").untagged == Address("a", "x.example")
    assert Address("+b", "x.example").untagged == Address("+b", "x.example")
