# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page that shows the figures: tables between two marks, and the chart beside it."""

from __future__ import annotations

import textwrap

from bootstrap import CHECKOUT

from .chart import draw
from .everything import Figures
from .program import Failed

PAGE = CHECKOUT / "docs" / "performance.md"
CHART = CHECKOUT / "docs" / "images" / "performance.png"
BEGIN, END = "<!-- begin of the figures: python3 tests/benchmarks --write -->", "<!-- end of the figures -->"


def write(figures: Figures) -> None:
    """Replace the figures on the page, and the chart."""
    text = PAGE.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise Failed(f"{PAGE} lacks the marks between which the figures go.")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    tables = [figures.targets(), *figures.tables()]
    parts = [textwrap.fill(figures.machine.text, 125), *(_wrapped(table.markdown()) for table in tables)]
    PAGE.write_text(before + BEGIN + "\n\n" + "\n\n".join(parts) + "\n\n" + END + after, encoding="utf-8")
    draw(figures, CHART)


def _wrapped(markdown: str) -> str:
    """Return it with its sentences in lines of the page's width; the lines of a table stay."""
    return "\n".join(line if line.startswith("|") else textwrap.fill(line, 125) for line in markdown.split("\n"))
