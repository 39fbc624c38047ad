# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Keeps below Cloudflare's rate limit: 1,200 requests in five minutes, then HTTP 429 for five minutes.

Source: https://developers.cloudflare.com/fundamentals/api/reference/limits/ (2026-04-20), which also describes the headers
Ratelimit (r: requests left, t: seconds until the reset), Ratelimit-Policy (q: requests in each window) and Retry-After.
"""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import math
import random
import re
import typing as t

from .._clock import Clock
from .._errors import InterruptError
from .shared import Numbers, SharedNumbers

_FIRST_BACKOFF = 1.0
_LONGEST_BACKOFF = 60.0
_FORGET = 3600.0  # seconds after which the numbers are out of date


def backoff(attempt: int, first: float = 0.5, longest: float = 8.0) -> float:
    """Return the seconds to wait, with jitter, before a request is repeated. attempt: the number of the one that failed, from 1."""
    return min(first * 2.0 ** min(attempt - 1, 32), longest) * (1 - 0.25 * random.random())


class Pace:
    """Decides when the next request may be sent. All threads of a run share it; other runs share its numbers.

    max_wait: seconds that a run may wait in total.
    shared: the numbers, with times in seconds since the epoch:
        not_before: when the next request may be sent.
        left: requests left until reset.
        reset: when the window ends.
        quota: requests in each window.
        noted: when the numbers were last updated.
    """

    def __init__(self, clock: Clock, max_wait: float, shared: SharedNumbers | None = None) -> None:
        self.waited = 0.0
        self._clock = clock
        self._max_wait = max_wait
        self._shared = shared or SharedNumbers()
        self._counted_until = 0.0
        self._in_flight = 0
        self._refusals = 0

    def wait_turn(self) -> None:
        """Wait until a request may be sent, and count it as sent. Raises InterruptError if the run is to stop."""
        while True:
            with self._held() as (numbers, now):
                if self._clock.stopping:
                    raise InterruptError("stopped by a signal")
                if now >= numbers.get("reset", math.inf):
                    _begin_window(numbers)
                until = numbers.get("not_before", 0.0)
                if numbers.get("left", 1) <= 0:
                    until = max(until, numbers.get("reset", 0.0))
                # Nothing has been refused yet. If the run may not wait so long, let the server decide.
                if until <= now or not self._may_wait(until, now):
                    if "left" in numbers:
                        numbers["left"] = max(0, numbers["left"] - 1)
                    self._in_flight += 1
                    return
            self._clock.sleep(until - now)

    def answered(self, headers: t.Mapping[str, str] | None) -> None:
        """Note that a request ended. headers: those of its answer, or None without an answer."""
        with self._held() as (numbers, now):
            self._in_flight -= 1
            if headers is None:
                return
            self._refusals = 0
            limit = tightest_limit(headers.get("Ratelimit"))
            if limit is None:
                return
            reset = now + limit.seconds
            if "left" in numbers and reset <= numbers.get("reset", math.inf) + 1:
                # The same window: requests sent since then are already subtracted. Its end is given in whole seconds, rounded
                # up, so the earliest is the most exact.
                numbers["left"] = min(numbers["left"], limit.left)
                numbers["reset"] = min(numbers.get("reset", math.inf), reset)
            else:
                # The server may not have counted the requests of other threads yet.
                numbers["left"] = max(0, limit.left - self._in_flight)
                numbers["reset"] = reset
            quota = _quota(headers.get("Ratelimit-Policy"), limit.policy)
            if quota:
                numbers["quota"] = quota

    def refused(self, headers: t.Mapping[str, str]) -> float:
        """Note an HTTP 429, and hold all requests back. Returns 0, or the seconds to wait if max_wait does not allow them."""
        with self._held() as (numbers, now):
            self._in_flight -= 1
            if now >= numbers.get("not_before", 0.0):  # otherwise it was sent before another one was refused
                self._refusals += 1
            told = retry_after(headers.get("Retry-After"), self._clock.time())
            if told is None:
                limit = tightest_limit(headers.get("Ratelimit"))
                told = float(limit.seconds) if limit and limit.left == 0 else None
            own = backoff(self._refusals, _FIRST_BACKOFF, _LONGEST_BACKOFF)
            # The server's number counts. Only if it proves wrong, the pauses grow beyond it.
            pause = own if told is None else told if self._refusals == 1 and told > 0 else max(told, own)
            _begin_window(numbers)
            until = now + pause
            if not self._may_wait(until, now):
                return pause
            numbers["not_before"] = max(numbers.get("not_before", 0.0), until)
            return 0

    @contextlib.contextmanager
    def _held(self) -> t.Iterator[tuple[Numbers, float]]:
        """Lock the shared numbers, and give them with the time."""
        with self._shared.held() as numbers:
            now = self._clock.time()
            if not 0 <= now - numbers.get("noted", now) <= _FORGET:
                numbers.clear()  # old, or the clock was set back
            yield numbers, now
            numbers["noted"] = now

    def _may_wait(self, until: float, now: float) -> bool:
        """Tell whether max_wait allows to wait until then. Counts the time once for all threads."""
        extra = until - max(self._counted_until, now)
        if extra > 0:
            if self.waited + extra > self._max_wait:
                return False
            self.waited += extra
            self._counted_until = until
        return True


class Limit(t.NamedTuple):
    """One policy of a Ratelimit header: its name, the requests left, and the seconds until the reset."""

    policy: str
    left: int
    seconds: int


def _begin_window(numbers: Numbers) -> None:
    """Start a new window, of which only the quota is known."""
    numbers.pop("reset", None)
    numbers.pop("left", None)
    if "quota" in numbers:
        numbers["left"] = numbers["quota"]


def tightest_limit(header: str | None) -> Limit | None:
    """Return the policy in a Ratelimit header that has the fewest requests left."""
    limits = [
        Limit(name, int(fields["r"]), int(fields["t"]))
        for name, fields in _policies(header)
        if "r" in fields and "t" in fields
    ]
    return min(limits, key=lambda limit: (limit.left, -limit.seconds), default=None)


def _quota(header: str | None, policy: str) -> int | None:
    """Return how many requests a Ratelimit-Policy header allows in each window of a policy."""
    return next((int(fields["q"]) for name, fields in _policies(header) if name == policy and "q" in fields), None)


def _policies(header: str | None) -> t.Iterator[tuple[str, dict[str, str]]]:
    """Yield the name and the numbers of each item in such a header."""
    for item in (header or "").split(","):
        name = item.partition(";")[0].strip()
        yield name, dict(re.findall(r";\s*([a-z]+)=(\d{1,9})", item))


def retry_after(header: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number or an HTTP date), or None."""
    text = (header or "").strip()
    if re.match(r"\d{1,9}(\.\d+)?$", text):
        return float(text)
    moment = http_date(text)
    return None if moment is None else max(0.0, moment - now)


def http_date(header: str | None) -> float | None:
    """Return the seconds since the epoch of an HTTP date, or None."""
    try:
        moment = email.utils.parsedate_to_datetime((header or "").strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        return moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
