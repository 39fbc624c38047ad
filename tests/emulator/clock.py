# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The time of the emulated world, which tests may move forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Real time plus what was added to it."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self.offset += seconds


def utc(seconds: float) -> datetime:
    """The same moment as an aware datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def rfc3339(moment: datetime | float) -> str:
    """The moment as the API writes it, to the second."""
    if not isinstance(moment, datetime):
        moment = utc(moment)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
