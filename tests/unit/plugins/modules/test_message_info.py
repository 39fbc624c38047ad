# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""message_info from the arguments to the printed result, against scripted HTTP."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    RAY,
    URL,
    envelope,
    investigate_id,
    message_id,
    page,
    path,
    postfix_id,
    refusal,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent

BASE = f"{URL}/accounts/{ACCOUNT}/email-security"


def search(run: Runner, **options: t.Any) -> t.Any:
    """Run the module."""
    return run("message_info", **options)


def ids(done: t.Any) -> list[str]:
    """Return the ids of the messages found."""
    return [message["id"] for message in done.result["messages"]]


# --- search ------------------------------------------------------------------------------------------------------------


def test_a_search_returns_a_list_and_changes_nothing(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1), row(2)]), query={"per_page": "1000", "detections_only": "true"})
    done = search(run)
    assert not done.failed
    assert ids(done) == [investigate_id(1), investigate_id(2)]
    assert {
        name: done.result[name] for name in ("changed", "count", "truncated", "not_found", "unreadable", "api_calls")
    } == {
        "changed": False,
        "count": 2,
        "truncated": False,
        "not_found": [],
        "unreadable": [],
        "api_calls": 1,
    }


@pytest.mark.parametrize("result", [[], None])
def test_nothing_found_is_an_empty_list(run: Runner, script: Script, result: object) -> None:
    script.get("investigate", envelope(result, result_info={"count": 0, "next": None}))
    done = search(run)
    assert done.result["messages"] == []
    assert done.result["count"] == 0


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"sender": "s.example", "recipient": "r@c.example"}, {"sender": "s.example", "recipient": "r@c.example"}),
        ({"subject": "a&b=c", "query": "q ü"}, {"subject": "a&b=c", "query": "q ü"}),
        (
            {"domain": "d.example", "message_id": "<m@d>", "alert_id": "al"},
            {"domain": "d.example", "message_id": "<m@d>", "alert_id": "al"},
        ),
        (
            {"disposition": "SPAM", "delivery_status": "quarantined"},
            {"final_disposition": "SPAM", "delivery_status": "quarantined"},
        ),
        ({"detections_only": False}, {"detections_only": "false"}),
        ({"since": "24h"}, {"start": "2026-11-21T12:00:00Z"}),
        (
            {"start": "2026-11-01", "end": "2026-11-08T00:00:00+01:00"},
            {"start": "2026-11-01T00:00:00Z", "end": "2026-11-07T23:00:00Z"},
        ),
        ({"limit": 5}, {"per_page": "5"}),
        ({"limit": 5000}, {"per_page": "1000"}),
    ],
)
def test_options_become_the_query(
    run: Runner, script: Script, options: dict[str, t.Any], query: dict[str, str]
) -> None:
    script.get("investigate", page([]), query={"per_page": "1000", "detections_only": "true", **query})
    assert not search(run, **options).failed


def test_the_cursor_is_followed_to_the_end_with_the_same_filters(run: Runner, script: Script) -> None:
    same = {"per_page": "1000", "detections_only": "true", "sender": "s.example"}
    script.get("investigate", page([row(1), row(2)], "c/1=="), query=same)
    script.get("investigate", page([row(3)], "c2"), query={**same, "cursor": "c/1=="})
    script.get("investigate", page([row(4)], ""), query={**same, "cursor": "c2"})
    done = search(run, sender="s.example")
    assert ids(done) == [investigate_id(number) for number in (1, 2, 3, 4)]
    assert done.result["truncated"] is False
    assert done.result["api_calls"] == 3


def test_an_empty_page_in_the_middle_does_not_end_the_list(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1)], "c1"))
    script.get("investigate", page([], "c2"))
    script.get("investigate", page([row(2)]))
    assert ids(search(run)) == [investigate_id(1), investigate_id(2)]


def test_a_repeated_cursor_ends_the_list_and_is_told(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1)], "c1"))
    script.get("investigate", page([row(2)], "c1"))
    done = search(run)
    assert ids(done) == [investigate_id(1), investigate_id(2)]
    assert done.result["truncated"] is True


def test_a_numeric_cursor_is_followed(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1)], 2))
    script.get("investigate", page([row(2)]), query={"per_page": "1000", "detections_only": "true", "cursor": "2"})
    assert ids(search(run)) == [investigate_id(1), investigate_id(2)]


