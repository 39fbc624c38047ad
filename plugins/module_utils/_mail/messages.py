# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reads messages: search, get, and find many handles with few calls. Knows nothing of releases."""

from __future__ import annotations

import concurrent.futures
import datetime
import typing as t
import urllib.parse

from .._api.client import PAGE_SIZE, Client
from .._clock import Clock
from .._errors import (
    ApiError,
    AuthenticationError,
    DoubtfulError,
    ForeignAnswerError,
    GarbledError,
    NotFoundError,
    RateLimitError,
)
from .._json import mapping
from .._times import from_seconds, to_text
from .handles import INVESTIGATE_ID, MESSAGE_ID, POSTFIX_ID, Handle, same_message_id
from .message import RELEASE_OPERATION, BriefMessage, State

T = t.TypeVar("T")
R = t.TypeVar("R")
M = t.TypeVar("M", bound=BriefMessage)
Kind_co = t.TypeVar("Kind_co", bound=BriefMessage, covariant=True)

_PATH = "investigate"
# Up to so many ids are read one by one. For more, a search of their time window comes first.
_SINGLE_READS = 4
# From so many ids on, all messages of the window are searched before single reads.
_MANY = 50
# Where searches fail, so many ids are read one by one at most.
_MOST_UNSEARCHED = 1000
# Ids have the time of the scan without a zone, so the window is a day wider on both sides.
_WINDOW_MARGIN = datetime.timedelta(days=1)
# Cloudflare keeps detections for at most 12 months. A search without a start goes back only 30 days.
_OLDEST = datetime.timedelta(days=365)

# What the API may answer for an unknown id; this is not documented.
_UNKNOWN_ID = (400, 404, 410, 422)

# The filters only save pages. What counts is the state in each row itself.
_QUARANTINED = {"delivery_status": "quarantined", "detections_only": "false"}
_RELEASED = {"message_action": "QUARANTINE_RELEASED", "detections_only": "false"}
_ALL = {"detections_only": "false"}


