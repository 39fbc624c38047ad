# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a journal says was released, whatever is in the file."""

from __future__ import annotations

import datetime
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release import released
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.released import Releases, read_moment
from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import from_seconds
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, NOW, investigate_id, postfix_id
from ansible_collections.emailsec.cloudflare.tests.unit.support.hostile import as_json, values
from hypothesis import given
from hypothesis import strategies as st


def line(event: str, age: float = 60.0, **fields: t.Any) -> dict[str, t.Any]:
    """Return a line of a journal, so many seconds ago."""
    return {
        "time": from_seconds(NOW - age).isoformat(timespec="milliseconds"),
        "event": event,
        "run": "r1",
        "account_id": ACCOUNT,
        **fields,
    }


def told(number: int, status: object, **fields: t.Any) -> dict[str, t.Any]:
    """Return what a line says of a message."""
    return {"id": investigate_id(number), "postfix_id": postfix_id(number), "status": status, **fields}


@pytest.fixture
def read(tmp_path: Path) -> t.Callable[..., dict[str, t.Any]]:
    """Return the result for a journal with these lines."""

    def result(
        *lines: object, since: float | None = None, until: float | None = None, ticket: str | None = None
    ) -> t.Any:
        content = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
        path = tmp_path / "journal.jsonl"
        path.write_bytes(b"".join(each + b"\n" for each in content))
        moments = [None if age is None else from_seconds(NOW - age) for age in (since, until)]
        releases = Releases(NOW, moments[0], moments[1], ticket)
        releases.read(str(path))
        return releases.data()

    return result


Read = t.Callable[..., t.Any]


def statuses(result: dict[str, t.Any]) -> dict[str, str]:
    """Return the status of each message of a result, by its id."""
    return {entry["id"] or entry["postfix_id"]: entry["status"] for entry in result["entries"]}


def test_a_release_with_all_that_is_known_of_it(read: Read) -> None:
    trail = {
        "ticket": "INC-1", "reason": "wanted", "started_by": "alice", "requested_by": "bob", "approved_by": "carol",
        "plan_digest": "sha256:0",
    }  # fmt: skip
    row = told(1, "released", delivered=["a@x.example"], undelivered=[], failed=[])
    result = read(
        line("intent", 61, ids=[investigate_id(1)], **trail),
        line("outcome", 60.5, messages=[row], in_doubt=[], **trail),
    )
    (entry,) = result["entries"]
    assert Path(entry.pop("journal")).name == "journal.jsonl"
    assert entry == {
        "account_id": ACCOUNT,
        "id": investigate_id(1),
        "postfix_id": postfix_id(1),
        "status": "released",
        "time": "2026-11-22T11:58:59Z",
        "delivered": ["a@x.example"],
        "run": "r1",
        **trail,
    }
    assert result["msg"] == "1 release in 1 run: 1 released."
    assert result["summary"] == {"released": 1, "partial": 0, "unknown": 0, "total": 1, "runs": 1, "unreadable": 0}


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([line("intent", ids=[postfix_id(1)])], "unknown"),
        ([line("intent", ids=[investigate_id(1)]), line("outcome", messages=[told(1, None)], in_doubt=["lost"])], "unknown"),
        ([line("intent", ids=[postfix_id(1)]), line("outcome", messages=[told(1, None)], in_doubt=[])], None),
        ([line("intent", ids=[postfix_id(1)]), line("outcome", messages=[told(1, "failed")], in_doubt=[])], None),
        ([line("outcome", messages=[told(1, None)], in_doubt=["x"]), line("settled", messages=[told(1, "released")])], "released"),
        ([line("outcome", messages=[told(1, None)], in_doubt=["x"]), line("settled", messages=[told(1, None)])], None),
        ([line("outcome", messages=[told(1, None)], in_doubt=["x"]), line("settled", messages=[told(1, "unknown")])], "unknown"),
        (
            [
                line("settled", messages=[told(1, None)]),
                line("intent", ids=[investigate_id(1)]),
                line("outcome", messages=[told(1, "partial")], in_doubt=[]),
            ],
            "partial",
        ),
        ([line("settled", messages=[told(1, None)]), line("intent", ids=[investigate_id(1)])], "unknown"),
        ([line("outcome", messages=[{**told(1, "released"), "id": None}])], "released"),
        ([line("outcome", messages=[told(1, status) for status in ("undelivered", "blocked", "already_released")])], None),
        ([line("move_outcome", messages=[told(1, "moved")]), line("evidence", messages=[told(1, "saved")])], None),
        # What is recorded as released stays so, whatever somebody writes below it.
        ([line("outcome", messages=[told(1, "released")]), line("outcome", messages=[told(1, "failed")])], "released"),
        ([line("outcome", messages=[told(1, "released")]), line("intent", ids=[investigate_id(1)])], "released"),
    ],
)  # fmt: skip
def test_the_last_word_on_a_message(read: Read, lines: list[dict[str, t.Any]], status: str | None) -> None:
    result = read(*lines)
    assert [entry["status"] for entry in result["entries"]] == ([status] if status else [])
    assert result["unreadable"] == []


def test_runs_and_accounts_are_told_apart(read: Read) -> None:
    other = "f" * 32
    rows = {"messages": [told(1, "released")]}
    result = read(
        line("outcome", 1, **rows),
        line("outcome", 3, **{**rows, "run": "r2"}),
        line("outcome", 2, **rows, account_id=other),
    )
    assert [(entry["run"], entry["account_id"]) for entry in result["entries"]] == [
        ("r2", ACCOUNT),
        ("r1", other),
        ("r1", ACCOUNT),
    ]
    assert result["msg"] == "3 releases in 2 runs: 3 released."