@pytest.mark.parametrize(
    "info", [{}, {"result_info": None}, {"result_info": "x"}, {"result_info": {"total_count": 0, "page": 0}}]
)
def test_an_answer_without_paging_is_the_only_page(run: Runner, script: Script, info: dict[str, t.Any]) -> None:
    script.get("investigate", envelope([row(1)], **info))
    done = search(run)
    assert ids(done) == [investigate_id(1)]
    assert done.result["truncated"] is False


@pytest.mark.parametrize(
    ("pages", "limit", "count", "truncated"),
    [
        ([([1, 2, 3], None)], 2, 2, True),
        ([([1, 2], None)], 2, 2, False),
        ([([1, 2], "c")], 2, 2, True),
        ([([1], "c"), ([2], None)], 2, 2, False),
        ([([1], "c"), ([2, 3], None)], 2, 2, True),
        ([([1, 2], None)], 9, 2, False),
    ],
)
def test_limit_cuts_and_says_so(
    run: Runner, script: Script, pages: list[t.Any], limit: int, count: int, truncated: bool
) -> None:
    for numbers, following in pages:
        script.get("investigate", page([row(number) for number in numbers], following))
    done = search(run, limit=limit)
    assert (done.result["count"], done.result["truncated"]) == (count, truncated)
    assert len(done.result["messages"]) == count


def test_a_message_on_two_pages_counts_once(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1), row(2)], "c"))
    script.get("investigate", page([row(2), row(3)]))
    assert ids(search(run)) == [investigate_id(1), investigate_id(2), investigate_id(3)]


def test_old_and_new_field_names_give_the_same_message(run: Runner, script: Script) -> None:
    old = row(1, ts="2026-11-20T10:00:00Z", action_log=[{"operation": "MOVE"}], findings=[{"x": 1}])
    del old["scanned_at"], old["post_delivery_operations"]
    script.get("investigate", page([old]))
    before = search(run).result["messages"]
    script.get("investigate", page([row(1, operations=("MOVE",))]))
    assert search(run).result["messages"] == before


# --- 202 and Location --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        "investigate/results/7?x=1",
        f"{BASE}/investigate/results/7?x=1",
        f"/client/v4/accounts/{ACCOUNT}/email-security/investigate/results/7?x=1",
    ],
)
@pytest.mark.parametrize("content", [envelope([]), envelope(None), b""])
def test_a_search_that_is_still_running_is_waited_for(
    run: Runner, script: Script, clock: FakeClock, location: str, content: object
) -> None:
    script.get("investigate", content, 202, location=location)
    script.get("investigate/results/7", envelope([]), 202, query={"x": "1"})
    script.get("investigate/results/7", page([row(1)]), query={"x": "1"})
    done = search(run, sender="s.example")
    assert ids(done) == [investigate_id(1)]
    assert len(clock.naps) == 2
    assert done.result["api_calls"] == 3


def test_a_wait_that_the_server_asks_for_is_kept(run: Runner, script: Script, clock: FakeClock) -> None:
    script.get("investigate", envelope([]), 202, retry_after=9)
    script.get("investigate", page([]))
    search(run)
    assert clock.slept == 9


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "http://api.cloudflare.com/x",
        "https://api.cloudflare.com:444/x",
        "https://api.cloudflare.com:x/",
        "https://api.cloudflare.com.evil.example/",
        "https://user@evil.example/",
        "https://[::1",
        "https://evil.example\\@api.cloudflare.com/",
        "https://evil.example\\.api.cloudflare.com/",
        "file:///etc/passwd",
    ],
)
def test_the_credential_does_not_go_to_another_server(run: Runner, script: Script, location: str) -> None:
    script.get("investigate", envelope([]), 202, location=location)
    done = search(run)
    assert done.failed
    assert "another server" in done.result["msg"]


def test_a_search_that_never_ends_is_given_up(run: Runner, script: Script, clock: FakeClock) -> None:
    script.server = lambda _sent: Reply(envelope([]), 202)
    done = search(run)
    assert done.failed
    assert "still running" in done.result["msg"]
    assert clock.slept < 300


# --- get by handle -----------------------------------------------------------------------------------------------------


def test_messages_are_got_by_every_kind_of_handle(run: Runner, script: Script) -> None:
    def server(sent: Sent) -> Reply:
        if sent.path == path(1):
            return Reply(envelope(row(1)))
        if sent.query.get("message_id"):
            return Reply(page([row(3)]))
        return Reply(page([row(2)] if sent.query.get("delivery_status") else []))

    script.server = server
    done = search(run, messages=[message_id(3), postfix_id(2), investigate_id(1)])
    assert ids(done) == [investigate_id(3), investigate_id(2), investigate_id(1)]
    assert done.result["not_found"] == []


