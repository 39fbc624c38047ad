# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A record of submissions in memory: answers HTTP calls."""

from __future__ import annotations

import collections
import typing as t
import urllib.parse

from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import from_seconds, to_text
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import envelope, page, refusal, released_row
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Sent

# What one submission does: gets the numbers of the messages and the disposition, returns the answer.
Act = t.Callable[["Submissions", list[int], str], Reply]
NO_ROUTE = refusal(7003, "Could not route to /submissions")


class Submissions:
    """Messages C(1) to C(count), released, each with a detection and an alert id unless C(clean) made it one without.

    acts: what the next calls do, in their order; after the last, everything is accepted.
    act: does everything else: gets the numbers and the honest work, returns the answer.
    record: what is on record, with the time since when it shows. lag: seconds until it shows a submission.
    calls: paths and bodies of what was sent. times: how often each message was recorded.
    has_call, has_record: the server knows POST submissions, and the list. filters: the list knows its filters.
    """

    def __init__(self, count: int, clock: FakeClock, *acts: Act) -> None:
        self.rows = {number: released_row(number) for number in range(1, count + 1)}
        for found in self.rows.values():
            found["alert_id"] = found["id"].rpartition("-")[0]
        self.acts = collections.deque(acts)
        self.record: list[tuple[float, int, dict[str, t.Any]]] = []
        self.calls: list[tuple[str, t.Any]] = []
        self.has_call = self.has_record = self.filters = True
        self.lag = 0.0
        self.act: t.Callable[[list[int], t.Callable[[], Reply]], Reply] = lambda _numbers, work: work()
        self._clock = clock

    def clean(self, number: int, disposition: str | None = "NONE") -> None:
        """Make it a message without a detection."""
        self.rows[number].update(alert_id=None, final_disposition=disposition)

    @property
    def times(self) -> dict[int, int]:
        """Return how often each message is on record."""
        return dict(collections.Counter(number for _time, number, _row in self.record))

    def submit(self, numbers: t.Iterable[int], disposition: str) -> None:
        """Put submissions on record."""
        for number in numbers:
            submission = {
                "submission_id": f"sub-{len(self.record) + 1}",
                "requested_at": to_text(from_seconds(self._clock.time())),
                "requested_disposition": disposition,
                "original_postfix_id": self.rows[number]["postfix_id"],
            }
            self.record.append((self._clock.time() + self.lag, number, submission))

    def __call__(self, sent: Sent) -> Reply:
        if sent.path == "investigate":
            return Reply(page([self._shown(number) for number in self.rows]))
        if sent.path == "submissions":
            return self._list(sent) if sent.method == "GET" else self._submit(sent)
        parts = sent.path.split("/")
        number = self._number(urllib.parse.unquote(parts[1]))
        if number is None:
            return Reply(refusal(1002, "message not found"), 404)
        if parts[-1] == "reclassify":
            return self._act(sent, [number], sent.body["expected_disposition"], Reply(envelope({}), 202))
        if parts[-1] == "action_log":
            return Reply(envelope(self._log(number)))
        return Reply(envelope(self._shown(number)))

    def _submit(self, sent: Sent) -> Reply:
        if not self.has_call:
            self.calls.append((sent.path, sent.body))
            return Reply(NO_ROUTE, 404)
        orders = sent.body["messages"]
        names = [order.get("alert_id") or order["postfix_id"] for order in orders]
        numbers = [number for number in map(self._number, names) if number]
        results = [{"id": name, "accepted": True, "error": None} for name in names]
        return self._act(sent, numbers, orders[0]["expected_disposition"], accepted(*results))

    def _act(self, sent: Sent, numbers: list[int], disposition: str, plain: Reply) -> Reply:
        self.calls.append((sent.path, sent.body))
        if self.acts:
            return self.acts.popleft()(self, numbers, disposition)

        def work() -> Reply:
            self.submit(numbers, disposition)
            return plain

        return self.act(numbers, work)

    def _list(self, sent: Sent) -> Reply:
        if not self.has_record:
            return Reply(NO_ROUTE, 404)
        wanted = sent.query.get("requested_disposition")
        rows = [row for time, _number, row in self.record if time <= self._clock.time()]
        return Reply(envelope([row for row in rows if not self.filters or row["requested_disposition"] == wanted]))

    def _log(self, number: int) -> list[dict[str, t.Any]]:
        return [
            {
                "operation": "SUBMISSION",
                "success": True,
                "properties": {name: row[name] for name in ("submission_id", "requested_disposition")},
            }
            for time, submitted, row in self.record
            if submitted == number and time <= self._clock.time()
        ]

    def _shown(self, number: int) -> dict[str, t.Any]:
        operations = ["QUARANTINE_RELEASE", *(["SUBMISSION"] if self._log(number) else [])]
        return {**self.rows[number], "post_delivery_operations": operations}

    def _number(self, name: str) -> int | None:
        return next(
            (number for number, row in self.rows.items() if name in (row["id"], row["postfix_id"], row["alert_id"])),
            None,
        )


def accepted(*results: object) -> Reply:
    """Return the answer with these results."""
    return Reply(envelope({"results": list(results)}), 202)


def answers(content: t.Any, status: int = 202, *, done: bool = False, retry_after: int | None = None) -> Act:
    """Return an act that answers so, or raises an exception, with the work done or not."""

    def act(server: Submissions, numbers: list[int], disposition: str) -> Reply:
        if done:
            server.submit(numbers, disposition)
        return Reply(content, status, {} if retry_after is None else {"Retry-After": str(retry_after)})

    return act
