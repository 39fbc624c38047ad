# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""release_history_info: what message_release wrote into a journal comes back."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api import http
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    entry,
    envelope,
    investigate_id,
    path,
    postfix_id,
    recipient,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script


def history(run: Runner, *journals: Path, **options: t.Any) -> t.Any:
    """Run the module, without a credential."""
    return run(
        "release_history_info", account_id=None, api_token=None, journal=[str(path) for path in journals], **options
    )


@pytest.fixture
def journal(run: Runner, script: Script, tmp_path: Path) -> Path:
    """The journal of a run that released one message, and did not deliver another."""
    for number in (1, 2):
        script.get(path(number), envelope(row(number)))
    answer = [entry(1), entry(2, failed=[recipient(2)])]
    script.release([investigate_id(1), investigate_id(2)], envelope(answer))
    run(
        "message_release",
        messages=[investigate_id(1), investigate_id(2)],
        concurrency=1,
        journal=str(tmp_path / "journal.jsonl"),
        ticket="INC-1",
        approved_by="carol",
        fail_on=[],
    )
    script.sent.clear()
    return tmp_path / "journal.jsonl"


def test_what_was_released(run: Runner, script: Script, journal: Path) -> None:
    done = history(run, journal, since="1h", ticket="INC-1")
    assert not done.failed
    (told,) = done.result["entries"]
    assert (told["id"], told["postfix_id"], told["account_id"]) == (investigate_id(1), postfix_id(1), ACCOUNT)
    assert (told["status"], told["delivered"], told["ticket"]) == ("released", [recipient(1)], "INC-1")
    assert (told["approved_by"], told["journal"], told["time"]) == ("carol", str(journal), "2026-11-22T12:00:00Z")
    assert (done.result["changed"], done.result["api_calls"], script.sent) == (False, 0, [])
    assert history(run, journal, ticket="INC-2").result["entries"] == []
    assert history(run, journal, until="1h").result["entries"] == []


def test_it_needs_no_requests_library(run: Runner, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "IMPORT_ERROR", "Traceback")
    assert len(history(run, journal, check=True).result["entries"]) == 1


def test_lines_that_do_not_count_are_warned_of(run: Runner, journal: Path) -> None:
    with journal.open("ab") as file:
        file.write(b'{"event": "outcome", "mess')
    done = history(run, journal, journal)
    assert not done.failed
    assert len(done.result["entries"]) == 1
    assert [flaw["line"] for flaw in done.result["unreadable"]] == [3]
    assert f"Line 3 of {journal} does not count: it is cut off, or is not JSON." in done.printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"journal": []}, "journal is empty"),
        ({"journal": ["/nowhere/j"]}, "The journal /nowhere/j cannot be read (No such file or directory)"),
        ({"journal": None}, "missing required arguments: journal"),
        ({"null": ["journal"]}, "journal"),
        ({"since": "soon"}, "since must be a time such as"),
        ({"since": ""}, "since must be a time such as"),
        ({"until": "7"}, "until must be a time such as"),
        ({"since": "1h", "until": "2h"}, "since must not be after until"),
        ({"ticket": ""}, "ticket is empty"),
        ({"api_token": "x"}, "Unsupported parameters"),
    ],
)
def test_bad_input_is_one_sentence(run: Runner, journal: Path, options: dict[str, t.Any], words: str) -> None:
    given = {"account_id": None, "api_token": None, "journal": [str(journal)], **options}
    done = run("release_history_info", **given)
    assert done.failed
    assert words in done.result["msg"]
    assert "\n" not in done.result["msg"]
