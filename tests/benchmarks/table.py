# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables in Markdown, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Table(NamedTuple):
    """A table with a heading and a sentence on what it shows."""

    heading: str
    about: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def markdown(self) -> str:
        """Return it as Markdown; all columns but the first hold numbers."""
        lines = [self.columns, ("---", *("---:" for _ in self.columns[1:])), *self.rows]
        return f"### {self.heading}\n\n{self.about}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def seconds(number: float) -> str:
    """Return a time, exact enough and no more."""
    if number >= 120:
        return f"{number / 60:,.0f} min"
    return f"{number:.1f} s" if number < 20 else f"{number:.0f} s"


def megabytes(number: float) -> str:
    """Return an amount of memory."""
    return f"{number / 1e6:.0f} MB"


def count(number: float) -> str:
    """Return a number of things."""
    return f"{number:,.0f}"


def targets(rows: Sequence[tuple[str, ...]]) -> Table:
    """Return the table of what was to be reached."""
    return Table("Targets", "What was aimed at, and what came of it.", ("Target", "Measured", "Limit", "Met"), rows)


def target(text: str, measured: float, limit: float, shown: Callable[[float], str]) -> tuple[str, str, str, str]:
    """Return its line for a figure that has to be below a limit."""
    return text, shown(measured), shown(limit), "yes" if measured < limit else "no"
