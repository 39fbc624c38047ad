# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of accounts, and their names as hosts."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.accounts import (
    Account,
    list_accounts,
    read_account,
    unique_names,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Client, Credential, Settings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import (
    ApiError,
    AuthenticationError,
    DoubtfulError,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import URL, envelope, refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import text
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import BEARER, Reply, Script
from hypothesis import given
from hypothesis import strategies as st

ACCOUNTS = f"{URL}/accounts"


@pytest.fixture
def client(script: Script, clock: FakeClock) -> Client:
    """A client for all of the API."""
    return Client(Settings(URL, "", Credential(BEARER, "token of the test"), retries=0), clock)


def id_of(number: int) -> str:
    """Return the id of account C(number)."""
    return f"{number:032x}"


def rows(*numbers: int) -> list[dict[str, str]]:
    """Return accounts as the API lists them."""
    return [{"id": id_of(number), "name": f"Account {number}", "type": "standard"} for number in numbers]


def test_pages_are_asked_for_by_their_number(client: Client, script: Script) -> None:
    info = {"page": 1, "per_page": 50, "count": 2, "total_count": 3, "total_pages": 2}
    script.get(ACCOUNTS, envelope(rows(3, 1), result_info=info), query={"page": "1", "per_page": "50"})
    script.get(ACCOUNTS, envelope(rows(2), result_info={**info, "page": 2}), query={"page": "2", "per_page": "50"})
    assert list_accounts(client) == [Account(id_of(number), f"Account {number}", "standard") for number in (1, 2, 3)]


@pytest.mark.parametrize("info", [{}, {"result_info": None}, {"result_info": {"total_pages": "2"}}])
def test_without_a_number_of_pages_a_page_that_is_not_full_is_the_last(
    client: Client, script: Script, info: dict[str, t.Any]
) -> None:
    script.get(ACCOUNTS, envelope(rows(*range(50)), **info))
    script.get(ACCOUNTS, envelope(rows(50), **info))
    assert len(list_accounts(client)) == 51


@pytest.mark.parametrize("info", [{"per_page": 20}, {"per_page": "20"}, {"per_page": 20, "total_pages": "2"}])
def test_a_server_with_smaller_pages_than_asked_for_is_read_to_its_end(
    client: Client, script: Script, info: dict[str, t.Any]
) -> None:
    script.get(ACCOUNTS, envelope(rows(*range(1, 21)), result_info=info))
    script.get(ACCOUNTS, envelope(rows(21), result_info=info))
    assert len(list_accounts(client)) == 21


def test_no_accounts_are_none(client: Client, script: Script) -> None:
    script.get(ACCOUNTS, envelope([], result_info={"total_pages": 9}))
    assert list_accounts(client) == []


def test_a_server_that_repeats_a_page_is_not_followed_for_ever(client: Client, script: Script) -> None:
    script.server = lambda _sent: Reply(envelope(rows(1), result_info={"total_pages": 10**9}))
    with pytest.raises(DoubtfulError, match="repeats its pages"):
        list_accounts(client)
    assert client.calls == 2


@pytest.mark.parametrize(
    "result", [None, {}, "accounts", [None], [{}], [{"id": "../x"}], [{"id": id_of(1) + "0"}], [{"id": 5}]]
)
def test_what_is_no_list_of_accounts_is_an_error_and_not_a_shorter_list(
    client: Client, script: Script, result: object
) -> None:
    script.get(ACCOUNTS, envelope(result))
    with pytest.raises(DoubtfulError):
        list_accounts(client)


def test_a_token_of_an_account_is_told_apart_from_other_refusals(client: Client, script: Script) -> None:
    script.get(ACCOUNTS, refusal(1001, "List accounts endpoint does not support account owned tokens."), 400)
    with pytest.raises(ApiError, match=r"belongs to an account.*Use the API token of a user.*code 1001") as caught:
        list_accounts(client)
    assert (caught.value.status, caught.value.codes) == (400, {1001})
    script.get(ACCOUNTS, refusal(1001, "Something else"), 404)
    with pytest.raises(ApiError, match="HTTP 404: Something else"):
        list_accounts(client)


def test_a_refused_credential_is_named_and_no_account_is(client: Client, script: Script) -> None:
    script.get(ACCOUNTS, refusal(10000, "Authentication error"), 403)
    with pytest.raises(AuthenticationError, match=r"refused the token of the test: .*may not do this$"):
        list_accounts(client)


def test_what_a_server_makes_of_name_and_type_is_text() -> None:
    assert read_account({"id": id_of(10).upper()}) == Account(id_of(10), "", "")
    odd = read_account({"id": id_of(1), "name": "\x1b[2J\u202e" + "x" * 10**6, "type": ["a"]})
    assert odd.name.startswith("\ufffd[2J\ufffdxxx")
    assert len(odd.name) < 400
    assert odd.kind == ""


def named(*names: str) -> list[str]:
    """Return the unique names of accounts 1, 2, ... that are called so."""
    accounts = [Account(id_of(number), name, "") for number, name in enumerate(names, 1)]
    return list(unique_names(accounts, ("all", "localhost")).values())


def test_a_name_says_what_the_account_is_called() -> None:
    assert named("Harbour Logistics", "  M\u00fcller & S\u00f6hne (2) ") == ["harbour-logistics", "muller-sohne-2"]


def test_the_id_is_added_where_a_name_is_nobodys_own() -> None:
    assert named("Foo", "foo!", "bar") == [f"foo-{id_of(1)}", f"foo-{id_of(2)}", "bar"]
    assert named("Localhost", "", "\u6f22") == [f"localhost-{id_of(1)}", id_of(2), id_of(3)]
    # Neither is it got by posing as one that has its id added.
    assert named(f"foo {id_of(2)}", "foo", "foo") == [
        f"foo-{id_of(2)}-{id_of(1)}",
        f"foo-{id_of(2)}",
        f"foo-{id_of(3)}",
    ]


@given(st.lists(st.one_of(text, st.sampled_from(["foo", "Foo", f"foo {id_of(1)}", id_of(2), "all"])), max_size=6))
def test_names_are_always_safe_and_unique(names: list[str]) -> None:
    made = named(*names)
    assert len(set(made)) == len(names)
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name) and name not in ("all", "localhost") for name in made)
