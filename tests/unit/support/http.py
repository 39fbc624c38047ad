# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scripted HTTP: what is sent is compared with what was expected, call by call. No socket is opened."""

from __future__ import annotations

import email.utils
import io
import json
import threading
import typing as t
import urllib.parse

import requests
import requests.adapters
import urllib3
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, RAY, TOKEN, URL, as_body

BEARER = {"Authorization": f"Bearer {TOKEN}"}
ANY = object()


class WrongCall(BaseException):
    """A call that the script does not have. Not an Exception, lest the code under test takes it for a fault of its own."""


class Sent(t.NamedTuple):
    """One request as it would have gone out."""

    method: str
    url: str
    headers: dict[str, str]
    body: t.Any
    options: dict[str, t.Any]

    @property
    def path(self) -> str:
        """Return the path below the account's part of the API, or the whole URL if it is elsewhere."""
        path = self.url.partition("?")[0]
        base = f"{URL}/accounts/{ACCOUNT}/email-security/"
        return path[len(base) :] if path.startswith(base) else path

    @property
    def query(self) -> dict[str, str]:
        """Return the query parameters."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.url).query, keep_blank_values=True))


class Reply(t.NamedTuple):
    """What the server answers. content: JSON data, text or bytes; an exception is raised instead."""

    content: t.Any = b""
    status: int = 200
    headers: t.Mapping[str, str] | None = None

    def dated(self, moment: float) -> Reply:
        """Return the answer with the time of the server, in seconds since the epoch."""
        return self._replace(headers={**(self.headers or {}), "Date": email.utils.formatdate(moment, usegmt=True)})


class Step(t.NamedTuple):
    """One request that has to come next, and the answer to it. ANY as query, body or headers: not looked at."""

    method: str
    path: str
    reply: Reply
    query: t.Any
    body: t.Any
    headers: t.Any


Server = t.Callable[[Sent], Reply]


class Script:
    """The calls that have to be made, in this order, no more and no less.

    Alternatively C(server) answers whatever comes. sent: all requests, in their order.
    """

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.server: Server | None = None
        self.headers: t.Mapping[str, str] = BEARER
        self._steps: list[Step] = []
        self._problems: list[str] = []
        self._lock = threading.Lock()

    def get(
        self, path: str, content: t.Any, status: int = 200, *, query: t.Any = ANY, headers: t.Any = None, **reply: t.Any
    ) -> None:
        """Expect a GET."""
        self._steps.append(Step("GET", path, Reply(content, status, **_as_headers(reply)), query, None, headers))

    def post(
        self, path: str, body: t.Any, content: t.Any, status: int = 200, *, headers: t.Any = None, **reply: t.Any
    ) -> None:
        """Expect a POST with exactly this JSON body."""
        self._steps.append(Step("POST", path, Reply(content, status, **_as_headers(reply)), {}, body, headers))

    def release(self, body: t.Any, content: t.Any, status: int = 200, **more: t.Any) -> None:
        """Expect a release call."""
        self.post("investigate/release", body, content, status, **more)

    @property
    def posts(self) -> list[Sent]:
        """Return the POSTs that were sent."""
        return [sent for sent in self.sent if sent.method == "POST"]

    @property
    def gets(self) -> list[Sent]:
        """Return the GETs that were sent."""
        return [sent for sent in self.sent if sent.method == "GET"]

    def verify(self) -> None:
        """Fail if a call was wrong, too many, or is missing."""
        missing = [f"missing: {step.method} {step.path}" for step in self._steps]
        assert not self._problems + missing

    def answer(self, request: requests.PreparedRequest, options: dict[str, t.Any]) -> Reply:
        """Take one request and return the answer to it."""
        body = request.body
        sent = Sent(
            str(request.method),
            str(request.url),
            {str(name): str(value) for name, value in request.headers.items()},
            json.loads(body) if body else None,
            options,
        )
        with self._lock:
            self.sent.append(sent)
            if self.server:
                return self.server(sent)
            if not self._steps:
                self._fail(f"one call too many: {sent.method} {sent.url} {sent.body}")
            step = self._steps.pop(0)
            self._compare(step, sent)
            return step.reply

    def _compare(self, step: Step, sent: Sent) -> None:
        expected: dict[str, t.Any] = {"method": step.method, "path": step.path}
        found: dict[str, t.Any] = {"method": sent.method, "path": sent.path}
        if step.query is not ANY:
            expected["query"], found["query"] = step.query, sent.query
        if step.body is not ANY:
            expected["body"], found["body"] = step.body, sent.body
        headers = self.headers if step.headers is None else step.headers
        expected["headers"] = dict(headers)
        found["headers"] = {name: sent.headers.get(name) for name in headers}
        credentials = {"Authorization", "X-Auth-Email", "X-Auth-Key"}
        if found != expected or not credentials.intersection(sent.headers) <= set(headers):
            self._fail(f"expected {expected}\nbut got {found}, {credentials.intersection(sent.headers)}")

    def _fail(self, problem: str) -> t.NoReturn:
        self._problems.append(problem)
        raise WrongCall(problem)


def _as_headers(reply: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return keywords such as C(retry_after=3) as headers of the answer."""
    return {"headers": {name.replace("_", "-").title(): str(value) for name, value in reply.items()}} if reply else {}


def install(script: Script, monkeypatch: t.Any) -> None:
    """Let the script answer everything that requests sends in this process."""

    def send(
        adapter: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, **options: t.Any
    ) -> requests.Response:
        reply = script.answer(request, options)
        if isinstance(reply.content, BaseException):
            raise reply.content
        headers = {"Content-Type": "application/json", "cf-ray": RAY, **(reply.headers or {})}
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(as_body(reply.content)), headers=headers, status=reply.status, preload_content=False
        )
        return adapter.build_response(request, raw)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
