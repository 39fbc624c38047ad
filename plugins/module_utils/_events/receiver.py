# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""From alerts that are pushed to events: each alert is told of once, as long as it is remembered."""

from __future__ import annotations

import typing as t
from itertools import islice

from .._clock import Clock
from .._times import from_seconds
from .alerts import read_alerts
from .decisions import Policies
from .event import make_event
from .naming import name_of
from .seldom import Seldom

# Cloudflare soon sends again what was not confirmed. No more are kept, so that memory is bounded.
_REMEMBERED = 100_000


class Receiver:
    """Makes events of the bodies of requests, for one at a time.

    most: bytes of a body, unpacked.
    """

    def __init__(
        self, account_id: str, policies: Policies, batch_size: int, most: int, clock: Clock, seldom: Seldom
    ) -> None:
        self._account_id = account_id
        self._policies = policies
        self._batch_size = batch_size
        self._most = most
        self._clock = clock
        self._seldom = seldom
        self._told: dict[str, None] = {}

    def events(self, body: bytes) -> t.Generator[dict[str, t.Any], None, None]:
        """Return the events of what is new in a body. What one tells of is noted when the next is asked for.

        Raises InputError for a body that cannot be used.
        """
        alerts = read_alerts(body, self._most)
        if alerts.foreign:
            self._seldom("Records in requests that are no alerts, and were left out", alerts.foreign)
        fresh = {
            message.data["alert_id"]: message
            for message in alerts.messages
            if message.data["alert_id"] not in self._told
        }
        nameless = sum(not name_of(message) for message in fresh.values())
        if nameless:
            self._seldom("Alerts without an id that names their message were not given to a release", nameless)
        for decision, batch in self._policies.batches(
            fresh.values(), from_seconds(self._clock.time()), self._batch_size
        ):
            yield make_event(self._account_id, decision, batch)
            self._told.update(dict.fromkeys(message.data["alert_id"] for message, _rules in batch))
            for oldest in list(islice(self._told, max(0, len(self._told) - _REMEMBERED))):
                del self._told[oldest]
