# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""submission_info from the arguments to the printed result, against scripted HTTP."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, TOKEN, envelope, refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script

QUERY = {"order": "requested_at", "direction": "desc", "per_page": "1000", "page": "1"}


def submission(number: int, **fields: t.Any) -> dict[str, t.Any]:
    """Return a submission as the API gives it."""
    return {
        "submission_id": f"sub-{number}",
        "type": "Team",
        "customer_status": "unreviewed",
        "requested_disposition": "NONE",
        "requested_at": f"2026-11-20T09:00:{number:02}Z",
        **fields,
    }


def page(rows: t.Iterable[t.Any], **info: t.Any) -> dict[str, t.Any]:
    """Return the envelope of one page."""
    return envelope(list(rows), result_info=info)


def ids(done: t.Any) -> list[str]:
    """Return the ids of the submissions of a result."""
    return [entry["submission_id"] for entry in done.result["entries"]]


def test_submissions_are_a_list(run: Runner, script: Script) -> None:
    rows = [
        submission(2, customer_status="reviewed", outcome_disposition="NONE"),
        submission(1),
        {"requested_ts": "old"},
    ]
    script.get("submissions", page(rows), query=QUERY)
    done = run("submission_info")
    assert not done.failed
    assert ids(done) == ["sub-2", "sub-1", None]
    assert done.result["entries"][0]["outcome_disposition"] == "NONE"
    assert done.result["entries"][2]["requested_at"] == "old"
    assert done.result["entries"][2]["customer_status"] is None
    assert {
        name: done.result[name] for name in ("changed", "msg", "summary", "truncated", "account_id", "api_calls")
    } == {
        "changed": False,
        "msg": "3 submissions: 1 reviewed, 1 unreviewed, 1 other.",
        "summary": {"escalated": 0, "reviewed": 1, "unreviewed": 1, "other": 1, "total": 3},
        "truncated": False,
        "account_id": ACCOUNT,
        "api_calls": 1,
    }


def test_none_is_an_empty_list(run: Runner, script: Script) -> None:
    script.get("submissions", page([]))
    done = run("submission_info", check=True)
    assert (done.failed, done.result["entries"], done.result["msg"]) == (False, [], "0 submissions.")


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"type": "USER", "status": "escalated"}, {"type": "USER", "status": "escalated"}),
        (
            {"original_disposition": "SPAM", "requested_disposition": "NONE", "outcome_disposition": "BULK"},
            {"original_disposition": "SPAM", "requested_disposition": "NONE", "outcome_disposition": "BULK"},
        ),
        ({"query": "a&b=c \u00fc", "submission_id": "s/1"}, {"query": "a&b=c \u00fc", "submission_id": "s/1"}),
        ({"escalated_from_user": False}, {"escalated_from_user": "false"}),
        ({"since": "24h"}, {"start": "2026-11-21T12:00:00Z"}),
        (
            {"start": "2026-11-01", "end": "2026-11-08"},
            {"start": "2026-11-01T00:00:00Z", "end": "2026-11-08T00:00:00Z"},
        ),
        ({"limit": 5}, {"per_page": "5"}),
    ],
)
def test_options_become_the_query(
    run: Runner, script: Script, options: dict[str, t.Any], query: dict[str, str]
) -> None:
    script.get("submissions", page([]), query={**QUERY, **query})
    assert not run("submission_info", **options).failed


def test_all_pages_are_read_and_what_moves_between_them_counts_once(run: Runner, script: Script) -> None:
    info = {"per_page": 2, "total_count": 5}
    for number, rows in enumerate(([5, 4], [4, 3], [2, 1]), 1):
        script.get("submissions", page(map(submission, rows), **info), query={**QUERY, "page": str(number)})
    done = run("submission_info")
    assert ids(done) == ["sub-5", "sub-4", "sub-3", "sub-2", "sub-1"]
    assert done.result["truncated"] is False


@pytest.mark.parametrize(("limit", "total", "truncated"), [(2, 2, False), (2, 3, True), (1, 2, True)])
def test_a_limit_says_whether_there_are_more(
    run: Runner, script: Script, limit: int, total: int, truncated: bool
) -> None:
    script.get("submissions", page([submission(2), submission(1)], total_count=total))
    done = run("submission_info", limit=limit)
    assert ids(done) == ["sub-2", "sub-1"][:limit]
    assert done.result["truncated"] is truncated
    assert ("There are or may be more." in done.result["msg"]) is truncated


def test_a_server_that_repeats_its_pages_is_told(run: Runner, script: Script) -> None:
    for _ in range(2):
        script.get("submissions", page([submission(1)], per_page=1))
    done = run("submission_info")
    assert (ids(done), done.result["truncated"], done.failed) == (["sub-1"], True, False)


def test_what_was_read_before_a_failure_is_kept(run: Runner, script: Script) -> None:
    script.get("submissions", page([submission(1)], total_pages=2))
    script.get("submissions", refusal(10000, "Authentication error"), 403)
    done = run("submission_info")
    assert done.failed
    assert (ids(done), done.result["truncated"], done.result["status"]) == (["sub-1"], True, 403)
    assert done.result["msg"].endswith("1 submission: 1 unreviewed. There are or may be more.")
    assert "Cloud Email Security: Read" in done.result["msg"]
    assert TOKEN not in done.printed


def test_a_lost_answer_is_asked_for_again(run: Runner, script: Script) -> None:
    script.get("submissions", "", 502)
    script.get("submissions", page([submission(1)]))
    assert ids(run("submission_info")) == ["sub-1"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"type": "team"}, "value of type must be one of: TEAM, USER"),
        ({"outcome_disposition": "HAM"}, "value of outcome_disposition must be one of"),
        ({"since": "soon"}, "since must be a number with m, h, d or w"),
        ({"since": "1h", "start": "2026-11-01"}, "mutually exclusive"),
        ({"start": "2027-01-01"}, "start is in the future"),
        ({"end": "tomorrow"}, "end must be a date or time"),
        ({"query": "a\nb"}, "the search option for query contains"),
        ({"query": ""}, "query is empty."),
        ({"submission_id": ""}, "submission_id is empty."),
        ({"limit": 0}, "limit must be at least 1"),
    ],
)
def test_bad_input_is_one_sentence_before_any_request(
    run: Runner, script: Script, options: dict[str, t.Any], words: str
) -> None:
    done = run("submission_info", **options)
    assert done.failed
    assert words in done.result["msg"]
    assert script.sent == []
