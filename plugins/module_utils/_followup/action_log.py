# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The action logs of messages: what was done with them after their delivery, as far as Cloudflare tells it."""

from __future__ import annotations

import collections
import concurrent.futures
import json
import typing as t

from .._api.client import Client
from .._errors import ApiError, AuthenticationError, DoubtfulError, ForeignAnswerError, RateLimitError
from .._json import mapping, rows, string
from .._mail.messages import action_log
from .._times import parse_time

_THREADS = 4
_SUCCESS = {"OK": True, "FAILED": False}
# So many logs in a row cannot be read: asking for more is pointless.
_HOPELESS = 3


class Entry(t.NamedTuple):
    """One action.

    success: None if the log does not tell.
    time: when it ended or began, in seconds since the epoch, or None.
    properties: what else the log says of it.
    """

    operation: str
    success: bool | None
    time: float | None
    properties: t.Mapping[str, t.Any]
    text: str

    @property
    def folder(self) -> str | None:
        """Return the folder that a move went to."""
        return string(self.properties.get("folder"))


class UnreadableLog(t.NamedTuple):
    """Stands for a log that could not be read. words: why. refused: the API refused it, as an older server does."""

    words: str
    refused: bool = False


Log = t.Union[t.List[Entry], UnreadableLog]


def read_logs(client: Client, ids: t.Sequence[str]) -> dict[str, Log]:
    """Return the action log of each of these messages. Raises what keeps the API from being used at all."""
    failures = [0]

    def read(message_id: str) -> Log:
        if failures[0] >= _HOPELESS:
            return UnreadableLog("other action logs could not be read either")
        try:
            entries = action_log(client, message_id)
        except (AuthenticationError, ForeignAnswerError, RateLimitError):
            raise
        except (ApiError, DoubtfulError) as error:
            refused = isinstance(error, ApiError) and error.status >= 400
            failures[0] += not refused
            return UnreadableLog(str(error), refused)
        failures[0] = 0
        return [_entry(row) for row in rows(entries)]

    if len(ids) < 2:
        return {message_id: read(message_id) for message_id in ids}
    with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
        return dict(zip(ids, pool.map(read, ids)))


def new_entries(before: t.Sequence[Entry], after: t.Sequence[Entry]) -> list[Entry]:
    """Return the entries of a log that it did not have before."""
    known = collections.Counter(entry.text for entry in before)
    new = []
    for entry in after:
        if known[entry.text]:
            known[entry.text] -= 1
        else:
            new.append(entry)
    return new


def _entry(row: t.Mapping[str, t.Any]) -> Entry:
    success = row.get("success")
    moment = parse_time(string(row.get("completed_at")) or string(row.get("started_at")) or "")
    return Entry(
        string(row.get("operation")) or "",
        success if isinstance(success, bool) else _SUCCESS.get((string(row.get("status")) or "").upper()),
        moment.timestamp() if moment else None,
        mapping(row.get("properties")),
        json.dumps(row, sort_keys=True),
    )
