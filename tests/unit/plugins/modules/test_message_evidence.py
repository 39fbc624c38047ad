# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""message_evidence from the arguments to the files, against scripted HTTP."""

from __future__ import annotations

import base64
import json
import os
import typing as t
from pathlib import Path

import pytest
import urllib3
from ansible_collections.emailsec.cloudflare.plugins.module_utils._followup.evidence import FAIL_ON, STATUSES
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    TOKEN,
    envelope,
    investigate_id,
    message_id,
    page,
    postfix_id,
    refusal,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.png import picture

PARTS = ["raw", "preview", "detections", "trace", "action_log"]
NAMES = ["raw.eml", "preview.png", "detections.json", "trace.json", "action_log.json"]
EML = "From: b\u00f6b@sender.example\r\nSubject: {{ 7*7 }}\r\n\r\nHello\r\n"


class Evidence:
    """Answers all reads. parts: the result of each part, or a whole Reply; calls: the parts that were asked for."""

    def __init__(self, count: int = 1) -> None:
        self.rows = {investigate_id(number): row(number) for number in range(1, count + 1)}
        self.parts: dict[str, t.Any] = {
            "raw": {"raw": EML},
            "preview": {"screenshot": base64.b64encode(picture()).decode()},
            "detections": {"links": [{"href": "https://x.example"}], "action": "QUARANTINED"},
            "trace": {"inbound": {"lines": []}, "outbound": {"lines": None}},
            "action_log": [],
        }
        self.calls: list[str] = []

    def __call__(self, sent: Sent) -> Reply:
        assert sent.method == "GET"
        _investigate, _slash, rest = sent.path.replace("%3A", ":").partition("/")
        message, _slash, part = rest.partition("/")
        if not message:
            return Reply(page([]))
        if message not in self.rows:
            return Reply(refusal(1001, f"message {message} not found"), 404)
        if not part:
            return Reply(envelope(self.rows[message]))
        self.calls.append(part)
        answer = self.parts[part]
        return answer if isinstance(answer, Reply) else Reply(envelope(answer))


@pytest.fixture
def server(script: Script) -> Evidence:
    """A server with one message."""
    script.server = Evidence()
    return script.server


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """Where the evidence goes."""
    return tmp_path / "evidence"


def save(run: Runner, dest: Path, **options: t.Any) -> t.Any:
    """Run the module for the first message, unless the options name others."""
    return run("message_evidence", dest=str(dest), **{"messages": [investigate_id(1)], **options})


def folder(dest: Path, number: int = 1) -> Path:
    """Return the directory of a message."""
    return dest / investigate_id(number).replace(":", "%3A")


def only(done: t.Any) -> dict[str, t.Any]:
    """Return the one row of a result."""
    (found,) = done.result["messages"]
    assert isinstance(found, dict)
    return found


def test_every_part_is_saved(run: Runner, server: Evidence, dest: Path) -> None:
    done = save(run, dest, ticket="INC-1", started_by="alice")
    assert not done.failed
    assert done.result["changed"] is True
    assert only(done) == {
        "handle": investigate_id(1),
        "id": investigate_id(1),
        "postfix_id": postfix_id(1),
        "status": "saved",
        "saved": [str(folder(dest) / name) for name in NAMES],
        "unavailable": {},
        "detail": "Saved raw.eml, preview.png, detections.json, trace.json, action_log.json.",
        "changed": True,
    }
    assert (folder(dest) / "raw.eml").read_bytes() == EML.encode()
    assert (folder(dest) / "preview.png").read_bytes() == picture()
    assert json.loads((folder(dest) / "detections.json").read_text()) == server.parts["detections"]
    assert json.loads((folder(dest) / "action_log.json").read_text()) == []
    assert server.calls == PARTS
    for name in ("account_id", "api_calls", "msg", "ticket", "reason", "started_by"):
        assert done.result[name] == {
            "account_id": ACCOUNT,
            "api_calls": 6,
            "msg": "1 message: 1 saved.",
            "ticket": "INC-1",
            "reason": None,
            "started_by": "alice",
        }.get(name)
    assert {each.stat().st_mode & 0o777 for each in folder(dest).iterdir()} == {0o600}
    assert {each.stat().st_mode & 0o777 for each in (dest, folder(dest))} == {0o700}


