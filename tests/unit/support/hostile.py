# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strategies of hypothesis for what a stranger may send: text, JSON, answers."""

from __future__ import annotations

import json
import typing as t
import unicodedata

from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.envelope import Reply
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import investigate_id, postfix_id
from hypothesis import settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

# For properties whose examples take long to make.
fewer = settings(max_examples=max(15, settings.default.max_examples // 4) if settings.default else 15)

SAMPLES = (
    "{{ lookup('pipe', 'id') }}", "\x1b[2J", "\x9b31m", "a\u202eb", "\u061c", "\u200b", "\ud800", "\x00", "=1+1", "<script>", "..", "../..",
    "%2e%2e%2f", "\r\nX: y", "", " ", "x" * 2000, "\U000e0041", "p\u0430ypal.example", "null", "1e999",
)  # fmt: skip
FIELDS = (
    "id", "postfix_id", "message_id", "success", "result", "errors", "messages", "result_info", "next", "count", "code", "message", "error_chain",
    "source", "pointer", "is_quarantined", "delivery_status", "post_delivery_operations", "action_log", "operation", "to", "client_recipients",
    "subject", "from", "properties", "validation", "delivered", "undelivered", "failed", "final_disposition", "scanned_at", "ts",
)  # fmt: skip

text = st.one_of(
    st.text(max_size=20),
    st.sampled_from(SAMPLES),
    st.sampled_from([investigate_id(1), postfix_id(1), investigate_id(2), postfix_id(2)]),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([10**400, -1, 7003, 10000]), st.floats(), text
)
fields = st.one_of(st.sampled_from(FIELDS), text)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(fields, inner, max_size=5)),
    max_leaves=8,
)
envelopes = st.fixed_dictionaries(
    {"success": st.one_of(st.booleans(), values)}, optional={"errors": values, "result": values, "result_info": values}
)
statuses = st.sampled_from(
    [200, 201, 202, 204, 206, 302, 400, 401, 403, 404, 408, 409, 415, 422, 425, 429, 500, 502, 504, 520, 599]
)
headers = st.dictionaries(
    st.sampled_from(["Content-Type", "cf-ray", "Retry-After", "Ratelimit", "Location"]),
    st.one_of(text, st.text(max_size=400)),
    max_size=3,
)


def as_json(value: object) -> bytes:
    """Return JSON as a sloppy server writes it, with NaN and half surrogate pairs."""
    return json.dumps(value).encode()


bodies = st.one_of(st.binary(max_size=80), values.map(as_json), envelopes.map(as_json))


@st.composite
def replies(draw: t.Any) -> Reply:
    """Any answer."""
    return Reply(draw(statuses), CaseInsensitiveDict(draw(headers)), draw(bodies))


# Default_Ignorable_Code_Point of DerivedCoreProperties.txt (Unicode 16), and blanks that Unicode counts among letters and marks.
_IGNORABLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E),
    (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_BLANK = (0x2800, 0x1107F, 0x13441, 0x13442, 0x16FE4, 0x1D159)
INVISIBLE = frozenset(
    chr(point)
    for first, last in (*_IGNORABLE, *((point, point) for point in _BLANK))
    for point in range(first, last + 1)
)


def speakable(string: str) -> bool:
    """Tell whether a string is in one line and all of it can be seen, as Unicode sees it: no Other, no Separator but the blank."""
    return not any(char in INVISIBLE or (char != " " and unicodedata.category(char)[0] in "CZ") for char in string)
