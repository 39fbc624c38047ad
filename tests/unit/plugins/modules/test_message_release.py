# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""message_release from the arguments to the printed result, against scripted HTTP."""

from __future__ import annotations

import json
import os
import pwd
import stat
import typing as t
from pathlib import Path

import pytest
import requests
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    RAY,
    TOKEN,
    entry,
    envelope,
    investigate_id,
    message_id,
    page,
    path,
    postfix_id,
    recipient,
    refusal,
    released_row,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.quarantine import Quarantine

STATUSES = (
    "released", "partial", "undelivered", "failed", "already_released", "not_quarantined",
    "not_found", "ambiguous", "blocked", "unknown", "not_attempted", "would_release",
)  # fmt: skip
ONE = [investigate_id(1)]
UNKNOWN = refusal(1002, "message not found")
LOST = requests.exceptions.ReadTimeout("read timed out")


def release(run: Runner, *numbers: int, **options: t.Any) -> t.Any:
    """Run the module for these messages, one request at a time so that their order is sure."""
    options.setdefault("messages", [investigate_id(number) for number in numbers])
    return run("message_release", **{"concurrency": 1, **options})


# --- plain runs --------------------------------------------------------------------------------------------------------


def test_a_quarantined_message_is_read_once_and_released_once(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)), query={})
    script.release(ONE, envelope([entry(1)]))
    done = release(run, 1)
    assert not done.failed
    assert done.result["changed"] is True
    assert done.result["api_calls"] == 2
    assert done.result["msg"] == "1 message: 1 released, 1 recipient reached."
    assert done.result["messages"] == [
        {
            "handle": investigate_id(1),
            "id": investigate_id(1),
            "postfix_id": postfix_id(1),
            "status": "released",
            "delivered": [recipient(1)],
            "undelivered": [],
            "failed": [],
            "detail": "Delivered to every recipient.",
            "rule": None,
            "delivery": None,
            "changed": True,
        }
    ]
    assert done.result["summary"] == {
        **dict.fromkeys(STATUSES, 0),
        "released": 1,
        "total": 1,
        "recipients_delivered": 1,
    }


def test_the_call_says_who_it_is_and_what_it_carries(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, envelope([entry(1)]))
    release(run, 1)
    for sent in script.sent:
        assert sent.headers["User-Agent"].startswith("emailsec.cloudflare/0.")
        assert sent.headers["Accept"] == "application/json"
        assert sent.options["verify"] is True
        assert sent.options["timeout"] == (10.0, 60.0)
    assert script.posts[0].headers["Content-Type"] == "application/json"
    assert "Content-Type" not in script.gets[0].headers


def test_the_call_this_project_began_with_works(run: Runner, script: Script) -> None:
    """A bare array of postfix ids with email and key, answered as in the SDK 4.x: no ids, null lists."""
    script.headers = {"X-Auth-Email": "operator@corp.example", "X-Auth-Key": "cfk_odd!Key#16chars"}
    script.get("investigate", page([row(1)]))
    script.release(
        [postfix_id(1)],
        envelope([{"postfix_id": postfix_id(1), "delivered": ["a@x.example"], "failed": None, "undelivered": None}]),
    )
    done = release(
        run,
        api_token=None,
        api_email="operator@corp.example",
        api_key="cfk_odd!Key#16chars",
        postfix_ids=[postfix_id(1)],
        messages=None,
    )
    assert done.statuses == ["released"]


def test_todays_call_works_without_the_user_knowing(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, refusal(1001, "request body must be a JSON object"), 400)
    script.release({"ids": ONE}, envelope([entry(1)]))
    done = release(run, 1)
    assert done.statuses == ["released"]
    assert done.result["api_calls"] == 3


@pytest.mark.parametrize(("form", "body"), [("array", ONE), ("object", {"ids": ONE})])
def test_a_form_that_was_asked_for_is_sent(run: Runner, script: Script, form: str, body: object) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(body, envelope([entry(1)]))
    assert release(run, 1, request_format=form).statuses == ["released"]


def test_the_result_of_one_message_may_be_an_object(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, envelope(entry(1)))
    assert release(run, 1).statuses == ["released"]


