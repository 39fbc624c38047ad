# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chart: time over number of messages, and copies too many."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

from .contenders import BARE, LOOPED, ONE_BY_ONE, OURS, SDK, Contender
from .everything import Figures
from .row import Row

mpl.use("agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

LINE = 1.6  # a line of text on the scale of time, as a factor
COLOURS = {OURS: "#1f5fbf", ONE_BY_ONE: "#b5442e", LOOPED: "#d9902f", SDK: "#4d8a57", BARE: "#7a7a7a"}


def draw(figures: Figures, path: Path) -> None:
    """Draw both and write them as a PNG."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.8), width_ratios=(3, 2), layout="constrained")
    _times(left, figures.comparison.rows)
    _copies(right, figures)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def _times(axes: Axes, rows: list[Row]) -> None:
    """Lines; broken where a figure is extrapolated."""
    for contender, colour in COLOURS.items():
        own = sorted((row for row in rows if row.contender == contender), key=lambda row: row.size)
        known = [row for row in own if not row.extrapolated]
        guessed = [known[-1], *(row for row in own if row.extrapolated)] if known else own
        width = 2.6 if contender == OURS else 1.6
        for part, style in ((known, "o-"), (guessed, "--")):
            places, times = [row.size for row in part], [row.seconds for row in part]
            axes.plot(places, times, style, color=colour, linewidth=width, markersize=5)
    _label(axes, [row for row in rows if row.size == max(row.size for row in rows)])
    axes.set(xscale="log", yscale="log", xlabel="messages", title="Time of the whole command; broken: extrapolated")
    axes.set_xlim(right=max(row.size for row in rows) * 30)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))
    axes.xaxis.set_major_locator(mpl.ticker.FixedLocator(sorted({row.size for row in rows})))
    axes.yaxis.set_major_locator(mpl.ticker.FixedLocator([1, 10, 60, 600, 3600, 7200]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: _duration(number)))
    axes.minorticks_off()
    axes.grid(visible=True, color="#e4e4e4")
    axes.set_axisbelow(True)


def _label(axes: Axes, ends: list[Row]) -> None:
    """Names at the ends of the lines, none over another."""
    lowest = 0.0
    for row in sorted(ends, key=lambda row: row.seconds):
        lowest = max(row.seconds, lowest * LINE)
        name, colour = row.contender.name.replace("`", ""), COLOURS[row.contender]
        axes.annotate(name, (row.size * 1.3, lowest), va="center", color=colour)


def _copies(axes: Axes, figures: Figures) -> None:
    """Bars."""
    ways: list[Contender] = [way for way, *_ in figures.doubles.results][::-1]
    numbers = [figures.doubles.copies(way) for way in ways]
    names = [way.name.replace("`", "") for way in ways]
    bars = axes.barh(names, numbers, color=[COLOURS[way] for way in ways], height=0.6)
    axes.bar_label(bars, padding=4, fmt="{:,.0f}")
    axes.set_title(f"Copies too many of {figures.doubles.size:,}, answers lost")
    axes.set_xlim(right=max(1, *numbers) * 1.15)
    axes.tick_params(left=False)


def _duration(number: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if number >= size:
            return f"{number / size:g} {unit}"
    return f"{number:g} s"
