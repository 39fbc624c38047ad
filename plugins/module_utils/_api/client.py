# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The client of the Cloudflare API: retries, waiting and pages. It knows nothing of messages or Ansible.

A GET that failed is repeated. A POST is repeated only if it certainly was not processed (no connection, or HTTP 429).
If a POST gets no clear answer, the error is a DoubtfulError, and the caller must find out what happened.
"""

from __future__ import annotations

import hashlib
import threading
import typing as t
import urllib.parse

from .._clock import Clock
from .._errors import (
    ApiError,
    AuthenticationError,
    CertificateError,
    CloudflareError,
    ConnectError,
    DoubtfulError,
    ForeignAnswerError,
    GarbledError,
    InputError,
    InterruptError,
    RateLimitError,
    TooLargeError,
)
from .._json import mapping, number, rows
from .._text import printable
from .envelope import Reply, read_envelope
from .http import Http
from .masking import Masker
from .pace import Pace, backoff, http_date, retry_after
from .shared import SharedNumbers

T = t.TypeVar("T")

_POLL_LIMIT = 120.0
_MOST_PAGES = 1000
_MOST_ROWS = 1_000_000  # a longer list is taken for endless
_LIST_TIMEOUTS = 60  # time for all pages of a list, in timeouts of one request
PAGE_SIZE = 1000  # the maximum in the schema; a changelog says 10,000


class Credential(t.NamedTuple):
    """The HTTP headers of a credential. origin: where it comes from, for error messages."""

    headers: dict[str, str]
    origin: str

    def __repr__(self) -> str:
        return f"Credential({self.origin!r})"


class Settings(t.NamedTuple):
    """How to reach the API.

    account_id: the account whose Email Security the paths are in. If empty, paths start at the root of the API.
    timeout: seconds for one request.
    retries: how often one failed request is repeated.
    max_wait: seconds to wait for rate limits in total.
    verify: as in requests: True, False, or the path of a CA bundle.
    masker: takes the secrets out of answers and errors.
    """

    api_url: str
    account_id: str
    credential: Credential
    timeout: float = 60.0
    retries: int = 5
    max_wait: float = 600.0
    verify: bool | str = True
    user_agent: str = "emailsec.cloudflare"
    connections: int = 4
    masker: Masker = Masker()


class Page(t.NamedTuple):
    """One page of a list.

    more: another page follows. broken: the list has no end, or something of it may be missing.
    total: how many objects the whole list has, 0 if the API does not say.
    """

    rows: list[dict[str, t.Any]]
    more: bool
    broken: bool
    total: int = 0


def access_name(settings: Settings) -> str:
    """Return a name for a server and a credential, which share a rate limit. The name does not reveal them."""
    headers = settings.credential.headers
    return _hidden(settings.api_url, *(headers[name] for name in sorted(headers)))


def _hidden(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


class Client:
    """A client of /accounts/{account_id}/email-security, or of the whole API. Can be used by several threads.

    notes: numbers about the server that all runs of this user share.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.calls = 0
        self.account_id = settings.account_id
        self.max_wait = settings.max_wait
        self.masker = settings.masker
        self._settings = settings
        self._clock = clock
        self._base = settings.api_url + (
            f"/accounts/{settings.account_id}/email-security" if settings.account_id else ""
        )
        self._pace = Pace(clock, settings.max_wait, SharedNumbers(f"pace-{access_name(settings)}"))
        self.notes = SharedNumbers(f"server-{_hidden(settings.api_url)}")
        self._ahead: float | None = None  # how far the server's time is ahead of the clock's monotonic
        self._lock = threading.Lock()
        self._http = Http(
            settings.api_url,
            {**settings.credential.headers, "User-Agent": settings.user_agent},
            timeout=settings.timeout,
            verify=settings.verify,
            connections=settings.connections,
            masker=settings.masker,
        )

    def used(self) -> dict[str, t.Any]:
        """Return what every result says: the account, and the number of requests made."""
        return {"account_id": self.account_id, "api_calls": self.calls}

    def get(
        self,
        path: str,
        params: t.Mapping[str, t.Any] | None = None,
        fits: t.Callable[[t.Any], bool] = lambda result: True,
    ) -> dict[str, t.Any]:
        """Return the envelope of a GET. Waits for a search that is still running (HTTP 202).

        fits: tells whether the result in the envelope is what was asked for. One that does not fit is read again like an answer
        that failed, and raises GarbledError in the end.
        """
        url = f"{self._base}/{path}"
        end = self._clock.monotonic() + _POLL_LIMIT
        polls = 0
        while True:
            reply, envelope = self._read(url, params, fits)
            if reply.status != 202:
                return envelope
            if self._clock.monotonic() > end:
                raise DoubtfulError(f"the search was still running after {_POLL_LIMIT:.0f} s")
            if reply.headers.get("Location"):
                url, params = self._same_server(url, reply), None
            polls += 1
            told = retry_after(reply.headers.get("Retry-After"), self._clock.time()) or 0.0
            self._pause(min(max(told, backoff(polls)), _POLL_LIMIT))

    def get_part(self, path: str, most: int, params: t.Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the envelope of a GET whose answer has at most so many bytes. Raises TooLargeError if it has more."""
        return self._read(f"{self._base}/{path}", params, most=most)[1]

    def post(self, path: str, body: object, accepted: bool = False) -> dict[str, t.Any]:
        """Return the envelope of a POST, which is processed at most once. Raises DoubtfulError if it may have been carried out.

        accepted: HTTP 202 is the plain answer to this call.
        """
        return self.change("POST", path, body, accepted)

    def change(self, method: str, path: str, body: object = None, accepted: bool = False) -> dict[str, t.Any]:
        """Return the envelope of a POST, PATCH, PUT or DELETE, which is processed at most once. Raises DoubtfulError like post."""
        url = f"{self._base}/{path}"

        def send() -> dict[str, t.Any]:
            reply = self._exchange(method, url, None, body)
            if reply.status == 204 or (reply.status == 202 and not accepted):
                raise DoubtfulError(f"the answer does not state the outcome: {reply}")
            return self._envelope(reply, "Cloud Email Security: Write")

        return self._repeat(send, ConnectError)

    def pages(self, path: str, params: t.Mapping[str, t.Any]) -> t.Iterator[Page]:
        """Yield the pages of a list. The field next in result_info leads from each to the next one."""
        query = {"per_page": PAGE_SIZE, **params}
        seen: set[str] = set()
        count = 0
        check_time = self.list_timer()
        while True:
            try:
                envelope = self.get(path, query, lambda result: isinstance(result, list))
            except GarbledError as error:
                raise GarbledError(f"the answer to a search holds no list of messages; {error}") from None
            result = envelope["result"]
            objects = rows(result)
            count += len(result)
            cursor, certain = _following(envelope.get("result_info"), len(result) >= query["per_page"], count)
            endless = bool(cursor) and (cursor in seen or len(seen) == _MOST_PAGES or count >= _MOST_ROWS)
            broken = endless or not certain or len(objects) < len(result)
            more = bool(cursor) and not broken
            yield Page(objects, more, broken)
            if not more:
                return
            seen.add(cursor)
            query["cursor"] = cursor
            check_time()

    def time(self) -> float:
        """Return the time by the server's clock, in seconds since the epoch; by our own clock while the server told none."""
        told = self.server_time(self._clock.monotonic())
        return self._clock.time() if told is None else told

    def server_time(self, moment: float) -> float | None:
        """Return the server's time at a moment of the clock's monotonic, or None. It is not later than it was."""
        return None if self._ahead is None else moment + self._ahead

    def list_timer(self) -> t.Callable[[], None]:
        """Return a function to call before each further page of a list. It raises DoubtfulError if the list takes too long."""
        limit = _LIST_TIMEOUTS * self._settings.timeout + self._settings.max_wait
        end = self._clock.monotonic() + limit

        def check() -> None:
            if self._clock.monotonic() > end:
                raise DoubtfulError(
                    f"the list was not complete after {limit:.0f} s; narrow the search or give a larger timeout"
                )

        return check

    def _read(
        self,
        url: str,
        params: t.Mapping[str, t.Any] | None,
        fits: t.Callable[[t.Any], bool] = lambda result: True,
        **limit: int,
    ) -> tuple[Reply, dict[str, t.Any]]:
        """Return the answer to a GET and its envelope."""

        def send() -> tuple[Reply, dict[str, t.Any]]:
            reply = self._exchange("GET", url, params, **limit)
            if reply.status == 202:
                return reply, {}
            try:
                envelope = self._envelope(reply, "Cloud Email Security: Read or Cloud Email Security: Write")
            except ApiError as error:
                if error.status < 300:  # success: false refuses nothing: the server had trouble
                    raise DoubtfulError(str(error)) from None
                raise
            if envelope.get("errors"):
                raise DoubtfulError(f"the answer tells of a success and of errors: {reply}")
            if envelope.get("result") is None and mapping(envelope.get("result_info")).get("count") in (0, "0"):
                envelope["result"] = []
            if not fits(envelope.get("result")):
                raise GarbledError(f"the answer is not what was asked for: {reply}")
            return reply, envelope

        return self._repeat(send, ConnectError, DoubtfulError, ForeignAnswerError)

    def _repeat(self, send: t.Callable[[], T], *failures: type[CloudflareError]) -> T:
        """Return what send returns. Repeats it after these errors, as often as retries allows."""
        attempt = 1
        while True:
            try:
                return send()
            except failures as error:
                if attempt > self._settings.retries or _lasts(error):
                    raise
            self._pause(backoff(attempt))
            attempt += 1

    def _envelope(self, reply: Reply, permission: str) -> dict[str, t.Any]:
        try:
            return read_envelope(reply, self.masker)
        except AuthenticationError as error:
            origin, account = self._settings.credential.origin, self._settings.account_id
            message = (
                f"Cloudflare refused the {origin}: {error}. Either it is not valid (any more), or it lacks the permission "
                f'"{permission}" on account {account}'
                if account
                else f"Cloudflare refused the {origin}: {error}. Either it is not valid (any more), or it may not do this"
            )
            raise AuthenticationError(message, status=error.status, errors=error.errors, cf_ray=error.cf_ray) from None

    def _same_server(self, url: str, reply: Reply) -> str:
        """Return the URL in the header Location. Raises DoubtfulError if it is on another server, which must not get the credential."""
        try:
            target = urllib.parse.urljoin(url, reply.headers["Location"])
        except ValueError:
            target = ""
        if not self._http.calls_home(target):
            raise DoubtfulError(
                f"the search redirects to another server ({printable(target, 100)}), which must not get the credential"
            )
        return target

    def _exchange(
        self, method: str, url: str, params: t.Mapping[str, t.Any] | None, body: object = None, **limit: int
    ) -> Reply:
        """Send one request and return its answer. Sends it again only if the rate limit refused it."""
        while True:
            self._pace.wait_turn()
            try:
                reply = self._http.exchange(method, url, params, body, **limit)
            except (ConnectError, InputError):
                self._pace.answered(None)
                raise
            except (DoubtfulError, TooLargeError):
                self._pace.answered(None)
                self._count()
                raise
            self._count()
            self._note_time(reply.headers.get("Date"))
            if reply.status != 429:
                self._pace.answered(reply.headers)
                return reply
            missing = self._pace.refused(reply.headers)
            if missing:
                left = max(0.0, self._settings.max_wait - self._pace.waited)
                raise RateLimitError(
                    f"Cloudflare's rate limit asks to wait another {missing:.0f} s, but only {left:.0f} s of max_wait "
                    f"({self._settings.max_wait:.0f} s) are left",
                    status=429,
                    cf_ray=reply.cf_ray,
                )

    def _count(self) -> None:
        with self._lock:
            self.calls += 1

    def _note_time(self, date: str | None) -> None:
        """Learn the server's time. It is told in whole seconds and arrives late, so that the largest difference is the best."""
        told = http_date(date)
        if told is not None:
            ahead = told - self._clock.monotonic()
            with self._lock:
                self._ahead = ahead if self._ahead is None else max(self._ahead, ahead)

    def _pause(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        if self._clock.stopping:
            raise InterruptError("stopped by a signal")


def _lasts(error: CloudflareError) -> bool:
    """Tell whether another try would not help: after a certificate that is not accepted, or a redirect."""
    return isinstance(error, CertificateError) or (isinstance(error, ForeignAnswerError) and error.status < 400)


def _following(info: object, full: bool, count: int) -> tuple[str, bool]:
    """Return the cursor of the next page, or an empty text, and whether it is certain that this is all there is.

    info: result_info of a page. full: the page has as many rows as were asked for. count: rows of all pages so far.
    """
    if not isinstance(info, dict):
        return "", not full
    cursor = info.get("next")
    if cursor is not None and (isinstance(cursor, bool) or not isinstance(cursor, (str, int))):
        return "", False
    if cursor in (None, ""):
        told = "next" in info or not full
        return "", told and (number(info.get("total_count")) or 0) <= count
    return str(cursor), True
