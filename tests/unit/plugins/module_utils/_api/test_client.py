# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client: what may be repeated, what is counted, and pages."""

from __future__ import annotations

import concurrent.futures
import typing as t

import pytest
import requests
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api import client as client_module
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.accounts import list_accounts
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Client, Credential, Settings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import (
    ApiError,
    AuthenticationError,
    CloudflareError,
    DoubtfulError,
    ForeignAnswerError,
    GarbledError,
    InterruptError,
    RateLimitError,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, URL, envelope, page, refusal, row
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import BEARER, Reply, Script, Sent

LOST = requests.exceptions.ReadTimeout("timed out")


@pytest.fixture
def client(script: Script, clock: FakeClock) -> Client:
    """A client that speaks to the script."""
    return Client(Settings(URL, ACCOUNT, Credential(dict(BEARER), "token of the test"), retries=2), clock)


ODD: dict[str, tuple[t.Any, int]] = {
    "no answer": (LOST, 0),
    "html 502": ("<html>", 502),
    "json 500": (refusal(1, "x"), 500),
    "empty": (b"", 200),
    "204": (b"", 204),
    "cut": (b'{"success": tr', 200),
    "html": ("<html>", 200),
    "a list": ([], 200),
    "success false": (refusal(1, "x"), 200),
    "success false, 201": (refusal(1, "x"), 201),
    "success false without errors": (envelope("fine", success=False), 200),
    "success missing": ({"errors": [], "result": "fine"}, 200),
    "success null": (envelope("fine", success=None), 200),
    "success as text": (envelope("fine", success="true"), 200),
    "success as number": (envelope("fine", success=1), 200),
    "html 404": ("<html>", 404),
    "cut 404": (b'{"success": fal', 404),
    "success and errors": (envelope("fine", errors=[{"code": 1, "message": "x"}]), 200),
    "success and an error": (envelope("fine", errors="x"), 200),
}


@pytest.mark.parametrize("failure", ODD.values(), ids=ODD.keys())
def test_a_failing_read_is_repeated_with_growing_pauses(
    client: Client, script: Script, clock: FakeClock, failure: tuple[t.Any, int]
) -> None:
    script.get("x", *failure)
    script.get("x", *failure)
    script.get("x", envelope("fine"))
    assert client.get("x")["result"] == "fine"
    assert client.calls == 3
    first, second = clock.naps
    assert 0 < first < second < 2


@pytest.mark.parametrize("failure", ODD.values(), ids=ODD.keys())
def test_a_read_is_given_up_after_the_retries(client: Client, script: Script, failure: tuple[t.Any, int]) -> None:
    for _number in range(3):
        script.get("x", *failure)
    with pytest.raises((DoubtfulError, ForeignAnswerError)):
        client.get("x")


@pytest.mark.parametrize("result", [None, "x", 7, {}, {"id": "other"}])
def test_a_result_that_does_not_fit_is_read_again(client: Client, script: Script, result: object) -> None:
    script.get("x", envelope(result))
    script.get("x", envelope([]))
    assert client.get("x", None, lambda found: isinstance(found, list))["result"] == []
    for _number in range(3):
        script.get("x", envelope(result))
    with pytest.raises(GarbledError):
        client.get("x", None, lambda found: isinstance(found, list))


@pytest.mark.parametrize(
    "info",
    [{"count": 0}, {"count": "0"}, {"count": 0, "next": None, "per_page": 1000}],
)
def test_no_list_is_an_empty_one_where_the_count_is_none(client: Client, script: Script, info: object) -> None:
    script.get("x", envelope(None, result_info=info))
    assert [found.rows for found in client.pages("x", {})] == [[]]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_not_repeated(client: Client, script: Script, status: int) -> None:
    script.get("x", refusal(1, "no"), status)
    with pytest.raises(ApiError):
        client.get("x")


@pytest.mark.parametrize(
    "failure",
    [
        (LOST, 0),
        (requests.exceptions.ConnectionError("reset"), 0),
        ("<html>", 504),
        (refusal(1, "x"), 500),
        (b"", 200),
        (envelope(), 202),
        (b"", 204),
        (refusal(1, "x"), 408),
    ],
)
def test_a_post_that_may_have_been_carried_out_is_never_repeated(
    client: Client, script: Script, clock: FakeClock, failure: tuple[t.Any, int]
) -> None:
    script.post("x", [1], *failure)
    with pytest.raises(DoubtfulError):
        client.post("x", [1])
    assert client.calls == 1
    assert not clock.naps


def test_a_post_that_was_refused_by_the_rate_limit_is_sent_again(
    client: Client, script: Script, clock: FakeClock
) -> None:
    script.post("x", [1], "", 429, retry_after=5)
    script.post("x", [1], "", 429, retry_after=6)
    script.post("x", [1], envelope("fine"))
    assert client.post("x", [1])["result"] == "fine"
    assert client.calls == 3
    assert clock.slept == 11


def test_a_rate_limit_beyond_max_wait_is_an_error_with_the_request_id(client: Client, script: Script) -> None:
    script.post("x", [1], "", 429, retry_after=601)
    with pytest.raises(RateLimitError, match="another 601 s") as caught:
        client.post("x", [1])
    assert caught.value.details()["status"] == 429
    assert caught.value.cf_ray


@pytest.mark.parametrize(
    ("method", "permission"), [("get", "Cloud Email Security: Read"), ("post", "Cloud Email Security: Write")]
)
@pytest.mark.parametrize("content", [refusal(10000, "Authentication error"), "<html>"])
def test_a_refused_credential_is_named_with_the_missing_permission(
    client: Client, script: Script, method: str, permission: str, content: t.Any
) -> None:
    script.server = lambda _sent: Reply(content, 403)
    with pytest.raises(AuthenticationError, match="token of the test") as caught:
        client.get("x") if method == "get" else client.post("x", [])
    assert permission in str(caught.value)
    assert ACCOUNT in str(caught.value)


def test_calls_are_counted_right_by_many_threads(client: Client, script: Script) -> None:
    script.server = lambda _sent: Reply(envelope())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: client.get("x"), range(200)))
    assert client.calls == 200


