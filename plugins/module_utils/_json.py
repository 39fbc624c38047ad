# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Values of parsed JSON whose shape nobody promises: each is read as what is expected, or as nothing."""

from __future__ import annotations

import json
import typing as t


def parse(text: str | bytes) -> t.Any:
    """Return the value in a JSON text, or None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> t.Mapping[str, t.Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def string(value: object) -> str | None:
    """Return a string, or None."""
    return value if isinstance(value, str) else None


def number(value: object) -> int | None:
    """Return a whole number, which may be written as a string, or None."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:18])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def strings(value: object) -> list[str]:
    """Return the strings in a list. A string alone is a list of one."""
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]


def items(value: object) -> list[t.Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []


def rows(value: object) -> list[dict[str, t.Any]]:
    """Return the objects in a list."""
    return [row for row in items(value) if isinstance(row, dict)]