BEFORE = {
    "already_released": envelope(released_row(1)),
    "not_quarantined": envelope(row(1, quarantined=False)),
    "not_attempted": envelope(row(1, quarantined=None, delivery_status=None)),
}


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("status", BEFORE)
def test_what_is_not_in_quarantine_is_not_sent(run: Runner, script: Script, status: str, check: bool) -> None:
    script.get(path(1), BEFORE[status])
    done = release(run, 1, check=check)
    assert done.statuses == [status]
    assert done.result["changed"] is False
    assert done.failed is (status == "not_attempted")


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_an_unknown_id_is_not_found(run: Runner, script: Script, status: int) -> None:
    script.get(path(1), UNKNOWN, status)
    done = release(run, 1)
    assert done.statuses == ["not_found"]
    assert done.failed


def test_a_wrong_address_is_not_mistaken_for_an_unknown_id(run: Runner, script: Script) -> None:
    no_route = {
        "success": False,
        "errors": [{"code": 7003, "message": "Could not route"}, {"code": 7000, "message": "No route"}],
        "result": None,
    }
    script.get(path(1), no_route, 404)
    script.get("investigate", no_route, 404)
    done = release(run, 1)
    assert done.statuses == ["not_attempted"]
    assert "api_url" in done.result["msg"]


def test_a_message_id_that_fits_several_is_ambiguous_and_none_is_touched(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1), row(2, message_id=message_id(1))]))
    done = release(run, messages=[message_id(1)])
    assert done.statuses == ["ambiguous"]
    assert investigate_id(1) in done.result["messages"][0]["detail"]
    assert investigate_id(2) in done.result["messages"][0]["detail"]


def test_a_server_that_ignores_the_filter_does_not_get_other_mail_released(run: Runner, script: Script) -> None:
    everything = page([row(2), row(3), row(4)])
    script.get("investigate", everything)
    script.get("investigate", everything)
    assert release(run, messages=[message_id(1)]).statuses == ["not_found"]


@pytest.mark.parametrize(
    ("lists", "status", "changed", "fails"),
    [
        ({"delivered": ["a@x.example", "b@x.example"]}, "released", True, False),
        ({"delivered": ["a@x.example"], "failed": ["b@x.example"]}, "partial", True, True),
        ({"failed": ["b@x.example"]}, "failed", False, True),
        ({"undelivered": ["b@x.example"]}, "undelivered", False, True),
    ],
)
def test_each_recipient_is_told_apart(
    run: Runner, script: Script, lists: dict[str, t.Any], status: str, changed: bool, fails: bool
) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, envelope([entry(1, **lists)]))
    done = release(run, 1)
    assert done.statuses == [status]
    assert done.result["changed"] is changed
    assert done.failed is fails
    assert {name: done.result["messages"][0][name] for name in lists} == lists
    assert done.result["summary"]["recipients_delivered"] == len(lists.get("delivered", []))


def test_a_refused_id_that_is_still_in_quarantine_has_failed_in_the_apis_words(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.release({"ids": ONE}, refusal(1234, "this one is stuck"), 409)
    script.get(path(1), envelope(row(1)))
    script.release({"ids": [postfix_id(1)]}, refusal(1234, "this one is stuck"), 409)
    script.get(path(1), envelope(row(1)))
    done = release(run, 1, request_format="object")
    assert done.statuses == ["failed"]
    assert "this one is stuck" in done.result["messages"][0]["detail"]


def test_a_failed_release_on_record_does_not_keep_a_message_in_quarantine(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1, operations=("QUARANTINE_RELEASE",))))
    script.release(ONE, envelope([entry(1)]))
    assert release(run, 1).statuses == ["released"]


def test_one_message_that_cannot_be_read_does_not_stop_the_others(run: Runner, script: Script) -> None:
    script.get(path(1), "<html>", 502)
    script.get(path(2), envelope(row(2)))
    script.release([investigate_id(2)], envelope([entry(2)]))
    done = release(run, 1, 2, retries=0)
    assert done.statuses == ["not_attempted", "released"]
    assert done.result["messages"][0]["id"] == investigate_id(1)
    assert done.failed


