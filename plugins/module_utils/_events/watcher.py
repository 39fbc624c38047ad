# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Watches for new messages in quarantine. Each poll searches for messages that may be new, and makes events for them."""

from __future__ import annotations

import typing as t

from .._clock import Clock
from .._mail.filters import search_filters
from .._mail.message import Message
from .._mail.messages import Messages
from .._times import from_seconds, parse_time, to_text
from .cursor import Cursor
from .decisions import Policies, Proposal
from .event import make_event
from .ids import name_of

# Events for a message that is not released
_MOST_TIMES = 3
# Limits for a server without end: messages in one poll, and messages that wait for another event
_MOST_MESSAGES = 50_000
_MOST_OPEN = 10_000
_SHOWN = 5
Event = t.Dict[str, t.Any]


class WatchSettings(t.NamedTuple):
    """What to watch for.

    search: the options of the search by name.
    since: how many seconds the first poll looks back.
    overlap: how many seconds each later poll looks back before the newest known message, because messages may show up late.
    repeat_after: after so many seconds, a message that was to be released and is still in quarantine gets another event.
    batch_size: messages in one event.
    """

    account_id: str
    search: t.Mapping[str, t.Any]
    since: float
    overlap: float
    repeat_after: float
    batch_size: int
    policies: Policies


class Watcher:
    """Polls for messages in quarantine, and makes events for those without one.

    connect: makes the connection of one poll. Each poll may wait for the rate limit anew.
    warn: called with each warning.
    """

    def __init__(
        self,
        watch: WatchSettings,
        connect: t.Callable[[], Messages[Message]],
        cursor: Cursor,
        clock: Clock,
        warn: t.Callable[[str], None],
    ) -> None:
        self._watch = watch
        self._connect = connect
        self._cursor = cursor
        self._clock = clock
        self._warn = warn

    def poll(self) -> t.Iterator[Event]:
        """Yield the events for new messages. An event counts as sent when the next one is asked for.

        Raises CloudflareError. The next poll then makes the missing events.
        """
        cursor, now = self._cursor, self._clock.time()
        newest = now - self._watch.since + self._watch.overlap if cursor.newest is None else cursor.newest
        cursor.newest = newest
        start = min([newest - self._watch.overlap, *(row[0] for row in cursor.open.values())])
        filters = {**self._filters(now), "start": to_text(from_seconds(start))}
        found, truncated = self._connect().search(filters, _MOST_MESSAGES)
        named = [message for message in found if name_of(message)]
        if len(named) < len(found):
            self._warn(
                f"Messages in quarantine without a safe id, for which no event is sent: {len(found) - len(named)}"
            )
        moments = {message.key: _moment(message, start, now) for message in named}
        if not truncated:
            cursor.open = {name: row for name, row in cursor.open.items() if name in moments}
        given_up: list[str] = []
        fresh = [
            message for message in named if message.key not in cursor.seen or self._is_due(message.key, now, given_up)
        ]
        if given_up:
            more = f", and {len(given_up) - _SHOWN} more" if len(given_up) > _SHOWN else ""
            self._warn(
                f"{', '.join(given_up[:_SHOWN])}{more}: reported {_MOST_TIMES} times and still quarantined; giving up"
            )
        fresh.sort(key=lambda message: moments[message.key])
        for decision, batch in self._watch.policies.batches(
            fresh, from_seconds(self._clock.time()), self._watch.batch_size
        ):
            yield make_event(self._watch.account_id, decision, batch)
            for message, _rules in batch:
                cursor.seen[message.key] = moments[message.key]
                if decision == Proposal.RELEASE and (message.key in cursor.open or len(cursor.open) < _MOST_OPEN):
                    times = cursor.open[message.key][2] + 1 if message.key in cursor.open else 1
                    cursor.open[message.key] = [moments[message.key], now, times]
            cursor.save()
        if truncated:
            self._warn(
                f"The list of messages was cut by the server or has more than {_MOST_MESSAGES}. The next poll looks for the missing ones."
            )
        else:
            cursor.newest = max([newest, *(moments[message.key] for message in fresh)])
        if cursor.forget(min(start, cursor.newest - self._watch.overlap) - self._watch.overlap):
            self._warn("Too many messages came at once. Some may be in a second event.")
        cursor.save()

    def _is_due(self, name: str, now: float, given_up: list[str]) -> bool:
        """Tell whether a message needs another event: its event was lost, or its release failed."""
        if name not in self._cursor.open:
            return False
        _moment_of_message, sent, times = self._cursor.open[name]
        if now - sent < self._watch.repeat_after:
            return False
        if times >= _MOST_TIMES:
            del self._cursor.open[name]
            given_up.append(name)
            return False
        return True

    def _filters(self, now: float) -> dict[str, str]:
        return search_filters({**self._watch.search, "delivery_status": "quarantined", "detections_only": False}, now)


def _moment(message: Message, start: float, now: float) -> float:
    """Return when a message was scanned. A missing time or one in the future counts as now.

    No time is before the start of the search, so no server can make the next poll search for all messages.
    """
    scanned = parse_time(message.data["scanned_at"] or "")
    return max(start, min(scanned.timestamp(), now)) if scanned else now
