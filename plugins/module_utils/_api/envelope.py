# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reads Cloudflare's answers: the JSON envelope, or what came in its place.

Errors never quote a body. An answer that is not JSON is described by its status, content type and cf-ray.
"""

from __future__ import annotations

import json
import math
import re
import typing as t

from .._errors import ApiError, AuthenticationError, CloudflareError, DoubtfulError, ForeignAnswerError, NotFoundError
from .._json import mapping, rows
from .._text import printable
from .masking import Masker

# Codes of HTTP 400 about the credential: malformed (6003 with 6103, 6111 or 6301 inside) or missing (9106).
_CREDENTIAL_CODES = {6003, 6103, 6111, 6301, 9106}
_MOST_WORDS = 1000
# Far deeper than any answer of the API. The limit of the parser itself depends on the version of Python.
_DEEPEST = 50
_REDIRECT = "redirects are not followed; set api_url to the final address"
_MOST_ERRORS = 10
_LARGEST_CODE = 10**9


class Reply(t.NamedTuple):
    """One whole HTTP answer. The case of header names does not count."""

    status: int
    headers: t.Mapping[str, str]
    body: bytes

    def __str__(self) -> str:
        content_type = printable(self.headers.get("Content-Type") or "no content type", 80)
        return f"HTTP {self.status} ({content_type}, cf-ray {self.cf_ray or 'none'})"

    @property
    def cf_ray(self) -> str | None:
        """Return Cloudflare's request id."""
        ray = self.headers.get("cf-ray")
        return printable(ray, 80) if ray else None


def read_envelope(reply: Reply, masker: Masker | None = None) -> dict[str, t.Any]:
    """Return the envelope of a successful answer. Raises the error that any other answer means.

    Secrets are masked here: after the charset and the escapes of JSON are decoded, and before texts are cut.
    """
    envelope = _parse(reply.body)
    if envelope is not None and masker:
        envelope = masker.mask(envelope)
    status = reply.status
    if envelope is None:
        raise _not_an_envelope(reply)
    if status >= 500 or status in (408, 425):
        raise DoubtfulError(f"the server failed with {_words(reply, _errors(envelope))}")
    if status < 300 and envelope["success"] is True:
        return envelope
    raise _refusal(reply, _errors(envelope))


def _parse(body: bytes) -> dict[str, t.Any] | None:
    try:
        # NaN and the like are not JSON.
        envelope = json.loads(body, parse_constant=lambda _name: None, parse_float=_finite)
        if _is_too_deep(envelope):
            return None
        if re.search(rb"\\u[dD][89a-fA-F]", body):
            # Half a surrogate pair is valid JSON, but cannot be encoded again.
            envelope = _without_surrogates(envelope)
    except (ValueError, RecursionError):
        return None
    return envelope if isinstance(envelope, dict) and isinstance(envelope.get("success"), bool) else None


def _is_too_deep(value: t.Any) -> bool:
    """Tell whether lists and objects are nested too deeply for functions that call themselves."""
    level = [value]
    for _depth in range(_DEEPEST):
        inner: list[t.Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return False
        level = inner
    return True


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _without_surrogates(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _errors(envelope: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the errors of an envelope, each with code and message and, if given, source and error_chain."""
    errors = []
    for entry in rows(envelope.get("errors"))[:_MOST_ERRORS]:
        error = _code_and_message(entry)
        pointer = mapping(entry.get("source")).get("pointer")
        if isinstance(pointer, str):
            error["source"] = {"pointer": printable(pointer)}
        chain = [_code_and_message(cause) for cause in rows(entry.get("error_chain"))[:_MOST_ERRORS]]
        if chain:
            error["error_chain"] = chain
        errors.append(error)
    return errors


def _code_and_message(entry: dict[str, t.Any]) -> dict[str, t.Any]:
    code = entry.get("code")
    return {
        "code": code if isinstance(code, int) and abs(code) < _LARGEST_CODE else 0,
        "message": printable(str(entry.get("message", ""))),
    }


def _words(reply: Reply, errors: list[dict[str, t.Any]]) -> str:
    """Return one phrase with the status, the words of the API, and the request id."""
    said = []
    for error in errors:
        causes = "".join(f", {cause['message']} (code {cause['code']})" for cause in error.get("error_chain", []))
        said.append(f"{error['message']} (code {error['code']}){causes}")
    words = printable("; ".join(said[:3]) or "no reason given", _MOST_WORDS)
    return f"HTTP {reply.status}: {words} [cf-ray {reply.cf_ray or 'none'}]"


def _refusal(reply: Reply, errors: list[dict[str, t.Any]]) -> ApiError:
    words = _words(reply, errors)
    kinds: dict[int, type[ApiError]] = {401: AuthenticationError, 403: AuthenticationError, 404: NotFoundError}
    error = ApiError(words, status=reply.status, errors=errors, cf_ray=reply.cf_ray)
    kind = kinds.get(reply.status, ApiError)
    if reply.status == 400 and error.codes & _CREDENTIAL_CODES:
        kind = AuthenticationError
    if 300 <= reply.status < 400:
        kind, words = ForeignAnswerError, f"{words}; {_REDIRECT}"
    if error.no_route:
        words = f"{words}; check account_id and api_url"
    return kind(words, status=reply.status, errors=errors, cf_ray=reply.cf_ray)


def _not_an_envelope(reply: Reply) -> CloudflareError:
    status = reply.status
    words = f"the answer is not Cloudflare's JSON: {reply}"
    if status >= 500 or status < 300 or status in (408, 425):
        return DoubtfulError(words)
    if status in (401, 403):
        hint = "a proxy or a web application firewall may have answered in Cloudflare's place"
        return AuthenticationError(f"{words}; {hint}", status=status, cf_ray=reply.cf_ray)
    hint = _REDIRECT if status < 400 else "is api_url right?"
    return ForeignAnswerError(f"{words}; {hint}", status=status, cf_ray=reply.cf_ray)
