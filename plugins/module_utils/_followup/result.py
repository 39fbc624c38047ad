# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The result of a follow-up: a row for each handle, the number of rows per status, and both in one sentence."""

from __future__ import annotations

import collections
import typing as t

from .._errors import CloudflareError
from .._mail.handles import Handle
from .._release.items import Item
from .outcome import Kind, Outcome


class Result:
    """What became of every handle.

    rows: one for each handle, in the order of the handles.
    error: what ended the run early, if anything did.
    """

    def __init__(
        self,
        kind: Kind,
        handles: t.Sequence[Handle],
        outcomes: t.Mapping[Item, Outcome],
        error: CloudflareError | None,
    ) -> None:
        self.error = error
        self._kind = kind
        by_handle = {handle.text: (item, outcome) for item, outcome in outcomes.items() for handle in item.handles}
        self._changes = {
            handle.text: by_handle[handle.text][1].change for handle in handles if by_handle[handle.text][1].change
        }
        self.rows = [
            {
                "handle": handle.text,
                "id": item.id,
                "postfix_id": item.postfix_id,
                "status": outcome.status,
                **kind.facts,
                **outcome.facts,
                "detail": outcome.detail,
                "changed": outcome.change is not None,
            }
            for handle in handles
            for item, outcome in [by_handle[handle.text]]
        ]
        counts = collections.Counter(row["status"] for row in self.rows)
        self.summary = {**{status: counts[status] for status in kind.statuses}, "total": len(self.rows)}

    def data(self) -> dict[str, t.Any]:
        """Return the part of the module's result that tells of the messages."""
        return {
            "changed": bool(self._changes),
            "msg": self.sentence(),
            "messages": self.rows,
            "summary": self.summary,
        }

    def sentence(self) -> str:
        """Return the result in one sentence, after the one that says what ended the run early."""
        total = self.summary["total"]
        parts = [f"{self.summary[status]} {status}" for status in self._kind.statuses if self.summary[status]]
        sentence = (
            f"{total} message{'s' if total != 1 else ''}: {', '.join(parts)}."
            if total
            else f"Nothing to {self._kind.verb}: the list of messages is empty."
        )
        return f"{self.error.sentence()} {sentence}" if self.error else sentence

    def fails(self, fail_on: t.Iterable[str]) -> bool:
        """Tell whether a row has one of these statuses."""
        return any(self.summary[status] for status in fail_on)

    def diff(self) -> dict[str, dict[str, str]]:
        """Return before and after, per message that changed (or would)."""
        changes = {handle: change for handle, change in self._changes.items() if change}
        return {
            "before": {handle: before for handle, (before, _after) in changes.items()},
            "after": {handle: after for handle, (_before, after) in changes.items()},
        }
