# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mail that is hostile in every field, from the search to the report: nothing is run, nothing shown raw, nothing lost."""

from __future__ import annotations

import csv
import re
import time
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from emulator import Emulator
from emulator.scenarios import HOSTILE

from playbooks import Ansible, Run, statuses

SEARCH = {"sender": "attacker.example", "since": "4w"}
FORMULA = re.compile(r"\s*[=+\-@\t\r]")
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator with hostile mail."""
    with Emulator("hostile") as running:
        yield running


def obeyed(text: str) -> set[str]:
    """What a terminal would obey in a text, or what hides or reorders it."""
    return {f"{ord(char):x}" for char in text if char != "\n" and unicodedata.category(char) in HIDDEN}


class Structure(HTMLParser):
    """The tags and the names of attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[tuple[str, ...]] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.found.add((tag, *sorted(name for name, _value in attrs)))


def check_output(run: Run, directory: Path) -> None:
    """Nothing was run, and nothing raw is in the output."""
    assert obeyed(run.output) == set()
    assert not list(directory.rglob("pwned"))


def test_from_the_search_to_the_report(ansible: Ansible, emulator: Emulator) -> None:
    hostile = {message.id: message for message in emulator.quarantined() if "attacker.example" in message.sender}
    assert len(hostile) == len(HOSTILE)
    start = time.monotonic()

    found = ansible.playbook(
        *("emailsec.cloudflare.search", "-e", "search_sender=attacker.example", "-e", "search_since=4w"),
        *("-e", "search_show_content=true"),
    )
    planned = ansible.plan(
        search=SEARCH, policy={"require_authentication": "none"}, evidence="full", show_content="true"
    )
    plan = ansible.plan_of()
    applied = ansible.apply(plan_digest=plan["digest"], show_content="true", journal="journal.jsonl")
    page = Structure(next(ansible.reports.glob("localhost-*.html")).read_text(encoding="utf-8")).found

    for run in (found, planned, applied):
        check_output(run, ansible.directory)
    assert found.code == 0
    assert "{{ lookup('pipe', 'touch pwned') }}{{ 1/0 }}" in found.text
    assert f"Found: {len(HOSTILE)}" in found.output
    assert {entry["id"] for entry in plan["messages"]} == set(hostile)
    subjects = {entry["id"]: entry["subject"] for entry in plan["messages"]}
    assert subjects == {
        name: re.sub("[\ud800-\udfff]", "\ufffd", message.subject or "") for name, message in hostile.items()
    }

    results = statuses(ansible.report()["result"])
    assert results == dict.fromkeys(hostile, "released")
    assert {message for message, _recipient in emulator.deliveries} == set(hostile)
    assert set(emulator.deliveries.values()) == {1}
    for name in hostile:
        assert name in ansible.ticket()
        assert name in (ansible.directory / "journal.jsonl").read_text(encoding="utf-8")

    for file in ansible.reports.iterdir():
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix in (".txt", ".html"):
            assert obeyed(text) == set(), file.suffix
        if file.suffix == ".csv":
            rows = list(csv.reader(text.splitlines()))
            assert len(rows) == 1 + len(HOSTILE)
            assert [cell for row in rows for cell in row if FORMULA.match(cell) or obeyed(cell)] == []
    assert not {tag for tag, *_names in page} & {"img", "iframe", "link", "base", "form", "object"}
    assert not {name for _tag, *names in page for name in names} & {"src", "href", "onerror", "onclick", "style"}
    assert time.monotonic() - start < 150


def test_the_modules_give_what_the_api_gives(ansible: Ansible, emulator: Emulator) -> None:
    (search,) = ansible.module("message_info", SEARCH)
    got = {row["id"]: row for row in search["messages"]}
    for message in emulator.quarantined():
        if "attacker.example" in message.sender:
            assert got[message.id]["subject"] == re.sub("[\ud800-\udfff]", "\ufffd", message.subject or "")
    # What can be given by hand: printable, in one piece, and no longer than a line of a mail may be.
    named = [
        row["message_id"] for row in got.values() if re.fullmatch(r"<[!-;=?A-~]{1,900}@[a-z.]+>", row["message_id"])
    ]
    assert named
    (again,) = ansible.module("message_info", {"messages": named})
    assert not again["failed"], again["msg"]
    assert {row["message_id"] for row in again["messages"]} == set(named)
    assert not (ansible.directory / "pwned").exists()
