# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a journal back: whatever is in the file, the newest word on each message, or none."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.history import latest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import from_seconds
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, NOW, investigate_id, postfix_id
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import as_json, values
from hypothesis import given
from hypothesis import strategies as st

NAMES = [name(number) for number in (1, 2) for name in (investigate_id, postfix_id)]
STATUSES = ["released", "undelivered", "unknown", None]


def event(kind: str, age: float = 0.0, **fields: t.Any) -> dict[str, t.Any]:
    """Return a line of a journal."""
    return {
        "time": from_seconds(NOW - age).isoformat(timespec="milliseconds"),
        "event": kind,
        "run": "r1",
        "account_id": ACCOUNT,
        **fields,
    }


def told(number: int, status: object) -> dict[str, t.Any]:
    """Return what a line says of a message."""
    return {"id": investigate_id(number), "postfix_id": postfix_id(number), "status": status}


intents = st.lists(st.sampled_from(NAMES)).map(lambda names: event("intent", ids=names))
outcomes = st.lists(st.builds(told, st.sampled_from([1, 2]), st.sampled_from(STATUSES))).map(
    lambda rows: event("outcome", messages=rows)
)
ours = st.one_of(intents, outcomes)
odd = st.fixed_dictionaries(
    {"account_id": st.just(ACCOUNT)},
    optional={
        "time": st.one_of(values, st.just(event("")["time"])),
        "event": values,
        "ids": values,
        "messages": values,
    },
)
fuzz_lines = st.lists(
    st.one_of(st.binary(max_size=60), values.map(as_json), odd.map(as_json), ours.map(as_json)), max_size=8
)


@given(fuzz_lines)
def test_fuzz_no_file_breaks_it(lines: list[bytes]) -> None:
    for name, record in latest(lines, ACCOUNT, NAMES, NOW).items():
        assert name in NAMES
        assert 0 <= record.line < len(lines)
        assert record.status is None or isinstance(record.status, str)


@given(st.lists(ours, max_size=8), st.data())
def test_fuzz_the_newest_word_counts_whatever_stands_between(
    events: list[dict[str, t.Any]], data: st.DataObject
) -> None:
    expected: dict[str, str | None] = {}
    lines: list[bytes] = []
    for found in events:
        expected.update(dict.fromkeys(found.get("ids", [])))
        for row in found.get("messages", []):
            expected.update({row["id"]: row["status"], row["postfix_id"]: row["status"]})
        lines += [
            as_json(found),
            data.draw(st.sampled_from([b"", b"{", b"null", as_json({"account_id": ACCOUNT}), b"\xff"])),
        ]
    assert {name: record.status for name, record in latest(lines, ACCOUNT, NAMES, NOW).items()} == expected


def test_lines_of_another_account_and_of_another_day_do_not_count() -> None:
    lines = [
        event("intent", ids=NAMES, age=86401),
        {**event("intent", ids=NAMES), "account_id": "0" * 32, "reason": ACCOUNT},
    ]
    assert not latest([json.dumps(line).encode() for line in lines], ACCOUNT, NAMES, NOW)


def test_only_what_is_asked_for_is_kept() -> None:
    line = json.dumps(event("intent", ids=[investigate_id(number) for number in range(50)])).encode()
    assert list(latest([line], ACCOUNT, {investigate_id(7)}, NOW)) == [investigate_id(7)]


RELEASED = event("outcome", messages=[told(1, "released")])
UNDELIVERED = event("outcome", messages=[told(1, "undelivered")])
NO_EVIDENCE = {
    "a time to come": event("outcome", age=-301, messages=[told(1, "released")]),
    "a time far away": {**RELEASED, "time": "9999-12-31T23:59:59+00:00"},
    "no run": {name: value for name, value in RELEASED.items() if name != "run"},
    "a run that is no text": {**RELEASED, "run": 1},
    "a status that there is not": event("outcome", messages=[told(1, "Released")]),
    "a status that is no text": event("settled", messages=[told(1, True)]),
    "an intent in the future": event("intent", age=-7200, ids=NAMES),
}


def statuses(*events: dict[str, t.Any]) -> set[str | None]:
    """Return what a journal of these lines says of the first message."""
    found = latest([as_json(line) for line in events], ACCOUNT, NAMES, NOW)
    return {found[name].status for name in NAMES[:2] if name in found}


@pytest.mark.parametrize("line", NO_EVIDENCE.values(), ids=NO_EVIDENCE)
def test_what_no_run_wrote_proves_nothing_and_leaves_doubt(line: dict[str, t.Any]) -> None:
    assert statuses(line) == {None}
    assert statuses(UNDELIVERED, line) == {None}
    assert statuses(RELEASED, line) == {"released"}, "or a planted line would have it sent again"
    assert statuses(line, UNDELIVERED) == {"undelivered"}


def test_clocks_may_differ_a_little() -> None:
    assert statuses(event("outcome", age=-299, messages=[told(1, "released")])) == {"released"}


@pytest.mark.parametrize(
    "line",
    [
        event("moved", messages=[told(1, "released")]),
        event("outcome", messages=[{**told(1, "released"), "id": 1, "postfix_id": [postfix_id(1)]}]),
    ],
)
def test_lines_about_something_else_say_nothing(line: dict[str, t.Any]) -> None:
    assert statuses(line) == set()
