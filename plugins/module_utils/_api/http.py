# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""One HTTP exchange with the library requests, which no other file imports. Nothing is ever repeated here.

An error tells whether the request certainly was not sent (ConnectError) or may have been carried out (DoubtfulError).
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import traceback
import typing as t
import urllib.parse

from .._errors import (
    CertificateError,
    CloudflareError,
    ConnectError,
    DoubtfulError,
    InputError,
    SilentError,
    TooLargeError,
)
from .._text import printable
from .deadline import watch
from .envelope import Reply
from .masking import Masker

try:
    import requests
    import requests.adapters
    import requests.auth
    import requests.exceptions
    import requests.structures
    import urllib3
    import urllib3.exceptions
except ImportError:
    IMPORT_ERROR: str | None = traceback.format_exc()
else:
    IMPORT_ERROR = None

    class _Session(requests.Session):
        """Ignores redirects. requests would read the whole body of a redirect, even if it does not follow it."""

        def get_redirect_target(self, resp: requests.Response) -> None:
            return None

    class _Adapter(requests.adapters.HTTPAdapter):
        """Watches each connection, also one that leads through a proxy."""

        def __init__(self, connecting: t.Callable[[bool], None], **options: t.Any) -> None:
            self._connecting = connecting
            super().__init__(**options)

        def init_poolmanager(self, *args: t.Any, **options: t.Any) -> None:
            super().init_poolmanager(*args, **options)
            watch(self.poolmanager, self._connecting)

        def proxy_manager_for(self, proxy: str, **options: t.Any) -> t.Any:
            known = proxy in self.proxy_manager
            manager = super().proxy_manager_for(proxy, **options)
            if not known:
                watch(manager, self._connecting)
            return manager


_CONNECT_TIMEOUT = 10.0
_LARGEST_BODY = 64 * 1024 * 1024
_CHUNK = 16 * 1024
_ENCODINGS = ("", "identity", "gzip", "deflate")


class Http:
    """A pool of connections to one server, all with the same credential. Can be used by several threads.

    api_url: the server.
    headers: the credential.
    timeout: seconds for one exchange.
    verify: as in requests: True, False, or the path of a CA bundle.
    connections: how many may be open at once.
    masker: masks headers and errors. A body is masked by whoever parses it.
    """

    def __init__(
        self,
        api_url: str,
        headers: t.Mapping[str, str],
        *,
        timeout: float,
        verify: bool | str,
        connections: int,
        masker: Masker | None = None,
    ) -> None:
        def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers.update(headers)
            return request

        self._server = _server(api_url)
        self._masker = masker or Masker()
        self._timeout = timeout
        self._verify = verify
        self._session = _Session()
        # Set as auth, not as plain headers: otherwise requests would read ~/.netrc.
        self._session.auth = authorize
        # connecting: the request of this thread waits for its connection (True), began to leave (False), or neither yet (None)
        self._progress = threading.local()
        adapter = _Adapter(self._note_connecting, pool_maxsize=connections, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        if not verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def exchange(
        self,
        method: str,
        url: str,
        params: t.Mapping[str, t.Any] | None = None,
        body: object = None,
        most: int = _LARGEST_BODY,
    ) -> Reply:
        """Send one request and read its whole answer. Redirects are not followed.

        most: how many bytes the body of a success may have.
        """
        if not self.calls_home(url):
            raise InputError("the credential is sent only to the server of api_url")
        self._progress.connecting = None
        try:
            response = self._session.request(
                method,
                url,
                params=params,
                data=None if body is None else json.dumps(body).encode(),
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip",
                    **({} if body is None else {"Content-Type": "application/json"}),
                },
                timeout=(min(_CONNECT_TIMEOUT, self._timeout), self._timeout),
                # Given with each request: otherwise REQUESTS_CA_BUNDLE would win over "no verification".
                verify=self._verify,
                allow_redirects=False,
                stream=True,
            )
            with response:
                limit = most if response.ok else _LARGEST_BODY
                return Reply(response.status_code, self._headers(response), self._content(response, limit))
        except (TypeError, AttributeError) as error:  # what requests raises for a proxy variable that is no URL
            kind = ConnectError if self._progress.connecting else DoubtfulError
            raise kind(f"the request failed ({type(error).__name__}); check the proxy variables") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            causes = list(_causes(error))
            connecting = self._progress.connecting
            failure = _not_sent if connecting or (connecting is None and _is_unsent(causes)) else _lost
            raise failure(causes, urllib.parse.urlsplit(url).netloc, self._timeout, self._masker) from None

    def _note_connecting(self, connecting: bool) -> None:
        self._progress.connecting = connecting

    def calls_home(self, url: str) -> bool:
        """Tell whether a request to this URL would go to our server, as requests and urllib3 read the URL."""
        return _server(url) == self._server

    def _content(self, response: requests.Response, most: int) -> bytes:
        encoding = response.headers.get("Content-Encoding", "")
        if (
            encoding.strip().lower() not in _ENCODINGS
        ):  # several at once could unpack without end, even within one chunk
            raise DoubtfulError(
                f"the answer has an encoding that was not asked for ({printable(self._masker.mask(encoding), 40)})"
            )
        response.raw.chunked = False  # http.client joins the chunks, as it limits the length of their heads
        content = bytearray()
        for chunk in response.raw.stream(min(_CHUNK, most + 1), decode_content=True):
            content += chunk
            if len(content) > most:
                if most < _LARGEST_BODY:
                    raise TooLargeError(f"the answer is larger than {most} bytes")
                raise DoubtfulError(f"the answer is larger than {_LARGEST_BODY // 1024 // 1024} MiB")
        return bytes(content)

    def _headers(self, response: requests.Response) -> t.Mapping[str, str]:
        return requests.structures.CaseInsensitiveDict(self._masker.mask(dict(response.headers)))


