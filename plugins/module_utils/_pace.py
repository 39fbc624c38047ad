# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Keeping below Cloudflare's rate limit: 1,200 requests in five minutes, then five minutes of HTTP 429.

Source: https://developers.cloudflare.com/fundamentals/api/reference/limits/ (2026-04-20), which also describes the
C(Ratelimit) header (structured fields: C(r) requests left, C(t) seconds to the reset) and C(retry-after).
"""

from __future__ import annotations

import datetime
import email.utils
import random
import re
import threading
import typing as t

from ._clock import Clock
from ._errors import InterruptError

_FIRST_BACKOFF = 1.0
_LONGEST_BACKOFF = 60.0


def backoff(attempt: int, first: float = 0.5, longest: float = 8.0) -> float:
    """Return the seconds to wait before attempt number C(attempt) (from 1) is repeated, with jitter."""
    return min(first * 2 ** min(attempt - 1, 32), longest) * (1 - 0.25 * random.random())


class Pace:
    """Decides when the next request may be sent. Shared by all threads of a run.

    max_wait: seconds that may be waited in all; beyond it C(refused) returns the missing seconds.
    """

    def __init__(self, clock: Clock, max_wait: float) -> None:
        self.waited = 0.0
        self._clock = clock
        self._max_wait = max_wait
        self._lock = threading.Lock()
        self._not_before = clock.monotonic()
        self._left: int | None = None
        self._reset = 0.0
        self._in_flight = 0
        self._refusals = 0

    def wait_turn(self) -> None:
        """Wait until a request may be sent and count it as sent. Raises InterruptError when told to stop."""
        while True:
            with self._lock:
                if self._clock.stopping:
                    raise InterruptError("stopped by a signal")
                now = self._clock.monotonic()
                if self._left is not None and self._left <= 0 and now < self._reset and self._hold(self._reset):
                    # Nothing was refused yet; if waiting is not allowed, let the server decide.
                    self._left = None
                pause = self._not_before - now
                if pause <= 0:
                    if self._left is not None:
                        self._left = self._left - 1 if now < self._reset else None
                    self._in_flight += 1
                    return
            self._clock.sleep(pause)

    def answered(self, headers: t.Mapping[str, str] | None) -> None:
        """Note that a request ended, with the headers of its answer (None: there was no answer)."""
        with self._lock:
            self._in_flight -= 1
            if headers is None:
                return
            self._refusals = 0
            limit = tightest_limit(headers.get("Ratelimit"))
            if limit is not None:
                left, seconds = limit
                # Requests of other threads may be on their way and not be counted yet.
                self._left = left - self._in_flight
                self._reset = self._clock.monotonic() + seconds

    def refused(self, headers: t.Mapping[str, str]) -> float:
        """Note an HTTP 429: hold all requests back. Returns 0, or the seconds that C(max_wait) does not allow."""
        with self._lock:
            self._in_flight -= 1
            self._refusals += 1
            now = self._clock.monotonic()
            told = retry_after(headers.get("Retry-After"), self._clock.time())
            if told is None:
                limit = tightest_limit(headers.get("Ratelimit"))
                told = float(limit[1]) if limit and limit[0] == 0 else None
            own = backoff(self._refusals, _FIRST_BACKOFF, _LONGEST_BACKOFF)
            # The server's word counts; only when it is proven wrong do the pauses grow beyond it.
            pause = own if told is None else told if self._refusals == 1 and told > 0 else max(told, own)
            self._left = None
            return self._hold(now + pause)

    def _hold(self, until: float) -> float:
        now = self._clock.monotonic()
        extra = until - max(self._not_before, now)
        if extra > 0:
            if self.waited + extra > self._max_wait:
                return until - now
            self.waited += extra
            self._not_before = until
        return 0


def tightest_limit(header: str | None) -> tuple[int, int] | None:
    """Return (requests left, seconds to the reset) of the policy in a C(Ratelimit) header that has the fewest left."""
    limits = []
    for item in (header or "").split(","):
        fields = dict(re.findall(r";\s*([a-z]+)=(\d{1,9})", item))
        if "r" in fields and "t" in fields:
            limits.append((int(fields["r"]), int(fields["t"])))
    return min(limits, key=lambda limit: (limit[0], -limit[1]), default=None)


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