def test_being_told_to_stop_ends_a_pause_between_retries(client: Client, script: Script, clock: FakeClock) -> None:
    script.get("x", "<html>", 502)
    clock.stop_at = 1
    with pytest.raises(InterruptError):
        client.get("x")


def test_nothing_is_sent_after_being_told_to_stop(client: Client, script: Script, clock: FakeClock) -> None:
    clock.stop()
    with pytest.raises(InterruptError):
        client.post("x", [])
    assert client.calls == 0


def test_pages_are_made_from_the_parameters_and_the_cursor(client: Client, script: Script) -> None:
    script.get("x", page([row(1)], "a"), query={"per_page": "1000", "f": "v"})
    script.get("x", page([row(2)]), query={"per_page": "1000", "f": "v", "cursor": "a"})
    pages = list(client.pages("x", {"f": "v"}))
    assert [len(found.rows) for found in pages] == [1, 1]
    assert [found.more for found in pages] == [True, False]


def test_a_list_that_never_ends_is_ended(client: Client, script: Script) -> None:
    script.server = lambda sent: Reply(page([], str(int(sent.query.get("cursor", "0")) + 1)))
    pages = list(client.pages("x", {}))
    assert len(pages) == 1001
    assert (pages[-1].broken, pages[-1].more) == (True, False)


