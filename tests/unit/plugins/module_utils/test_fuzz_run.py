# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole run against a server that may answer anything: one truth for each message, and nothing sent on a guess."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Client, Credential, Settings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import parse_handles
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.engine import Options
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.outcome import STATUSES, Status
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.result import RunResult
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.run import ReleaseRequest, release_messages
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    TOKEN,
    URL,
    investigate_id,
    message_id,
    postfix_id,
    refusal,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import fewer, speakable
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.liar import OTHER_FORM, RATE_LIMIT, Act, Liar, lies
from ansible_collections.emailsec.cloudflare.tests.unit.support.quarantine import Quarantine
from hypothesis import example, given
from hypothesis import strategies as st

COUNT = 3
NAMES = [name(number) for number in range(1, COUNT + 2) for name in (investigate_id, postfix_id, message_id)]
handles = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)
acts = st.lists(lies, max_size=8)


def run(script: Script, liar: Liar, names: t.Sequence[str], **request: t.Any) -> RunResult:
    """Release the messages named, one request at a time, so that the same acts always hit the same requests."""
    script.server = liar
    script.sent.clear()
    clock = FakeClock()
    client = Client(Settings(URL, ACCOUNT, Credential({"Authorization": f"Bearer {TOKEN}"}, "token"), retries=2), clock)
    options = Options(batch_size=2, concurrency=1, retries=2)
    return release_messages(client, clock, ReleaseRequest(parse_handles(names), options, **request))


def check_rows(result: RunResult, names: t.Sequence[str]) -> None:
    """Fail unless each handle has exactly one row, with a status and words that can be printed."""
    assert [row["handle"] for row in result.rows] == list(names)
    assert {row["status"] for row in result.rows} <= set(STATUSES)
    assert result.changed == any(row["changed"] for row in result.rows)
    assert result.summary["total"] == len(names)
    assert sum(result.summary[status] for status in STATUSES) == len(names)
    assert result.error is None or type(result.error).__name__ != "InternalError", result.error
    assert speakable(result.sentence())
    assert TOKEN not in json.dumps({**result.data(), "messages": list(result.rows)})


@fewer
@given(handles, acts, st.booleans())
@example([investigate_id(1)], [Act(), Act(works=False, reply=OTHER_FORM), Act(works=False, reply=RATE_LIMIT)], True)
@example(
    [postfix_id(3), investigate_id(1), investigate_id(3), message_id(3)],
    [Act(works=False, edits=(("id", None),))],
    False,
)
def test_whatever_is_answered_nothing_is_sent_again_unless_it_reads_as_quarantined(
    script: Script, names: list[str], lied: list[Act], check_state: bool
) -> None:
    liar = Liar(COUNT, lied, lies_when_read=True)
    result = run(script, liar, names, check_state=check_state)
    check_rows(result, names)
    assert liar.again == []


@fewer
@given(handles, acts, st.booleans())
def test_nothing_is_delivered_twice_while_what_is_read_is_true(
    script: Script, names: list[str], lied: list[Act], check_state: bool
) -> None:
    liar = Liar(COUNT, lied, lies_when_read=False)
    result = run(script, liar, names, check_state=check_state)
    check_rows(result, names)
    assert liar.doubled == []
    asked = {name(number) for number in liar.quarantine.deliveries for name in (investigate_id, postfix_id, message_id)}
    assert not liar.quarantine.deliveries or asked & set(names)
    delivered = {
        number
        for number in liar.quarantine.deliveries
        if {investigate_id(number), postfix_id(number), message_id(number)} & set(names)
    }
    assert delivered == set(liar.quarantine.deliveries), "mail was released that nobody named"


@fewer
@given(handles, acts)
def test_check_mode_and_a_refused_run_send_nothing(script: Script, names: list[str], lied: list[Act]) -> None:
    result = run(script, Liar(COUNT, lied, lies_when_read=True), names, check_mode=True)
    check_rows(result, names)
    assert script.posts == []
    assert Status.RELEASED not in {row["status"] for row in result.rows}


def test_the_liar_finds_what_is_sent_again_on_a_guess(script: Script) -> None:
    liar = Liar(COUNT, [Act()], lies_when_read=False)
    script.server = liar
    client = Client(Settings(URL, ACCOUNT, Credential({"Authorization": f"Bearer {TOKEN}"}, "token")), FakeClock())
    for _number in range(2):
        client.post("investigate/release", [investigate_id(1)])
    assert (liar.again, liar.doubled) == ([1], [1])
    liar.again.clear()
    client.get(f"investigate/{investigate_id(2)}")
    client.post("investigate/release", {"ids": [investigate_id(2)]})
    assert liar.again == []


@pytest.mark.parametrize("reply", [RATE_LIMIT, OTHER_FORM], ids=["rate limit", "form"])
def test_an_honest_refusal_is_answered_by_sending_again(script: Script, reply: t.Any) -> None:
    liar = Liar(1, [Act(works=False, reply=reply)], lies_when_read=False)
    result = run(script, liar, [investigate_id(1)])
    assert [row["status"] for row in result.rows] == [Status.RELEASED]
    assert liar.again == []


@pytest.mark.parametrize(
    "names",
    [[investigate_id(1), investigate_id(2), postfix_id(1)], [postfix_id(1), investigate_id(2), investigate_id(1)]],
)
def test_a_message_that_a_search_gives_without_its_id_is_sent_once(script: Script, names: list[str]) -> None:
    liar = Liar(2, [Act(edits=(("id", None),))], lies_when_read=True)
    result = run(script, liar, names)
    assert [row["status"] for row in result.rows] == [Status.RELEASED] * 3
    assert liar.doubled == []
    assert liar.quarantine.deliveries == {1: 1, 2: 1}


@pytest.mark.parametrize("names", [[message_id(2), investigate_id(2)], [investigate_id(2), message_id(2)]])
def test_no_handle_is_lost_when_its_message_is_found_by_another_one_only(script: Script, names: list[str]) -> None:
    def server(sent: Sent) -> Reply:
        found = sent.path == "investigate" and sent.query.get("message_id")
        return quarantine(sent) if found else Reply(refusal(1001, "unknown"), 404 if "/" in sent.path else 400)

    quarantine = Quarantine(2)
    script.server = server
    client = Client(Settings(URL, ACCOUNT, Credential({}, "token")), FakeClock())
    result = release_messages(client, FakeClock(), ReleaseRequest(parse_handles(names), Options(), check_mode=True))
    assert {row["handle"]: row["status"] for row in result.rows} == {
        message_id(2): "would_release",
        investigate_id(2): "not_found",
    }
