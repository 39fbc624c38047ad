# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source: each message is in one event, whatever happens on the way, and none is forgotten."""

from __future__ import annotations

import datetime
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import (
    AuthenticationError,
    CloudflareError,
    DoubtfulError,
    InputError,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events import cursor as cursor_module
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events import watcher as watcher_module
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.arguments import read_policies
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.cursor import Cursor
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.decisions import Policies
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.quarantine_source import make_watcher
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.watcher import Event, Watcher, WatchSettings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import Message
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.policy import Policy
from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import from_seconds, parse_time, to_text
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    NOW,
    TOKEN,
    investigate_id,
    page,
    refusal,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.spellings import SPELLINGS, shows

WATCH = WatchSettings(ACCOUNT, {"sender": "sender.example"}, 3600, 900, 900, 50, Policies(None, Policy()))


def moment(text: str) -> datetime.datetime:
    """Return a time that is one."""
    found = parse_time(text)
    assert found
    return found


class Quarantine:
    """Answers searches. rows: what is there; breaks: answers to come that raise or are cut off; honest: it keeps to the times."""

    honest = True

    def __init__(self) -> None:
        self.rows: list[dict[str, t.Any]] = []
        self.breaks: list[CloudflareError | bool] = []
        self.asked: list[dict[str, str]] = []

    def put(self, number: int, age: float, **fields: t.Any) -> None:
        """Quarantine a message that was scanned so many seconds before NOW."""
        self.rows.append(row(number, scanned_at=to_text(from_seconds(NOW - age)), **fields))

    def search(self, filters: dict[str, str], most: int) -> tuple[list[Message], bool]:
        """Answer as the API does: the newest first."""
        self.asked.append(filters)
        trouble = self.breaks.pop(0) if self.breaks else False
        if isinstance(trouble, CloudflareError):
            raise trouble
        start = moment(filters["start"])
        found = [
            one for one in self.rows if not self.honest or not one["scanned_at"] or moment(one["scanned_at"]) >= start
        ]
        found.sort(key=lambda one: one["scanned_at"] or "", reverse=True)
        assert len(found) <= most
        return [Message(one) for one in (found[: len(found) // 2] if trouble else found)], bool(trouble)


class EventSource:
    """A watcher that can be restarted, and what it warned of."""

    def __init__(
        self, quarantine: Quarantine, clock: FakeClock, path: Path | None, watch: WatchSettings = WATCH
    ) -> None:
        self.warnings: list[str] = []
        self.cursor = Cursor(str(path) if path else None, ACCOUNT)
        self.watcher = Watcher(watch, lambda: t.cast(t.Any, quarantine), self.cursor, clock, self.warnings.append)

    def poll(self) -> list[int]:
        """Return the numbers of the messages that the next poll tells of."""
        return [number for event in self.watcher.poll() for number in numbers(event)]


def numbers(event: Event) -> list[int]:
    """Return the numbers of the messages in an event."""
    return [int(name.rpartition("-")[2]) - 70000000 for name in event["quarantine"]["ids"]]


@pytest.fixture
def quarantine() -> Quarantine:
    """An empty quarantine."""
    return Quarantine()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cursor is kept. Locks are tested by themselves: in one process there is no restart that drops them."""
    monkeypatch.setattr(cursor_module, "_locked", lambda _path: 0)
    return tmp_path / "cursor.json"


def test_each_message_is_told_of_once_and_the_oldest_first(quarantine: Quarantine, clock: FakeClock) -> None:
    event_source = EventSource(quarantine, clock, None)
    quarantine.put(1, 60)
    quarantine.put(2, 600)
    quarantine.put(3, 7200)
    assert event_source.poll() == [2, 1]
    quarantine.put(4, 30)
    assert event_source.poll() == [4]
    assert event_source.poll() == []
    first, second, *_ = quarantine.asked
    assert first == {
        "sender": "sender.example", "delivery_status": "quarantined", "detections_only": "false", "start": to_text(from_seconds(NOW - 3600)),
    }  # fmt: skip
    assert second["start"] == to_text(from_seconds(NOW - 60 - 900))


def test_mail_that_is_shown_late_is_told_of(quarantine: Quarantine, clock: FakeClock) -> None:
    event_source = EventSource(quarantine, clock, None)
    quarantine.put(1, 60)
    assert event_source.poll() == [1]
    quarantine.put(2, 900)
    assert event_source.poll() == [2]


def test_a_restart_goes_on_where_it_was(quarantine: Quarantine, clock: FakeClock, state: Path) -> None:
    quarantine.put(1, 60)
    assert EventSource(quarantine, clock, state).poll() == [1]
    assert state.stat().st_mode & 0o777 == 0o600
    quarantine.put(2, 30)
    clock.sleep(7200)
    assert EventSource(quarantine, clock, state).poll() == [2], "longer off than it looks back at first"
    assert EventSource(quarantine, clock, state).poll() == []


def test_what_it_was_telling_of_when_it_was_killed_comes_again_and_nothing_else(
    quarantine: Quarantine, clock: FakeClock, state: Path
) -> None:
    for number in range(1, 6):
        quarantine.put(number, 600 - number)
    watch = WATCH._replace(batch_size=2)
    events = EventSource(quarantine, clock, state, watch).watcher.poll()
    assert numbers(next(events)) == [1, 2]
    assert numbers(next(events)) == [3, 4]
    clock.sleep(86400)
    assert EventSource(quarantine, clock, state, watch).poll() == [3, 4, 5]


def test_errors_lose_nothing(quarantine: Quarantine, clock: FakeClock, state: Path) -> None:
    event_source = EventSource(quarantine, clock, state)
    quarantine.put(1, 60)
    quarantine.breaks = [DoubtfulError("HTML"), DoubtfulError("cut")]
    for _ in range(2):
        with pytest.raises(DoubtfulError):
            event_source.poll()
    clock.sleep(7200)
    assert event_source.poll() == [1], "messages of the first poll are in the events of the first one that works"


def test_a_list_that_is_cut_off_is_asked_for_again(quarantine: Quarantine, clock: FakeClock) -> None:
    event_source = EventSource(quarantine, clock, None)
    for number in range(1, 5):
        quarantine.put(number, 600 * number)
    quarantine.breaks = [True]
    assert event_source.poll() == [2, 1]
    assert "cut by the server" in event_source.warnings[0]
    assert event_source.poll() == [4, 3]


def test_clocks_that_go_wrong(quarantine: Quarantine, clock: FakeClock, state: Path) -> None:
    quarantine.put(1, -86400)
    quarantine.rows.append(row(2, scanned_at=None))
    assert sorted(EventSource(quarantine, clock, state).poll()) == [1, 2]
    assert json.loads(state.read_text())["newest"] == NOW, "never in the future"
    clock.sleep(-40000)
    quarantine.put(3, -1)
    assert EventSource(quarantine, clock, state).poll() == [3]


def test_no_more_is_kept_than_what_a_search_can_bring_back(quarantine: Quarantine, clock: FakeClock) -> None:
    event_source = EventSource(quarantine, clock, None)
    for number in range(1, 200):
        quarantine.put(number, -600.0 * number)
        clock.sleep(600)
        assert event_source.poll() == [number]
    assert len(event_source.cursor.seen) < 10


def test_ids_are_not_kept_without_end(
    quarantine: Quarantine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursor_module, "_MOST", 3)
    event_source = EventSource(quarantine, clock, None)
    for number in range(1, 6):
        quarantine.put(number, 60 - number)
    assert event_source.poll() == [1, 2, 3, 4, 5]
    assert "a second event" in event_source.warnings[0]
    assert len(event_source.cursor.seen) == 3


def test_the_policies_decide(quarantine: Quarantine, clock: FakeClock) -> None:
    passing = {"validation": {"dmarc": "pass"}}
    quarantine.put(1, 90, **passing, envelope_from="a@partner.example", **{"from": "a@partner.example"})
    quarantine.put(2, 80, **passing)
    quarantine.put(3, 70, **passing, final_disposition="MALICIOUS")
    quarantine.put(4, 60, **passing, envelope_from="b@partner.example", **{"from": "b@partner.example"})
    spoofed = {"spf": "fail", "dkim": "pass", "dmarc": "fail"}
    quarantine.put(5, 50, validation=spoofed, envelope_from="b@partner.example", **{"from": "b@partner.example"})
    quarantine.put(6, 40, **passing, envelope_from="b@partner.example", **{"from": "x@evil.example, b@partner.example"})
    watch = WATCH._replace(policies=Policies(Policy(allowed_senders=["partner.example"]), Policy()))
    told = {
        event["quarantine"]["decision"]: event for event in EventSource(quarantine, clock, None, watch).watcher.poll()
    }
    assert {decision: numbers(event) for decision, event in told.items()} == {
        "release": [1, 4],
        "approval": [2],
        "keep": [3, 5, 6],
    }
    assert told["approval"]["quarantine"]["messages"][0]["rules"] == ["allowed_senders"]
    assert Policy().overrides == ()
    overridden = watch._replace(
        policies=Policies(Policy(allowed_senders=["partner.example"], overrides=["allowed_senders"]), Policy())
    )
    decisions = [
        event["quarantine"]["decision"] for event in EventSource(quarantine, clock, None, overridden).watcher.poll()
    ]
    assert decisions == ["release", "keep"]


UNFIT = [
    None, "../../plans/x", "..", "{{ lookup('pipe', 'id') }}", "a{%b", "a{#b", "a{", "a,b", "a b", "x" * 201, "\u4e00" * 70, "\U0001f680",
]  # fmt: skip


@pytest.mark.parametrize("bad", UNFIT)
def test_what_has_no_id_that_is_fit_is_left_out_and_warned_of(
    quarantine: Quarantine, clock: FakeClock, bad: str | None
) -> None:
    event_source = EventSource(
        quarantine, clock, None, WATCH._replace(policies=Policies(Policy(max_age="1d"), Policy()))
    )
    quarantine.put(1, 60, validation={"dmarc": "pass"}, id=bad, postfix_id=None)
    quarantine.put(2, 60, validation={"dmarc": "pass"}, id=None, postfix_id=bad)
    quarantine.put(3, 60, validation={"dmarc": "pass"}, postfix_id=bad, alert_id=bad, message_id=bad)
    [event] = event_source.watcher.poll()
    assert event["quarantine"]["ids"] == [investigate_id(3)]
    [told] = event["quarantine"]["messages"]
    assert (told["id"], told["postfix_id"], told["alert_id"], told["message_id"]) == (
        investigate_id(3),
        None,
        None,
        None,
    )
    assert event_source.warnings == ["Messages in quarantine without a safe id, for which no event is sent: 2"]
    assert set(event_source.cursor.seen) == set(event_source.cursor.open) == {investigate_id(3)}


def test_an_id_that_is_not_fit_is_not_replaced_by_the_other_one(quarantine: Quarantine, clock: FakeClock) -> None:
    quarantine.put(1, 60, id="../x")
    assert EventSource(quarantine, clock, None).poll() == []


def test_no_server_makes_a_poll_ask_for_all_there_ever_was(quarantine: Quarantine, clock: FakeClock) -> None:
    event_source = EventSource(quarantine, clock, None, WATCH._replace(policies=Policies(Policy(), Policy())))
    quarantine.put(1, 60, validation={"dmarc": "pass"})
    quarantine.rows[0]["scanned_at"] = "1970-01-02T00:00:00Z"
    quarantine.honest = False
    for _ in range(2):
        event_source.poll()
    assert [filters["start"] for filters in quarantine.asked] == [to_text(from_seconds(NOW - 3600))] * 2


def test_what_may_be_told_of_again_and_the_warnings_are_bounded(
    quarantine: Quarantine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "_MOST_OPEN", 20)
    event_source = EventSource(
        quarantine, clock, None, WATCH._replace(policies=Policies(Policy(max_age="1d"), Policy()))
    )
    for number in range(1, 31):
        quarantine.put(number, 60, validation={"dmarc": "pass"})
    for count in (30, 20, 20, 0):
        assert len(event_source.poll()) == count
        clock.sleep(900)
    assert len(event_source.warnings) == 1
    assert f"{investigate_id(5)}, and 15 more: reported 3 times" in event_source.warnings[0]


def test_what_was_to_be_released_is_told_of_until_it_is(quarantine: Quarantine, clock: FakeClock, state: Path) -> None:
    watch = WATCH._replace(policies=Policies(Policy(max_age="1d"), Policy()))
    for number in (1, 2):
        quarantine.put(number, 60, validation={"dmarc": "pass"})
    quarantine.put(3, 50)
    assert EventSource(quarantine, clock, state, watch).poll() == [1, 2, 3]
    del quarantine.rows[0]
    for number in range(4, 8):
        clock.sleep(600)
        quarantine.put(number, NOW - clock.time())
    assert EventSource(quarantine, clock, state, watch).poll() == [2, 4, 5, 6, 7], (
        "1 was released, 3 waits for an approval"
    )
    assert EventSource(quarantine, clock, state, watch).poll() == []
    clock.sleep(900)
    assert EventSource(quarantine, clock, state, watch).poll() == [2]
    clock.sleep(900)
    event_source = EventSource(quarantine, clock, state, watch)
    assert event_source.poll() == []
    assert "reported 3 times and still quarantined" in event_source.warnings[0]
    clock.sleep(900)
    assert EventSource(quarantine, clock, state, watch).poll() == []
    assert json.loads(state.read_text())["open"] == {}


def test_an_event_tells_what_a_rule_may_ask_for_and_is_inert(quarantine: Quarantine, clock: FakeClock) -> None:
    evil = "{{ lookup('pipe', 'id') }}\u202e"
    senders = {"from": f"{evil}@X.example", "envelope_from": "a@X.example."}
    quarantine.put(1, 60, subject=evil, to=[evil] * 200, detection_reasons=[evil], **senders, message_id=evil)
    [event] = EventSource(quarantine, clock, None).watcher.poll()
    told = event["quarantine"]
    assert (told["account_id"], told["decision"], told["count"], told["ids"]) == (ACCOUNT, None, 1, [investigate_id(1)])
    [message] = told["messages"]
    assert (message["from_domain"], message["envelope_from_domain"]) == (None, "x.example")
    assert message["final_disposition"] == "SPAM"
    assert len(message["to"]) <= 100
    assert "{{" not in json.dumps(event)
    assert "\u202e" not in str(event)


def test_the_file_is_for_one_source_and_one_account(tmp_path: Path) -> None:
    path = str(tmp_path / "cursor.json")
    cursor = Cursor(path, ACCOUNT)
    cursor.save()
    with pytest.raises(InputError, match="another event source uses this state_file"):
        Cursor(path, ACCOUNT)
    other = str(tmp_path / "other.json")
    Path(other).write_text(Path(path).read_text())
    with pytest.raises(InputError, match="belongs to account"):
        Cursor(other, "f" * 32)
    with pytest.raises(InputError, match="cannot be used"):
        Cursor(str(tmp_path / "nowhere" / "cursor.json"), ACCOUNT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"schema": "emailsec.cloudflare/cursor", "version": 1, "newest": "a", "seen": {}, "open": {}}',
        '{"schema": "emailsec.cloudflare/cursor", "version": 1, "newest": 1, "seen": {}, "open": {"a": [1]}}',
        "[" * 100_000,
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cursor.json"
    path.write_text(text)
    with pytest.raises(InputError, match="move it away to start again"):
        Cursor(str(path), ACCOUNT)
    assert path.read_text() == text


LISTS = (
    "forbidden_dispositions",
    "forbidden_threat_categories",
    "protected_recipients",
    "allowed_senders",
    "denied_senders",
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"account": ACCOUNT}, "the event source has no arguments account; it has account_id"),
        ({"account_id": "x"}, "32 hexadecimal digits"),
        ({"interval": 0.5}, "interval must be from 1 to 86400"),
        ({"interval": "often"}, "interval must be a number"),
        ({"batch_size": True}, "batch_size must be a whole number"),
        ({"since": "soon"}, "since must be a number with"),
        ({"policy": "strict"}, "policy must be a dictionary"),
        ({"policy": {"allowed": []}}, "policy has no rules allowed; the rules are"),
        ({"policy": {"max_age": "1y"}}, "policy.max_age"),
        (
            {"approval_policy": {"require_authentication": "perhaps"}},
            "approval_policy.require_authentication must be one of aligned, any, none",
        ),
        ({"policy": {"allowed_senders": [7]}}, "policy.allowed_senders must be a list of texts"),
        (
            {"policy": {"denied_senders": "@evil.example"}},
            "policy.denied_senders has the pattern '@evil.example', which can never match",
        ),
        *(({"policy": {"allowed_senders": value}}, "policy.allowed_senders is empty") for value in ("", None, " ,\n")),
        *(({"approval_policy": {rule: ""}}, f"approval_policy.{rule} is empty") for rule in LISTS),
        ({"api_token": ""}, "there is no credential"),
        ({"sender": f"{TOKEN}@sender.example"}, "sender contains the API token"),
        ({"subject": 39}, "subject must be a text, not 39; put it in quotes"),
        ({"recipient": False}, "recipient must be a text, not False; put it in quotes"),
        ({"query": datetime.date(2026, 11, 20)}, "query must be a text, .*; put it in quotes"),
        ({"api_token": 4711}, "api_token must be a text; put it in quotes$"),
        ({"policy": {"denied_senders": [47]}}, "policy.denied_senders must be a list of texts, .*; put it in quotes"),
        ({"policy": {"max_age": 7}}, "policy.max_age must be a text, not 7; put it in quotes"),
        ({"sender": "@partner.example"}, "sender must be one address or one domain"),
        ({"domain": "a@partner.example"}, "domain must be one domain"),
    ],
)
def test_wrong_arguments_are_refused_at_once(clock: FakeClock, arguments: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make_watcher({"account_id": ACCOUNT, "api_token": TOKEN, **arguments}, clock, print)


def test_arguments_as_a_rulebook_gives_them(
    script: Script, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    path = tmp_path / "cursor.json"
    given = {
        "interval": "30",
        "since": "2h",
        "sender": None,
        "state_file": str(path),
        "policy": {"allowed_senders": "a.example, sender.example"},
    }
    warnings: list[str] = []
    watcher, interval = make_watcher(given, clock, warnings.append)
    query = {
        "delivery_status": "quarantined",
        "detections_only": "false",
        "per_page": "1000",
        "start": to_text(from_seconds(NOW - 7200)),
    }
    script.get(
        "investigate", page([row(1, validation={"dmarc": "pass"}, envelope_from="b@sender.example")]), query=query
    )
    [event] = watcher.poll()
    assert (interval, warnings, event["quarantine"]["decision"]) == (30, [], "release")
    assert TOKEN not in path.read_text()
    assert TOKEN not in json.dumps(event)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_that_the_server_repeats_reaches_neither_event_nor_log(
    script: Script, clock: FakeClock, spelling: str
) -> None:
    secret = SPELLINGS[spelling](TOKEN)
    watcher = make_watcher({"account_id": ACCOUNT, "api_token": TOKEN}, clock, print)[0]
    script.get("investigate", page([{**row(1, subject=secret), "from": f"a@{secret}"}]))
    [event] = watcher.poll()
    assert shows(json.dumps(event), TOKEN, secret) == []
    script.get("investigate", refusal(1, f"not for {secret}"), 403)
    with pytest.raises(AuthenticationError) as caught:  # whose words are logged
        next(watcher.poll())
    assert shows(str(caught.value), TOKEN, secret) == []


def test_no_overrides_are_no_mistake() -> None:
    policies = read_policies(
        {"policy": {"overrides": "", "max_age": ""}, "approval_policy": {key: [] for key in LISTS}}
    )
    assert policies.policy is not None
    assert list(policies.policy.overrides) == []


def test_without_a_file_it_says_what_that_means(clock: FakeClock) -> None:
    warnings: list[str] = []
    make_watcher({"account_id": ACCOUNT, "api_token": TOKEN}, clock, warnings.append)
    assert "after each start" in warnings[0]


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ("any", "any"),
        ("no", "none"),
        (False, "none"),
        (True, "aligned"),
        ("True", "aligned"),
        ("", "aligned"),
        (None, "aligned"),
    ],
)
def test_the_level_of_authentication_may_be_a_text_or_true_and_false(given: object, level: str) -> None:
    policies = read_policies({"policy": {"require_authentication": given}, "approval_policy": {}})
    assert policies.policy is not None
    assert policies.policy.require_authentication == level


@pytest.mark.parametrize(
    "shown", ["x@evil.example, b@partner.example", "b@partner.example <x@evil.example>", "garbage", None]
)
def test_a_domain_is_told_only_if_there_is_one(quarantine: Quarantine, clock: FakeClock, shown: str | None) -> None:
    quarantine.put(1, 60, **{"from": shown})
    [event] = EventSource(quarantine, clock, None).watcher.poll()
    assert event["quarantine"]["messages"][0]["from_domain"] is None
