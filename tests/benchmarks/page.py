# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page that shows the figures: tables between two marks for each subject, and the chart beside them."""

from __future__ import annotations

import textwrap

from bootstrap import CHECKOUT

from .chart import draw
from .everything import Figures
from .lists import Lists
from .program import Failed

PAGE = CHECKOUT / "docs" / "performance.md"
CHART = CHECKOUT / "docs" / "images" / "performance.png"


def write(subject: str, figures: Figures | Lists) -> None:
    """Replace the figures of a subject on the page, and the chart."""
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), subject, figures), encoding="utf-8")
    if isinstance(figures, Figures):
        draw(figures, CHART)


def replaced(text: str, subject: str, figures: Figures | Lists) -> str:
    """Return the page with these figures between the marks of the subject."""
    begin = f"<!-- begin of the figures: python3 tests/benchmarks --only {subject} --write -->"
    end = f"<!-- end of the figures of {subject} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise Failed(f"{PAGE} lacks the marks between which the figures of {subject} go.")
    before, after = text.partition(begin)[0], text.partition(end)[2]
    tables = [figures.targets(), *figures.tables()]
    parts = [textwrap.fill(figures.machine.text, 125), *(_wrapped(table.markdown()) for table in tables)]
    return "\n\n".join([before + begin, *parts, end + after])


def _wrapped(markdown: str) -> str:
    """Return it with its sentences in lines of the page's width; the lines of a table stay."""
    return "\n".join(line if line.startswith("|") else textwrap.fill(line, 125) for line in markdown.split("\n"))
