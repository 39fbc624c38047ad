# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses in addresses: all that they may contain, in bounded time."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.addresses import Address
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.wrapped import readings
from hypothesis import given
from hypothesis import strategies as st

INSIDE = Address("ceo", "b.example")


@pytest.mark.parametrize(
    ("local", "inside"),
    [
        ("ceo", False),
        ("prvsceo", False),
        ("prvs=12ab=ceo", True),
        ("prvs=ceo=12ab", True),
        ("prvs=ceo/12ab", True),
        ("btv1==12ab==ceo", True),
        ("srs0=h=t=b.example=ceo", True),
        ("srs0-h=t=B.Example.=ceo", True),
        ("srs1=h=b.example==h=t=b.example=ceo", True),
        ("srs1+h=b.example=-h=t=b.example=ceo", True),
        ("srs0=h=t=b.example=prvs=12ab=ceo", True),
        ("srs0=h=t=other.example=ceo", False),
    ],
)
def test_what_an_address_contains(local: str, inside: bool) -> None:
    found = readings(Address(local, "b.example"))
    assert found[0] == Address(local, "b.example")
    assert (INSIDE in found[local == "ceo" :]) is inside
    assert None not in found


@pytest.mark.parametrize(
    "local",
    [
        "prvs=",
        "prvs=ceo",
        "btv1==12ab",
        "srs0=",
        "srs0=h=t=b.example",
        "srs0=h=t=-=ceo",
        "srs1=h=b.example",
        "srs1=h=b.example=x",
    ],
)
def test_what_cannot_be_read_is_said_to_be(local: str) -> None:
    assert None in readings(Address(local, "b.example"))


@given(
    st.lists(
        st.sampled_from(["prvs=", "btv1==", "srs0=", "srs1=", "=", "==", "/", "a", "b.example"]), max_size=400
    ).map("".join)
)
def test_it_never_takes_long(local: str) -> None:
    assert 0 < len(readings(Address(local, "b.example"))) < 40