def test_a_list_of_more_rows_than_there_can_be_is_ended(
    client: Client, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_MOST_ROWS", 5)
    for number in range(2):
        script.get("investigate", page([row(1), row(2), row(3)], f"c{number}"))
    pages = list(client.pages("investigate", {}))
    assert [(page.more, page.broken) for page in pages] == [(True, False), (False, True)]


@pytest.mark.parametrize("what", ["pages", "accounts"])
def test_a_list_whose_pages_come_slowly_is_given_up(
    client: Client, script: Script, clock: FakeClock, what: str
) -> None:
    def slow(sent: Sent) -> Reply:
        clock.sleep(59)
        number = len(script.sent)
        return Reply(page([{"id": f"{number:032x}"}] * 50, f"c{number}"))

    script.server = slow
    with pytest.raises(DoubtfulError, match=r"not complete after 4200 s"):
        list(client.pages("investigate", {})) if what == "pages" else list_accounts(client)
    assert len(script.sent) == 72  # 60 timeouts of 60 s and 600 s for the rate limit


def test_cursors_that_go_round_in_a_circle_end(client: Client, script: Script) -> None:
    def server(sent: Sent) -> Reply:
        return Reply(page([row(1)], {"": "a", "a": "b", "b": "a"}[sent.query.get("cursor", "")]))

    script.server = server
    pages = list(client.pages("x", {}))
    assert len(pages) == 3
    assert [found.broken for found in pages] == [False, False, True]


def test_rows_that_are_no_messages_are_left_out(client: Client, script: Script) -> None:
    script.get("x", page([None, "x", row(1), []]))
    found = next(client.pages("x", {}))
    assert found.rows == [row(1)]
    assert found.broken, "something is missing"


@pytest.mark.parametrize(
    ("info", "whole"),
    [
        ({"next": None}, True),
        ({"next": ""}, True),
        ({"next": None, "count": "2", "per_page": "1000", "total_count": 0}, True),
        ({"next": None, "total_count": "2"}, True),
        ({"next": None, "total_count": 3}, False),
        ({"next": None, "total_count": "3"}, False),
        ({"next": False}, False),
        ({"next": {"cursor": "a"}}, False),
        ({"next": ["a"]}, False),
        ({"next": 1.5}, False),
        ({}, False),
        (None, False),
        ("none", False),
        ([], False),
    ],
)
def test_a_list_is_whole_only_if_that_is_certain(client: Client, script: Script, info: object, whole: bool) -> None:
    """The page is full; without a word of a next page, one may be missing all the same."""
    script.get("x", envelope([row(1), row(2)], result_info=info))
    assert [(found.more, found.broken) for found in client.pages("x", {"per_page": 2})] == [(False, not whole)]


@pytest.mark.parametrize("info", [None, {}, {"count": 2, "per_page": 1000}])
def test_a_page_that_is_not_full_is_the_last_one(client: Client, script: Script, info: object) -> None:
    script.get("x", envelope([row(1), row(2)], result_info=info))
    assert [(found.more, found.broken) for found in client.pages("x", {})] == [(False, False)]


def test_pages_of_odd_sizes_are_followed(client: Client, script: Script) -> None:
    for rows, following in (([row(1)], 2), ([], "c"), ([row(2), row(3), row(4)], None)):
        script.get("x", page(rows, following))
    assert [len(found.rows) for found in client.pages("x", {"per_page": 2})] == [1, 0, 3]


def test_the_time_is_that_of_the_server(client: Client, script: Script, clock: FakeClock) -> None:
    assert client.time() == clock.time()
    script.get("x", envelope(), date="garbled")
    client.get("x")
    assert client.time() == clock.time()
    script.get("x", envelope(), date="Fri, 20 Nov 2026 12:00:00 GMT")
    client.get("x")
    assert client.time() == clock.time() - 2 * 86400


@pytest.mark.parametrize("location", ["https://evil.example/", "http://api.cloudflare.com/"])
def test_a_202_is_not_followed_to_another_server(client: Client, script: Script, location: str) -> None:
    script.get("x", b"", 202, location=location)
    with pytest.raises(CloudflareError, match="another server"):
        client.get("x")
