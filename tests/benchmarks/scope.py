# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much is measured: all of it for the page, or little, to see that it works."""

from __future__ import annotations

from typing import NamedTuple


class Scope(NamedTuple):
    """Numbers of messages and of entries of a list, and how often each is measured."""

    rounds: int
    sizes: tuple[int, ...]  # of the comparison
    one_by_one: tuple[int, ...]  # measured sizes of a loop with one message in each call; the others are extrapolated
    most_looped: int  # the largest size of a loop with a batch in each call that is measured
    growth: tuple[int, ...]  # for the module alone
    faulty: int
    paced: int
    starts: int
    entries: int  # of a list, all new or all unchanged
    entries_one_by_one: tuple[int, int]  # measured sizes of a loop with one new entry in each call
    changed: tuple[int, int]  # entries of a list, and of how many


FULL = Scope(
    rounds=3,
    sizes=(1, 100, 1_000, 10_000),
    one_by_one=(1, 20),
    most_looped=1_000,
    growth=(1_000, 10_000, 100_000),
    faulty=1_000,
    paced=400,
    starts=15,
    entries=1_000,
    entries_one_by_one=(5, 20),
    changed=(10, 5_000),
)
QUICK = Scope(
    rounds=1,
    sizes=(1, 100),
    one_by_one=(1, 3),
    most_looped=100,
    growth=(100, 1_000),
    faulty=200,
    paced=40,
    starts=2,
    entries=20,
    entries_one_by_one=(1, 3),
    changed=(2, 1_200),
)