def test_a_second_run_leaves_every_file_alone(run: Runner, server: Evidence, dest: Path) -> None:
    save(run, dest)
    before = {each: (each.stat().st_mtime_ns, each.stat().st_ino) for each in folder(dest).iterdir()}
    done = save(run, dest)
    assert (done.statuses, done.result["changed"]) == (["unchanged"], False)
    assert only(done)["saved"] == [str(folder(dest) / name) for name in NAMES]
    assert {each: (each.stat().st_mtime_ns, each.stat().st_ino) for each in folder(dest).iterdir()} == before
    assert server.calls.count("preview") == 1


def test_only_what_is_new_is_written(run: Runner, server: Evidence, dest: Path) -> None:
    save(run, dest)
    server.parts["action_log"] = [{"operation": "QUARANTINE_RELEASE"}]
    (folder(dest) / "raw.eml").write_text("half")
    (folder(dest) / "preview.png").write_bytes(picture()[:-1])
    done = save(run, dest, diff=True)
    assert only(done)["detail"] == "Saved raw.eml, preview.png, action_log.json."
    assert done.statuses == ["saved"]
    assert (folder(dest) / "preview.png").read_bytes() == picture()
    assert done.result["diff"]["after"] == {investigate_id(1): "raw.eml, preview.png, action_log.json"}