# --- handles -----------------------------------------------------------------------------------------------------------


def test_a_postfix_id_that_fits_several_is_ambiguous(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1), row(2, postfix_id=postfix_id(1))]))
    assert release(run, messages=[postfix_id(1)]).statuses == ["ambiguous"]


def test_no_messages_are_nothing_to_do(run: Runner, script: Script) -> None:
    done = release(run, messages=[])
    assert not done.failed
    assert done.result["changed"] is False
    assert done.result["messages"] == []
    assert done.result["summary"] == {**dict.fromkeys(STATUSES, 0), "total": 0, "recipients_delivered": 0}
    assert done.result["api_calls"] == 0


def test_the_same_handle_twice_is_one_row_and_two_handles_of_one_message_are_two(run: Runner, script: Script) -> None:
    script.get("investigate", page([row(1)]))
    script.get(path(1), envelope(row(1)))
    script.release(ONE, envelope([entry(1, delivered=["a@x.example"])]))
    done = release(run, messages=[message_id(1), investigate_id(1), message_id(1)])
    assert [line["handle"] for line in done.result["messages"]] == [message_id(1), investigate_id(1)]
    assert done.statuses == ["released", "released"]
    assert done.result["summary"]["recipients_delivered"] == 1
    assert done.result["summary"]["total"] == 2


def test_rows_come_in_the_order_of_the_input(run: Runner, script: Script) -> None:
    quarantine = Quarantine(20)
    script.server = quarantine
    wanted = [investigate_id(number) for number in (7, 3, 19, 1, 20, 5, 2, 11)]
    done = release(run, messages=wanted, batch_size=2, concurrency=4)
    assert [line["handle"] for line in done.result["messages"]] == wanted
    assert set(done.statuses) == {"released"}


@pytest.mark.parametrize("name", ["messages", "ids", "postfix_ids"])
def test_the_list_has_three_names(run: Runner, script: Script, name: str) -> None:
    script.get(path(1), envelope(released_row(1)))
    assert release(run, **{"messages": None, name: ONE}).statuses == ["already_released"]


# --- few calls ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 4, 16])
def test_a_thousand_messages_take_twenty_release_calls_and_few_reads(
    run: Runner, script: Script, concurrency: int
) -> None:
    quarantine = Quarantine(1000)
    script.server = quarantine
    done = release(run, *range(1, 1001), batch_size=50, concurrency=concurrency)
    assert set(done.statuses) == {"released"}
    assert len(script.posts) == 20
    assert len(script.gets) <= 10
    assert done.result["api_calls"] == len(script.sent)
    assert quarantine.released == list(range(1, 1001))


@pytest.mark.parametrize("kind", [investigate_id, postfix_id])
def test_a_second_run_over_a_thousand_sends_nothing_and_reads_little(
    run: Runner, script: Script, kind: t.Callable[[int], str]
) -> None:
    quarantine = Quarantine(1000)
    quarantine.deliver(range(1, 1001))
    script.server = quarantine
    done = release(run, messages=[kind(number) for number in range(1, 1001)])
    assert set(done.statuses) == {"already_released"}
    assert not script.posts
    assert len(script.gets) <= 10


def test_a_second_run_reads_little_where_rows_do_not_tell_what_was_done(run: Runner, script: Script) -> None:
    quarantine = Quarantine(1000)
    quarantine.deliver(quarantine.rows)

    def server(sent: Sent) -> Reply:
        reply = quarantine(sent)
        for found in t.cast("dict[str, t.Any]", reply.content)["result"]:
            del found["post_delivery_operations"]
        return reply

    script.server = server
    done = release(run, *range(1, 1001))
    assert set(done.statuses) == {"already_released"}
    assert len(script.sent) <= 10


