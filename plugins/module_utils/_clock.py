# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Time, and being told to stop, in one place so that tests can replace both."""

from __future__ import annotations

import time


class Clock:
    """Tells the time and sleeps; a sleep ends early once C(stop) was called."""

    # A signal handler may only set a flag: locks could be held by the thread it interrupts.
    _SLICE = 0.2

    def __init__(self) -> None:
        self.stopping = False

    def stop(self, *_signal: object) -> None:
        """Ask the run to end as soon as the requests in flight are answered. Usable as a signal handler."""
        self.stopping = True

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep for C(seconds), or until told to stop."""
        end = self.monotonic() + seconds
        while not self.stopping:
            left = end - self.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, self._SLICE))
