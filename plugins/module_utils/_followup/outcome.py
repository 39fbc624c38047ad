# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What became of a message in a follow-up: one named status, and the facts that its kind of follow-up has."""

from __future__ import annotations

import types
import typing as t

# The statuses that every follow-up has
NOT_FOUND = "not_found"
AMBIGUOUS = "ambiguous"
UNKNOWN = "unknown"
NOT_ATTEMPTED = "not_attempted"


class Outcome(t.NamedTuple):
    """What became of one message.

    change: what it was before and is now, if this run changed it (in check mode: would change it).
    facts: more fields of its row.
    """

    status: str
    detail: str
    change: tuple[str, str] | None = None
    facts: t.Mapping[str, t.Any] = types.MappingProxyType({})


class Kind(t.NamedTuple):
    """What is special about the outcomes of one kind of follow-up.

    verb: what is done to a message, such as move.
    statuses: all of them, in the order of the summary.
    facts: the fields that each row has besides those of all kinds, for a message without such facts.
    """

    verb: str
    statuses: t.Sequence[str]
    facts: t.Mapping[str, t.Any]
