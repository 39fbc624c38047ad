# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mailboxes in memory that count moves: answer HTTP calls."""

from __future__ import annotations

import collections
import typing as t
import urllib.parse

import requests
from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import from_seconds, to_text
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import envelope, page, refusal, released_row
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Sent

# What one move does: gets the folder and the numbers of the messages, returns the answer.
Act = t.Callable[["Mailboxes", str, list[int]], Reply]


class Mailboxes:
    """Messages C(1) to C(count), all released.

    acts: what the next moves do, in their order; after the last, everything asked for is moved.
    moves: how often each message was moved. bodies: of all moves. refused: messages for which a move is refused.
    act: does everything else: gets the numbers and the honest work, returns the answer.
    forms: fields of the body that are known. lag: seconds until the action log shows a move. tells_time: answers have a date.
    """

    def __init__(self, count: int, clock: FakeClock, *acts: Act) -> None:
        self.rows = {number: released_row(number) for number in range(1, count + 1)}
        self.acts = collections.deque(acts)
        self.moves: collections.Counter[int] = collections.Counter()
        self.bodies: list[t.Any] = []
        self.logs: dict[int, list[tuple[float, dict[str, t.Any]]]] = collections.defaultdict(list)
        self.refused: set[int] = set()
        self.forms = {"ids"}
        self.form_refusal = "{missing}: is required"
        self.words = "message cannot be moved"
        self.lag = 0.0
        self.tells_time = False
        self.act: t.Callable[[list[int], t.Callable[[], Reply]], Reply] = lambda _numbers, work: work()
        self._clock = clock
        self._numbers = {found[name]: number for number, found in self.rows.items() for name in ("id", "postfix_id")}

    def carry_out(self, folder: str, numbers: t.Iterable[int], success: bool = True) -> list[dict[str, t.Any]]:
        """Move messages, or try to, and return the entries of the answer."""
        results = []
        for number in numbers:
            self.moves[number] += success
            now = self._clock.monotonic()
            entry = {
                "operation": "MOVE",
                "completed_at": to_text(from_seconds(now)),
                "success": success,
                "properties": {"folder": folder},
            }
            self.logs[number].append((now, entry))
            results += [
                {
                    "success": success,
                    "status": "OK" if success else "NOT_FOUND",
                    "recipient": recipient,
                    "destination": folder,
                    "message_id": self.rows[number]["message_id"],
                }
                for recipient in self.rows[number]["client_recipients"]
            ]
        return results

    def __call__(self, sent: Sent) -> Reply:
        reply = self._reply(sent)
        return reply.dated(self._clock.monotonic()) if self.tells_time else reply

    def _reply(self, sent: Sent) -> Reply:
        if sent.method == "POST":
            return self._move(sent.body)
        if sent.path == "investigate":
            return Reply(page([self._shown(number) for number in self.rows]))
        parts = sent.path.split("/")
        number = self._numbers.get(urllib.parse.unquote(parts[1]))
        if number is None:
            return Reply(refusal(1002, "message not found"), 404)
        if parts[-1] == "action_log":
            return Reply(envelope(self._log(number)))
        return Reply(envelope(self._shown(number)))

    def _log(self, number: int) -> list[dict[str, t.Any]]:
        return [entry for time, entry in self.logs[number] if time + self.lag <= self._clock.monotonic()]

    def _shown(self, number: int) -> dict[str, t.Any]:
        moved = ["MOVE"] if self._log(number) else []
        return {**self.rows[number], "post_delivery_operations": ["QUARANTINE_RELEASE", *moved]}

    def _move(self, body: dict[str, t.Any]) -> Reply:
        self.bodies.append(body)
        form = next(name for name in body if name != "destination")
        if form not in self.forms:
            (missing,) = self.forms
            return Reply(refusal(1001, self.form_refusal.format(missing=missing)), 400)
        numbers = [self._numbers[name] for name in body[form]]
        if self.refused & set(numbers):
            return Reply(refusal(1002, self.words), 400)
        if self.acts:
            return self.acts.popleft()(self, body["destination"], numbers)
        return self.act(numbers, lambda: Reply(envelope(self.carry_out(body["destination"], numbers))))


LOST = requests.exceptions.ReadTimeout("read timed out")


def answers(
    content: t.Any, status: int = 200, *, done: bool = False, success: bool = True, retry_after: int | None = None
) -> Act:
    """Return an act that answers so, or raises an exception, with the work done or not."""

    def act(mailboxes: Mailboxes, folder: str, numbers: list[int]) -> Reply:
        if done:
            mailboxes.carry_out(folder, numbers, success)
        return Reply(content, status, {} if retry_after is None else {"Retry-After": str(retry_after)})

    return act
