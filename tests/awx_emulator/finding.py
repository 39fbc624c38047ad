# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists: filters and pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import Refused
from .schema import RESOURCES

if TYPE_CHECKING:
    from .store import Item, Store

_PAGING = ("page", "page_size", "order_by")
PAGE_SIZE = 25


def find(store: Store, endpoint: str, query: Mapping[str, str]) -> list[Item]:
    """The objects that fit: all filters must, and one of those with or__."""
    filters = {name: value for name, value in query.items() if name not in _PAGING}
    either = {name.removeprefix("or__"): value for name, value in filters.items() if name.startswith("or__")}
    every = {name: value for name, value in filters.items() if not name.startswith("or__")}
    known = {"id", "type", *(RESOURCES[endpoint].fields if endpoint in RESOURCES else ("name", "organization"))}
    for name in {*either, *every} - known:
        raise Refused(400, {"detail": f"{endpoint} has no field named '{name}'"})
    return [
        item
        for item in store.all(endpoint)
        if all(_fits(item.get(name), value) for name, value in every.items())
        and (not either or any(_fits(item.get(name), value) for name, value in either.items()))
    ]


def page(items: list[Item], path: str, query: Mapping[str, str]) -> Item:
    """One page of a list."""
    number, size = int(query.get("page", 1)), int(query.get("page_size", PAGE_SIZE))
    others = "".join(f"&{name}={value}" for name, value in query.items() if name != "page")
    more = f"{path}?page={number + 1}{others}" if number * size < len(items) else None
    return {"count": len(items), "next": more, "previous": None, "results": items[(number - 1) * size : number * size]}


def _fits(value: Any, wanted: str) -> bool:
    return value is None if wanted in ("None", "null") else str(value) == wanted
