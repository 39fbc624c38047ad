# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Limits warnings that strangers can cause as often as they like."""

from __future__ import annotations

import typing as t

from .._clock import Clock

_PAUSE = 60.0


class LimitedWarnings:
    """Gives the same warning at most once a minute, with a count. Only few different warnings may be used."""

    def __init__(self, clock: Clock, warn: t.Callable[[str], None]) -> None:
        self._clock = clock
        self._warn = warn
        self._counts: dict[str, int] = {}
        self._warned: dict[str, float] = {}

    def __call__(self, text: str, count: int = 1) -> None:
        """Warn of an event that happened so many times."""
        self._counts[text] = self._counts.get(text, 0) + count
        now = self._clock.monotonic()
        if text not in self._warned or now - self._warned[text] >= _PAUSE:
            self._warned[text] = now
            self._warn(f"{text}: {self._counts.pop(text)}")
