# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""A plan as a short text, for places that take no files. Knows nothing of Ansible."""

from __future__ import annotations

import base64
import binascii
import json
import typing as t
import zlib

# No plan that this collection packs is longer. Without a limit, a few bytes could unpack to gigabytes.
_LONGEST = 64 * 1024 * 1024


def packed_plan(plan: t.Mapping[str, t.Any]) -> str:
    """Return a plan as ASCII text without white space, compressed."""
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpacked_plan(text: str) -> dict[str, t.Any]:
    """Return the plan in such a text. Raises ValueError if the text is incomplete or damaged."""
    try:
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(base64.b64decode(text, validate=True), _LONGEST)
        plan = json.loads(content) if unpacking.eof and not unpacking.unused_data else None
    except (TypeError, binascii.Error, zlib.error, ValueError, RecursionError):
        plan = None
    if not isinstance(plan, dict):
        raise ValueError(
            "The plan that was handed over is damaged or was cut on its way. Nothing was sent; make the plan again."
        )
    return plan
