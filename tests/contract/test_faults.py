# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Faults on order: what a client sees, whether the work was done, and which requests are hit."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from contract_client import Api
from emulator import Emulator, mangling
from msgspec import ValidationError


@pytest.fixture
def raw(api: Api) -> Api:
    """A client that takes any answer."""
    api.validate = lambda response: None  # type: ignore[method-assign]
    return api


def body(emulator: Emulator) -> dict[str, list[str]]:
    return {"ids": [emulator.quarantined()[0].id]}


@pytest.mark.parametrize(("when", "copies"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("kind", ["json", "html", "text", "empty"])
@pytest.mark.parametrize("status", [204, 400, 403, 429, 500, 504, 520])
def test_status(raw: Api, emulator: Emulator, status: int, kind: str, when: str, copies: int) -> None:
    emulator.faults.add("status", route="release", status=status, body=kind, when=when, code=1015)
    answer = raw.release(body(emulator))
    assert answer.status_code == status
    assert sum(emulator.deliveries.values()) == copies
    assert answer.headers["cf-ray"]
    if status == 204 or kind == "empty":
        assert answer.content == b""
    elif kind == "json":
        assert answer.json()["errors"][0]["code"] == 1015
        assert answer.headers["Ratelimit"]
    else:
        assert answer.headers["content-type"].startswith({"html": "text/html", "text": "text/plain"}[kind])
    assert raw.release(body(emulator)).status_code == 200


def test_retry_after_and_headers(raw: Api, emulator: Emulator) -> None:
    emulator.faults.add("status", status=429, retry_after=7, headers={"X-Extra": "1"})
    emulator.faults.add("status", status=503, retry_after_date=60, text="busy", content_type="text/csv")
    first, second = raw.get(""), raw.get("")
    assert (first.headers["Retry-After"], first.headers["X-Extra"]) == ("7", "1")
    assert 55 < parsedate_to_datetime(second.headers["Retry-After"]).timestamp() - time.time() <= 61
    assert (second.text, second.headers["Content-Type"]) == ("busy", "text/csv")


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(("when", "copies"), [("before", 0), ("after", 1)])
def test_cut(raw: Api, emulator: Emulator, when: str, copies: int, reset: bool) -> None:
    emulator.faults.add("cut", route="release", when=when, reset=reset)
    with pytest.raises(httpx.ReadError if reset else httpx.RemoteProtocolError):
        raw.release(body(emulator))
    assert sum(emulator.deliveries.values()) == copies
    assert emulator.requests[-1].status is None


@pytest.mark.parametrize("chunked", [False, True])
def test_truncated_answer(raw: Api, emulator: Emulator, chunked: bool) -> None:
    emulator.faults.add("truncate", route="release", chunked=chunked)
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read" if chunked else "received"):
        raw.release(body(emulator))
    assert sum(emulator.deliveries.values()) == 1


@pytest.mark.parametrize(("when", "copies"), [("before", 0), ("after", 1)])
def test_hang(raw: Api, emulator: Emulator, when: str, copies: int) -> None:
    emulator.faults.add("hang", when=when)
    with pytest.raises(httpx.ReadTimeout):
        raw.request("POST", "release", json=body(emulator), timeout=0.2)
    assert sum(emulator.deliveries.values()) == copies
    assert emulator.requests[-1].seconds is None


def test_delay_does_the_work_after_the_client_has_left(raw: Api, emulator: Emulator) -> None:
    emulator.faults.add("delay", seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        raw.request("POST", "release", json=body(emulator), timeout=0.1)
    assert not emulator.deliveries
    time.sleep(0.4)
    assert sum(emulator.deliveries.values()) == 1


def test_drip(raw: Api, emulator: Emulator) -> None:
    emulator.faults.add("drip", size=30, pause=0.05)
    began = time.perf_counter()
    assert raw.release(body(emulator)).json()["success"]
    assert time.perf_counter() - began > 0.2


@pytest.mark.parametrize("kind", mangling.KINDS)
def test_mangled_answers(raw: Api, emulator: Emulator, kind: str) -> None:
    whole = raw.get("", per_page=3)
    emulator.faults.add("mangle", kind=kind)
    spoiled = raw.get("", per_page=3, cursor=whole.json()["result_info"]["next"])
    assert spoiled.status_code == 200
    assert (spoiled.content, spoiled.headers["content-type"]) != (whole.content, whole.headers["content-type"])


def test_mangled_releases_did_their_work(raw: Api, emulator: Emulator) -> None:
    ids = [message.id for message in emulator.quarantined()[:4]]
    for kind in ("reversed", "half", "foreign_ids", "failure"):
        emulator.faults.add("mangle", kind=kind, route="release")
    results = [raw.release({"ids": ids}).json()["result"] for _ in range(4)]
    assert [entry["id"] for entry in results[0]] == ids[::-1]
    assert [entry["id"] for entry in results[1]] == ids[::2]
    assert not {entry["id"] for entry in results[2]} & set(ids)
    assert results[3] is None
    assert set(emulator.deliveries.values()) == {4}


def test_repeated_cursor(raw: Api, emulator: Emulator) -> None:
    emulator.faults.add("mangle", kind="repeated_cursor", times=None)
    cursors: list[str | None] = [None]
    for _ in range(3):
        query = {"cursor": cursors[-1]} if cursors[-1] else {}
        cursors.append(raw.get("", per_page=2, **query).json()["result_info"]["next"])
    assert cursors[1] == cursors[2] == cursors[3]


@pytest.mark.parametrize(("location", "host"), [("other_host", "localhost"), ("absolute", "127.0.0.1")])
def test_redirects(raw: Api, emulator: Emulator, location: str, host: str) -> None:
    emulator.faults.add("redirect", status=307, location=location, route="search")
    answer = raw.request("GET", "", follow_redirects=True)
    assert [response.status_code for response in answer.history] == [307]
    assert emulator.requests[-1].host.startswith(host)
    assert emulator.requests[-1].credential == (None if location == "other_host" else "write")


def test_redirect_elsewhere_and_after_the_work(raw: Api, emulator: Emulator) -> None:
    emulator.faults.add("redirect", location="https://elsewhere.example/x", when="after", route="release")
    assert raw.release(body(emulator)).headers["Location"] == "https://elsewhere.example/x"
    assert sum(emulator.deliveries.values()) == 1


def test_floods(raw: Api, emulator: Emulator) -> None:
    for kind in ("huge", "gzip_bomb"):
        emulator.faults.add("flood", kind=kind, megabytes=3)
        answer = raw.get("")
        assert len(answer.content) > 3 * 2**20
        assert answer.json()["success"]
    assert int(answer.headers.get("content-length", 0)) < 2**16
    emulator.faults.add("flood", kind="endless")
    with raw.http.stream("GET", emulator.url + raw.mail) as endless:
        received = 0
        for part in endless.iter_raw():
            received += len(part)
            if received > 2**24:
                break
    assert raw.get("").status_code == 200


def test_a_running_fault_does_not_keep_the_server_from_stopping() -> None:
    with Emulator() as emulator:
        api = Api(emulator)

        def hang_up() -> None:
            with pytest.raises(httpx.HTTPError):
                api.get("")

        emulator.faults.add("hang")
        threading.Thread(target=hang_up, daemon=True).start()
        while not emulator.requests:
            time.sleep(0.01)
        began = time.perf_counter()
    assert time.perf_counter() - began < 2


def statuses(api: Api, count: int, path: str = "") -> list[int]:
    return [api.get(path).status_code for _ in range(count)]


def test_skip_and_times(raw: Api, emulator: Emulator) -> None:
    emulator.faults.add("status", status=503, skip=2, times=2)
    assert statuses(raw, 6) == [200, 200, 503, 503, 200, 200]


def test_credentials_revoked_after_some_requests(raw: Api, emulator: Emulator) -> None:
    emulator.faults.add("status", status=401, code=1000, message="Invalid API Token", skip=2, times=None)
    assert statuses(raw, 4) == [200, 200, 401, 401]


def test_faults_wait_their_turn(raw: Api, emulator: Emulator) -> None:
    emulator.faults.add("status", status=502)
    emulator.faults.add("status", status=503)
    assert statuses(raw, 3) == [502, 503, 200]
    assert [request.fault for request in emulator.requests] == ["status", "status", None]


def test_probability_is_repeatable(raw: Api, emulator: Emulator) -> None:
    seen = []
    for _ in range(2):
        emulator.faults.clear()
        emulator.faults.add("status", status=500, probability=0.5, seed=3, times=None)
        seen.append(statuses(raw, 20))
    assert seen[0] == seen[1]
    assert {200, 500} == set(seen[0])


@pytest.mark.parametrize(
    ("trait", "hit"),
    [
        ({"route": "search"}, False),
        ({"route": "get"}, True),
        ({"method": "POST"}, False),
        ({"credential": "key"}, False),
        ({"credential": "write"}, True),
        ({"account_id": "5a1c0f3e9b7d42468ace13579bdf0246"}, True),
        ({"account_id": "0" * 32}, False),
    ],
    ids=str,
)
def test_traits(raw: Api, emulator: Emulator, trait: dict[str, Any], hit: bool) -> None:
    emulator.faults.add("status", status=500, **trait)
    assert (raw.get(emulator.messages()[0].id).status_code == 500) is hit


def test_the_message_may_be_in_the_path_or_the_body(raw: Api, emulator: Emulator) -> None:
    first, second = emulator.quarantined()[:2]
    emulator.faults.add("status", status=500, message_id=second.id, times=None)
    assert raw.get(first.id).status_code == raw.release({"ids": [first.id]}).status_code == 200
    assert raw.get(second.id.replace(":", "%3A")).status_code == 500
    assert raw.release({"ids": [first.id, second.id]}).status_code == 500


@pytest.mark.parametrize(
    "order",
    [{"action": "explode"}, {"action": "cut", "colour": "red"}, {"action": "status"}, {"action": "hang", "when": 1}],
)
def test_wrong_orders_are_refused(emulator: Emulator, order: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        emulator.faults.add(**order)


def test_connections_are_told_apart(raw: Api, emulator: Emulator) -> None:
    statuses(raw, 3)
    Api(emulator).get("")
    numbers = [request.connection for request in emulator.requests]
    assert numbers[0] == numbers[1] == numbers[2] != numbers[3]
