# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Ways to spoil an answer that was right: each takes the request and the body, and returns body and content type."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .envelope import JSON, envelope, error

Spoiled = tuple[bytes, str]
HTML = "text/html; charset=UTF-8"


def page(title: str) -> bytes:
    """An error page of the edge."""
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def _wrong_types(value: Any) -> Any:
    """The same structure with no value of the right type."""
    if isinstance(value, dict):
        return {name: _wrong_types(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_wrong_types(item) for item in value]
    return 7 if isinstance(value, str) else "seven"


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    result = document["result"]
    if isinstance(result, dict):
        return result.get("results", [result])  # type: ignore[no-any-return]
    return result if isinstance(result, list) else []


def _with(document: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer with these entries instead."""
    nested = isinstance(document["result"], dict) and "results" in document["result"]
    return {**document, "result": {"results": entries} if nested else entries}


def _without_ids(document: dict[str, Any], _request: web.Request) -> Any:
    for entry in _entries(document):
        entry.pop("id", None)
        entry.pop("postfix_id", None)
    return document


def _foreign_ids(document: dict[str, Any], _request: web.Request) -> Any:
    for entry in _entries(document):
        entry["id"] = f"4Foreign0Foreign-2024-01-05T10:00:00-{abs(hash(entry['id'])) % 10**8:08}"
    return document


def _repeated_cursor(document: dict[str, Any], request: web.Request) -> Any:
    info = document.get("result_info") or {}
    info["next"] = request.query.get("cursor") or info.get("next")
    return document


_DOCUMENTS: dict[str, Callable[[dict[str, Any], web.Request], Any]] = {
    "array": lambda document, request: [],
    "string": lambda document, request: "ok",
    "null": lambda document, request: None,
    "empty_object": lambda document, request: {},
    "failure": lambda document, request: envelope(None, [error(1001, "not done")]),
    "success_missing": lambda document, request: {k: v for k, v in document.items() if k != "success"},
    "success_null": lambda document, request: {**document, "success": None},
    "success_text": lambda document, request: {**document, "success": "true"},
    "errors_too": lambda document, request: {**document, "errors": [error(1001, "not all of it")]},
    "result_missing": lambda document, request: {k: v for k, v in document.items() if k != "result"},
    "result_null": lambda document, request: {**document, "result": None},
    "result_string": lambda document, request: {**document, "result": "ok"},
    "wrong_types": lambda document, request: {**document, "result": _wrong_types(document["result"])},
    "reversed": lambda document, request: _with(document, _entries(document)[::-1]),
    "half": lambda document, request: _with(document, _entries(document)[::2]),
    "without_ids": _without_ids,
    "foreign_ids": _foreign_ids,
    "repeated_cursor": _repeated_cursor,
}
_BYTES: dict[str, Callable[[bytes], Spoiled]] = {
    "truncated": lambda body: (body[: len(body) // 2], JSON),
    "empty": lambda body: (b"", JSON),
    "deep": lambda body: (b"[" * 200_000, JSON),
    "html": lambda body: (page("Just a moment..."), HTML),
    "not_utf8": lambda body: (body.replace(b'"success"', b'"\xff\xfe": 0, "success"', 1), JSON),
    "bom": lambda body: (b"\xef\xbb\xbf" + body, JSON),
    "utf16_label": lambda body: (body, f"{JSON}; charset=utf-16"),
    "unknown_charset": lambda body: (body, f"{JSON}; charset=x-unknown"),
    "text_plain": lambda body: (body, "text/plain"),
}
KINDS = (*_DOCUMENTS, *_BYTES)


def spoil(kind: str, body: bytes, request: web.Request) -> Spoiled:
    """The body spoiled in that way."""
    if kind in _BYTES:
        return _BYTES[kind](body)
    return json.dumps(_DOCUMENTS[kind](json.loads(body), request)).encode(), JSON