def _server(url: str) -> tuple[str | None, str | None, int | None] | None:
    try:
        parts = urllib3.util.parse_url(requests.Request("GET", url).prepare().url or "")
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ValueError):
        return None
    return parts.scheme, parts.host, parts.port or {"https": 443, "http": 80}.get(parts.scheme or "")


def _is_unsent(causes: t.Sequence[BaseException]) -> bool:
    """Tell whether an error is of a kind that only comes before there is a connection."""
    kinds = (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidHeader,
        requests.exceptions.InvalidSchema,
        requests.exceptions.ConnectTimeout,
        urllib3.exceptions.NewConnectionError,
        ssl.SSLCertVerificationError,
    )
    words = ("CA certificate bundle", "Tunnel connection failed")
    return any(isinstance(cause, kinds) or any(part in str(cause) for part in words) for cause in causes)


def _not_sent(causes: t.Sequence[BaseException], server: str, timeout: float, masker: Masker) -> CloudflareError:
    """Return what an error means that came before there was a connection to send the request by."""
    error, words = causes[0], _words(causes[-1], masker)

    def any_is(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    is_tls = any_is(ssl.SSLError, requests.exceptions.SSLError)
    if is_tls and any("certificate" in f"{type(cause).__name__} {cause}".lower() for cause in causes):
        return CertificateError(
            f"the TLS certificate of {server} was not accepted ({words}); "
            "if a proxy inspects TLS, give its CA bundle as ca_path"
        )
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader)):
        return InputError(
            f"the server {server} cannot be called ({type(error).__name__}); check api_url and the proxy variables"
        )
    if "CA certificate bundle" in str(error):
        return InputError(f"the server {server} was not called: there is no CA bundle at ca_path or REQUESTS_CA_BUNDLE")
    if any(type(cause).__name__ == "NameResolutionError" for cause in causes):  # came with urllib3 2
        return ConnectError(f"the name of {server} could not be resolved; check api_url and the DNS of this machine")
    if any_is(socket.timeout, urllib3.exceptions.TimeoutError) and not any_is(urllib3.exceptions.NewConnectionError):
        limit = min(_CONNECT_TIMEOUT, timeout)
        return ConnectError(f"no connection to {server} within {limit:g} s; check firewall and proxy")
    if is_tls:
        return ConnectError(
            f"no TLS connection to {server} ({words}); is api_url really https, or does a proxy answer?"
        )
    way = "through the proxy " if any_is(requests.exceptions.ProxyError) else ""
    return ConnectError(f"could not connect {way}to {server} ({words}); check api_url, firewall and proxy")


def _lost(causes: t.Sequence[BaseException], server: str, timeout: float, masker: Masker) -> CloudflareError:
    """Return what an error means that came when the request may have been sent."""
    if any(isinstance(cause, (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)) for cause in causes):
        return SilentError(
            f"no answer from {server} within {timeout:g} s; a larger timeout or a smaller batch_size may help"
        )
    words = _words(causes[-1], masker)
    return SilentError(f"the connection to {server} broke before a complete answer ({words})")


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """Yield an error and those that requests and urllib3 wrapped in it, the innermost last."""
    todo: list[object] = [error]
    seen: list[BaseException] = []
    while todo:
        cause = todo.pop(0)
        if isinstance(cause, BaseException) and not any(cause is known for known in seen):
            seen.append(cause)
            yield cause
            todo += [getattr(cause, "reason", None), getattr(cause, "original_error", None), *cause.args]


def _words(cause: BaseException, masker: Masker) -> str:
    """Return the words of an error, without URLs: the URL of a proxy may hold a password."""
    words = getattr(cause, "strerror", None) or re.sub(r"^<[^>]*>: ", "", str(cause))
    return printable(type(cause).__name__ if "://" in words else masker.mask(words), 200)
