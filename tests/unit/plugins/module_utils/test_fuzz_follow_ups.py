# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moves and submissions at a server that may answer anything to them: each status is true, and nothing is sent on a guess."""

from __future__ import annotations

import collections
import json
import typing as t

from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Client, Credential, Settings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._followup.move import Mover
from ansible_collections.emailsec.cloudflare.plugins.module_utils._followup.reclassify import Reclassifier
from ansible_collections.emailsec.cloudflare.plugins.module_utils._followup.result import Result
from ansible_collections.emailsec.cloudflare.plugins.module_utils._followup.run import Request, follow_up
from ansible_collections.emailsec.cloudflare.plugins.module_utils._followup.work import Work
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import parse_handles
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.journal import Journal
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    TOKEN,
    URL,
    as_body,
    envelope,
    investigate_id,
    message_id,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import as_json, fewer, speakable
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.liar import Act, lies
from ansible_collections.emailsec.cloudflare.tests.unit.support.mailboxes import Mailboxes
from ansible_collections.emailsec.cloudflare.tests.unit.support.submissions import Submissions
from hypothesis import example, given
from hypothesis import strategies as st

COUNT = 4
# What an answer says in the words of the API counts: a server that tells lies in them is believed.
BELIEVED = {"success", "accepted"}
# These are believed as well: what they answer was not processed.
UNPROCESSED = (401, 403, 429)
acts = st.lists(lies.filter(lambda act: BELIEVED.isdisjoint(name for name, _value in act.edits)), max_size=6)


class Liar:
    """Answers what is sent by the next act, and reads honestly. posts: the messages of each request, and its answer."""

    def __init__(self, server: t.Any, lied: t.Sequence[Act]) -> None:
        self.posts: list[tuple[list[int], Reply]] = []
        self._server = server
        self._acts = collections.deque(lied)
        server.act = self._act

    def __call__(self, sent: Sent) -> Reply:
        assert len(self.posts) < 200, "the run does not end"
        return self._server(sent)  # type: ignore[no-any-return]

    def _act(self, numbers: list[int], work: t.Callable[[], Reply]) -> Reply:
        act = self._acts.popleft() if self._acts else Act()
        works = act.works and not (act.reply and act.reply.status in UNPROCESSED)
        reply = work() if works else Reply(envelope([]))
        if act.reply is not None:
            reply = act.reply
        elif act.edits and works:
            content = json.loads(as_body(reply.content))
            result = content["result"]
            for row in result.get("results", []) if isinstance(result, dict) else result:
                row.update(act.edits)
            reply = reply._replace(content=as_json(content))
        self.posts.append((numbers, reply))
        return reply


def run(script: Script, liar: Liar, clock: FakeClock, make: t.Callable[[Client, Journal], Work]) -> Result:
    """Do the work for all messages, two handles of the first one, and one that is not there."""
    script.server = liar
    client = Client(Settings(URL, ACCOUNT, Credential({"Authorization": f"Bearer {TOKEN}"}, "token"), retries=2), clock)
    names = [*map(investigate_id, range(1, COUNT + 2)), message_id(1)]
    result = follow_up(client, clock, Request(parse_handles(names)), lambda journal: make(client, journal))
    assert [row["handle"] for row in result.rows] == names
    assert result.error is None or type(result.error).__name__ != "InternalError", result.error
    assert speakable(result.sentence())
    assert all(speakable(row["detail"]) for row in result.rows)
    assert sum(result.summary.values()) == 2 * len(names)
    assert result.rows[0]["status"] == result.rows[-1]["status"]
    return result


@fewer
@given(acts)
@example([Act(works=True, reply=Reply("<html>", 502))])
@example([Act(works=False, reply=Reply({"success": False, "errors": [], "result": None}, 400))] * 3)
def test_moves(script: Script, lied: list[Act]) -> None:
    clock = FakeClock()
    mailboxes = Mailboxes(COUNT, clock)
    liar = Liar(mailboxes, lied)
    result = run(script, liar, clock, lambda client, journal: Mover(client, clock, journal, 10, "junk_email", 2))
    for number, row in enumerate(result.rows[:COUNT], 1):
        moved = bool(mailboxes.moves[number])
        assert row["status"] in ("moved", "failed", "unknown", "not_attempted"), row
        assert row["status"] == "unknown" or moved == (row["status"] == "moved") == row["changed"], row
        answers = [reply for numbers, reply in liar.posts if number in numbers]
        # Only a refusal lets it be sent again, and only the rate limit does so without a look.
        assert all(400 <= reply.status < 500 for reply in answers[:-1]), answers
    assert max(mailboxes.moves.values(), default=0) <= 1


@fewer
@given(acts)
@example([Act(works=True, reply=Reply("<html>", 502))])
@example([Act(works=False, reply=Reply({"success": False, "errors": [], "result": None}, 400))])
def test_submissions(script: Script, lied: list[Act]) -> None:
    clock = FakeClock()
    server = Submissions(COUNT, clock)
    server.clean(2)
    liar = Liar(server, lied)
    result = run(script, liar, clock, lambda client, journal: Reclassifier(client, clock, journal, 10, "spoof"))
    for number, row in enumerate(result.rows[:COUNT], 1):
        submitted = number in server.times
        assert row["status"] in ("submitted", "refused", "unknown", "not_attempted"), row
        assert row["status"] == "unknown" or submitted == (row["status"] == "submitted") == row["changed"], row
        answers = [reply for numbers, reply in liar.posts if number in numbers]
        # Never again, but after the rate limit, or by the other call where the server does not have the first one.
        assert all(reply.status in (404, 405, 429) or b"700" in as_body(reply.content) for reply in answers[:-1]), (
            answers
        )
    assert max(server.times.values(), default=0) <= 1