def test_a_thousand_in_doubt_are_read_back_in_few_calls(run: Runner, script: Script) -> None:
    quarantine = Quarantine(1000)
    lost = {"once": True}

    def server(sent: Sent) -> Reply:
        reply = quarantine(sent)
        if sent.method == "POST" and lost.pop("once", False):
            return Reply("<html>", 504, {"Content-Type": "text/html"})
        return reply

    script.server = server
    done = release(run, *range(1, 1001), batch_size=1000)
    assert set(done.statuses) == {"released"}
    assert len(script.posts) == 1
    assert len(script.gets) <= 10


def test_unread_ids_cost_no_reads(run: Runner, script: Script) -> None:
    script.release([investigate_id(1), investigate_id(2)], envelope([entry(2), entry(1)]))
    done = release(run, 1, 2, check_state=False)
    assert done.statuses == ["released", "released"]
    assert done.result["api_calls"] == 1


def test_an_unread_id_is_recognised_in_the_answer_of_an_old_server(run: Runner, script: Script) -> None:
    script.release(ONE, envelope([{"postfix_id": postfix_id(1), "delivered": [recipient(1)]}]))
    assert release(run, 1, check_state=False).statuses == ["released"]


def test_what_this_run_saw_in_quarantine_was_not_released_before_it(run: Runner, script: Script) -> None:
    """Sent unread, passed over, seen in quarantine, sent again, passed over, and then gone."""

    def server(sent: Sent) -> Reply:
        if sent.method == "POST":
            return Reply(envelope([]))
        return Reply(envelope(row(1) if len(script.posts) == 1 else released_row(1)))

    script.server = server
    done = release(run, 1, check_state=False)
    assert done.statuses == ["released"]
    assert len(script.posts) == 2


def test_handles_of_several_kinds_name_each_message_once_even_unchecked(run: Runner, script: Script) -> None:
    quarantine = Quarantine(3)
    script.server = quarantine
    names = [investigate_id(1), postfix_id(1), postfix_id(2), investigate_id(3)]
    assert release(run, messages=names, check_state=False, batch_size=1).statuses == ["released"] * 4
    assert quarantine.deliveries == {1: 1, 2: 1, 3: 1}


# --- doubt -------------------------------------------------------------------------------------------------------------

DOUBTFUL: dict[str, t.Any] = {
    "html 504": ("<html>504 Gateway Time-out</html>", 504),
    "html 520": ("<html>", 520),
    "json 500": (refusal(1, "internal"), 500),
    "html 200": ("<html>login</html>", 200),
    "empty 200": (b"", 200),
    "204": (b"", 204),
    "202": (envelope([]), 202),
    "cut json": (b'{"success": true, "result": [{"id": "4PfX', 200),
    "result null": (envelope(None), 200),
    "result text": (envelope("done"), 200),
    "empty list": (envelope([]), 200),
    "empty lists": (envelope([entry(1, delivered=[], failed=[], undelivered=[])]), 200),
    "null lists": (envelope([entry(1, delivered=None, failed=None, undelivered=None)]), 200),
    "another id": (envelope([entry(2)]), 200),
    "read timeout": (LOST, 0),
    "reset": (requests.exceptions.ConnectionError("Connection aborted."), 0),
    "chunked encoding": (requests.exceptions.ChunkedEncodingError("incomplete"), 0),
}


@pytest.mark.parametrize("content", DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_after_a_doubtful_answer_the_state_is_read_and_nothing_is_sent_twice(
    run: Runner, script: Script, clock: FakeClock, content: tuple[t.Any, int]
) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, *content)
    script.get(path(1), envelope(released_row(1)))
    done = release(run, 1)
    assert done.statuses == ["released"]
    assert done.result["messages"][0]["delivered"] == [recipient(1)]
    assert done.result["changed"] is True
    assert clock.slept >= 3


