# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source logpush: who may send alerts, and which events they become."""

from __future__ import annotations

import json
import typing as t

import jinja2
import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events import receiver as receiver_module
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.limited_warnings import LimitedWarnings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.logpush_source import make_receiver
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.quarantine_source import make_watcher
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.receiver import Receiver
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.secret import SecretCheck
from ansible_collections.emailsec.cloudflare.tests.unit.support.alerts import alert, body
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, TOKEN, message_id, page, row
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import SAMPLES
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script

SECRET = "odd~secret!Of#Logpush"
GOOD = {"account_id": ACCOUNT, "port": 5080, "secret": SECRET}


@pytest.fixture
def warnings() -> list[str]:
    """What was worth a warning."""
    return []


@pytest.fixture
def make(clock: FakeClock, warnings: list[str]) -> t.Callable[..., Receiver]:
    """Make a receiver with these arguments."""
    return lambda **arguments: make_receiver(
        {**GOOD, **arguments}, clock, warnings.append, LimitedWarnings(clock, warnings.append)
    )[0]


def told(receiver: Receiver, content: bytes) -> list[tuple[str | None, list[str]]]:
    """Return decision and ids of each event."""
    return [(event["quarantine"]["decision"], event["quarantine"]["ids"]) for event in receiver.events(content)]


def test_an_event_has_the_shape_of_those_of_the_other_source(
    make: t.Callable[..., Receiver], clock: FakeClock, script: Script
) -> None:
    [pushed] = make().events(body(alert(1)))
    script.get("investigate", page([row(1)]))
    [polled] = make_watcher({"account_id": ACCOUNT, "api_token": TOKEN}, clock, print)[0].poll()
    shapes = [
        (
            set(event),
            set(event["quarantine"]),
            set(event["quarantine"]["messages"][0]),
            set(event["quarantine"]["messages"][0]["validation"]),
        )
        for event in (pushed, polled)
    ]
    assert shapes[0] == shapes[1]
    quarantine = pushed["quarantine"]
    assert (quarantine["account_id"], quarantine["decision"], quarantine["count"], quarantine["ids"]) == (
        ACCOUNT,
        None,
        1,
        [message_id(1)],
    )
    assert quarantine["messages"][0]["envelope_from_domain"] == "sender.example"


def test_the_policies_decide_and_batches_are_kept(make: t.Callable[..., Receiver]) -> None:
    receiver = make(policy={"allowed_senders": ["sender.example"]}, batch_size=2)
    stranger = {"From": "a@stranger.example", "SMTPEnvelopeFrom": "a@stranger.example"}
    content = body(
        alert(1), alert(2, **stranger), alert(3), alert(4, FinalDisposition="malicious"), alert(5), alert(6, SPFResult="softfail"),
        alert(7, SMTPEnvelopeFrom=None, DMARCResult="pass"), alert(8, DKIMResult="pass", DMARCResult="fail"),
        alert(9, From="x@evil.example, billing@sender.example"),
    )  # fmt: skip
    assert told(receiver, content) == [
        ("release", [message_id(1), message_id(3)]),
        ("release", [message_id(5)]),
        ("approval", [message_id(2), message_id(7)]),
        ("keep", [message_id(4), message_id(6)]),
        ("keep", [message_id(8), message_id(9)]),
    ]


def test_what_has_no_name_is_not_to_be_released(make: t.Callable[..., Receiver], warnings: list[str]) -> None:
    nameless = alert(1, AlertID="odd", MessageID=None)
    assert told(make(policy={"max_messages": 9}), body(nameless)) == [("keep", [])]
    assert told(make(), body(nameless)) == [(None, [])]
    assert warnings[0] == "Alerts without a safe id for their message were not proposed for release: 1"


def test_what_comes_again_is_told_of_once(make: t.Callable[..., Receiver]) -> None:
    receiver = make()
    assert told(receiver, body(alert(1), alert(2), alert(1))) == [(None, [message_id(1), message_id(2)])]
    assert told(receiver, body(alert(2), alert(3))) == [(None, [message_id(3)])]
    assert told(receiver, body(alert(3))) == []


def test_what_was_not_taken_from_it_is_told_of_again(make: t.Callable[..., Receiver]) -> None:
    receiver = make(batch_size=1)
    events = receiver.events(body(alert(1), alert(2)))
    assert [next(events)["quarantine"]["ids"] for _ in range(2)] == [[message_id(1)], [message_id(2)]]
    events.close()
    assert told(receiver, body(alert(1), alert(2))) == [(None, [message_id(2)])]


