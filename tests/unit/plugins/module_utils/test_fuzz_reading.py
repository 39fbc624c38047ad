# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a server answers, it is understood, or it is an error in few, printable words."""

from __future__ import annotations

import json
import math
import typing as t
import unicodedata
from unittest import mock

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Client, Credential, Settings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.envelope import Reply, read_envelope
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.pace import (
    Pace,
    backoff,
    retry_after,
    tightest_limit,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import CloudflareError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import parse_handle
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import Message
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.messages import Messages
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.answer import (
    Names,
    match,
    outcome_of,
    read_entries,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.outcome import STATUSES
from ansible_collections.emailsec.cloudflare.plugins.module_utils._text import inert, printable
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    NOW,
    TOKEN,
    URL,
    investigate_id,
    message_id,
    postfix_id,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import (
    fewer,
    fields,
    headers,
    replies,
    scalars,
    speakable,
    text,
    values,
)
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

LONGEST = 2000  # characters that an error may have


def check_error(error: CloudflareError) -> None:
    """Fail if an error would trick or flood whoever sees it."""
    assert type(error) is not CloudflareError
    assert speakable(str(error))
    assert len(str(error)) < LONGEST
    details = json.dumps(error.details())
    assert len(details) < 200_000


MANY = [{"code": 10**400, "message": "m" * 500, "error_chain": [{"code": 7, "message": "c" * 500}] * 50}] * 50


@fewer
@given(replies())
@example(Reply(400, {}, json.dumps({"success": False, "errors": MANY}).encode()))
@example(Reply(200, {}, b'{"success": true, "result": [1e999, -1e999, NaN]}'))
@example(Reply(400, {}, '{"success": false, "errors": [{"message": "a\u061c\u2028\u200bb"}]}'.encode()))
def test_an_answer_is_a_success_or_an_error_in_few_printable_words(reply: Reply) -> None:
    try:
        envelope = read_envelope(reply)
    except CloudflareError as error:
        check_error(error)
        return
    assert envelope["success"] is True
    assert reply.status < 300
    json.dumps(envelope, allow_nan=False, ensure_ascii=False).encode()


@fewer
@given(st.lists(st.one_of(st.dictionaries(fields, values, max_size=6), values), max_size=4))
def test_an_answer_to_a_release_never_tells_more_than_it_says(rows: list[t.Any]) -> None:
    wanted = [Names(investigate_id(1), postfix_id(1)), Names(investigate_id(2), None), Names(None, postfix_id(3))]
    entries = read_entries(rows)
    if entries is None:
        return
    found = match(entries, wanted)
    assert len(found) == len(wanted)
    said = json.dumps(rows)
    for entry, names in zip(found, wanted, strict=True):
        outcome = outcome_of(entry)
        if outcome is None:
            continue
        assert outcome.status in STATUSES
        assert outcome.changed == bool(outcome.delivered)
        assert any(json.dumps(name) in said for name in names if name), "an outcome for a message that is not named"
        assert all(
            json.dumps(address) in said for address in [*outcome.delivered, *outcome.undelivered, *outcome.failed]
        )


@fewer
@given(st.dictionaries(fields, values, max_size=8))
def test_any_row_is_a_message_whose_fields_have_their_types(row: dict[str, t.Any]) -> None:
    message = Message(row)
    assert message.state in ("quarantined", "released", "not_quarantined", "unreadable")
    assert message.data["is_quarantined"] in (True, False, None)
    for value in message.data.values():
        assert value is None or isinstance(value, (str, bool, dict, list))
        assert not isinstance(value, list) or all(isinstance(item, str) for item in value)
    assert Message(message.data).data == message.data


class OneAnswer:
    """Stands in for the transport: answers everything with the same, and then with nothing found."""

    def __init__(self, reply: Reply) -> None:
        self._replies = [reply] * 3

    def exchange(self, *_request: object) -> Reply:
        """Return the next answer."""
        empty = {"success": True, "errors": [], "messages": [], "result": [], "result_info": {"count": 0}}
        return self._replies.pop() if self._replies else Reply(200, CaseInsensitiveDict(), json.dumps(empty).encode())

    def calls_home(self, _url: str) -> bool:
        """Tell that any server is ours."""
        return True


@fewer
@given(replies(), st.sampled_from([investigate_id(1), postfix_id(1), message_id(1)]))
def test_a_search_finds_only_what_was_asked_for(reply: Reply, name: str) -> None:
    clock = FakeClock()
    client = Client(Settings(URL, ACCOUNT, Credential({"Authorization": f"Bearer {TOKEN}"}, "token"), retries=1), clock)
    handle = parse_handle(name)
    with mock.patch.object(client, "_http", OneAnswer(reply)):
        try:
            found = Messages(client, clock, Message).find([handle])
        except CloudflareError as error:
            check_error(error)
            return
    assert list(found) == [handle]
    for message in found[handle]:
        assert message.state == "unreadable" or name in (message.id, message.postfix_id, message.data["message_id"])
    assert clock.slept < 1200


# --- headers that make us wait -----------------------------------------------------------------------------------------


@fewer
@given(st.one_of(text, st.text(alphabet="0123456789;,=rt .-+eE\u0660\u00b2\t", max_size=30)))
@example("9" * 400)
@example("-1")
@example("\u0663")
@example("Sun, 06 Nov 9999999999999 08:49:37 GMT")
@example("Thu, 01 Jan 1970 00:00:00 +9999")
def test_what_a_header_says_of_time_is_a_number_that_is_not_negative(header: str) -> None:
    seconds = retry_after(header, NOW)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))
    limit = tightest_limit(header)
    assert limit is None or all(0 <= number < 10**9 for number in (limit.left, limit.seconds))


@fewer
@given(st.lists(st.tuples(st.booleans(), headers), max_size=12), st.integers(min_value=1, max_value=600))
def test_no_header_makes_us_wait_longer_than_allowed(answers: list[tuple[bool, dict[str, str]]], most: int) -> None:
    clock = FakeClock()
    pace = Pace(clock, most)
    begin = clock.monotonic()
    for refused, told in answers:
        pace.wait_turn()
        given_headers = CaseInsensitiveDict(told)
        if refused:
            pace.refused(given_headers)
        else:
            pace.answered(given_headers)
    assert clock.monotonic() - begin <= most + 1


@given(st.integers(min_value=1, max_value=10**9))
def test_a_pause_before_a_repetition_is_bounded(attempt: int) -> None:
    assert 0 < backoff(attempt) <= 8


# --- what is printed ---------------------------------------------------------------------------------------------------


EVERY = [chr(point) for point in range(0x110000)]


@pytest.mark.parametrize("shown", [printable, inert])
def test_every_character_of_unicode_is_safe_to_print(shown: t.Callable[[str], str]) -> None:
    assert [f"{ord(char):x}" for char in EVERY if not speakable(shown(char))] == []


def test_what_can_be_seen_is_shown_as_it_is() -> None:
    assert [f"{ord(char):x}" for char in EVERY if speakable(char) != (printable(char) == char)] == []
    assert {printable(char) for char in EVERY if unicodedata.category(char) == "Zs"} == {" "}
    assert {printable(char) for char in EVERY if not speakable(char) and unicodedata.category(char) != "Zs"} == {
        "\ufffd"
    }


@given(st.text(max_size=60), scalars)
def test_a_header_value_of_any_kind_is_described_in_few_words(header: str, content: object) -> None:
    reply = Reply(
        502, CaseInsensitiveDict({"Content-Type": header, "cf-ray": header * 50}), json.dumps(content).encode()
    )
    assert len(str(reply)) < 250
    assert speakable(str(reply))
