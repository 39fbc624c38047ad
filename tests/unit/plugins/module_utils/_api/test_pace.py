# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeping below the rate limit."""

from __future__ import annotations

import concurrent.futures
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.pace import (
    Pace,
    backoff,
    retry_after,
    tightest_limit,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.shared import SharedNumbers
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InterruptError
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import NOW
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("30", 30.0),
        (" 300 ", 300.0),
        ("1.5", 1.5),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
        ("Sun, 22 Nov 2026 13:01:00 +0100", 60.0),
        ("Sun, 22 Nov 2026 12:01:00 -0000", 60.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("1e3", None),
        ("99999999999", None),
        ("Sun, 22 Nov 99999999999999 12:01:00 GMT", None),
        ("Sun, 99 Nov 2026 12:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_breaks_anything(header: str) -> None:
    told = retry_after(header, NOW)
    assert told is None or told >= 0


@pytest.mark.parametrize(
    ("header", "limit"),
    [
        ('"default";r=50;t=30', (50, 30)),
        ('"default"; r=50; t=30', (50, 30)),
        ('"burst";r=9;t=60, "sustained";r=3;t=200', (3, 200)),
        ('"a";r=0;t=1,"b";r=7;t=2', (0, 1)),
        ('"a";r=0;t=1,"b";r=0;t=200', (0, 200)),
        ('"a";t=5;r=1', (1, 5)),
        ('"a";r=5', None),
        ("garbage", None),
        ("r=x;t=y", None),
        ("", None),
        (None, None),
    ],
)
def test_the_tightest_policy_of_a_ratelimit_header_counts(header: str | None, limit: tuple[int, int] | None) -> None:
    found = tightest_limit(header)
    assert (found and (found.left, found.seconds)) == limit


@pytest.mark.parametrize(
    ("attempt", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 8.0), (60, 8.0), (5000, 8.0)]
)
def test_backoff_doubles_up_to_a_limit_with_jitter(attempt: int, longest: float) -> None:
    pauses = {backoff(attempt) for _number in range(50)}
    assert len(pauses) > 1
    assert all(0.75 * longest <= pause <= longest for pause in pauses)


def refused(pace: Pace, **headers: str) -> float:
    """Send a request that is refused with HTTP 429."""
    pace.wait_turn()
    return pace.refused({name.replace("_", "-"): value for name, value in headers.items()})


def answered(pace: Pace, ratelimit: str | None = None, policy: str | None = None) -> None:
    """Send a request that is answered."""
    pace.wait_turn()
    headers = {"Ratelimit": ratelimit, "Ratelimit-Policy": policy}
    pace.answered({name: value for name, value in headers.items() if value})


def test_without_a_header_nothing_is_waited_for(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    for _number in range(100):
        answered(pace)
    assert not clock.naps


def test_retry_after_is_obeyed_exactly(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    assert refused(pace, Retry_After="300") == 0
    answered(pace)
    assert clock.slept == 300
    assert pace.waited == 300


def test_a_refusal_without_a_word_is_backed_off_from_longer_each_time(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    for _number in range(5):
        refused(pace)
    answered(pace)
    assert len(clock.naps) == 5
    assert clock.naps == sorted(clock.naps)
    assert clock.naps[0] <= 1
    assert 12 <= clock.naps[4] <= 16


def test_a_short_retry_after_is_believed_once(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    refused(pace, Retry_After="0.1")
    refused(pace, Retry_After="0.1")
    answered(pace)
    assert clock.naps[0] == pytest.approx(0.1)
    assert clock.naps[1] > 1


@pytest.mark.parametrize("lie", ["0", "1"])
def test_a_retry_after_that_is_proven_wrong_does_not_make_a_busy_loop(clock: FakeClock, lie: str) -> None:
    pace = Pace(clock, 600)
    calls = 0
    while not refused(pace, Retry_After=lie):
        calls += 1
    assert calls < 25
    assert clock.slept <= 600


@pytest.mark.parametrize(("max_wait", "missing"), [(299, 300), (0, 300), (300, 0), (1000, 0)])
def test_no_more_than_max_wait_is_waited(clock: FakeClock, max_wait: float, missing: float) -> None:
    assert refused(Pace(clock, max_wait), Retry_After="300") == missing
    assert not clock.naps


def test_max_wait_is_the_sum_of_all_waits(clock: FakeClock) -> None:
    pace = Pace(clock, 100)
    assert refused(pace, Retry_After="60") == 0
    answered(pace)
    assert refused(pace, Retry_After="40") == 0
    answered(pace)
    assert refused(pace, Retry_After="1") == 1
    assert clock.slept == 100


def test_waits_that_overlap_count_once(clock: FakeClock) -> None:
    pace = Pace(clock, 60)
    for _number in range(4):
        pace.wait_turn()
    assert [pace.refused({"Retry-After": "60"}) for _number in range(4)] == [0, 0, 0, 0]
    answered(pace)
    assert clock.slept == 60


def test_the_ratelimit_header_is_obeyed_before_the_wall_is_hit(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    answered(pace, '"default";r=2;t=30')
    pace.wait_turn()
    pace.wait_turn()
    assert not clock.naps
    pace.wait_turn()
    assert clock.slept == 30


def test_where_waiting_is_not_allowed_the_server_decides(clock: FakeClock) -> None:
    pace = Pace(clock, 0)
    answered(pace, '"default";r=0;t=30')
    pace.wait_turn()
    assert not clock.naps


def test_requests_under_way_are_taken_off_what_is_left(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    for _number in range(3):
        pace.wait_turn()
    pace.answered({"Ratelimit": '"default";r=2;t=30'})  # two more are on their way
    pace.wait_turn()
    assert clock.slept == 30


def test_after_the_reset_the_way_is_free(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    answered(pace, '"default";r=0;t=5')
    clock.sleep(6)
    for _number in range(10):
        pace.wait_turn()
    assert clock.naps == [6]


@pytest.mark.parametrize("header", ["nonsense", '"x";r=0', ";;;", '"default";r=-1;t=9'])
def test_an_odd_ratelimit_header_is_ignored(clock: FakeClock, header: str) -> None:
    pace = Pace(clock, 600)
    answered(pace, header)
    answered(pace)
    assert not clock.naps


def test_being_told_to_stop_ends_the_waiting(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    refused(pace, Retry_After="300")
    clock.stop_at = 1
    with pytest.raises(InterruptError):
        pace.wait_turn()


def test_a_request_without_an_answer_leaves_the_count_right(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    pace.wait_turn()
    pace.answered(None)
    answered(pace, '"default";r=1;t=30')
    pace.wait_turn()
    assert not clock.naps


def test_threads_together_send_no_more_than_is_left(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    start = clock.monotonic()
    answered(pace, '"default";r=10;t=30')
    when: list[float] = []

    def send(_number: int) -> None:
        pace.wait_turn()
        when.append(clock.monotonic())

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(40)))
    assert sum(moment < start + 30 for moment in when) == 10


def test_the_word_of_the_server_is_taken_from_ratelimit_when_retry_after_is_missing(clock: FakeClock) -> None:
    headers: t.Any = {"Ratelimit": '"default";r=0;t=77'}
    pace = Pace(clock, 600)
    pace.wait_turn()
    assert pace.refused(headers) == 0
    answered(pace)
    assert clock.slept == 77


def test_requests_refused_in_one_wave_are_one_refusal(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    for _number in range(4):
        pace.wait_turn()
    for _number in range(4):
        pace.refused({"Retry-After": "4"})
    answered(pace)
    assert clock.slept == 4


def test_of_the_ends_that_answers_tell_of_one_window_the_earliest_counts(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    answered(pace, '"default";r=2;t=30')
    clock.sleep(29.2)
    answered(pace, '"default";r=0;t=1')  # rounded up: it is 0.8 s
    pace.wait_turn()
    assert clock.slept == pytest.approx(30)


def test_an_answer_that_took_long_does_not_give_back_what_was_sent_since(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    answered(pace, '"default";r=3;t=30')
    for _number in range(3):
        pace.wait_turn()
    pace.answered({"Ratelimit": '"default";r=2;t=30'})
    pace.wait_turn()
    assert clock.slept == 30


def test_a_new_window_begins_with_the_quota_of_the_policy(clock: FakeClock) -> None:
    pace = Pace(clock, 600)
    answered(pace, '"default";r=0;t=5', '"burst";q=7;w=1, "default";q=3;w=5')
    pace.wait_turn()
    answered(pace, '"default";r=2;t=5')  # two were counted, one of them is on its way
    pace.wait_turn()
    assert clock.slept == 5
    pace.wait_turn()
    assert clock.slept == 10


# --- shared with other processes ---------------------------------------------------------------------------------------


def test_runs_that_share_numbers_send_together_no_more_than_is_left(clock: FakeClock) -> None:
    first, second = (Pace(clock, 600, SharedNumbers("pace-a")) for _number in range(2))
    answered(first, '"default";r=2;t=30')
    second.wait_turn()
    first.wait_turn()
    assert not clock.naps
    second.wait_turn()
    assert clock.slept == 30


def test_a_refusal_of_one_run_holds_the_others_back(clock: FakeClock) -> None:
    first, second = (Pace(clock, 600, SharedNumbers("pace-a")) for _number in range(2))
    refused(first, Retry_After="300")
    second.wait_turn()
    assert clock.slept == 300
    assert (first.waited, second.waited) == (300, 300)


def test_a_run_that_may_not_wait_for_others_asks_the_server(clock: FakeClock) -> None:
    refused(Pace(clock, 600, SharedNumbers("pace-a")), Retry_After="300")
    impatient = Pace(clock, 10, SharedNumbers("pace-a"))
    impatient.wait_turn()
    assert not clock.naps
    assert impatient.refused({"Retry-After": "300"}) == 300


def test_other_credentials_have_other_numbers(clock: FakeClock) -> None:
    refused(Pace(clock, 600, SharedNumbers("pace-a")), Retry_After="300")
    Pace(clock, 600, SharedNumbers("pace-b")).wait_turn()
    assert not clock.naps


@pytest.mark.parametrize("shift", [-60, 4000])
def test_numbers_from_another_time_are_forgotten(clock: FakeClock, shift: float) -> None:
    refused(Pace(clock, 9000, SharedNumbers("pace-a")), Retry_After="8000")
    later = FakeClock(clock.time() + shift)
    Pace(later, 9000, SharedNumbers("pace-a")).wait_turn()
    assert not later.naps