def test_check_mode_writes_nothing(run: Runner, server: Evidence, dest: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    done = save(run, dest, check=True, journal=str(journal))
    assert (done.statuses, done.result["changed"]) == (["would_save"], True)
    assert list(tmp_path.iterdir()) == []
    assert "preview" not in server.calls
    save(run, dest)
    done = save(run, dest, check=True)
    assert (done.statuses, done.result["changed"]) == (["unchanged"], False)


def test_parts_are_chosen(run: Runner, server: Evidence, dest: Path) -> None:
    save(run, dest, parts=["action_log", "preview", "preview"])
    assert server.calls == ["preview", "action_log"]
    assert sorted(each.name for each in folder(dest).iterdir()) == ["action_log.json", "preview.png"]


@pytest.mark.parametrize(
    ("part", "answer", "words"),
    [
        ("raw", Reply(refusal(1001, "no message"), 404), "Cloudflare has none: HTTP 404: no message"),
        ("preview", Reply(refusal(1001, "no message"), 404), "Cloudflare has no picture of it"),
        ("preview", {"screenshot": base64.b64encode(b"<svg/>").decode()}, "no PNG picture"),
        ("preview", {"screenshot": base64.b64encode(picture() + b"x").decode()}, "no PNG picture"),
        ("preview", {"screenshot": "not base64!"}, "not base64"),
        ("preview", {"screenshot": "\u00e4"}, "not base64"),
        ("preview", {"screenshot": None}, "no PNG picture"),
        ("preview", ["x"], "holds no preview"),
        ("raw", {"raw": ""}, "holds no message"),
        ("raw", {"raw": ["x"]}, "holds no message"),
        ("raw", None, "holds no raw"),
        ("detections", "x", "holds no detections"),
        ("trace", None, "holds no trace"),
        ("trace", {"inbound": "x" * 9000}, "larger than 9000 bytes"),
        ("action_log", [{"operation": "x" * 9000}], "larger than 9000 bytes"),
    ],
)
def test_what_cannot_be_had_is_told_and_not_written(
    run: Runner, server: Evidence, dest: Path, part: str, answer: object, words: str
) -> None:
    server.parts[part] = answer
    done = save(run, dest, max_bytes=9000)
    assert not done.failed
    assert (done.statuses, done.result["changed"]) == (["partial"], True)
    assert list(only(done)["unavailable"]) == [part]
    assert words in only(done)["unavailable"][part]
    assert {each.name for each in folder(dest).iterdir()} == set(NAMES) - {NAMES[PARTS.index(part)]}
    assert save(run, dest, max_bytes=9000).result["changed"] is False


def test_nothing_to_save_makes_no_directory(run: Runner, server: Evidence, dest: Path) -> None:
    server.parts["raw"] = Reply(refusal(1001, "no message"), 404)
    done = save(run, dest, parts=["raw"])
    assert (done.statuses, done.result["changed"], only(done)["saved"]) == (["partial"], False, [])
    assert not dest.exists()


@pytest.mark.parametrize("most", [1, 100, 5000])
def test_no_more_is_read_than_is_wanted(
    run: Runner, server: Evidence, dest: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = urllib3.HTTPResponse.stream

    def stream(response: t.Any, amount: int, decode_content: bool) -> t.Iterator[bytes]:
        if not response.headers.get("X-Endless"):
            yield from real(response, amount, decode_content)
            return
        while sum(read) < 10**6:
            read.append(amount)
            yield b" " * amount

    server.parts["raw"] = Reply(b"", 200, {"X-Endless": "yes"})
    monkeypatch.setattr(urllib3.HTTPResponse, "stream", stream)
    done = save(run, dest, parts=["raw"], max_bytes=most)
    assert only(done)["unavailable"] == {"raw": f"The answer is larger than {most} bytes."}
    assert most < sum(read) <= 2 * (most + 1)
    assert server.calls == ["raw"]


def test_the_words_of_a_refusal_are_read_whatever_is_wanted(run: Runner, server: Evidence, dest: Path) -> None:
    server.parts["raw"] = Reply(refusal(1001, "no message"), 404)
    assert "no message" in only(save(run, dest, parts=["raw"], max_bytes=1))["unavailable"]["raw"]


def test_all_pages_of_the_action_log_are_saved(run: Runner, script: Script, dest: Path) -> None:
    server = Evidence()

    def answer(sent: Sent) -> Reply:
        if not sent.path.endswith("action_log"):
            return server(sent)
        number = int(sent.query["page"])
        info = {"page": number, "per_page": 1, "total_pages": 3}
        return Reply(envelope([{"operation": "MOVE", "number": number}], result_info=info))

    script.server = answer
    save(run, dest, parts=["action_log"])
    assert [entry["number"] for entry in json.loads((folder(dest) / "action_log.json").read_text())] == [1, 2, 3]


def test_trouble_of_the_server_fails_and_the_rest_is_saved(run: Runner, server: Evidence, dest: Path) -> None:
    server.parts["raw"] = Reply("<html>bad gateway</html>", 502, {"Content-Type": "text/html"})
    done = save(run, dest, retries=1)
    assert done.failed
    assert (done.statuses, done.result["changed"]) == (["failed"], True)
    assert "HTTP 502" in only(done)["unavailable"]["raw"]
    assert {each.name for each in folder(dest).iterdir()} == set(NAMES) - {"raw.eml"}
    assert server.calls == ["raw", "raw", *PARTS[1:]]


def test_a_server_in_trouble_is_not_asked_for_everything(run: Runner, script: Script, dest: Path) -> None:
    script.server = server = Evidence(5)
    server.parts["raw"] = Reply("", 503)
    done = save(run, dest, messages=list(server.rows), parts=["raw"], retries=0)
    assert done.statuses == ["failed"] * 3 + ["not_attempted"] * 2
    assert server.calls == ["raw"] * 3
    assert "3 reads in a row failed; the last one: the answer is not" in done.result["msg"]


def test_a_server_that_answers_nothing_is_given_up_within_one_message(run: Runner, script: Script, dest: Path) -> None:
    script.server = server = Evidence(2)
    server.parts.update(dict.fromkeys(PARTS[1:4], Reply("", 503)))
    done = save(run, dest, messages=list(server.rows), retries=0)
    assert done.statuses == ["failed", "not_attempted"]
    assert server.calls == PARTS[:4]
    assert done.result["messages"][0]["unavailable"]["action_log"] == "The run stopped before it was asked for."


def test_a_disk_without_room_ends_the_run(
    run: Runner, script: Script, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.server = server = Evidence(4)
    monkeypatch.setattr(os, "fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    done = save(run, dest, messages=list(server.rows))
    assert done.statuses == ["failed"] * 3 + ["not_attempted"]
    assert "3 messages in a row could not be saved" in done.result["msg"]


def test_a_credential_that_is_refused_ends_the_run(run: Runner, script: Script, dest: Path) -> None:
    script.server = server = Evidence(3)
    server.parts["trace"] = Reply(refusal(10000, "Authentication error"), 403)
    done = save(run, dest, messages=list(server.rows))
    assert done.failed
    assert done.statuses == ["failed", "not_attempted", "not_attempted"]
    assert done.result["status"] == 403
    assert [Path(name).name for name in done.result["messages"][0]["saved"]] == NAMES[:3]
    assert done.result["summary"] == {**dict.fromkeys(STATUSES, 0), "failed": 1, "not_attempted": 2, "total": 3}
    assert done.result["changed"] is True
    assert TOKEN not in done.printed


def test_a_signal_ends_the_run_after_the_request_at_hand(
    run: Runner, script: Script, dest: Path, clock: FakeClock
) -> None:
    script.server = server = Evidence(2)

    def answer(sent: Sent) -> Reply:
        if sent.path.endswith("raw"):
            clock.stop()
        return server(sent)

    script.server = answer
    done = save(run, dest, messages=list(server.rows))
    assert done.statuses == ["failed", "not_attempted"]
    assert [Path(name).name for name in done.result["messages"][0]["saved"]] == ["raw.eml"]
    assert done.result["msg"].startswith("Stopped by a signal")
    assert done.failed


def test_handles_of_every_kind(run: Runner, script: Script, dest: Path) -> None:
    script.server = server = Evidence(2)
    twins = [row(3), row(4, message_id=message_id(3))]

    def answer(sent: Sent) -> Reply:
        if sent.path == "investigate":
            wanted = sent.query.get("message_id")
            found = {message_id(1): [row(1)], message_id(3): twins}.get(str(wanted), [])
            return Reply(page(found))
        return server(sent)

    script.server = answer
    handles = [investigate_id(1), message_id(1), message_id(3), investigate_id(9), investigate_id(2)]
    done = save(run, dest, messages=handles)
    assert done.statuses == ["saved", "saved", "ambiguous", "not_found", "saved"]
    assert done.failed
    assert server.calls == PARTS * 2
    assert sorted(each.name for each in dest.iterdir()) == [folder(dest, number).name for number in (1, 2)]


def test_an_unreadable_message_is_not_saved(run: Runner, server: Evidence, dest: Path) -> None:
    server.rows[investigate_id(1)] = {"id": "somebody else"}
    done = save(run, dest)
    assert (done.statuses, server.calls) == (["failed"], [])
    assert not dest.exists()


@pytest.mark.parametrize(
    "hostile", ["../../../escaped", "..", "/etc/x", "a/b", ".hidden", "a\0b", "x" * 5000, "\u202e"]
)
def test_no_id_leads_out_of_the_directory(
    run: Runner, script: Script, dest: Path, hostile: str, tmp_path: Path
) -> None:
    server = Evidence()

    def answer(sent: Sent) -> Reply:
        if sent.path == "investigate":
            return Reply(page([row(1, id=hostile)]))
        part = sent.path.rpartition("/")[2]
        return Reply(envelope(server.parts.get(part)))

    script.server = answer
    done = save(run, dest, messages=[message_id(1)], parts=["raw", "detections"])
    assert {each.name for each in tmp_path.iterdir()} <= {"evidence"}
    for name in only(done)["saved"]:
        assert Path(name).parent.parent == dest
        assert Path(name).read_bytes()


def test_a_planted_file_is_not_followed(run: Runner, script: Script, dest: Path, tmp_path: Path) -> None:
    script.server = server = Evidence(2)
    (tmp_path / "target").write_text("precious")
    folder(dest).mkdir(parents=True)
    (folder(dest) / "raw.eml").symlink_to(tmp_path / "target")
    (dest / folder(dest, 2).name).symlink_to(tmp_path)
    done = save(run, dest, messages=list(server.rows))
    assert done.statuses == ["failed", "failed"]
    assert "symbolic link" in done.result["messages"][0]["unavailable"]["raw"]
    assert list(done.result["messages"][1]["unavailable"]) == PARTS
    assert (tmp_path / "target").read_text() == "precious"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["evidence", "target"]


def test_half_a_file_is_never_left(run: Runner, server: Evidence, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(run, dest, parts=["trace"])
    monkeypatch.setattr(os, "fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    server.parts["trace"] = {"inbound": {}, "outbound": {}}
    done = save(run, dest)
    assert done.statuses == ["failed"]
    assert [each.name for each in folder(dest).iterdir()] == ["trace.json"]
    assert "lines" in (folder(dest) / "trace.json").read_text()
    assert "No space left on device" in only(done)["detail"]


def test_the_journal_says_what_was_saved(run: Runner, server: Evidence, dest: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    save(run, dest, journal=str(journal), ticket="INC-1", parts=["raw"])
    (line,) = map(json.loads, journal.read_text().splitlines())
    assert (line["event"], line["ticket"], line["account_id"]) == ("evidence", "INC-1", ACCOUNT)
    assert line["messages"] == [
        {
            "id": investigate_id(1),
            "postfix_id": postfix_id(1),
            "status": "saved",
            "saved": [str(folder(dest) / "raw.eml")],
            "unavailable": {},
        }
    ]


def test_a_secret_that_the_server_repeats_is_in_no_file(run: Runner, server: Evidence, dest: Path) -> None:
    server.parts["raw"] = {"raw": f"X-Token: {TOKEN}\r\n"}
    server.parts["trace"] = {"inbound": {"lines": [TOKEN]}, "outbound": {TOKEN: 1}}
    done = save(run, dest)
    assert TOKEN not in done.printed
    assert all(TOKEN.encode() not in each.read_bytes() for each in folder(dest).iterdir())


def test_no_messages_is_nothing_to_do(run: Runner, script: Script, dest: Path) -> None:
    done = save(run, dest, messages=[])
    assert (done.failed, done.result["changed"], script.sent) == (False, False, [])
    assert not dest.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"parts": []}, "parts is empty. Name at least one of raw, preview, detections, trace, action_log."),
        ({"parts": ["everything"]}, "value of parts must be one or more of"),
        ({"max_bytes": 0}, "max_bytes must be from 1 to 67108864, not 0"),
        ({"max_bytes": -1}, "max_bytes must be from 1"),
        ({"max_bytes": 2**27}, "max_bytes must be from 1"),
        ({"dest": "/dev/null"}, "No evidence can be saved in dest (/dev/null): /dev/null is not a directory."),
        ({"dest": ""}, "No evidence can be saved in dest ()"),
        ({"dest": None}, "missing required arguments: dest"),
        ({"null": ["dest"]}, "dest"),
        ({"messages": None}, "one of the following is required: messages, messages_file"),
        ({"messages": ["a b"]}, "Unusable message handles"),
        ({"messages_file": "x", "messages": None, "messages_column": None}, "cannot be used"),
        ({"journal": "/nowhere/j"}, "The journal /nowhere/j cannot be written"),
    ],
)
def test_bad_input_is_one_sentence_before_any_request(
    run: Runner, script: Script, dest: Path, options: dict[str, t.Any], words: str
) -> None:
    done = run("message_evidence", **{"dest": str(dest), "messages": [investigate_id(1)], **options})
    assert done.failed
    assert words in done.result["msg"]
    assert "\n" not in done.result["msg"]
    assert script.sent == []
    assert not dest.exists()


def test_the_statuses_are_those_of_the_contract() -> None:
    assert STATUSES == (
        "saved", "unchanged", "partial", "failed", "not_found", "ambiguous", "not_attempted", "would_save",
    )  # fmt: skip
    assert FAIL_ON == ("failed", "not_found", "ambiguous", "not_attempted")
