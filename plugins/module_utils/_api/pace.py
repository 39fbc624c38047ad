# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Keeping below Cloudflare's rate limit: 1,200 requests in five minutes, then five minutes of HTTP 429.

Source: https://developers.cloudflare.com/fundamentals/api/reference/limits/ (2026-04-20), which also describes the
C(Ratelimit) header (structured fields: C(r) requests left, C(t) seconds to the reset), C(Ratelimit-Policy) (C(q) requests
in each window) and C(retry-after).
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
_FORGET = 3600.0  # seconds after which what was noted means nothing any more


def backoff(attempt: int, first: float = 0.5, longest: float = 8.0) -> float:
    """Return the seconds to wait before attempt number C(attempt) (from 1) is repeated, with jitter."""
    return min(first * 2.0 ** min(attempt - 1, 32), longest) * (1 - 0.25 * random.random())


class Pace:
    """Decides when the next request may be sent. Shared by all threads of a run and, through C(shared), by other runs.

    The shared numbers are C(not_before), when the next request may be sent at the earliest (seconds since the epoch),
    C(left), requests left until C(reset), C(quota), requests in each window, and C(noted), when all this was noted.
    max_wait: seconds that may be waited in all; beyond it C(refused) returns the missing seconds.
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
        """Wait until a request may be sent and count it as sent. Raises InterruptError when told to stop."""
        while True:
            with self._held() as (numbers, now):
                if self._clock.stopping:
                    raise InterruptError("stopped by a signal")
                if now >= numbers.get("reset", math.inf):
                    _begin_window(numbers)
                until = numbers.get("not_before", 0.0)
                if numbers.get("left", 1) <= 0:
                    until = max(until, numbers.get("reset", 0.0))
                # Nothing was refused yet; if waiting is not allowed, let the server decide.
                if until <= now or not self._may_wait(until, now):
                    if "left" in numbers:
                        numbers["left"] = max(0, numbers["left"] - 1)
                    self._in_flight += 1
                    return
            self._clock.sleep(until - now)

    def answered(self, headers: t.Mapping[str, str] | None) -> None:
        """Note that a request ended, with the headers of its answer (None: there was no answer)."""
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
                # The same window: what was sent meanwhile is off already, and of its ends, in whole seconds rounded up,
                # the earliest is the most exact.
                numbers["left"] = min(numbers["left"], limit.left)
                numbers["reset"] = min(numbers.get("reset", math.inf), reset)
            else:
                # Requests of other threads may be on their way and not be counted yet.
                numbers["left"] = max(0, limit.left - self._in_flight)
                numbers["reset"] = reset
            quota = _quota(headers.get("Ratelimit-Policy"), limit.policy)
            if quota:
                numbers["quota"] = quota

    def refused(self, headers: t.Mapping[str, str]) -> float:
        """Note an HTTP 429: hold all requests back. Returns 0, or the seconds that C(max_wait) does not allow."""
        with self._held() as (numbers, now):
            self._in_flight -= 1
            if now >= numbers.get("not_before", 0.0):  # else it was on its way when another one was refused
                self._refusals += 1
            told = retry_after(headers.get("Retry-After"), self._clock.time())
            if told is None:
                limit = tightest_limit(headers.get("Ratelimit"))
                told = float(limit.seconds) if limit and limit.left == 0 else None
            own = backoff(self._refusals, _FIRST_BACKOFF, _LONGEST_BACKOFF)
            # The server's word counts; only when it is proven wrong do the pauses grow beyond it.
            pause = own if told is None else told if self._refusals == 1 and told > 0 else max(told, own)
            _begin_window(numbers)
            until = now + pause
            if not self._may_wait(until, now):
                return pause
            numbers["not_before"] = max(numbers.get("not_before", 0.0), until)
            return 0

    @contextlib.contextmanager
    def _held(self) -> t.Iterator[tuple[Numbers, float]]:
        """Give the shared numbers and the time."""
        with self._shared.held() as numbers:
            now = self._clock.time()
            if not 0 <= now - numbers.get("noted", now) <= _FORGET:
                numbers.clear()  # old, or the clock was set back
            yield numbers, now
            numbers["noted"] = now

    def _may_wait(self, until: float, now: float) -> bool:
        """Tell whether C(max_wait) allows to wait until then, and count that time, once for all threads."""
        extra = until - max(self._counted_until, now)
        if extra > 0:
            if self.waited + extra > self._max_wait:
                return False
            self.waited += extra
            self._counted_until = until
        return True


class Limit(t.NamedTuple):
    """One policy of a C(Ratelimit) header: its name, requests left, and seconds to the reset."""

    policy: str
    left: int
    seconds: int


def _begin_window(numbers: Numbers) -> None:
    """Reckon with a new window, of which only the quota is known."""
    numbers.pop("reset", None)
    numbers.pop("left", None)
    if "quota" in numbers:
        numbers["left"] = numbers["quota"]


def tightest_limit(header: str | None) -> Limit | None:
    """Return the policy in a C(Ratelimit) header that has the fewest requests left."""
    limits = [
        Limit(name, int(fields["r"]), int(fields["t"]))
        for name, fields in _policies(header)
        if "r" in fields and "t" in fields
    ]
    return min(limits, key=lambda limit: (limit.left, -limit.seconds), default=None)


def _quota(header: str | None, policy: str) -> int | None:
    """Return the requests per window that a C(Ratelimit-Policy) header allows for that policy."""
    return next((int(fields["q"]) for name, fields in _policies(header) if name == policy and "q" in fields), None)


def _policies(header: str | None) -> t.Iterator[tuple[str, dict[str, str]]]:
    """Yield the name and the numbers of each item of such a header."""
    for item in (header or "").split(","):
        name = item.partition(";")[0].strip()
        yield name, dict(re.findall(r";\s*([a-z]+)=(\d{1,9})", item))


def retry_after(header: str | None, now: float) -> float | None:
    """Return the seconds that a C(Retry-After) header (seconds or HTTP date) asks for, or None."""
    text = (header or "").strip()
    if re.match(r"\d{1,9}(\.\d+)?$", text):
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        return max(0.0, moment.timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None
