# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every module that declares a settings list. allow_policies has the rest of the engine."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.lists import as_entry
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import (
    SAMPLES,
    ListServer,
    Row,
    lost_after_work,
    lost_before_work,
)
from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import check_result, documentation

pytestmark = pytest.mark.parametrize("name", KINDS)


@pytest.fixture
def server(script: Script, name: str) -> ListServer:
    """The list of the account."""
    server = ListServer(KINDS[name])
    script.server = server
    return server


def declared(name: str, **fields: t.Any) -> list[Row]:
    """Return entries that a person could have written."""
    kind = KINDS[name]
    rows = [row for row in SAMPLES[name] if kind.is_managed(row)]
    needed = {field for field, spec in kind.fields.items() if spec.needed}
    return [{**as_entry(kind, row), **fields} for row in rows if needed <= row.keys()]


def options(name: str, **more: t.Any) -> dict[str, t.Any]:
    return {**({"manage_existence": True} if KINDS[name].guarded else {}), "allow_broad": True, **more}


def test_entries_are_made_once_and_deleted_once(run: Runner, server: ListServer, name: str) -> None:
    entries = declared(name)
    assert entries
    done = run(name, entries=entries, **options(name))
    assert (done.failed, done.result["created"], len(server.rows)) == (False, len(entries), len(entries)), done.result
    assert all(row["id"] for row in done.result["entries"])
    again = run(name, entries=entries, **options(name, purge=True))
    assert (again.result["changed"], again.result["unchanged"], again.result["api_calls"]) == (False, len(entries), 1)
    gone = run(name, entries=declared(name, state="absent"), **options(name))
    assert (gone.result["deleted"], server.rows) == (len(entries), [])


def test_check_mode_sends_only_reads(run: Runner, server: ListServer, name: str) -> None:
    server.add(SAMPLES[name][0])
    done = run(name, entries=declared(name)[1:], check=True, diff=True, **options(name, purge=True))
    assert (done.failed, done.result["deleted"], server.writes) == (False, 1, [])
    assert list(done.result["diff"]["before"]) == [KINDS[name].title(SAMPLES[name][0])]


def test_lost_answers_make_nothing_twice(run: Runner, server: ListServer, name: str) -> None:
    server.faults = [lost_after_work, lost_before_work, lost_after_work]
    done = run(name, entries=declared(name), **options(name))
    assert (done.failed, len(server.rows)) == (False, len(declared(name)))
    server.faults = [lost_before_work, lost_after_work]
    done = run(name, entries=[], **options(name, purge=True))
    assert (done.failed, done.result["deleted"], server.rows) == (False, len(declared(name)), [])


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("status", [200, 302])
def test_an_answer_that_refuses_nothing_is_read_back(
    run: Runner, server: ListServer, name: str, status: int, made: bool
) -> None:
    def unclear(server: ListServer, sent: Sent) -> Reply:
        if made:
            server.work(sent)
            server.late = 1 if status == 200 else 0
        return Reply(refusal(1001, "not done"), status)

    server.faults = [unclear]
    entries = declared(name)
    done = run(name, entries=entries, **options(name))
    assert (done.failed, done.result["created"], len(server.rows)) == (False, len(entries), len(entries)), done.result


def test_a_refusal_names_the_entry(run: Runner, server: ListServer, name: str) -> None:
    pointer = "/posts/0/x" if len(KINDS[name].batch) > 1 else "/x"
    refused = refusal(1001, "no", source={"pointer": pointer})
    server.faults = [lambda _server, _sent: Reply(refused, 400)]
    entries = declared(name)[:1]
    done = run(name, entries=entries, **options(name))
    assert f"because of entries[0] ({KINDS[name].title(entries[0])[:79]}" in done.result["msg"]
    assert f"a change of {name}" in done.result["msg"]
    assert (done.failed, len(server.writes), server.rows) == (True, 1, [])


def test_a_new_entry_needs_all_of_its_fields(run: Runner, server: ListServer, name: str) -> None:
    kind = KINDS[name]
    [entry] = declared(name)[:1]
    for field, spec in kind.fields.items():
        if spec.needed and field not in kind.key:
            without = {key: value for key, value in entry.items() if key != field}
            done = run(name, entries=[without], **options(name))
            assert f"{field}: a new {kind.noun} needs it. Nothing was changed." in done.result["msg"]
    assert server.writes == []


def test_two_entries_with_one_key_are_an_error(run: Runner, server: ListServer, name: str, script: Script) -> None:
    [entry] = declared(name)[:1]
    done = run(name, entries=[entry, entry], **options(name))
    assert "is the same entry as entries[0]; remove one. Nothing was sent." in done.result["msg"]
    assert script.sent == []


def test_empty_and_long_fields_are_named(run: Runner, server: ListServer, name: str, script: Script) -> None:
    kind = KINDS[name]
    [entry] = declared(name)[:1]
    for field, spec in kind.fields.items():
        wrong: list[t.Any] = [""] if field in kind.key and not spec.choices else []
        if spec.longest and spec.type == "str":
            wrong.append("x" * (spec.longest + 1))
        if spec.filled:
            wrong.append([])
        for value in wrong:
            done = run(name, entries=[{**entry, field: value}], **options(name))
            assert f"{field}: " in done.result["msg"], (field, value)
            assert "Nothing was sent." in done.result["msg"]
    assert script.sent == []


@pytest.mark.parametrize("refused", [False, True])
def test_it_returns_what_it_documents(run: Runner, server: ListServer, name: str, refused: bool) -> None:
    conditions = {"always", "unless the task failed before the first change"}
    if refused:
        server.faults = [lambda _server, _sent: Reply(refusal(1001, "no"), 400)]
        conditions.add("when the API refused a request")
    done = run(name, entries=declared(name), **options(name))
    assert done.failed is refused
    check_result(done.result, documentation(name, "RETURN"), conditions)
