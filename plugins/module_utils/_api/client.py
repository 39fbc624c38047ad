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
    InputError,
    InterruptError,
    RateLimitError,
)
from .._json import mapping, rows
from .._text import printable
from .envelope import Reply, read_envelope
from .http import Http
from .masking import Masker
from .pace import Pace, backoff, retry_after
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
    """One page of a list. more: another page follows. broken: the list has no end."""

    rows: list[dict[str, t.Any]]
    more: bool
    broken: bool


def access_name(settings: Settings) -> str:
    """Return a name for a server and a credential, which share a rate limit. The name does not reveal them."""
    parts = [settings.api_url, *(settings.credential.headers[name] for name in sorted(settings.credential.headers))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


class Client:
    """A client of /accounts/{account_id}/email-security, or of the whole API. Can be used by several threads."""

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
        self._lock = threading.Lock()
        self._http = Http(
            settings.api_url,
            {**settings.credential.headers, "User-Agent": settings.user_agent},
            timeout=settings.timeout,
            verify=settings.verify,
            connections=settings.connections,
            masker=settings.masker,
        )

    def get(self, path: str, params: t.Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the envelope of a GET. Waits for a search that is still running (HTTP 202)."""
        url = f"{self._base}/{path}"
        end = self._clock.monotonic() + _POLL_LIMIT
        polls = 0
        while True:
            reply, envelope = self._read(url, params)
            if reply.status != 202:
                return envelope
            if self._clock.monotonic() > end:
                raise ApiError(
                    f"the search was still running after {_POLL_LIMIT:.0f} s", status=202, cf_ray=reply.cf_ray
                )
            if reply.headers.get("Location"):
                url, params = self._same_server(url, reply), None
            polls += 1
            told = retry_after(reply.headers.get("Retry-After"), self._clock.time()) or 0.0
            self._pause(min(max(told, backoff(polls)), _POLL_LIMIT))

    def post(self, path: str, body: object) -> dict[str, t.Any]:
        """Return the envelope of a POST, which is processed at most once. Raises DoubtfulError if it may have been carried out."""
        return self.change("POST", path, body)

    def change(self, method: str, path: str, body: object = None) -> dict[str, t.Any]:
        """Return the envelope of a POST, PATCH, PUT or DELETE, which is processed at most once. Raises DoubtfulError like post."""
        url = f"{self._base}/{path}"

        def send() -> dict[str, t.Any]:
            reply = self._exchange(method, url, None, body)
            if reply.status in (202, 204):
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
            envelope = self.get(path, query)
            result, info = envelope.get("result"), mapping(envelope.get("result_info"))
            if result is None and info.get("count") == 0:
                result = []
            if not isinstance(result, list):
                raise DoubtfulError("the answer to a search holds no list of messages")
            objects = rows(result)
            cursor = str(info["next"]) if isinstance(info.get("next"), (str, int)) else ""
            count += len(objects)
            broken = bool(cursor) and (cursor in seen or len(seen) == _MOST_PAGES or count >= _MOST_ROWS)
            more = bool(cursor) and not broken
            yield Page(objects, more, broken)
            if not more:
                return
            seen.add(cursor)
            query["cursor"] = cursor
            check_time()

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

    def _read(self, url: str, params: t.Mapping[str, t.Any] | None) -> tuple[Reply, dict[str, t.Any]]:
        """Return the answer to a GET and its envelope."""

        def send() -> tuple[Reply, dict[str, t.Any]]:
            reply = self._exchange("GET", url, params)
            if reply.status == 202:
                return reply, {}
            return reply, self._envelope(reply, "Cloud Email Security: Read or Cloud Email Security: Write")

        return self._repeat(send, ConnectError, DoubtfulError)

    def _repeat(self, send: t.Callable[[], T], *failures: type[CloudflareError]) -> T:
        """Return what send returns. Repeats it after these errors, as often as retries allows."""
        attempt = 1
        while True:
            try:
                return send()
            except CertificateError:
                raise
            except failures:
                if attempt > self._settings.retries:
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
        """Return the URL in the header Location. Raises ApiError if it is on another server, which must not get the credential."""
        try:
            target = urllib.parse.urljoin(url, reply.headers["Location"])
        except ValueError:
            target = ""
        if not self._http.calls_home(target):
            raise ApiError(
                f"the search redirects to another server ({printable(target, 100)}), which must not get the credential",
                status=reply.status,
                cf_ray=reply.cf_ray,
            )
        return target

    def _exchange(self, method: str, url: str, params: t.Mapping[str, t.Any] | None, body: object = None) -> Reply:
        """Send one request and return its answer. Sends it again only if the rate limit refused it."""
        while True:
            self._pace.wait_turn()
            try:
                reply = self._http.exchange(method, url, params, body)
            except (ConnectError, InputError):
                self._pace.answered(None)
                raise
            except DoubtfulError:
                self._pace.answered(None)
                self._count()
                raise
            self._count()
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

    def _pause(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        if self._clock.stopping:
            raise InterruptError("stopped by a signal")