class Messages(t.Generic[Kind_co]):
    """Reads messages of one account.

    kind: Message for all fields, or BriefMessage to save memory.
    threads: how many reads may run at once.
    """

    def __init__(self, client: Client, clock: Clock, kind: type[Kind_co], threads: int = 4) -> None:
        self._client = client
        self._clock = clock
        self._kind = kind
        self._threads = threads
        self._route_proven = False

    def search(self, filters: t.Mapping[str, t.Any], limit: int | None = None) -> tuple[list[Kind_co], bool]:
        """Return the messages that match all filters, and whether there are or may be more.

        filters: query parameters of the API.
        limit: return at most so many messages.
        """
        found: dict[str, Kind_co] = {}
        for page in self._client.pages(_PATH, {**filters, **({"per_page": min(limit, PAGE_SIZE)} if limit else {})}):
            for row in page.rows:
                message = self._kind(row)
                if limit and len(found) == limit and message.key not in found:
                    return list(found.values()), True
                found[message.key] = message
            if page.broken or (page.more and len(found) == limit):
                return list(found.values()), True
        return list(found.values()), False

    def get(self, message_id: str) -> Kind_co | None:
        """Return the message with this investigate id (older servers: postfix id), or None if it is unknown.

        If the answer describes another message, the state of the returned message is UNREADABLE.
        """
        try:
            result = self._client.get(path_of(message_id), None, lambda result: _is_about(result, message_id))["result"]
        except GarbledError:
            return self._kind({"id": message_id})
        except ApiError as error:
            if error.status not in _UNKNOWN_ID or isinstance(error, (AuthenticationError, ForeignAnswerError)):
                raise
            if error.no_route and not self._route_proven:
                next(self._client.pages(_PATH, {"per_page": 1}))  # raises if the account or api_url is wrong
                self._route_proven = True
            return None
        return self._kind(result)

    def find(self, handles: t.Iterable[Handle], released_first: bool = False) -> dict[Handle, list[Kind_co]]:
        """Return for each handle the messages that it matches: none, one, or several.

        To save calls, many ids are first searched for in the time window that the ids suggest. Only those that the search does
        not find are read one by one.

        released_first: the messages are probably released.
        """
        found: dict[Handle, list[Kind_co]] = {handle: [] for handle in handles}
        ids = {handle.text: handle for handle in found if handle.kind != MESSAGE_ID}
        unseen = set(ids.values())

        def take(message: t.Any) -> None:
            if message.id in ids:
                message.id = ids[message.id].text  # one text in memory instead of two
            for name in (message.id, message.postfix_id):
                if name in ids:
                    _put(found[ids[name]], message)
                    unseen.discard(ids[name])

        trouble: DoubtfulError | None = None
        if len(ids) > _SINGLE_READS or any(handle.kind == POSTFIX_ID for handle in ids.values()):
            searches = [_RELEASED, _QUARANTINED] if released_first else [_QUARANTINED, _RELEASED]
            trouble = self._sweep(searches, unseen, take)
        missing = [handle for handle, messages in found.items() if not messages]
        results = self._find_each(missing, trouble)
        unread = [result for result in results if isinstance(result, DoubtfulError)]
        if unread and len(unread) == len(found):
            raise unread[0]
        for handle, result in zip(missing, results):
            unreadable = self._kind({"id": handle.text} if handle.kind == INVESTIGATE_ID else {})
            found[handle] = [unreadable] if isinstance(result, DoubtfulError) else result
        self._parallel(
            self._complete, [message for messages in found.values() for message in messages if _is_incomplete(message)]
        )
        return found

    def detections(self, message_ids: t.Sequence[str]) -> list[dict[str, t.Any] | None]:
        """Return the detection details of each message, or None if it has none. Makes one call for each message."""
        return self._parallel(self._detections, message_ids)

    def action_log(self, message_id: str) -> list[t.Any]:
        """Return what was done with a message, as action_log does."""
        return action_log(self._client, message_id)

    def _detections(self, message_id: str) -> dict[str, t.Any] | None:
        try:
            envelope = self._client.get(
                path_of(message_id, "detections"), None, lambda result: result is None or isinstance(result, dict)
            )
        except NotFoundError:
            return None
        return t.cast("dict[str, t.Any] | None", envelope.get("result"))

    def _sweep(
        self,
        searches: t.Sequence[t.Mapping[str, str]],
        unseen: t.Collection[Handle],
        take: t.Callable[[Kind_co], None],
    ) -> DoubtfulError | None:
        """Make several searches for handles. Returns the error that ended them, if single reads may still work.

        unseen: the handles to find.
        take: is called with every message. It removes the handles of the message from unseen.

        At most as many pages are read as single reads would take. If the time in the ids does not help, Cloudflare's default
        window is searched.
        """
        wanted = len(unseen)
        budget = max(wanted, 2 * _SINGLE_READS)
        # A postfix id can match several messages. Only the whole list shows them.
        unique = all(handle.kind == INVESTIGATE_ID for handle in unseen)
        for window in _windows(unseen, self._clock.time()):
            for search in [*searches, *([_ALL] if wanted > _MANY else [])]:
                try:
                    for page in self._client.pages(_PATH, {**search, **window}):
                        self._route_proven = True
                        for row in page.rows:
                            message = self._kind(row)
                            if search is _RELEASED and _is_incomplete(message):
                                # Otherwise, this search would not have found it.
                                message.add_operations([{"operation": RELEASE_OPERATION}])
                            take(message)
                        budget -= 1
                        if (unique and not unseen) or budget <= 0:
                            break
                except DoubtfulError as error:
                    return error
                except ApiError as error:
                    if error.status != 400 or isinstance(error, (AuthenticationError, ForeignAnswerError)):
                        raise
                    continue  # this server does not know the filter; single reads work instead
                if budget <= 0 or not unseen:
                    return None
            if len(unseen) < wanted:
                return None
        return None

    def _find_each(
        self, handles: t.Sequence[Handle], trouble: DoubtfulError | None
    ) -> list[list[Kind_co] | DoubtfulError]:
        """Look up the handles one by one. trouble: what ended the search for them; if it lasts, only the first one is tried."""
        first = [self._try_find_one(handle) for handle in handles[:1]] if trouble else []
        if trouble and (len(handles) > _MOST_UNSEARCHED or any(isinstance(result, DoubtfulError) for result in first)):
            return [trouble for _handle in handles]
        return [*first, *self._parallel(self._try_find_one, handles[len(first) :])]

    def _try_find_one(self, handle: Handle) -> list[Kind_co] | DoubtfulError:
        try:
            return self._find_one(handle)
        except DoubtfulError as error:
            return error

    def _find_one(self, handle: Handle) -> list[Kind_co]:
        if handle.kind == MESSAGE_ID:
            return self._find_message_id(handle)
        message = self.get(handle.text)
        if message is None and handle.kind == POSTFIX_ID:
            rows = self._search_all({"query": handle.text})
            # A text that is no id may be a Message-ID.
            return [row for row in rows if row.postfix_id == handle.text] or self._find_message_id(handle)
        return [message] if message else []

    def _find_message_id(self, handle: Handle) -> list[Kind_co]:
        bare = handle.text.strip("<>")
        for text in (f"<{bare}>", bare):
            rows = self._search_all({"message_id": text})
            # A server that ignores the filter must not make us release other messages.
            found = [row for row in rows if same_message_id(row.message_id, text)]
            if found:
                return found
        return []

    def _search_all(self, filters: t.Mapping[str, str]) -> list[Kind_co]:
        start = to_text(from_seconds(self._clock.time()) - _OLDEST)
        found, more = self.search({**filters, "start": start, "detections_only": "false"})
        if more:  # what is missing could be the message that is meant
            raise DoubtfulError("the list of messages came without its end")
        return found

    def _complete(self, message: BriefMessage) -> None:
        """Read what was done with a message from its action log."""
        try:
            entries = self.action_log(message.id or "")
        except (AuthenticationError, RateLimitError):
            raise
        except (ApiError, DoubtfulError):
            return  # the details are useful, but not needed to know that nothing is to be sent
        message.add_operations(entries)

    def _parallel(self, function: t.Callable[[T], R], items: t.Sequence[T]) -> list[R]:
        """Return the results of the calls, in order. After the first error, no more calls start."""
        if len(items) < 2:
            return [function(item) for item in items]
        with concurrent.futures.ThreadPoolExecutor(self._threads) as pool:
            futures = [pool.submit(function, item) for item in items]
            try:
                return [future.result() for future in futures]
            finally:
                for future in futures:
                    future.cancel()


