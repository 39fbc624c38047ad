# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reads submissions: what somebody asked Cloudflare to judge anew, and what became of it."""

from __future__ import annotations

import collections
import typing as t

from .._api.client import PAGE_SIZE, Client
from .._api.numbered import numbered_pages
from .._errors import InputError
from .._json import string
from .._mail.filters import search_filters

TYPES = ("TEAM", "USER")
STATUSES = ("escalated", "reviewed", "unreviewed")
OTHER = "other"  # a status that is missing or new
# Options that are query parameters of the same name
TEXT_OPTIONS = (
    "submission_id", "type", "status", "original_disposition", "requested_disposition", "outcome_disposition", "query",
)  # fmt: skip

_PATH = "submissions"
_STRINGS = (
    "submission_id", "type", "subject", "status", "customer_status", "outcome",
    "original_disposition", "requested_disposition", "outcome_disposition",
    "escalated_as", "escalated_at", "escalated_by", "escalated_submission_id",
    "original_postfix_id", "original_edf_hash", "requested_by", "requested_at",
)  # fmt: skip


def submission_filters(options: t.Mapping[str, t.Any], now: float) -> dict[str, str]:
    """Return the query parameters for the options of the module submission_info. Raises InputError.

    now: seconds since the epoch. The option since counts back from this moment.
    """
    for name in TEXT_OPTIONS:
        if options[name] == "":
            raise InputError(f"{name} is empty. Give a value, or leave the option out. Nothing was sent.")
    filters = {name: options[name] for name in TEXT_OPTIONS if options[name] is not None}
    if options["escalated_from_user"] is not None:
        filters["escalated_from_user"] = "true" if options["escalated_from_user"] else "false"
    shared = search_filters({name: options[name] for name in ("query", "start", "end", "since")}, now)
    del shared["detections_only"]  # a search for messages has it, a list of submissions has not
    return {**filters, **shared}


class Submissions:
    """The submissions of an account, the newest first, as far as they were read.

    truncated: there are or may be more.
    """

    def __init__(self, client: Client) -> None:
        self.truncated = True
        self._client = client
        self._found: dict[object, dict[str, t.Any]] = {}

    def read(self, filters: t.Mapping[str, str], limit: int | None = None) -> None:
        """Read those that match all filters, at most so many. When it raises, what was read so far is kept."""
        # The newest come first, so one that comes in meanwhile moves others to a later page, and hides none.
        query = {
            **filters,
            "order": "requested_at",
            "direction": "desc",
            "per_page": min(limit or PAGE_SIZE, PAGE_SIZE),
        }
        for page in numbered_pages(lambda each: self._client.get(_PATH, each), query, self._client.list_timer()):
            for row in page.rows:
                submission = {name: string(row.get(name)) for name in _STRINGS}
                submission["requested_at"] = submission["requested_at"] or string(row.get("requested_ts"))
                key = submission["submission_id"] or len(self._found)
                if key not in self._found and len(self._found) == limit:
                    return
                self._found.setdefault(key, submission)
            if page.broken or (page.more and len(self._found) == limit):
                return
        self.truncated = False

    def data(self) -> dict[str, t.Any]:
        """Return the result of the module, without api_calls."""
        statuses = [submission["customer_status"] for submission in self._found.values()]
        counts = collections.Counter(status if status in STATUSES else OTHER for status in statuses)
        summary = {**{status: counts[status] for status in (*STATUSES, OTHER)}, "total": len(statuses)}
        parts = ", ".join(f"{counts[status]} {status}" for status in (*STATUSES, OTHER) if counts[status])
        number = f"{len(statuses)} submission{'' if len(statuses) == 1 else 's'}"
        more = " There are or may be more." if self.truncated else ""
        return {
            "changed": False,
            "msg": f"{number}{f': {parts}' if parts else ''}.{more}",
            "entries": list(self._found.values()),
            "summary": summary,
            "truncated": self.truncated,
        }
