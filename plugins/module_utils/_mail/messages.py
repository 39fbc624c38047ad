# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The read side: search, get, and finding many handles in few calls. Knows nothing of releasing."""

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
    CloudflareError,
    DoubtfulError,
    ForeignAnswerError,
    NotFoundError,
    RateLimitError,
)
from .._times import from_seconds, to_text
from .handles import INVESTIGATE_ID, MESSAGE_ID, POSTFIX_ID, Handle, same_message_id
from .message import NOT_QUARANTINED, RELEASE_OPERATION, Message

T = t.TypeVar("T")
R = t.TypeVar("R")

_PATH = "investigate"
# Up to this many ids are read one by one; for more, a search of their time window comes first.
_SINGLE_READS = 4
# From this many on, all mail of the window is searched before single reads.
_MANY = 50
# Ids carry the time of the scan without a zone, so the window is a day wider on both sides.
_WINDOW_MARGIN = datetime.timedelta(days=1)
# Cloudflare keeps detections for 12 months at the most; a search that names no start goes back 30 days only.
_OLDEST = datetime.timedelta(days=365)

# What the API may answer to an id that it does not know; nothing is published.
_UNKNOWN_ID = (400, 404, 410, 422)

# A filter narrows what comes back; what counts is the state that each row itself states.
_QUARANTINED_MAIL = {"delivery_status": "quarantined", "detections_only": "false"}
_RELEASED_MAIL = {"message_action": "QUARANTINE_RELEASED", "detections_only": "false"}
_ALL_MAIL = {"detections_only": "false"}


class SearchResult(t.NamedTuple):
    """Messages found. truncated: there are, or may be, more."""

    messages: list[Message]
    truncated: bool


