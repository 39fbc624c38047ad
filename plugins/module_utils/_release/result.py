# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The result of a run: a row for each handle, the number of rows per status, and both in one sentence."""

from __future__ import annotations

import collections
import typing as t

from .._errors import CloudflareError
from .._mail.handles import Handle
from .items import Item
from .outcome import STATUSES, Outcome, Status


class Rows(t.Sequence[t.Dict[str, t.Any]]):
    """The rows of a result as data, each made when it is asked for: Ansible makes its own copy of them all."""

    def __init__(self, handles: t.Sequence[Handle], items: t.Mapping[str, Item]) -> None:
        self._handles = handles
        self._items = items

    def __len__(self) -> int:
        return len(self._handles)

    def __getitem__(self, index: t.Any) -> t.Any:
        handle = self._handles[index].text
        item = self._items[handle]
        outcome = _ended(item)
        return {
            "handle": handle,
            "id": item.id,
            "postfix_id": item.postfix_id,
            **outcome.facts(),
            "detail": outcome.detail,
            "rule": outcome.rule,
            "delivery": item.delivery,
            "changed": outcome.changed,
        }


class RunResult:
    """What became of every handle of a run.

    rows: one for each handle, in the order of the handles.
    changed: a message was delivered to somebody (in check mode: would be tried).
    summary: the number of rows per status, and how many recipients were reached.
    error: what ended the run early, if anything did.
    """

    def __init__(
        self,
        handles: t.Sequence[Handle],
        items: t.Sequence[Item],
        error: CloudflareError | None = None,
        warnings: t.Sequence[str] = (),
    ) -> None:
        self.error = error
        self.warnings = warnings
        self.rows = Rows(handles, {handle.text: item for item in items for handle in item.handles})
        self.changed = any(_ended(item).changed for item in items)
        # Two handles of one message give two rows, but it was delivered once.
        self.summary = summarise(
            (_ended(item).status for item in items for _handle in item.handles),
            sum(len(_ended(item).delivered) for item in items),
        )

    def data(self) -> dict[str, t.Any]:
        """Return the module's result without api_calls and diff."""
        return {"changed": self.changed, "msg": self.sentence(), "messages": self.rows, "summary": self.summary}

    def sentence(self) -> str:
        """Return the result in one sentence, after the one that says what ended the run early."""
        sentence = summary_sentence(self.summary)
        return f"{self.error.sentence()} {sentence}" if self.error else sentence

    def fails(self, fail_on: t.Iterable[str]) -> bool:
        """Tell whether a row has one of these statuses."""
        return any(self.summary[status] for status in fail_on)

    def diff(self) -> dict[str, dict[str, str]]:
        """Return before and after, per message that changed (or would)."""
        after = {
            row["handle"]: Status.RELEASED if row["status"] == Status.WOULD_RELEASE else row["status"]
            for row in self.rows
            if row["changed"]
        }
        return {"before": dict.fromkeys(after, "quarantined"), "after": after}


def _ended(item: Item) -> Outcome:
    """Return the outcome of an item. At the end of a run, each has one."""
    return t.cast(Outcome, item.outcome)


def summarise(statuses: t.Iterable[str], recipients: int) -> dict[str, int]:
    """Return the number of rows per status, and how many recipients were reached."""
    counts = collections.Counter(statuses)
    return {
        **{status: counts[status] for status in STATUSES},
        "total": sum(counts.values()),
        "recipients_delivered": recipients,
    }


def summary_sentence(summary: t.Mapping[str, int]) -> str:
    """Return a summary in one sentence."""
    total, recipients = summary["total"], summary["recipients_delivered"]
    if not total:
        return "Nothing to release: the list of messages is empty."
    parts = [f"{summary[status]} {status}" for status in STATUSES if summary[status]]
    reached = f", {recipients} recipient{'s' if recipients != 1 else ''} reached" if recipients else ""
    return f"{total} message{'s' if total != 1 else ''}: {', '.join(parts)}{reached}."
