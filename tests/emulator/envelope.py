# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The envelope of every JSON answer, and the errors that end a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

JSON = "application/json"


def envelope(result: Any, errors: list[dict[str, Any]] | None = None, **extra: Any) -> dict[str, Any]:
    """Cloudflare's frame around a result; with errors it reports failure."""
    return {"success": not errors, "errors": errors or [], "messages": [], "result": result, **extra}


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON response in ASCII, so that lone surrogates travel as escapes."""
    return web.Response(body=json.dumps(body).encode("ascii"), status=status, headers=headers, content_type=JSON)


def error(
    code: int, message: str, *, pointer: str | None = None, chain: tuple[int, str] | None = None
) -> dict[str, Any]:
    """One entry of `errors`."""
    entry: dict[str, Any] = {"code": code, "message": message}
    if pointer is not None:
        entry["source"] = {"pointer": pointer}
    if chain:
        entry["error_chain"] = [{"code": chain[0], "message": chain[1]}]
    return entry


class ApiError(Exception):
    """Ends a request with a status and error entries."""

    def __init__(self, status: int, *errors: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, errors)
        self.status = status
        self.errors = list(errors)
        self.headers = headers

    def response(self) -> web.Response:
        """The failure envelope."""
        return answer(envelope(None, self.errors), self.status, self.headers)


def bad_request(message: str, pointer: str | None = None) -> ApiError:
    """A refused request; the real code and words are not published, so the contract's placeholder code is used."""
    return ApiError(400, error(1001, message, pointer=pointer))


def no_route(path: str) -> ApiError:
    """The answer to an unknown path or a malformed account id."""
    return ApiError(
        404,
        error(7003, f"Could not route to {path}, perhaps your object identifier is invalid?"),
        error(7000, "No route for that URI"),
    )


def no_message(handle: str) -> ApiError:
    """The answer to an unknown message; the real code is not published."""
    return ApiError(404, error(1001, f"message {handle} not found"))