def test_no_more_is_remembered_than_fits(make: t.Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver_module, "_REMEMBERED", 2)
    receiver = make()
    assert told(receiver, body(alert(1), alert(2), alert(3)))
    assert told(receiver, body(alert(1), alert(2), alert(3))) == [(None, [message_id(1)])], "the latest two are known"


def test_records_that_are_no_alerts_are_warned_of(make: t.Callable[..., Receiver], warnings: list[str]) -> None:
    assert told(make(), body(alert(1), {"RayID": "x"})) == [(None, [message_id(1)])]
    assert warnings == ["Records in requests were left out because they are not alerts: 1"]


@pytest.mark.parametrize("text", SAMPLES)
def test_nothing_in_an_event_is_a_template_or_obeyed_by_a_terminal(make: t.Callable[..., Receiver], text: str) -> None:
    names = (
        "AlertReasons",
        "FinalDisposition",
        "From",
        "MessageID",
        "SMTPEnvelopeFrom",
        "Subject",
        "Timestamp",
        "SPFResult",
    )
    fields = dict.fromkeys(names, text) | {
        "To": [text] * 200,
        "SMTPEnvelopeTo": [text],
        "ThreatCategories": [text] * 200,
    }
    [event] = make().events(body(alert(1, AlertID=f"{text[:50]}-2026-11-22T11:59:00", **fields)))
    shown = json.dumps(event, ensure_ascii=False)
    for string in strings(event):
        assert jinja2.Environment().from_string(string).render() == string
        assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in string)
    assert len(shown) < 200_000
    assert len(event["quarantine"]["messages"][0]["threat_categories"]) == 100


def strings(value: t.Any) -> t.Iterator[str]:
    """Return all strings in some data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings(one)


def test_only_who_knows_the_secret_is_admitted(clock: FakeClock, warnings: list[str]) -> None:
    check = SecretCheck("X-Key", SECRET, LimitedWarnings(clock, warnings.append))
    assert check.admits({"X-Key": SECRET})
    assert not warnings
    for headers in (
        {},
        {"X-Key": ""},
        {"X-Key": SECRET[:-1]},
        {"X-Key": SECRET + "x"},
        {"X-Key": "\udcff\u00e9"},
        {"Other": SECRET},
    ):
        assert not check.admits(headers)
    clock.sleep(61)
    assert not check.admits({})
    assert [warning.rpartition(": ")[2] for warning in warnings] == ["1", "6"], "at most once a minute"
    assert SECRET not in str(warnings)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"port": None}, "port must be from 1 to 65535"),
        ({"port": "web"}, "port must be a whole number"),
        ({"max_bytes": 1}, "max_bytes must be from 1024"),
        ({"account_id": "corp"}, "32 hexadecimal digits"),
        ({"secret": ""}, "there is no secret"),
        ({"secret": "short"}, "secret must have at least 16 characters"),
        ({"secret": f" {SECRET}"}, "without blanks"),
        ({"secret": f"{SECRET}\n"}, "without blanks"),
        ({"secret": 12345678901234567}, "secret must be a text; put it in quotes$"),
        ({"header": "X Key"}, "name of an HTTP header"),
        ({"header": "X-Key\n"}, "name of an HTTP header"),
        ({"keyfile": "key.pem"}, "keyfile needs a certfile"),
        ({"policy": {"allowed": []}}, "policy has no rules allowed; the rules are"),
        ({"interval": 60}, "the event source has no arguments interval"),
    ],
)
def test_wrong_arguments_are_refused_at_once(
    make: t.Callable[..., Receiver], arguments: dict[str, t.Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        make(**arguments)


def test_arguments_may_come_from_the_environment(
    clock: FakeClock, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    monkeypatch.setenv("CLOUDFLARE_LOGPUSH_SECRET", SECRET)
    _receiver, check, address = make_receiver(
        {"port": "5080"}, clock, warnings.append, LimitedWarnings(clock, warnings.append)
    )
    assert check.admits({"X-Logpush-Secret": SECRET})
    assert address == ("127.0.0.1", 5080, "", "", 16 * 1024 * 1024)
    assert not warnings


@pytest.mark.parametrize(
    ("host", "warned"), [("127.0.0.1", 0), ("::1", 0), ("localhost", 0), ("0.0.0.0", 1), ("rulebook.example", 1)]
)
def test_it_says_when_the_secret_comes_unencrypted(
    make: t.Callable[..., Receiver], warnings: list[str], host: str, warned: int
) -> None:
    make(host=host)
    assert [("unencrypted" in warning) for warning in warnings] == [True] * warned
    warnings.clear()
    make(host=host, certfile="cert.pem")
    assert not warnings
