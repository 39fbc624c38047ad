# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Cloudflare's Logpush sends is read as messages, and nothing that somebody wrote into a mail does any harm."""

from __future__ import annotations

import gzip
import json
import re
import time
import tracemalloc
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.alerts import TooMuchError, read_alerts
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import parse_handle
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import Message
from ansible_collections.emailsec.cloudflare.plugins.module_utils._text import inert
from ansible_collections.emailsec.cloudflare.tests.unit.support.alerts import alert, body
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import message_id, postfix_id, recipient
from hypothesis import given
from hypothesis import strategies as st

MOST = 100_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def read(*records: t.Any) -> list[Message]:
    """Return the messages in some records."""
    return read_alerts(body(*records), MOST).messages


def test_every_field_that_a_rule_may_ask_for_is_read() -> None:
    [message] = read(alert(1))
    data = message.data
    assert {name: data[name] for name in ("id", "alert_id", "message_id", "subject", "from", "envelope_from", "final_disposition", "scanned_at")} == {
        "id": message_id(1), "alert_id": f"{postfix_id(1)}-2026-11-22T11:59:00", "message_id": message_id(1), "subject": "Invoice 1",
        "from": "billing@sender.example", "envelope_from": "bounce@sender.example", "final_disposition": "SPAM",
        "scanned_at": "2026-11-22T11:59:00Z",
    }  # fmt: skip
    assert (data["to"], data["envelope_to"]) == ([recipient(1)], [recipient(1)])
    assert (data["detection_reasons"], data["threat_categories"]) == (["Suspicious link"], ["Dropper"])
    assert {name: data["validation"][name] for name in ("spf", "dkim", "dmarc")} == {
        "spf": "pass",
        "dkim": "none",
        "dmarc": "none",
    }


@pytest.mark.parametrize(
    "content",
    [
        body(alert(1), alert(2)),
        gzip.compress(body(alert(1), alert(2)), mtime=0),
        gzip.compress(body(alert(1)), mtime=0) + gzip.compress(body(alert(2)), mtime=0),
        b"\r\n" + body(alert(1)) + b"\n\n" + body(alert(2)).rstrip(),
        json.dumps([alert(1), alert(2)]).encode(),
        json.dumps([alert(1), alert(2)], indent=2).encode(),
        body([alert(1)], [alert(2)]),
        body(alert(1, Subject="a\u2028b"), alert(2)),
    ],
)
def test_lines_and_lists_packed_or_not_are_taken(content: bytes) -> None:
    alerts = read_alerts(content, MOST)
    assert ([message.id for message in alerts.messages], alerts.foreign) == ([message_id(1), message_id(2)], 0)


def test_one_alert_over_several_lines_is_taken() -> None:
    assert [message.id for message in read_alerts(json.dumps(alert(1), indent=2).encode(), MOST).messages] == [
        message_id(1)
    ]


def test_what_cloudflare_sends_to_try_an_address_is_no_mistake() -> None:
    assert read_alerts(gzip.compress(b'{"content":"tests"}'), MOST) == ([], 0)


def test_other_records_are_left_out_and_counted() -> None:
    alerts = read_alerts(body(alert(1), {"RayID": "x"}, 7, {"AlertID": 5}, {"AlertID": "x" * 500}) + b"{broken\n", MOST)
    assert ([message.id for message in alerts.messages], alerts.foreign) == ([message_id(1)], 5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no alert"),
        (b"AlertID,From\n1,2\n", "no alert"),
        (body({"RayID": "x"}, {"RayID": "y"}), "no alert"),
        (body({"content": "tests"}, 7), "no alert"),
        (b"[" * 50_000, "no alert"),
        (b'{"AlertID":' + b"9" * 50_000 + b"}", "no alert"),
        (b"\xff\xfe", "no alert"),
        (gzip.compress(body(alert(1)), mtime=0)[:-20], "damaged"),
        (b"\x1f\x8bnonsense", "damaged"),
        (gzip.compress(body(alert(1)), mtime=0)[:12] + b"\xff" * 40, "damaged"),
    ],
)
def test_what_has_no_alerts_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_alerts(content, MOST)


