# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Makes events from alerts that are pushed. Each alert is in one event, as long as its id is remembered."""

from __future__ import annotations

import typing as t
from itertools import islice

from .._clock import Clock
from .._times import from_seconds
from .alerts import read_alerts
from .decisions import Policies
from .event import make_event
from .ids import name_of
from .limited_warnings import LimitedWarnings

# Cloudflare soon sends an unconfirmed request again. The limit bounds the memory.
_REMEMBERED = 100_000


class Receiver:
    """Makes events from the bodies of requests, one body at a time.

    most: bytes of an unpacked body.
    """

    def __init__(
        self, account_id: str, policies: Policies, batch_size: int, most: int, clock: Clock, warn: LimitedWarnings
    ) -> None:
        self._account_id = account_id
        self._policies = policies
        self._batch_size = batch_size
        self._most = most
        self._clock = clock
        self._warn = warn
        self._sent: dict[str, None] = {}

    def events(self, body: bytes) -> t.Generator[dict[str, t.Any], None, None]:
        """Yield the events for new alerts in a body. An event counts as sent when the next one is asked for.

        Raises InputError for a body that cannot be used.
        """
        alerts = read_alerts(body, self._most)
        if alerts.foreign:
            self._warn("Records in requests were left out because they are not alerts", alerts.foreign)
        fresh = {
            message.data["alert_id"]: message
            for message in alerts.messages
            if message.data["alert_id"] not in self._sent
        }
        nameless = sum(not name_of(message) for message in fresh.values())
        if nameless:
            self._warn("Alerts without a safe id for their message were not proposed for release", nameless)
        for decision, batch in self._policies.batches(
            fresh.values(), from_seconds(self._clock.time()), self._batch_size
        ):
            yield make_event(self._account_id, decision, batch)
            self._sent.update(dict.fromkeys(message.data["alert_id"] for message, _rules in batch))
            for oldest in list(islice(self._sent, max(0, len(self._sent) - _REMEMBERED))):
                del self._sent[oldest]
