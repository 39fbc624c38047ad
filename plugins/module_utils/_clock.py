# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The time, and the signal to stop. Tests replace both."""

from __future__ import annotations

import signal
import time


class Clock:
    """Tells the time and sleeps. After stop, a sleep ends early."""

    # A signal handler may only set a flag: the thread that it interrupts may hold a lock.
    _SLICE = 0.2

    def __init__(self) -> None:
        self.stopping = False

    def stop(self, *_signal: object) -> None:
        """Let the run end as soon as its open requests are answered. Can be a signal handler."""
        self.stopping = True

    def stop_on_signals(self) -> None:
        """Let SIGTERM and SIGINT stop the run, as stop does."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds, or until stop is called."""
        end = self.monotonic() + seconds
        while not self.stopping:
            left = end - self.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, self._SLICE))
