# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""message_evidence in real plays: what is saved, left alone and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emulator import Emulator

from playbooks import Ansible, statuses

NAMES = ["raw.eml", "preview.png", "detections.json", "trace.json", "action_log.json"]


def names(row: dict[str, Any]) -> list[str]:
    """The names of the files that a row says are there."""
    return [Path(path).name for path in row["saved"]]


def test_evidence_is_saved_once_and_only_read(ansible: Ansible, emulator: Emulator) -> None:
    caught = emulator.quarantined()[0]
    clean = next(message for message in emulator.messages() if message.disposition == "NONE")
    twins = "<minutes-7@partner.example>"
    handles = [caught.id, caught.message_id, clean.id, twins, "4Unknown0Unknown"]
    options = {"messages": handles, "dest": "evidence", "ticket": "INC-1", "journal": "journal.jsonl"}
    where = ansible.directory / "evidence"

    (checked,) = ansible.module("message_evidence", options, arguments=("--check", "--diff"))
    assert list(statuses(checked).values()) == ["would_save"] * 3 + ["ambiguous", "not_found"]
    assert not where.exists()
    assert not (ansible.directory / "journal.jsonl").exists()
    assert caught.state.operations == []

    first, second = ansible.module("message_evidence", options, options)
    assert list(statuses(first).values()) == ["saved", "saved", "partial", "ambiguous", "not_found"]
    assert (first["changed"], first["failed"]) == (True, True)  # some handles name no message
    assert names(first["messages"][0]) == NAMES
    assert names(first["messages"][2]) == NAMES[2:]
    assert set(first["messages"][2]["unavailable"]) == {"raw", "preview"}
    assert list(statuses(second).values()) == ["unchanged", "unchanged", "partial", "ambiguous", "not_found"]
    assert second["changed"] is False

    folder = where / quote(caught.id, safe="")
    assert sorted(path.name for path in where.iterdir()) == sorted([folder.name, quote(clean.id, safe="")])
    assert caught.subject is not None
    assert caught.subject in (folder / "raw.eml").read_text(encoding="utf-8")
    assert (folder / "preview.png").read_bytes().startswith(b"\x89PNG")
    log = json.loads((folder / "action_log.json").read_text(encoding="utf-8"))
    assert [entry["operation"] for entry in log] == ["PREVIEW"]
    assert {request.method for request in emulator.requests} == {"GET"}
    assert len(emulator.requests_to("preview")) == 1 + 2  # the one of mail without a detection is asked for in vain
    lines = (ansible.directory / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["ticket"] for line in lines] == ["INC-1"] * 4


def test_hostile_mail_is_saved_as_it_is(tmp_path: Path) -> None:
    with Emulator("hostile") as emulator:
        ansible = Ansible(tmp_path, emulator.environment())
        hostile = [message for message in emulator.quarantined() if message.sender.endswith("attacker.example")]
        (tmp_path / "ids.txt").write_text("\n".join(message.id for message in hostile), encoding="utf-8")
        (result,) = ansible.module("message_evidence", {"messages_file": "ids.txt", "dest": "evidence"})
    assert set(statuses(result).values()) == {"saved"}
    made = sorted(path.name for path in (tmp_path / "evidence").iterdir())
    assert made == sorted(quote(message.id, safe="") for message in hostile)
    assert not (tmp_path / "pwned").exists()


def test_trouble_is_told_and_made_good_by_the_next_run(ansible: Ansible, emulator: Emulator) -> None:
    messages = emulator.quarantined()[:2]
    options = {"messages": [message.id for message in messages], "dest": "evidence", "retries": 0, "timeout": 3}
    emulator.faults.add("status", route="raw", message_id=messages[0].id, status=502, body="html")
    emulator.faults.add("flood", route="trace", message_id=messages[0].id, kind="huge")
    emulator.faults.add("truncate", route="detections", message_id=messages[0].id)
    emulator.faults.add("mangle", route="preview", message_id=messages[1].id, kind="wrong_types")
    first, second, third = ansible.module("message_evidence", *[{**options, "max_bytes": 2**20}] * 3)
    assert list(statuses(first).values()) == ["failed", "partial"]
    unavailable = first["messages"][0]["unavailable"]
    assert set(unavailable) == {"raw", "trace", "detections"}
    assert unavailable["trace"] == "The answer is larger than 1048576 bytes."
    assert list(first["messages"][1]["unavailable"]) == ["preview"]
    assert list(statuses(second).values()) == ["saved", "saved"]
    assert list(statuses(third).values()) == ["unchanged", "unchanged"]
    assert not list(ansible.directory.glob("evidence/*/.new-*"))


def test_what_cannot_be_saved_is_refused_before_any_request(ansible: Ansible, emulator: Emulator) -> None:
    (ansible.directory / "file").touch()
    (ansible.directory / "open").mkdir()
    (ansible.directory / "open").chmod(0o777)
    message = {"messages": [emulator.quarantined()[0].id]}
    results = ansible.module(
        "message_evidence",
        {**message, "dest": "file"},
        {**message, "dest": "file/below"},
        {**message, "dest": "open/below"},
        {**message, "dest": "evidence", "parts": ["everything"]},
        {**message, "dest": "evidence", "max_bytes": 2**40},
        {"messages": ["../../etc"], "dest": "evidence"},
    )
    assert all(result["failed"] for result in results)
    assert all("\n" not in result["msg"] for result in results)
    assert emulator.requests == []
    assert not (ansible.directory / "evidence").exists()