def test_unknown_handles_are_named_and_do_not_fail(run: Runner, script: Script) -> None:
    script.get(path(1), refusal(1, "unknown"), 404)
    done = search(run, messages=[investigate_id(1)])
    assert not done.failed
    assert done.result["messages"] == []
    assert done.result["not_found"] == [investigate_id(1)]


def test_a_message_that_cannot_be_read_is_named_and_does_not_spoil_the_rest(run: Runner, script: Script) -> None:
    def server(sent: Sent) -> Reply:
        return Reply("<html>", 502) if sent.path == path(1) else Reply(envelope(row(2)))

    script.server = server
    done = search(run, messages=[investigate_id(1), investigate_id(2)])
    assert ids(done) == [investigate_id(2)]
    assert done.result["unreadable"] == [investigate_id(1)]
    assert done.result["not_found"] == []


def test_a_message_id_that_fits_several_gives_all(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1), row(2, message_id=message_id(1)), row(3)]))
    assert ids(search(run, messages=[message_id(1)])) == [investigate_id(1), investigate_id(2)]


def test_two_handles_of_one_message_give_it_once(run: Runner, script: Script) -> None:
    script.server = lambda sent: Reply(page([row(1)]) if sent.path == "investigate" else envelope(row(1)))
    assert ids(search(run, messages=[message_id(1), investigate_id(1)])) == [investigate_id(1)]


def test_no_handles_are_no_request(run: Runner, script: Script) -> None:
    done = search(run, messages=[])
    assert done.result["messages"] == []
    assert done.result["api_calls"] == 0


def test_limit_cuts_named_messages_too(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1), row(2, message_id=message_id(1))]))
    done = search(run, messages=[message_id(1)], limit=1)
    assert (done.result["count"], done.result["truncated"]) == (1, True)


# --- failing -----------------------------------------------------------------------------------------------------------


def test_a_refusal_is_told_with_the_permission_and_the_calls_made(run: Runner, script: Script) -> None:
    script.get("investigate", refusal(10000, "Authentication error"), 403)
    done = search(run)
    assert done.failed
    assert "Cloud Email Security: Read" in done.result["msg"]
    assert (done.result["status"], done.result["cf_ray"], done.result["api_calls"]) == (403, RAY, 1)
    assert done.result["errors"] == [{"code": 10000, "message": "Authentication error"}]


@pytest.mark.parametrize(
    "content", ["<html>secret page</html>", b"", b'{"success": true, "result": [', {"odd": "secret page"}]
)
@pytest.mark.parametrize("status", [200, 500, 504, 404, 403])
def test_what_is_not_json_is_described_and_never_dumped(
    run: Runner, script: Script, content: object, status: int
) -> None:
    script.get("investigate", content, status, content_type="text/html")
    done = search(run, retries=0)
    assert done.failed
    assert f"HTTP {status} (text/html, cf-ray {RAY})" in done.result["msg"]
    assert "secret page" not in done.printed


@pytest.mark.parametrize("result", ["x", 3, {"messages": []}, None])
def test_a_search_result_that_is_no_list_fails(run: Runner, script: Script, result: object) -> None:
    script.server = lambda _sent: Reply(envelope(result))
    done = search(run, retries=0)
    assert done.failed
    assert "no list" in done.result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"messages": ["a/b"]}, "slash"),
        ({"messages": [3]}, "is not a string"),
        ({"messages": ["x"], "sender": "s"}, "mutually exclusive"),
        ({"start": "2026-11-01", "since": "1d"}, "mutually exclusive"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"since": "soon"}, "since must be"),
        ({"start": "2027-01-01"}, "in the future"),
        ({"disposition": "NICE"}, "disposition"),
        ({"sender": "a\nb"}, "line break"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_no_request(
    run: Runner, script: Script, options: dict[str, t.Any], words: str
) -> None:
    done = search(run, **options)
    assert done.failed
    assert words in done.result["msg"]
    assert not script.sent


@pytest.mark.parametrize("check", [False, True])
def test_check_mode_makes_no_difference(run: Runner, script: Script, check: bool) -> None:
    script.get("investigate", page([row(1)]))
    done = search(run, check=check)
    assert ids(done) == [investigate_id(1)]
    assert done.result["changed"] is False
