# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that stands still until somebody sleeps."""

from __future__ import annotations

import threading

from ansible_collections.emailsec.cloudflare.plugins.module_utils._clock import Clock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import NOW


class FakeClock(Clock):
    """Sleeps in no time.

    naps: how long each sleep was. stop_at: sleep (from 1) at which the run is told to stop. wrong: seconds that its time is ahead.
    """

    def __init__(self, now: float = NOW) -> None:
        super().__init__()
        self.naps: list[float] = []
        self.stop_at: int | None = None
        self.wrong = 0.0
        self._now = now
        self._guard = threading.Lock()

    @property
    def slept(self) -> float:
        """Return the seconds slept in all."""
        return sum(self.naps)

    def monotonic(self) -> float:
        return self._now

    def time(self) -> float:
        return self._now + self.wrong

    def sleep(self, seconds: float) -> None:
        with self._guard:
            self.naps.append(seconds)
            self._now += max(seconds, 0)
            if len(self.naps) == self.stop_at:
                self.stop()
