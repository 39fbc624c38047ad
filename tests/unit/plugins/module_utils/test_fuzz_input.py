# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever people and files give: a handle stays one part of a path, and a plan is the one that was sealed, or none."""

from __future__ import annotations

import copy
import json
import typing as t
import urllib.parse
from pathlib import Path

import pytest
import requests
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import (
    Handle,
    parse_handle,
    parse_handles,
    postfix_part,
    same_message_id,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.document import check_plan, digest, seal
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.file import read_plan
from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import (
    from_seconds,
    parse_duration,
    parse_time,
    to_text,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, NOW, URL, investigate_id
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import fewer, speakable, text, values
from hypothesis import assume, example, given
from hypothesis import strategies as st

# --- handles -----------------------------------------------------------------------------------------------------------

likely_handles = st.one_of(
    text,
    values,
    st.text(alphabet="4PfX-:T2026@<>.%/\\ \x00\u202e\uff0f", max_size=40),
    st.text(min_size=900, max_size=1100),
)


def handle_of(value: object) -> Handle:
    """Return the handle that a value is; leave the example out if it is none."""
    try:
        return parse_handle(value)
    except InputError as error:
        assert speakable(str(error))
        assert len(str(error)) < 200
        assume(False)
        raise


@fewer
@given(likely_handles)
@example("4Pf%2f..%2f..")
@example("\uff0e\uff0e")
@example("a@b/../..")
def test_a_handle_is_one_part_of_a_path_and_comes_back_as_it_is(value: object) -> None:
    handle = handle_of(value)
    assert parse_handle(handle.text) == handle
    assert len(handle.text) <= 998
    assert speakable(handle.text)
    url = requests.Request("GET", f"{URL}/investigate/{urllib.parse.quote(handle.text, safe='')}").prepare().url or ""
    folder, _slash, last = urllib.parse.urlsplit(url).path.rpartition("/")
    assert folder == f"{urllib.parse.urlsplit(URL).path}/investigate"
    assert urllib.parse.unquote(last) == handle.text
    assert json.loads(json.dumps([handle.text])) == [handle.text]


@fewer
@given(st.lists(likely_handles, max_size=6))
def test_either_all_handles_are_taken_or_the_run_does_not_begin(given_values: list[object]) -> None:
    try:
        handles = parse_handles(given_values)
    except InputError as error:
        assert "Nothing was sent" in str(error)
        assert len(str(error)) < 1500
        return
    assert len(set(handles)) == len(handles)
    assert set(handles) == {handle for value in given_values for handle in parse_handles([value])}
    assert [handle.text for handle in parse_handles([handle.text for handle in handles])] == [
        one.text for one in handles
    ]


@given(text, text)
def test_message_ids_are_the_same_only_if_what_is_between_the_brackets_is(left: str, right: str) -> None:
    assert same_message_id(left, f"<{left.strip().strip('<>')}>")
    assert same_message_id(left, right) == same_message_id(right, left)
    assert not same_message_id(left, left + "x") or not left.strip().strip("<>") + "x"
    part = postfix_part(left)
    assert part is None or left.startswith(f"{part}-")


# --- times -------------------------------------------------------------------------------------------------------------


@fewer
@given(st.one_of(text, st.text(alphabet="0123456789-:TZ+. mhdw\u0663", max_size=30)))
@example("0001-01-01T00:00:00+23:59")
@example("9999-12-31T23:59:59-23:59")
def test_a_time_is_understood_and_written_back_or_refused(said: str) -> None:
    moment = parse_time(said)
    assert moment is None or parse_time(to_text(moment)) == moment.replace(microsecond=0)
    try:
        assert 0 < parse_duration(said, "since").total_seconds() <= 3660 * 86400
    except InputError as error:
        assert speakable(str(error))
        assert len(str(error)) < 200


# --- plans -------------------------------------------------------------------------------------------------------------

PLAN = seal(
    {
        "schema": "emailsec.cloudflare/plan",
        "version": 1,
        "account_id": ACCOUNT,
        "created_at": "2026-11-22T10:00:00Z",
        "expires_at": "2026-11-23T10:00:00Z",
        "policy": {"max_age": None, "require_authentication": True},
        "messages": [
            {
                "handle": "a",
                "id": investigate_id(number),
                "decision": "release",
                "rules": [],
                "recipients": ["a@b"],
                "final_disposition": "SPAM",
            }
            for number in (1, 2)
        ],
    }
)
COMPACT = json.dumps(PLAN, separators=(",", ":")).encode()


def read(file: Path, content: bytes) -> dict[str, t.Any] | None:
    """Return the plan in a file of this content, or None if it is refused."""
    file.write_bytes(content)
    try:
        return read_plan(str(file))
    except InputError as error:
        assert speakable(str(error))
        assert len(str(error)) < 500
        return None


def canonical(document: object) -> str:
    """Return JSON that differs where two documents do (1, 1.0 and true are equal in Python)."""
    return json.dumps(document, sort_keys=True)


def test_the_plan_of_these_tests_is_taken(tmp_path: Path) -> None:
    assert read(tmp_path / "plan.json", COMPACT) == PLAN


@pytest.mark.parametrize("bit", range(8))
def test_no_bit_of_a_plan_can_be_turned(tmp_path: Path, bit: int) -> None:
    taken = []
    for place in range(bit % 4, len(COMPACT), 4):  # two bits of each byte
        content = bytearray(COMPACT)
        content[place] ^= 1 << bit
        if read(tmp_path / "plan.json", bytes(content)) is not None:
            taken.append(place)
    assert taken == []


def places(value: object, way: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """Yield the way to everything in a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*way, step)
        yield from places(inner, (*way, step))


WAYS = list(places(PLAN))
folder = pytest.fixture(scope="module")(lambda tmp_path_factory: tmp_path_factory.mktemp("plans"))


@fewer
@given(
    st.sampled_from(WAYS),
    st.one_of(values, st.sampled_from([True, 1.0, 1, [], "release", "blocked", None])),
    st.sampled_from(["set", "drop", "add"]),
)
def test_no_field_of_a_plan_can_be_changed(folder: Path, way: tuple[t.Any, ...], value: object, deed: str) -> None:
    changed = copy.deepcopy(PLAN)
    place: t.Any = changed
    for step in way[:-1]:
        place = place[step]
    if deed == "set":
        place[way[-1]] = value
    elif deed == "drop":
        del place[way[-1]]
    elif isinstance(place, list):
        place.insert(way[-1], value)
    else:
        place[str(value)[:20]] = value
    assume(canonical(changed) != canonical(PLAN))
    assert read(folder / "plan.json", canonical(changed).encode()) is None


@fewer
@given(
    st.binary(max_size=200), st.integers(min_value=0, max_value=len(COMPACT)), st.integers(min_value=0, max_value=60)
)
def test_bytes_put_into_a_plan_change_nothing_or_refuse_it(folder: Path, new: bytes, place: int, gone: int) -> None:
    for content in (new, COMPACT[:place] + new + COMPACT[place + gone :]):
        assert read(folder / "plan.json", content) in (None, PLAN)


@fewer
@given(values, text)
def test_whatever_is_sealed_is_read_back_or_refused(folder: Path, value: object, name: str) -> None:
    try:
        sealed = seal({**PLAN, name: value})
    except ValueError:  # what is no number in JSON
        return
    found = read(folder / "plan.json", json.dumps(sealed).encode())
    assert found is None or (canonical(found) == canonical(sealed) and digest(found) == found["digest"])


@pytest.mark.parametrize(
    "twice",
    [
        COMPACT.replace(b'"account_id"', b'"account_id":"' + b"f" * 32 + b'","account_id"'),
        COMPACT.replace(b'"messages":', b'"messages":[],"messages":'),
        COMPACT.replace(b'"recipients":', b'"recipients":["mallory@evil.example"],"recipients":', 1),
    ],
)
def test_a_plan_that_says_something_twice_is_refused(tmp_path: Path, twice: bytes) -> None:
    # A reader that takes the first value would show its approver something else than is released.
    assert json.loads(twice) == PLAN
    assert read(tmp_path / "plan.json", twice) is None


@fewer
@given(st.one_of(text, st.text(alphabet="0123456789abcdefsh:", min_size=1, max_size=80), st.text()))
def test_only_the_digest_of_a_plan_approves_it(pin: str) -> None:
    try:
        check_plan(PLAN, ACCOUNT, from_seconds(NOW), pin)
    except InputError as error:
        assert speakable(str(error))
        assert len(str(error)) < 500
        return
    assert PLAN["digest"].partition(":")[2] in pin.lower()


@pytest.mark.parametrize(
    "fields",
    [{"account_id": "\x1b[2J\u202e" * 99}, {"expires_at": "2020-01-01\u202e00:00:00Z"}],
    ids=["account", "time"],
)
def test_what_a_plan_says_of_itself_is_told_in_printable_words(tmp_path: Path, fields: dict[str, str]) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(seal({**PLAN, **fields})))
    with pytest.raises(InputError) as caught:
        check_plan(read_plan(str(tmp_path / "plan.json")), ACCOUNT, from_seconds(NOW), None)
    assert speakable(str(caught.value))
    assert len(str(caught.value)) < 500
