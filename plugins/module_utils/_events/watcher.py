# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Watching for mail that newly entered quarantine: each poll looks at what may be new, and tells of it once."""

from __future__ import annotations

import typing as t

from .._clock import Clock
from .._mail.filters import search_filters
from .._mail.message import Message
from .._mail.messages import Messages
from .._times import from_seconds, parse_time, to_text
from .cursor import Cursor
from .decisions import RELEASE, Policies
from .event import make_event
from .naming import name_of

# How often a message is told of as long as it is not released.
_MOST_TIMES = 3
# What is read in one poll, and what may wait to be told of again: bounds for a server that does not stop
_MOST_MESSAGES = 50_000
_MOST_OPEN = 10_000
_SHOWN = 5
Event = t.Dict[str, t.Any]


class Watch(t.NamedTuple):
    """What to watch for.

    search: search options by name. since: seconds that the first poll looks back. overlap: seconds that each later one looks
    back before the newest message it knows, as mail may be shown late. repeat_after: seconds after which a message that was to be
    released, and is in quarantine all the same, is told of again. batch_size: messages in one event.
    """

    account_id: str
    search: t.Mapping[str, t.Any]
    since: float
    overlap: float
    repeat_after: float
    batch_size: int
    policies: Policies


class Watcher:
    """Polls for mail in quarantine that it has not told of yet.

    connect: makes a connection for one poll, so that each may wait for the rate limit as long as any. warn: called with what is
    worth a warning.
    """

    def __init__(
        self,
        watch: Watch,
        connect: t.Callable[[], Messages],
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
        """Return the events of what is new. What one tells of is noted when the next is asked for.

        Raises CloudflareError; the next poll then brings what is missing.
        """
        cursor, now = self._cursor, self._clock.time()
        newest = now - self._watch.since + self._watch.overlap if cursor.newest is None else cursor.newest
        cursor.newest = newest
        start = min([newest - self._watch.overlap, *(row[0] for row in cursor.open.values())])
        found = self._connect().search({**self._filters(now), "start": to_text(from_seconds(start))}, _MOST_MESSAGES)
        named = [message for message in found.messages if name_of(message)]
        if len(named) < len(found.messages):
            self._warn(
                f"Messages in quarantine without an id that is fit to be handed on, which no event has: {len(found.messages) - len(named)}"
            )
        moments = {message.key: _moment(message, start, now) for message in named}
        if not found.truncated:
            cursor.open = {name: row for name, row in cursor.open.items() if name in moments}
        given_up: list[str] = []
        fresh = [
            message for message in named if message.key not in cursor.seen or self._is_due(message.key, now, given_up)
        ]
        if given_up:
            more = f", and {len(given_up) - _SHOWN} more" if len(given_up) > _SHOWN else ""
            self._warn(
                f"{', '.join(given_up[:_SHOWN])}{more}: told of {_MOST_TIMES} times, and in quarantine all the same. It is not told of again."
            )
        fresh.sort(key=lambda message: moments[message.key])
        for decision, batch in self._watch.policies.batches(
            fresh, from_seconds(self._clock.time()), self._watch.batch_size
        ):
            yield make_event(self._watch.account_id, decision, batch)
            for message, _rules in batch:
                cursor.seen[message.key] = moments[message.key]
                if decision == RELEASE and (message.key in cursor.open or len(cursor.open) < _MOST_OPEN):
                    times = cursor.open[message.key][2] + 1 if message.key in cursor.open else 1
                    cursor.open[message.key] = [moments[message.key], now, times]
            cursor.save()
        if found.truncated:
            self._warn(
                f"The server broke off the list of messages, or it has more than {_MOST_MESSAGES}. The next poll looks again for what is missing."
            )
        else:
            cursor.newest = max([newest, *(moments[message.key] for message in fresh)])
        if cursor.forget(min(start, cursor.newest - self._watch.overlap) - self._watch.overlap):
            self._warn("So many messages came at once that some may be told of a second time.")
        cursor.save()

    def _is_due(self, name: str, now: float, given_up: list[str]) -> bool:
        """Tell whether a message was to be released long ago: its event was lost, or its release failed."""
        if name not in self._cursor.open:
            return False
        _moment_of_mail, told, times = self._cursor.open[name]
        if now - told < self._watch.repeat_after:
            return False
        if times >= _MOST_TIMES:
            del self._cursor.open[name]
            given_up.append(name)
            return False
        return True

    def _filters(self, now: float) -> dict[str, str]:
        return search_filters({**self._watch.search, "delivery_status": "quarantined", "detections_only": False}, now)


def _moment(message: Message, start: float, now: float) -> float:
    """Return when a message was scanned. One that does not tell, or tells of the future, is as new as can be.

    None is older than what was asked for, so that no server makes the next poll ask for all there ever was.
    """
    scanned = parse_time(message.data["scanned_at"] or "")
    return max(start, min(scanned.timestamp(), now)) if scanned else now
