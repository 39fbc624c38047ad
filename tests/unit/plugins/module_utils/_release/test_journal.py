# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: what was going to be sent is on the disk before it is sent."""

from __future__ import annotations

import concurrent.futures
import fcntl
import json
import multiprocessing
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import JournalError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.journal import Journal
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock


def lines(path: Path) -> list[dict[str, t.Any]]:
    """Return the events in a journal."""
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.jsonl"


def test_each_event_is_one_line_with_the_context(path: Path) -> None:
    journal = Journal(str(path), {"run": "r1", "ticket": "INC-1\n2"})
    journal.write("intent", ids=["a", "b\u2028"])
    journal.write("outcome", messages=[])
    journal.close()
    first, second = lines(path)
    assert {name: first[name] for name in ("event", "run", "ticket", "ids")} == {
        "event": "intent",
        "run": "r1",
        "ticket": "INC-1\n2",
        "ids": ["a", "b\u2028"],
    }
    assert first["time"].endswith("+00:00")
    assert second["event"] == "outcome"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_it(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        Journal(str(path), {}).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.touch(mode=0o644)
    Journal(str(path), {}).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_there_is_kept(path: Path) -> None:
    for run in ("first", "second"):
        journal = Journal(str(path), {"run": run})
        journal.write("intent")
        journal.close()
    assert [line["run"] for line in lines(path)] == ["first", "second"]


def test_a_torn_last_line_does_not_spoil_the_next(path: Path) -> None:
    path.write_text('{"event": "intent"}\n{"event": "int')
    journal = Journal(str(path), {})
    journal.write("intent", ids=["a"])
    journal.write("outcome")
    text = path.read_text().split("\n")
    assert text[1] == '{"event": "int'
    assert [json.loads(text[number])["event"] for number in (2, 3)] == ["intent", "outcome"]
    assert text[4:] == [""]


def write_many(path: str, run: int) -> None:
    """Write a hundred long lines; the work of one process."""
    journal = Journal(path, {"run": run})
    for number in range(50):
        journal.write("intent", number=number, ids=["x" * 60] * 200)


def test_processes_that_share_a_journal_do_not_mix_their_lines(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=write_many, args=(str(path), run)) for run in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    written = lines(path)
    assert len(written) == 200
    for run in range(4):
        assert [line["number"] for line in written if line["run"] == run] == list(range(50))


def test_threads_that_share_a_journal_do_not_mix_their_lines(path: Path) -> None:
    journal = Journal(str(path), {})

    def write(run: int) -> None:
        for _number in range(10):
            journal.write("intent", run=run, ids=["x" * 60] * 4000)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert sorted(line["run"] for line in lines(path)) == sorted(list(range(8)) * 10)


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    journal = Journal(None, {})
    journal.write("intent")
    journal.close()
    assert not list(tmp_path.iterdir())


def unusable(tmp_path: Path) -> dict[str, Path]:
    """Return paths at which no journal can be."""
    target = tmp_path / "target"
    target.touch()
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "fifo")
    return {
        "a directory": tmp_path,
        "in no directory": tmp_path / "no" / "journal",
        "below a file": target / "journal",
        "a symbolic link": tmp_path / "link",
        "a dangling link": tmp_path / "dangling",
        "a fifo": tmp_path / "fifo",
        "a device": Path("/dev/null"),
    }


@pytest.mark.parametrize(
    "where",
    ["a directory", "in no directory", "below a file", "a symbolic link", "a dangling link", "a fifo", "a device"],
)
def test_an_unusable_path_is_refused_in_one_sentence(tmp_path: Path, where: str) -> None:
    path = unusable(tmp_path)[where]
    with pytest.raises(JournalError) as caught:
        Journal(str(path), {})
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Nothing was sent" in str(caught.value)
    assert not (tmp_path / "nowhere").exists()


def test_a_full_disk_is_reported(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    journal = Journal(str(path), {})

    def full(_file: int) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JournalError, match="No space left on device"):
        journal.write("intent")


def test_a_file_system_without_locks_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, path: Path, clock: FakeClock
) -> None:
    def none(*_arguments: object) -> t.NoReturn:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", none)
    with pytest.raises(JournalError, match="No locks available"):
        Journal(str(path), {}).take_turn(clock, 600)
    assert not clock.naps


def test_each_line_is_synced(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    journal = Journal(str(path), {})
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _file: synced.append(path.read_text()))
    journal.write("intent")
    journal.write("outcome")
    assert [text.count("\n") for text in synced] == [1, 2]
