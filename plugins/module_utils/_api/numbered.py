# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Lists whose pages have numbers instead of cursors."""

from __future__ import annotations

import typing as t

from .._errors import DoubtfulError
from .._json import mapping, rows
from .client import PAGE_SIZE, Page

_MOST_PAGES = 1000

Get = t.Callable[[t.Dict[str, t.Any]], t.Dict[str, t.Any]]


def numbered_pages(get: Get, params: t.Mapping[str, t.Any], check_time: t.Callable[[], None]) -> t.Iterator[Page]:
    """Yield the pages of a list. A server that repeats its pages has a list without an end.

    get: returns the envelope for query parameters.
    check_time: is called before each further page. It raises if the list takes too long.
    """
    before: object = None
    seen = 0
    query = {"per_page": PAGE_SIZE, **params}
    for number in range(1, _MOST_PAGES + 1):
        envelope = get({**query, "page": number})
        result, info = envelope.get("result"), mapping(envelope.get("result_info"))
        if result is None and info.get("count") == 0:
            result = []
        if not isinstance(result, list):
            raise DoubtfulError("the answer holds no list")
        seen += len(result)
        more = _follows(number, len(result), seen, query["per_page"], info)
        broken = more and (not result or result == before or number == _MOST_PAGES)
        yield Page(rows(result), more and not broken, broken, _positive(info.get("total_count")))
        if broken or not more:
            return
        before = result
        check_time()


def _follows(number: int, count: int, seen: int, wanted: int, info: t.Mapping[str, t.Any]) -> bool:
    """Tell whether another page follows: by what the server says of the whole list, or else because this page is full."""
    pages, total, size = (_positive(info.get(name)) for name in ("total_pages", "total_count", "per_page"))
    if pages:
        return number < pages
    return seen < total if total else count >= min(size or wanted, wanted)


def _positive(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