class Messages:
    """Reads messages of one account.

    threads: how many reads may be under way at once. brief: of each message only what releasing needs is kept.
    """

    def __init__(self, client: Client, clock: Clock, threads: int = 4, brief: bool = False) -> None:
        self._client = client
        self._clock = clock
        self._threads = threads
        self._brief = brief
        self._route_proven = False

    def search(self, filters: t.Mapping[str, t.Any], limit: int | None = None) -> SearchResult:
        """Return the messages that fit all filters (query parameters of the API), at most C(limit) of them."""
        found: dict[str, Message] = {}
        for page in self._client.pages(_PATH, {**filters, **({"per_page": min(limit, PAGE_SIZE)} if limit else {})}):
            for row in page.rows:
                message = Message(row, self._brief)
                if limit and len(found) == limit and message.key not in found:
                    return SearchResult(list(found.values()), True)
                found[message.key] = message
            if page.broken or (page.more and len(found) == limit):
                return SearchResult(list(found.values()), True)
        return SearchResult(list(found.values()), False)

    def get(self, message_id: str) -> Message | None:
        """Return the message with this investigate id (older servers: postfix id), or None if it is unknown.

        An answer that does not describe this very message gives one whose state is unreadable.
        """
        path = f"{_PATH}/{urllib.parse.quote(message_id, safe='')}"
        try:
            result = self._client.get(path).get("result")
        except ApiError as error:
            if error.status not in _UNKNOWN_ID or isinstance(error, (AuthenticationError, ForeignAnswerError)):
                raise
            if error.no_route and not self._route_proven:
                next(self._client.pages(_PATH, {"per_page": 1}))  # raises if it is the address that is wrong
                self._route_proven = True
            return None
        message = Message(result if isinstance(result, dict) else {}, self._brief)
        return message if message_id in (message.id, message.postfix_id) else Message({"id": message_id}, self._brief)

    def find(self, handles: t.Iterable[Handle], released_first: bool = False) -> dict[Handle, list[Message]]:
        """Return for each handle the messages that it fits: none, one, or several.

        Many ids are looked up by searches in the time window that the ids hint at, and read one by one only where that
        did not settle them, so that the calls are fewer than the ids. released_first: they are most likely released.
        """
        found: dict[Handle, list[Message]] = {handle: [] for handle in handles}
        ids = {handle.text: handle for handle in found if handle.kind != MESSAGE_ID}
        unseen = set(ids.values())

        def take(message: Message) -> None:
            for name in (message.id, message.postfix_id):
                if name in ids:
                    _put(found[ids[name]], message)
                    unseen.discard(ids[name])

        trouble: CloudflareError | None = None
        if len(ids) > _SINGLE_READS or any(handle.kind == POSTFIX_ID for handle in ids.values()):
            mails = [_RELEASED_MAIL, _QUARANTINED_MAIL] if released_first else [_QUARANTINED_MAIL, _RELEASED_MAIL]
            trouble = self._sweep(mails, unseen, take)
        missing = [handle for handle, messages in found.items() if not messages]
        if trouble and len(missing) > _MANY:
            raise trouble  # the server is in no state to be asked for each
        for handle, messages in zip(missing, self._find_each(missing)):
            found[handle] = messages
        self._parallel(
            self._complete, [message for messages in found.values() for message in messages if _is_incomplete(message)]
        )
        return found

    def detections(self, message_ids: t.Sequence[str]) -> list[dict[str, t.Any] | None]:
        """Return the detection details of each message, None where there are none. One call for each."""
        return self._parallel(self._detections, message_ids)

    def _detections(self, message_id: str) -> dict[str, t.Any] | None:
        try:
            result = self._client.get(f"{_PATH}/{urllib.parse.quote(message_id, safe='')}/detections").get("result")
        except NotFoundError:
            return None
        return result if isinstance(result, dict) else None

    def _sweep(
        self,
        mails: t.Sequence[t.Mapping[str, str]],
        unseen: t.Collection[Handle],
        take: t.Callable[[Message], None],
    ) -> CloudflareError | None:
        """Search one kind of mail after the other. Returns what went wrong, if single reads may still do.

        unseen: the handles to be found; C(take) is given every message and removes from them what it fits.

        No more pages are read than single reads would cost. If the time inside the ids proves worthless, Cloudflare's
        default window is searched.
        """
        wanted = len(unseen)
        budget = max(wanted, 2 * _SINGLE_READS)
        # Postfix ids can fit several messages, which only the whole list shows.
        unique = all(handle.kind == INVESTIGATE_ID for handle in unseen)
        for window in _windows(unseen, self._clock.time()):
            for mail in [*mails, *([_ALL_MAIL] if wanted > _MANY else [])]:
                try:
                    for page in self._client.pages(_PATH, {**mail, **window}):
                        self._route_proven = True
                        for row in page.rows:
                            message = Message(row, self._brief)
                            if mail is _RELEASED_MAIL and _is_incomplete(message):
                                message.add_operations(
                                    [{"operation": RELEASE_OPERATION}]
                                )  # else it would not be listed
                            take(message)
                        budget -= 1
                        if (unique and not unseen) or budget <= 0:
                            break
                except DoubtfulError as error:
                    return error
                except ApiError as error:
                    if error.status != 400 or isinstance(error, (AuthenticationError, ForeignAnswerError)):
                        raise
                    continue  # a filter that this server does not take; single reads will do
                if budget <= 0 or not unseen:
                    return None
            if len(unseen) < wanted:
                return None
        return None

    def _find_each(self, handles: t.Sequence[Handle]) -> list[list[Message]]:
        """Look the handles up one by one. One whose answers are garbled is unreadable, unless all are."""
        results = self._parallel(self._try_find_one, handles)
        troubles = [result for result in results if isinstance(result, DoubtfulError)]
        if troubles and len(troubles) == len(results):
            raise troubles[0]
        return [
            [Message({"id": handle.text} if handle.kind == INVESTIGATE_ID else {}, self._brief)]
            if isinstance(result, DoubtfulError)
            else result
            for handle, result in zip(handles, results)
        ]

    def _try_find_one(self, handle: Handle) -> list[Message] | DoubtfulError:
        try:
            return self._find_one(handle)
        except DoubtfulError as error:
            return error

    def _find_one(self, handle: Handle) -> list[Message]:
        if handle.kind == MESSAGE_ID:
            return self._find_message_id(handle)
        message = self.get(handle.text)
        if message is None and handle.kind == POSTFIX_ID:
            rows = self._search_all({"query": handle.text})
            return [row for row in rows if row.postfix_id == handle.text]
        return [message] if message else []

    def _find_message_id(self, handle: Handle) -> list[Message]:
        bare = handle.text.strip("<>")
        for text in (f"<{bare}>", bare):
            rows = self._search_all({"message_id": text})
            # Checked, as a server that ignored the filter would have us release anybody's mail.
            found = [row for row in rows if same_message_id(row.data["message_id"], text)]
            if found:
                return found
        return []

    def _search_all(self, filters: t.Mapping[str, str]) -> list[Message]:
        start = to_text(from_seconds(self._clock.time()) - _OLDEST)
        return self.search({**filters, "start": start, "detections_only": "false"}).messages

    def _complete(self, message: Message) -> None:
        """Read what was done with a message from its action log."""
        path = f"{_PATH}/{urllib.parse.quote(message.id or '', safe='')}/action_log"
        try:
            entries = self._client.get(path, {"per_page": PAGE_SIZE}).get("result")
        except (AuthenticationError, RateLimitError):
            raise
        except (ApiError, DoubtfulError):
            return  # it helps to tell, and is not needed to know that nothing is to be sent
        message.add_operations(entries)

    def _parallel(self, function: t.Callable[[T], R], items: t.Sequence[T]) -> list[R]:
        """Return the results of the calls, in order. After a first error no further call is begun."""
        if len(items) < 2:
            return [function(item) for item in items]
        with concurrent.futures.ThreadPoolExecutor(self._threads) as pool:
            futures = [pool.submit(function, item) for item in items]
            try:
                return [future.result() for future in futures]
            finally:
                for future in futures:
                    future.cancel()


def _put(messages: list[Message], message: Message) -> None:
    """Add a message, in the place of what was read of it before."""
    for index, known in enumerate(messages):
        if known.key == message.key:
            messages[index] = message
            return
    messages.append(message)


def _is_incomplete(message: Message) -> bool:
    """Tell whether it matters what was done with the message, and the message itself does not tell."""
    return message.record_missing and message.state == NOT_QUARANTINED and bool(message.id)


def _windows(handles: t.Iterable[Handle], now: float) -> list[dict[str, str]]:
    """Return the time windows to search for ids: first what their times hint at, then Cloudflare's default."""
    times = [handle.time for handle in handles]
    hints = [time for time in times if time is not None and time.timestamp() < now]
    if len(hints) < len(times) or not hints:
        return [{}]
    window = {"start": to_text(min(hints) - _WINDOW_MARGIN)}
    end = max(hints) + _WINDOW_MARGIN
    if end < from_seconds(now):
        window["end"] = to_text(end)
    return [window, {}]
