# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one way took for one size, as it was measured or as it is guessed from smaller sizes."""

from __future__ import annotations

from typing import NamedTuple

from .contenders import Contender
from .table import count, megabytes, seconds

COLUMNS = ("Time", "Requests", "Connections", "Memory")


class Row(NamedTuple):
    """What one contender took for so many messages or entries."""

    contender: Contender
    size: int
    seconds: float
    requests: float
    connections: float
    memory: float
    extrapolated: bool = False

    def cells(self) -> tuple[str, ...]:
        """Return the cells of its line in a table."""
        mark = "≈ " if self.extrapolated else ""
        figures = (seconds(self.seconds), count(self.requests), count(self.connections))
        return (*(mark + text for text in figures), megabytes(self.memory))


def extrapolate(small: Row, large: Row, size: int) -> Row:
    """Return the row of a larger size, along the line through two that were measured."""
    part = (size - large.size) / (large.size - small.size)

    def along(name: str) -> float:
        begin, end = (float(getattr(row, name)) for row in (small, large))
        return end + (end - begin) * part

    return Row(
        large.contender,
        size,
        along("seconds"),
        along("requests"),
        along("connections"),
        large.memory,
        extrapolated=True,
    )
