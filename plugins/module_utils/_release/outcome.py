# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What became of a message in a run: exactly one named status, and the recipients it reached."""

from __future__ import annotations

import typing as t


class Status:
    """The statuses. Each message ends with exactly one of them."""

    RELEASED = "released"
    PARTIAL = "partial"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    ALREADY_RELEASED = "already_released"
    NOT_QUARANTINED = "not_quarantined"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    NOT_ATTEMPTED = "not_attempted"
    WOULD_RELEASE = "would_release"


STATUSES: tuple[str, ...] = tuple(status for name, status in vars(Status).items() if name.isupper())
# Statuses that need a person. They fail the task by default.
FAIL_ON = (
    Status.PARTIAL, Status.UNDELIVERED, Status.FAILED, Status.NOT_FOUND, Status.AMBIGUOUS, Status.UNKNOWN,
    Status.NOT_ATTEMPTED,
)  # fmt: skip
# Statuses that count for the breaker stop_after_failures.
BREAKING = (Status.FAILED, Status.UNDELIVERED, Status.UNKNOWN)


class Outcome(t.NamedTuple):
    """What became of one message.

    delivered, undelivered, failed: addresses of recipients, as far as they are known.
    changed: this run delivered it to somebody (in check mode: would try to).
    rule: the guard rule that blocked it.
    """

    status: str
    detail: str
    delivered: t.Sequence[str] = ()
    undelivered: t.Sequence[str] = ()
    failed: t.Sequence[str] = ()
    changed: bool = False
    rule: str | None = None

    def facts(self) -> dict[str, t.Any]:
        """Return status and recipients, as the result and the journal give them."""
        lists = {"delivered": self.delivered, "undelivered": self.undelivered, "failed": self.failed}
        return {"status": self.status, **{name: list(addresses) for name, addresses in lists.items()}}