@pytest.mark.parametrize("content", DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_what_is_still_there_after_a_doubtful_answer_is_undelivered_without_retries(
    run: Runner, script: Script, content: tuple[t.Any, int]
) -> None:
    def server(sent: Sent) -> Reply:
        return Reply(*content) if sent.method == "POST" else Reply(envelope(row(1)))

    script.server = server
    done = release(run, 1, retries=0)
    assert done.statuses == ["undelivered"]
    assert done.result["changed"] is False
    assert len(script.posts) == 1


def test_an_unread_postfix_id_is_read_back_by_it(run: Runner, script: Script) -> None:
    script.release([postfix_id(1)], LOST)
    script.get("investigate", page([released_row(1)]))
    done = release(run, messages=[postfix_id(1)], check_state=False)
    assert done.statuses == ["released"]
    assert done.result["messages"][0]["id"] == investigate_id(1)


def test_the_second_sending_comes_three_seconds_after_the_first(run: Runner, script: Script, clock: FakeClock) -> None:
    when: list[float] = []

    def server(sent: Sent) -> Reply:
        if sent.method == "GET":
            return Reply(envelope(row(1)))
        when.append(clock.monotonic())
        return Reply(envelope([entry(1)] if len(when) == 2 else []))

    script.server = server
    assert release(run, 1).statuses == ["released"]
    assert when[1] - when[0] >= 3


def test_what_cannot_be_read_back_is_unknown(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, "<html>", 502)
    script.get(path(1), "<html>", 502)
    done = release(run, 1, retries=0)
    assert done.statuses == ["unknown"]
    assert done.failed
    assert len(script.posts) == 1


def test_a_success_that_says_it_is_none_is_read_back(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, refusal(1, "odd"), 200)
    script.get(path(1), envelope(released_row(1)))
    assert release(run, 1).statuses == ["released"]


def test_a_partial_release_is_seen_by_reading_back(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, LOST)
    script.get(
        path(1), envelope(row(1, delivery_status=["quarantined", "delivered"], operations=("QUARANTINE_RELEASE",)))
    )
    assert release(run, 1).statuses == ["partial"]


# --- rate limit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": 30}, 30),
        ({"retry_after": "Sun, 22 Nov 2026 12:00:45 GMT"}, 45),
        ({"ratelimit": '"default";r=0;t=20'}, 20),
    ],
)
def test_a_rate_limit_is_waited_for_and_the_call_sent_again(
    run: Runner, script: Script, clock: FakeClock, headers: dict[str, t.Any], seconds: float
) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, refusal(971, "throttling"), 429, **headers)
    script.release(ONE, envelope([entry(1)]))
    done = release(run, 1)
    assert done.statuses == ["released"]
    assert clock.slept == seconds
    assert done.result["api_calls"] == 3


def test_a_rate_limit_page_in_html_is_one_too(run: Runner, script: Script, clock: FakeClock) -> None:
    script.get(path(1), "<html>1015</html>", 429, retry_after=7)
    script.get(path(1), envelope(released_row(1)))
    assert release(run, 1).statuses == ["already_released"]
    assert clock.slept == 7


def test_what_max_wait_does_not_allow_is_not_attempted(run: Runner, script: Script, clock: FakeClock) -> None:
    script.get(path(1), envelope(row(1)))
    script.get(path(2), envelope(row(2)))
    script.release([investigate_id(1)], envelope([entry(1)]))
    script.release([investigate_id(2)], refusal(971, "throttling"), 429, retry_after=300)
    done = release(run, 1, 2, batch_size=1, max_wait=60)
    assert done.statuses == ["released", "not_attempted"]
    assert done.failed
    assert done.result["changed"] is True
    assert "max_wait" in done.result["msg"]
    assert done.result["status"] == 429
    assert not clock.naps


def test_the_ratelimit_header_slows_down_before_the_wall(run: Runner, script: Script, clock: FakeClock) -> None:
    script.get(path(1), envelope(row(1)), ratelimit='"default";r=0;t=12')
    script.release(ONE, envelope([entry(1)]))
    assert release(run, 1).statuses == ["released"]
    assert clock.slept == 12


def test_many_refusals_at_once_make_no_second_delivery(run: Runner, script: Script) -> None:
    quarantine = Quarantine(40)

    def server(sent: Sent) -> Reply:
        if sent.method == "POST" and 3 <= len(script.posts) <= 8:
            return Reply(refusal(971, "throttling"), 429, {"Retry-After": "30"})
        return quarantine(sent)

    script.server = server
    done = release(run, *range(1, 41), batch_size=2, concurrency=8)
    assert set(done.statuses) == {"released"}
    assert quarantine.released == list(range(1, 41))
    assert done.result["api_calls"] == len(script.sent)


