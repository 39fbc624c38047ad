# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A quarantine in memory that counts deliveries: stands in for the client, or answers HTTP calls."""

from __future__ import annotations

import collections
import threading
import typing as t
import urllib.parse

from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Page
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.shared import SharedNumbers
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import (
    ApiError,
    CloudflareError,
    DoubtfulError,
    NotFoundError,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import entry, envelope, page, refusal, row
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Sent

# What one release call does: gets the numbers of the messages asked for, returns the entries of the answer or raises.
Act = t.Callable[["Quarantine", list[int]], list[dict[str, t.Any]]]


class Quarantine:
    """Messages C(1) to C(count), all in quarantine.

    acts: what the next release calls do, in their order; after the last, everything asked for is delivered.
    deliveries: how often each message was delivered. bodies: of all release calls. reads: paths of all reads.
    meanwhile, before_read: called while a release call is under way, and before each read, of the path asked. lag: seconds until
    a read shows a release, by the clock C(now). date: the time that its answers tell over HTTP. Whatever is asked for is
    delivered, also when it has left quarantine already.
    """

    def __init__(self, count: int, *acts: Act) -> None:
        self.rows = {number: row(number) for number in range(1, count + 1)}
        self._numbers = {found[name]: number for number, found in self.rows.items() for name in ("id", "postfix_id")}
        self.acts = collections.deque(acts)
        self.deliveries: collections.Counter[int] = collections.Counter()
        self.bodies: list[t.Any] = []
        self.reads: list[str] = []
        self.forms = {"array", "object"}
        self.form_refusal = "request body must be an object"
        self.refused: set[int] = set()
        self.busiest = 0
        self._busy = 0
        self._lock = threading.Lock()
        self.meanwhile: t.Callable[[], object] = lambda: None
        self.before_read: t.Callable[[], object] = lambda: None
        self.lag = 0.0
        self.now: t.Callable[[], float] = lambda: 0.0
        self._changed: dict[int, float] = {}
        self.notes = SharedNumbers()
        self.asked = ""
        self.date: t.Callable[[], float] | None = None

    # --- what the messages go through ------------------------------------------------------------------------------

    def deliver(self, numbers: t.Iterable[int]) -> list[dict[str, t.Any]]:
        """Release messages and return the entries of the answer."""
        entries = []
        for number in numbers:
            self.deliveries[number] += 1
            self._changed.setdefault(number, self.now())
            self.rows[number].update(
                is_quarantined=False, delivery_status=["delivered"], post_delivery_operations=["QUARANTINE_RELEASE"]
            )
            entries.append(entry(number))
        return entries

    def _shown(self, number: int) -> dict[str, t.Any]:
        """Return a message as a read shows it."""
        late = self.now() < self._changed.get(number, -self.lag) + self.lag
        return row(number) if late else dict(self.rows[number])

    def find(self, name: str) -> int | None:
        """Return the number of the message with this id."""
        return self._numbers.get(name)

    @property
    def released(self) -> list[int]:
        """Return the messages that were delivered exactly once."""
        return sorted(number for number, times in self.deliveries.items() if times == 1)

    # --- as a client -----------------------------------------------------------------------------------------------

    account_id = "account"

    def post(self, _path: str, body: t.Any) -> dict[str, t.Any]:
        """Return the envelope of a release call."""
        with self._lock:
            self.bodies.append(body)
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            act = self.acts.popleft() if self.acts else None
        try:
            self.meanwhile()
            with self._lock:
                form = "array" if isinstance(body, list) else "object"
                if form not in self.forms:
                    raise ApiError(self.form_refusal, status=400, errors=[{"code": 1001, "message": self.form_refusal}])
                numbers = [number for number in map(self.find, body if form == "array" else body["ids"]) if number]
                if self.refused & set(numbers):
                    raise ApiError("cannot release", status=400, errors=[{"code": 1002, "message": "cannot release"}])
                return envelope(act(self, numbers) if act else self.deliver(numbers))
        finally:
            with self._lock:
                self._busy -= 1

    def server_time(self, moment: float) -> float | None:
        """Return the time of the server, which has the same clock."""
        return moment

    def get(self, path: str, _params: object = None, _fits: object = None) -> dict[str, t.Any]:
        """Return the envelope of a single read."""
        self.reads.append(path)
        self.asked = urllib.parse.unquote(path)
        self.before_read()
        number = self.find(urllib.parse.unquote(path.rpartition("/")[2]))
        if number is None:
            raise NotFoundError("unknown", status=404)
        return envelope(self._shown(number))

    def pages(self, path: str, params: t.Mapping[str, t.Any]) -> t.Iterator[Page]:
        """Yield the only page of a search."""
        self.reads.append(path)
        self.asked = urllib.parse.unquote(path)
        self.before_read()
        yield Page(self._search(params), False, False)

    def _search(self, params: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
        wanted = [self._shown(number) for number in self.rows]
        if params.get("delivery_status") == "quarantined":
            wanted = [found for found in wanted if found["is_quarantined"]]
        if params.get("message_action") == "QUARANTINE_RELEASED":
            wanted = [found for found in wanted if found["post_delivery_operations"]]
        return wanted

    # --- over HTTP -------------------------------------------------------------------------------------------------

    def __call__(self, sent: Sent) -> Reply:
        reply = self._reply(sent)
        return reply.dated(self.date()) if self.date else reply

    def _reply(self, sent: Sent) -> Reply:
        try:
            if sent.method == "POST":
                return Reply(self.post(sent.path, sent.body))
            if sent.path == "investigate":
                return Reply(page(self._search(sent.query)))
            return Reply(self.get(sent.path))
        except ApiError as error:
            return Reply(refusal(1002, str(error)), error.status)
        except CloudflareError:
            return Reply("<html>bad gateway</html>", 502, {"Content-Type": "text/html"})


def fails(error: CloudflareError, *, done: bool = False) -> Act:
    """Return an act that raises, with the work done or not."""

    def act(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        if done:
            quarantine.deliver(numbers)
        raise error

    return act


def answers(*lists: dict[str, t.Any], done: bool = False) -> Act:
    """Return an act that answers with these lists, one for each message; what has none is passed over."""

    def act(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        if done:
            quarantine.deliver(numbers)
        return [entry(number, **said) for number, said in zip(numbers, lists, strict=False)]

    return act


LOST = DoubtfulError("no answer came")
