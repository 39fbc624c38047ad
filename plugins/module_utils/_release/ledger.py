# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The one place that gives items their outcomes, and counts them."""

from __future__ import annotations

import threading
import typing as t

from .items import Item
from .outcome import BREAKING, Outcome


class Ledger:
    """Records outcomes. Threads may share it.

    failures: how many outcomes count for the breaker stop_after_failures.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._lock = threading.Lock()

    def record(self, item: Item, outcome: Outcome) -> None:
        """Record what became of an item."""
        with self._lock:
            item.outcome = outcome
            item.message = None  # it would only take up memory
            self.failures += outcome.status in BREAKING

    def record_all(self, outcomes: t.Iterable[tuple[Item, Outcome]]) -> None:
        """Record outcomes one by one, as they come: if finding out more raises, those before are kept."""
        for item, outcome in outcomes:
            self.record(item, outcome)