def test_check_mode_that_may_not_wait_predicts_no_change(run: Runner, script: Script) -> None:
    script.get(path(1), "", 429, retry_after=9999)
    done = release(run, 1, check=True)
    assert done.statuses == ["not_attempted"]
    assert done.result["changed"] is False
    assert done.failed


# --- credentials -------------------------------------------------------------------------------------------------------

REFUSED = [
    (401, refusal(1000, "Invalid API Token")),
    (403, refusal(10000, "Authentication error")),
    (403, refusal(9109, "Unauthorized to access requested resource")),
    (400, refusal(6003, "Invalid request headers", error_chain=[{"code": 6111, "message": "Invalid format"}])),
    (400, refusal(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")),
]


@pytest.mark.parametrize(("status", "content"), REFUSED)
def test_a_refused_credential_stops_the_run_and_names_the_permission(
    run: Runner, script: Script, status: int, content: t.Any
) -> None:
    script.get(path(1), envelope(row(1)))
    script.get(path(2), envelope(row(2)))
    script.release([investigate_id(1)], content, status)
    done = release(run, 1, 2, batch_size=1)
    assert done.failed
    assert done.statuses == ["not_attempted", "not_attempted"]
    assert "Cloud Email Security: Write" in done.result["msg"]
    assert "api_token" in done.result["msg"]
    assert content["errors"][0]["message"] in done.result["msg"]
    assert done.result["status"] == status
    assert done.result["errors"] == content["errors"]
    assert done.result["cf_ray"] == RAY
    assert done.result["api_calls"] == 3


@pytest.mark.parametrize(("status", "content"), REFUSED)
def test_a_credential_refused_for_reading_stops_before_anything_is_sent(
    run: Runner, script: Script, status: int, content: t.Any
) -> None:
    script.get(path(1), content, status)
    done = release(run, 1)
    assert done.statuses == ["not_attempted"]
    assert "Cloud Email Security: Read" in done.result["msg"]


def test_an_html_403_is_told_to_be_somebody_elses(run: Runner, script: Script) -> None:
    script.get(path(1), "<html>blocked by the proxy's password filter</html>", 403, content_type="text/html")
    done = release(run, 1)
    assert "HTTP 403 (text/html, cf-ray" in done.result["msg"]
    assert "password filter" not in done.printed


# --- how a run fails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fail_on", "fails"),
    [(None, True), ([], False), (["released"], False), (["failed"], True), (["not_found", "unknown"], False)],
)
def test_fail_on_decides_whether_a_status_fails_the_task(
    run: Runner, script: Script, fail_on: list[str] | None, fails: bool
) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, envelope([entry(1, failed=["b@x.example"])]))
    done = release(run, 1, fail_on=fail_on)
    assert done.failed is fails
    assert done.statuses == ["failed"]


@pytest.mark.parametrize("status", ["released", "already_released"])
def test_even_a_good_status_can_be_made_a_failure(run: Runner, script: Script, status: str) -> None:
    script.get(path(1), envelope(row(1) if status == "released" else released_row(1)))
    if status == "released":
        script.release(ONE, envelope([entry(1)]))
    done = release(run, 1, fail_on=[status])
    assert done.failed
    assert done.result["changed"] is (status == "released")


def test_an_error_that_ended_the_run_fails_the_task_whatever_fail_on_says(run: Runner, script: Script) -> None:
    script.get(path(1), refusal(10000, "Authentication error"), 403)
    assert release(run, 1, fail_on=[]).failed


def test_the_breaker_stops_sending(run: Runner, script: Script) -> None:
    for number in (1, 2, 3):
        script.get(path(number), envelope(row(number)))
    script.release([investigate_id(1)], envelope([entry(1, failed=["a@x.example"])]))
    done = release(run, 1, 2, 3, batch_size=1, stop_after_failures=1)
    assert done.statuses == ["failed", "not_attempted", "not_attempted"]
    assert "stop_after_failures" in done.result["messages"][1]["detail"]