def path_of(message_id: str, *below: str) -> str:
    """Return the path of a message, or of something below it."""
    return "/".join([_PATH, urllib.parse.quote(message_id, safe=""), *below])


def action_log(client: Client, message_id: str) -> list[t.Any]:
    """Return what was done with a message, as far as it fits on one page. Raises DoubtfulError if there is no list."""
    path = path_of(message_id, "action_log")
    envelope = client.get(path, {"per_page": PAGE_SIZE}, lambda result: isinstance(result, list))
    return t.cast("list[t.Any]", envelope["result"])


def _is_about(result: object, message_id: str) -> bool:
    """Tell whether an answer describes this message."""
    return message_id in (mapping(result).get("id"), mapping(result).get("postfix_id"))


def _put(messages: list[M], message: M) -> None:
    """Add a message. It replaces an earlier reading of the same message."""
    for index, known in enumerate(messages):
        if known.key == message.key:
            messages[index] = message
            return
    messages.append(message)


def _is_incomplete(message: BriefMessage) -> bool:
    """Tell whether the operations on the message are needed but missing."""
    return message.record_missing and message.state == State.NOT_QUARANTINED and bool(message.id)


def _windows(handles: t.Iterable[Handle], now: float) -> list[dict[str, str]]:
    """Return the time windows to search for ids: first the one that their times suggest, then Cloudflare's default."""
    times = [handle.time for handle in handles]
    hints = [time for time in times if time is not None and time.timestamp() < now]
    if len(hints) < len(times) or not hints:
        return [{}]
    window = {"start": to_text(min(hints) - _WINDOW_MARGIN)}
    end = max(hints) + _WINDOW_MARGIN
    if end < from_seconds(now):
        window["end"] = to_text(end)
    return [window, {}]
