# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that may answer anything, and keeps a record of what it was asked and of what it told."""

from __future__ import annotations

import collections
import json
import typing as t

from ansible_collections.emailsec.cloudflare.tests.unit.support.data import as_body, refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import (
    as_json,
    envelopes,
    fields,
    statuses,
    values,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.quarantine import Quarantine
from hypothesis import strategies as st

# Refusals after which sending again needs no reading: the rate limit, and what is certainly about the form of the body.
RATE_LIMIT = Reply(refusal(10100, "rate limited"), 429, {"Retry-After": "1"})
OTHER_FORM = Reply(refusal(1001, "request body must be an object"), 400)


class Act(t.NamedTuple):
    """What the server does with one request: carries it out or not, and answers honestly, or else.

    edits: fields of every row of the honest answer that are something else.
    """

    works: bool = True
    reply: Reply | None = None
    edits: tuple[tuple[str, t.Any], ...] = ()


_bodies = st.one_of(envelopes.map(as_json), values.map(as_json), st.binary(max_size=20))
_replies = st.one_of(
    st.tuples(_bodies, statuses).map(lambda pair: Reply(*pair)),
    values.map(lambda result: Reply(as_json({"success": True, "result": result}))),
    st.sampled_from([502, 504, 520]).map(lambda status: Reply("<html>", status)),
)
lies = st.one_of(
    st.just(Act()),
    st.tuples(st.booleans(), _replies).map(lambda pair: Act(*pair)),
    st.tuples(st.booleans(), st.lists(st.tuples(fields, values), min_size=1, max_size=3)).map(
        lambda pair: Act(pair[0], None, tuple(pair[1]))
    ),
    st.sampled_from([Act(False, RATE_LIMIT), Act(False, OTHER_FORM)]),
)


class Liar:
    """Answers each request by the next act; once there is none left, it is honest.

    lies_when_read: also of the state of a message. again: what was sent again although nobody had been told that it is
    still in quarantine. doubled: what was delivered twice.
    """

    def __init__(self, count: int, acts: t.Iterable[Act], *, lies_when_read: bool) -> None:
        self.quarantine = Quarantine(count)
        self.requests = 0
        self.again: list[int] = []
        self.doubled: list[int] = []
        self._acts = collections.deque(acts)
        self._lies_when_read = lies_when_read
        self._may_be_sent = dict.fromkeys(self.quarantine.rows, True)

    def __call__(self, sent: Sent) -> Reply:
        self.requests += 1
        assert self.requests < 3000, "the run does not end"
        if sent.method == "GET":
            act = self._acts.popleft() if self._acts and self._lies_when_read else Act()
            reply = self._edited(self.quarantine(sent), act)
            for number in self._told_quarantined(reply):
                self._may_be_sent[number] = True
            return reply
        act = self._acts.popleft() if self._acts else Act()
        numbers = [
            number
            for number in map(self.quarantine.find, sent.body if isinstance(sent.body, list) else sent.body["ids"])
            if number
        ]
        self.again += [number for number in numbers if not self._may_be_sent[number]]
        if act.reply is not None and act.reply.status == 429:
            act = act._replace(
                works=False
            )  # the one thing that is believed: the rate limit keeps a request from being processed
        if act.works:
            self.doubled += [number for number in numbers if not self.quarantine.rows[number]["is_quarantined"]]
        reply = self._edited(self.quarantine(sent) if act.works else Reply({"success": True, "result": []}), act)
        for number in numbers:
            self._may_be_sent[number] = reply.status == 429 or reply == OTHER_FORM
        return reply

    @staticmethod
    def _edited(honest: Reply, act: Act) -> Reply:
        if act.reply is not None:
            return act.reply
        content = json.loads(as_body(honest.content)) if act.edits and isinstance(honest.content, dict) else None
        for row in _rows(content):
            row.update(act.edits)
        return honest if content is None else honest._replace(content=as_json(content))

    def _told_quarantined(self, reply: Reply) -> list[int]:
        try:
            content = json.loads(as_body(reply.content))
        except ValueError:
            return []
        told = []
        for row in _rows(content):
            state, statuses_told = row.get("is_quarantined"), row.get("delivery_status")
            if state is True or (state is None and statuses_told and "quarantined" in str(statuses_told)):
                told += [
                    self.quarantine.find(row[name]) for name in ("id", "postfix_id") if isinstance(row.get(name), str)
                ]
        return [number for number in told if number]


def _rows(content: object) -> list[dict[str, t.Any]]:
    result = content.get("result") if isinstance(content, dict) else None
    return [row for row in (result if isinstance(result, list) else [result]) if isinstance(row, dict)]