def test_no_more_is_unpacked_than_may_be() -> None:
    bomb = gzip.compress(b" " * 200_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooMuchError, match="more than 100000 bytes"):
            read_alerts(bomb, MOST)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    with pytest.raises(TooMuchError):
        read_alerts(b" " * (MOST + 1), MOST)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"[]\n" * 5_000_000), "more than 1000000 values"),
        (gzip.compress(b"[" + b"[]," * 5_000_000 + b"[]]"), "more than 1000000 values"),
        (gzip.compress(b'{"AlertID":"x","To":[' + b"{}," * 5_000_000 + b"{}]}"), "more than 1000000 values"),
        (gzip.compress(b"0\n" * 5_000_000), "more than 10000 records"),
        (gzip.compress(b"[" + b"0," * 20_000 + b"0]"), "more than 10000 records"),
        (gzip.compress(b"{broken\n" * 20_000), "more than 10000 records"),
        (gzip.compress(b"") * 500_000, "more than 1000 gzip members"),
        (gzip.compress(b" \n" * 8_000_000), "no alert"),
        (b'{"AlertID":' + b"9" * 16_000_000 + b"}", "no alert"),
        (b"[" * 900_000, "no alert"),
    ],
    ids=range(10),
)
def test_a_request_costs_little_whatever_is_in_it(content: bytes, words: str) -> None:
    most = 16 * 1024 * 1024
    before = time.process_time()
    with pytest.raises(InputError, match=words):
        read_alerts(content, most)
    assert time.process_time() - before < 1.5
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            read_alerts(content, most)
        assert tracemalloc.get_traced_memory()[1] < 5 * most
    finally:
        tracemalloc.stop()


def test_as_many_records_as_may_be_are_taken() -> None:
    many = [{"AlertID": str(number)} for number in range(10_000)]
    for content in (body(*many), json.dumps(many).encode()):
        assert len(read_alerts(content, len(content)).messages) == 10_000
    with pytest.raises(TooMuchError, match="max_upload_records"):
        read_alerts(body(*many, {"AlertID": "x"}), 10**6)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-22T11:59:00Z", "2026-11-22T11:59:00Z"),
        (1795348740, "2026-11-22T11:59:00Z"),
        (1795348740123456789, "2026-11-22T11:59:00Z"),
        (True, None),
        (-1, None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_times_as_a_job_may_give_them(moment: object, expected: str | None) -> None:
    [message] = read(alert(1, Timestamp=moment))
    assert message.data["scanned_at"] == expected


@pytest.mark.parametrize(
    ("given_id", "expected"),
    [
        ("<a.b+c@x.example>", "<a.b+c@x.example>"),
        ("a@x.example", "a@x.example"),
        # Not one of a sender's ideas may lead anywhere else.
        (None, postfix_id(1)),
        ("", postfix_id(1)),
        ("4PfX00002Qz-2026-11-20T10:00:00-70000002", postfix_id(1)),
        ("4PfX00002Qz", postfix_id(1)),
        ("<../../../etc/cron.d/x@x.example>", postfix_id(1)),
        ("<a\\b@x.example>", postfix_id(1)),
        # Where ids travel in one text, each of these is the end of one: of another mail's, here.
        ("a@x.example,4PfX00002Qz", postfix_id(1)),
        ("a@x.example;4PfX00002Qz", postfix_id(1)),
        ("<{{7*7}}@x.example>", postfix_id(1)),
        ("<\u202ea@x.example>", postfix_id(1)),
        ("<\U0001f680@x.example>", postfix_id(1)),
        (f"<{'a' * 200}@x.example>", postfix_id(1)),
        ("<a@x.example> --extra", postfix_id(1)),
        ("a@x.example{", postfix_id(1)),
        ("<" + "\u4e00" * 70 + "@x.example>", postfix_id(1)),
    ],
)
def test_only_what_safely_names_the_message_is_its_id(given_id: str | None, expected: str) -> None:
    [message] = read(alert(1, MessageID=given_id))
    assert message.id == expected


@pytest.mark.parametrize(
    "alert_id", ["odd", "../x-2026-11-22T11:59:00", "{{x}}-2026-11-22T11:59:00", "a b-2026-11-22T11:59:00"]
)
def test_there_may_be_no_id_at_all(alert_id: str) -> None:
    [message] = read(alert(1, AlertID=alert_id, MessageID=None))
    assert message.id is None


@given(st.text(), st.text())
def test_an_id_is_a_handle_and_one_part_of_a_path(given_id: str, alert_id: str) -> None:
    for message in read(alert(1, MessageID=given_id), alert(2, AlertID=alert_id or "x")):
        if message.id is not None:
            assert parse_handle(message.id).text == message.id == inert(message.id)
            assert not re.search(r"[/\\\s,;]", message.id)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("a@x.example", "a@x.example"),
        ("Somebody <a@x.example>", "a@x.example"),
        ("<a@evil.example> <a@x.example>", "<a@evil.example> <a@x.example>"),
        ("a@x.example <a@evil.example>", "a@evil.example"),
        ({"a": 1}, None),
    ],
)
def test_senders_of_the_envelope(sender: object, expected: str | None) -> None:
    [message] = read(alert(1, SMTPEnvelopeFrom=sender))
    assert message.data["envelope_from"] == expected


@given(st.lists(st.dictionaries(st.sampled_from(sorted(alert(1))), JSON), max_size=5), st.binary(max_size=50))
def test_fuzz_whatever_comes_is_read_or_refused(records: list[dict[str, t.Any]], more: bytes) -> None:
    try:
        alerts = read_alerts(body(*records) + more, MOST)
    except InputError:
        return
    assert all(isinstance(message.data["alert_id"], str) for message in alerts.messages)