def test_the_window_and_the_ticket(read: Read) -> None:
    lines = [
        line("outcome", age, messages=[told(number, "released")], ticket=ticket)
        for number, (age, ticket) in enumerate([(300, "A"), (200, "B"), (100, "A"), (0, None)], 1)
    ]
    names = [investigate_id(number) for number in range(5)]
    assert list(statuses(read(*lines))) == names[1:]
    assert list(statuses(read(*lines, since=200))) == names[2:]
    assert list(statuses(read(*lines, until=200))) == names[1:3]
    assert list(statuses(read(*lines, since=250, until=50))) == names[2:4]
    assert list(statuses(read(*lines, ticket="A"))) == [names[1], names[3]]
    assert list(statuses(read(*lines, ticket="a"))) == []


def test_what_was_sent_in_the_window_and_settled_after_it_is_not_in_doubt(read: Read) -> None:
    lines = [line("intent", 100, ids=[investigate_id(1)]), line("outcome", 10, messages=[told(1, "released")])]
    assert read(*lines, until=50)["entries"] == []


def test_a_journal_that_is_given_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "j"
    lines = [line("intent", ids=[postfix_id(1)]), line("outcome", messages=[told(1, "released")])]
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    releases = Releases(NOW)
    releases.read(str(path))
    releases.read(str(tmp_path / "." / "j"))
    assert statuses(releases.data()) == {investigate_id(1): "released"}


GOOD = line("outcome", messages=[told(1, "released")])


@pytest.mark.parametrize(
    ("flawed", "reason"),
    [
        (b"\xff\xfe\x00", "cut off"),
        (json.dumps(GOOD).encode()[:-20], "cut off"),
        (b"[" * 100_000, "cut off"),
        (b"[]", "cut off"),
        (b'"released"', "cut off"),
        ({**GOOD, "time": "yesterday"}, "no time"),
        ({**GOOD, "time": None}, "no time"),
        ({**GOOD, "time": line("", -1000)["time"]}, "future"),
        ({**GOOD, "run": 7}, "no run"),
        ({**GOOD, "event": ["outcome"]}, "no event"),
        ({**GOOD, "account_id": "../x"}, "no account_id"),
        ({**GOOD, "account_id": None}, "no account_id"),
        ({**GOOD, "messages": [told(2, "won")]}, "unknown status"),
        ({**GOOD, "messages": [told(2, ["released"])]}, "unknown status"),
        ({**GOOD, "messages": ["x"]}, "no message"),
        ({**GOOD, "messages": [{"id": None, "postfix_id": "", "status": "released"}]}, "no message"),
        ({**GOOD, "messages": [{"id": "../../x", "status": "released"}]}, "no message"),
        ({**GOOD, "messages": [{"id": "a b", "status": "released"}]}, "no message"),
        ({**GOOD, "messages": [{"id": {"x": 1}, "status": "released"}]}, "no message"),
        (line("intent", ids=[7, None, "<a@b.example>"]), "no message"),
    ],
)
def test_a_line_that_no_run_wrote_is_told_and_the_others_count(read: Read, flawed: object, reason: str) -> None:
    result = read(b"", flawed, GOOD)
    assert statuses(result) == {investigate_id(1): "released"}
    (told_of,) = result["unreadable"]
    assert told_of["line"] == 2
    assert reason in told_of["reason"]
    assert result["summary"]["unreadable"] == 1
    assert result["msg"].endswith("Could not read 1 line.")


def test_the_good_part_of_a_line_counts(read: Read) -> None:
    result = read({**GOOD, "messages": ["x", told(1, "released"), told(2, "won")]})
    assert (statuses(result), len(result["unreadable"])) == ({investigate_id(1): "released"}, 1)


def test_a_line_that_is_too_long_is_not_kept(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released, "_LONGEST_LINE", 2000)
    result = read(b"x" * 1999, b"x" * 2000, b"x" * 9999, GOOD)
    assert statuses(result) == {investigate_id(1): "released"}
    assert [(flaw["line"], "longer than" in flaw["reason"]) for flaw in result["unreadable"]] == [
        (1, False),
        (2, True),
        (3, True),
    ]


def test_only_some_of_many_flawed_lines_are_returned(read: Read) -> None:
    result = read(*[b"x"] * 1000, GOOD)
    assert (len(result["unreadable"]), result["summary"]["unreadable"]) == (100, 1000)


def test_files_that_somebody_else_may_have_written(tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o666)
    for name in ("link", "fifo", "open", "missing", ".", "nul\0"):
        with pytest.raises(InputError, match=r"^The journal [\s\S]* cannot be read \(.+\)$"):
            Releases(NOW).read(f"{tmp_path}/{name}")


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            values.map(as_json),
            st.fixed_dictionaries(
                {"account_id": st.just(ACCOUNT), "run": st.just("r1"), "time": st.just(line("")["time"])},
                optional={
                    "event": st.sampled_from(["intent", "outcome", "settled"]),
                    "ids": values,
                    "messages": values,
                    "in_doubt": values,
                },
            ).map(as_json),
        ),
        max_size=8,
    )
)
def test_fuzz_no_file_breaks_it(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "journal.jsonl"
    path.write_bytes(b"\n".join([json.dumps(GOOD).encode(), *lines]))
    releases = Releases(NOW)
    releases.read(str(path))
    result = releases.data()
    json.dumps(result)
    assert statuses(result)[investigate_id(1)] == "released"


def test_moments() -> None:
    assert read_moment("2026-11-20", "since", NOW) == datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    assert read_moment("24h", "since", NOW) == from_seconds(NOW - 86400)
    for text in ("", "7", "soon", "24 hours", "-1h", "1y"):
        with pytest.raises(InputError, match=r"^until must be a time such as .* or a number with m, h, d or w"):
            read_moment(text, "until", NOW)
