# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Whose release it was, for a message that was sent without a look at its state: the times in the action log tell."""

from __future__ import annotations

import math
import typing as t

from .._errors import ApiError, AuthenticationError, DoubtfulError, RateLimitError
from .._json import rows, string
from .._mail.message import RELEASE_OPERATIONS, BriefMessage
from .._mail.messages import Messages
from .._times import parse_time


class Whose:
    """The answers to whose release it was. NOBODYS: each attempt failed."""

    OURS = "ours"
    EARLIER = "earlier"
    NOBODYS = "nobodys"
    UNCLEAR = "unclear"


def whose_release(messages: Messages[BriefMessage], message: BriefMessage, since: float | None) -> str:
    """Tell whether a message that left quarantine was released before a moment, or since.

    since: by the clock of the server, as the times of the log are. They are in whole seconds.
    """
    if since is None or not message.id:
        return Whose.UNCLEAR
    try:
        log = rows(messages.action_log(message.id))
    except (AuthenticationError, RateLimitError):
        raise
    except (ApiError, DoubtfulError):
        return Whose.UNCLEAR
    attempts = [entry for entry in log if string(entry.get("operation")) in RELEASE_OPERATIONS]
    times = [_time(entry) for entry in attempts if entry.get("success") is not False]
    if any(time is not None and time >= math.floor(since) for time in times):
        return Whose.OURS
    if None in times or not attempts:
        return Whose.UNCLEAR
    return Whose.EARLIER if times else Whose.NOBODYS


def _time(entry: t.Mapping[str, t.Any]) -> float | None:
    moment = parse_time(string(entry.get("started_at")) or string(entry.get("completed_at")) or "")
    return moment.timestamp() if moment else None