def test_a_signal_ends_the_run_and_the_result_tells_what_was_done(
    run: Runner, script: Script, clock: FakeClock
) -> None:
    quarantine = Quarantine(3)
    quarantine.meanwhile = clock.stop
    script.server = quarantine
    done = release(run, 1, 2, 3, batch_size=1)
    assert done.statuses == ["released", "not_attempted", "not_attempted"]
    assert done.failed
    assert len(script.posts) == 1


# --- check mode and diff mode ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_state", [True, False])
def test_check_mode_only_reads_and_predicts(run: Runner, script: Script, tmp_path: Path, check_state: bool) -> None:
    states = {1: row(1), 2: released_row(2), 3: row(3, quarantined=False)}
    for number, state in states.items():
        script.get(path(number), envelope(state))
    script.get(path(4), UNKNOWN, 404)
    done = release(run, 1, 2, 3, 4, check=True, check_state=check_state, journal=str(tmp_path / "journal"))
    assert done.statuses == ["would_release", "already_released", "not_quarantined", "not_found"]
    assert done.result["changed"] is True
    assert not script.posts
    assert not list(tmp_path.iterdir())


def test_check_mode_does_not_fail_for_what_would_be_released(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    assert not release(run, 1, check=True).failed


def test_the_diff_shows_what_changed(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.get(path(2), envelope(released_row(2)))
    script.release(ONE, envelope([entry(1)]))
    done = release(run, 1, 2, diff=True)
    assert done.result["diff"] == {
        "before": {investigate_id(1): "quarantined"},
        "after": {investigate_id(1): "released"},
    }


def test_check_mode_shows_the_same_diff(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    done = release(run, 1, check=True, diff=True)
    assert done.result["diff"] == {
        "before": {investigate_id(1): "quarantined"},
        "after": {investigate_id(1): "released"},
    }


def test_without_a_change_the_diff_is_empty(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(released_row(1)))
    assert release(run, 1, diff=True).result["diff"] == {"before": {}, "after": {}}


def test_without_diff_mode_there_is_no_diff(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(released_row(1)))
    assert "diff" not in release(run, 1).result


# --- journal, reason, ticket -------------------------------------------------------------------------------------------


def test_the_journal_tells_intent_and_outcome_with_reason_and_ticket(
    run: Runner, script: Script, tmp_path: Path
) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, envelope([entry(1)]))
    journal = tmp_path / "journal.jsonl"
    done = release(run, 1, journal=str(journal), reason="false positive", ticket="INC-4711")
    intent, outcome = (json.loads(line) for line in journal.read_text().splitlines())
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert (intent["event"], intent["ids"], intent["request_format"]) == ("intent", ONE, "array")
    assert outcome["event"] == "outcome"
    ids = {"id": investigate_id(1), "postfix_id": postfix_id(1)}
    assert outcome["messages"] == [
        {**ids, "status": "released", "delivered": [recipient(1)], "undelivered": [], "failed": []}
    ]
    for event in (intent, outcome):
        assert (event["reason"], event["ticket"]) == ("false positive", "INC-4711")
        assert event["run"] == intent["run"]
        assert (event["started_by"], event["requested_by"], event["approved_by"]) == (
            pwd.getpwuid(os.getuid()).pw_name,
            None,
            None,
        )
        assert event["plan_digest"] is None
    assert (done.result["reason"], done.result["ticket"]) == ("false positive", "INC-4711")


def test_a_lost_answer_is_in_the_journal_as_such(run: Runner, script: Script, tmp_path: Path) -> None:
    script.get(path(1), envelope(row(1)))
    script.release(ONE, LOST)
    script.get(path(1), envelope(released_row(1)))
    journal = tmp_path / "journal.jsonl"
    release(run, 1, journal=str(journal))
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [event["event"] for event in events] == ["intent", "outcome", "settled"]
    assert events[1]["messages"][0]["status"] is None
    assert events[2]["messages"][0]["status"] == "released"


def test_no_secret_gets_into_the_journal(run: Runner, script: Script, tmp_path: Path) -> None:
    def server(sent: Sent) -> Reply:
        return Reply(envelope(row(1))) if sent.method == "GET" else Reply(refusal(1, f"not with {TOKEN}"), 409)

    script.server = server
    journal = tmp_path / "journal.jsonl"
    done = release(run, 1, journal=str(journal))
    assert done.statuses == ["failed"]
    assert "not with" in journal.read_text()
    assert TOKEN not in journal.read_text()
    assert TOKEN not in done.printed


@pytest.mark.parametrize("check", [False, True])
def test_a_journal_that_cannot_be_written_stops_before_any_request(
    run: Runner, script: Script, tmp_path: Path, check: bool
) -> None:
    done = release(run, 1, journal=str(tmp_path / "no" / "journal"), check=check)
    assert done.failed
    assert "journal" in done.result["msg"]


# --- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"messages": None}, "messages"),
        ({"messages": [""]}, "is empty"),
        ({"messages": [12345]}, "is not a string"),
        ({"messages": [None]}, "is not a string but null"),
        ({"messages": [["x"]]}, "is not a string"),
        ({"messages": [{"handle": "x"}]}, "messages[0] is a dictionary without an id"),
        ({"messages": f"{investigate_id(1)},"}, "messages ends in a separator (,)"),
        ({"messages": f"{investigate_id(1)};"}, "messages ends in a separator (;)"),
        ({"messages": f"{investigate_id(1)}\tAlice"}, "which may be more than handles"),
        ({"messages": ["\u200b"]}, "is empty"),
        ({"messages": [f"{investigate_id(1)}\u200b{investigate_id(2)}"]}, "U+200B ZERO WIDTH SPACE"),
        ({"messages": ["a/b"]}, "slash"),
        ({"messages": ["../x"]}, "slash"),
        ({"messages": ["a\nb"]}, "line break"),
        ({"messages": ["a\x1bb"]}, "control character"),
        ({"batch_size": 0}, "batch_size must be from 1 to 1000"),
        ({"batch_size": 1001}, "batch_size must be from 1 to 1000"),
        ({"batch_size": "many"}, "batch_size"),
        ({"concurrency": 0}, "concurrency must be from 1 to 16"),
        ({"concurrency": 17}, "concurrency must be from 1 to 16"),
        ({"settle_time": 2.9}, "settle_time must be from 3 to 3600"),
        ({"stop_after_failures": -1}, "stop_after_failures must be at least 0"),
        ({"request_format": "body"}, "request_format"),
        ({"fail_on": ["nonsense"]}, "fail_on"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_no_request(
    run: Runner, script: Script, options: dict[str, t.Any], words: str
) -> None:
    done = release(run, **{"messages": ONE, **options})
    assert done.failed
    assert words in done.result["msg"]
    assert "\n" not in done.result["msg"]
    assert "Traceback" not in done.printed
    assert done.result.get("changed", False) is False


def test_good_and_bad_handles_together_send_nothing(run: Runner, script: Script) -> None:
    assert release(run, messages=[investigate_id(1), "a/b"]).failed


def test_answers_that_are_all_lost_cost_few_calls_and_rounds(run: Runner, script: Script, clock: FakeClock) -> None:
    quarantine = Quarantine(1000)

    def server(sent: Sent) -> Reply:
        reply = quarantine(sent)
        return Reply("<html>", 504) if sent.method == "POST" else reply

    script.server = server
    done = release(run, *range(1, 1001), batch_size=50)
    assert set(done.statuses) == {"released"}
    assert len(script.posts) == 20
    assert len(script.gets) <= 10


def test_a_state_that_lags_six_seconds_makes_no_second_delivery(run: Runner, script: Script, clock: FakeClock) -> None:
    sent_at: list[float] = []

    def server(sent: Sent) -> Reply:
        if sent.method == "POST":
            sent_at.append(clock.monotonic())
            return Reply(envelope([entry(1, delivered=[])]))
        shown = sent_at and clock.monotonic() >= sent_at[0] + 6
        return Reply(envelope(released_row(1) if shown else row(1)))

    script.server = server
    release(run, 1)
    assert len(script.posts) == 1
