# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is taken back: what variables ask for, what journals and reports tell, and what becomes of each release."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._times import from_seconds, to_text
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.values import Mistake
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._retract import asked, judged, sources

ACCOUNT = "5a1c0f3e9b7d42468ace13579bdf0246"
OTHER = "0" * 32
NOW = 1_800_000_000.0
SINCE = from_seconds(NOW - 86400)
BAD = ["MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPOOF"]
ID = "4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678"
ID2 = "4Njp3P0STMz2c02R-2024-01-05T10:00:00-12345679"


def ago(seconds: float) -> str:
    return to_text(from_seconds(NOW - seconds))


def entry(name: str | None = ID, status: str = "released", age: float = 7500, **more: t.Any) -> dict[str, t.Any]:
    return {"account_id": ACCOUNT, "id": name, "postfix_id": None, "status": status, "time": ago(age), **more}


def message(name: str = ID, verdict: str | None = "MALICIOUS", **more: t.Any) -> dict[str, t.Any]:
    return {
        **dict.fromkeys(("from", "from_name", "envelope_from", "subject")),
        **{key: [] for key in ("envelope_to", "client_recipients", "to", "detection_reasons")},
        "id": name,
        "postfix_id": None,
        "message_id": None,
        "validation": {},
        "final_disposition": verdict,
        "is_quarantined": False,
        "delivery_status": ["delivered"],
        **more,
    }


def judge(found: t.Mapping[str, t.Any], *entries: dict[str, t.Any], when: str = "worse") -> list[str]:
    return [row["status"] for row in judged.judged(entries or [entry()], found, when, BAD, NOW)]


# --- variables ---------------------------------------------------------------------------------------------------------


def read(**variables: t.Any) -> asked.Asked:
    return asked.read({"account_id": ACCOUNT.upper(), "journal": "j", **variables}, "one", 1, NOW)


def test_the_defaults() -> None:
    found = read()
    assert (found.account_id, found.journals, found.reports) == (ACCOUNT, [str(Path.cwd() / "j")], [])
    assert (found.since, found.when, found.destination, found.dispositions) == ("24h", "worse", "junk_email", BAD)
    assert (found.purge, found.show_content) == (False, False)


def test_what_can_be_written_in_several_ways() -> None:
    found = read(journal=["a", "b", "a"], dispositions="MALICIOUS, spoof", since="2020-01-01", purge="yes")
    assert [Path(path).name for path in found.journals] == ["a", "b"]
    assert (found.dispositions, found.purge) == (["MALICIOUS", "spoof"], True)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"journal": []}, "retract_journal is an empty list"),
        ({"journal": ["a", None]}, "has an item that is no path"),
        ({"journal": 7}, "retract_journal is a number (7) and not text"),
        ({"journal": None, "report": ""}, "are both missing"),
        ({"since": "2099-01-01"}, "retract_since is in the future"),
        ({"dispositions": {"MALICIOUS": 1}}, "retract_dispositions must be a list"),
        ({"dispositions": [False]}, "retract_dispositions is true or false (False) and not text"),
        ({"account_id": "x"}, "quarantine_release_account_id must be 32 hexadecimal digits"),
    ],
)
def test_mistakes(variables: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Mistake) as caught:
        read(**variables)
    assert words in str(caught.value)


# --- journals and reports ----------------------------------------------------------------------------------------------


def test_the_first_certain_release_of_a_message_counts() -> None:
    entries = [entry(status="unknown", age=9), entry(age=8), entry(age=7), entry(ID2, status="unknown", age=6)]
    source = sources.Source([*entries, {**entry(), "account_id": OTHER}], [])
    assert source.of(ACCOUNT) == [entries[1], entries[3]]
    assert source.others([ACCOUNT]) == [OTHER]


def test_lines_of_a_journal_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text("{\n" * 103)
    found = sources.read_journals([str(path)], SINCE, NOW)
    assert found.flaws[0] == f"Line 1 of {path} cannot be read: it is cut off, or is not JSON."
    assert found.flaws[-1] == "3 more lines cannot be read."


def written(tmp_path: Path, *rows: tuple[str, str], **more: t.Any) -> list[str]:
    path = tmp_path / "report.json"
    statuses = [status for _name, status in rows]
    result = {
        "messages": [{"id": name, "postfix_id": None, "handle": name, "status": status} for name, status in rows],
        "summary": {**{status: statuses.count(status) for status in statuses}, "total": len(rows)},
    }
    report = {"account_id": ACCOUNT, "ended": ago(60), "ticket": "INC-1", "approved_by": "carol", "result": result}
    path.write_text(json.dumps({**report, **more}))
    return [str(path)]


def test_a_report_tells_what_its_run_released(tmp_path: Path) -> None:
    paths = written(tmp_path, (ID, "released"), (ID2, "unknown"), ("4Njp3P0STMz2c02S", "already_released"))
    found = sources.read_reports(paths, SINCE, NOW).of(ACCOUNT)
    assert [(one["id"], one["status"], one["time"]) for one in found] == [
        (ID, "released", ago(60)),
        (ID2, "unknown", ago(60)),
    ]
    assert (found[0]["ticket"], found[0]["approved_by"]) == ("INC-1", "carol")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"result": {"msg": "killed", "failed": True}}, "does not tell what was released"),
        ({"result": {"messages": [], "summary": {"released": 1, "total": 1}}}, "does not have all messages"),
        ({"title": "Releases taken back"}, "does not tell what was released"),
        ({"account_id": ""}, "does not tell what was released"),
        ({"ended": None}, "does not tell when"),
        ({"ended": ago(-3600)}, "in the future"),
        ({"ended": ago(90000)}, "so retract_since leaves it out"),
    ],
)
def test_a_report_that_does_not_tell_all_is_refused(tmp_path: Path, more: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        sources.read_reports(written(tmp_path, (ID, "released"), **more), SINCE, NOW)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100000, "{"])
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(InputError, match=r"The report .* Use the journal|is not JSON"):
        sources.read_reports([str(tmp_path / "report.json")], SINCE, NOW)


def test_what_a_report_names_must_be_a_message(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names something that is no message"):
        sources.read_reports(written(tmp_path, ("a b", "released")), SINCE, NOW)


# --- what becomes of each ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        *((verdict, judged.TO_MOVE) for verdict in BAD),
        *((verdict, judged.KEPT) for verdict in ("NONE", "SPAM", "BULK", "UNKNOWN")),
        (None, "not_attempted"),
        ("PECULIAR", "not_attempted"),
    ],
)
def test_the_verdict_by_now_decides(verdict: str | None, status: str) -> None:
    found = {"messages": [message(verdict=verdict)]}
    assert judge(found) == [status]
    assert judge(found, when="all") == [judged.TO_MOVE]


def test_what_cannot_be_read_is_named() -> None:
    twins = {"messages": [message(f"{ID[:-1]}{number}") for number in range(2)]}
    legacy = {**entry(None), "postfix_id": "4Njp3P0STMz2c02Q"}
    assert judge({"messages": [], "not_found": [ID]}) == ["not_found"]
    assert judge({"messages": [], "unreadable": [ID]}) == ["not_attempted"]
    assert judge({"failed": True, "msg": "403"}) == ["not_attempted"]
    assert judge(twins, legacy, when="all") == ["ambiguous"]


def test_what_an_unknown_release_left_in_quarantine_was_not_released() -> None:
    held = message(is_quarantined=True, delivery_status=["quarantined"])
    assert judge({"messages": [held]}, entry(status="unknown")) == [judged.NOT_RELEASED]
    # The state may lag, and a part may have been delivered.
    assert judge({"messages": [held]}, entry(status="unknown", age=5)) == [judged.TO_MOVE]
    assert judge({"messages": [held]}, entry()) == [judged.TO_MOVE]
    partly = {**held, "delivery_status": ["delivered", "quarantined"]}
    assert judge({"messages": [partly]}, entry(status="unknown")) == [judged.TO_MOVE]


def moves(result: dict[str, t.Any] | None, lost: bool = False) -> dict[str, t.Any]:
    [row] = judged.with_moves(
        judged.judged([entry()], {"messages": [message()]}, "all", BAD, NOW), result, lost=lost, now=NOW
    )
    return row


@pytest.mark.parametrize(
    ("status", "lasted"), [("moved", "2 h 5 min"), ("unknown", "2 h 5 min so far"), ("already_moved", "")]
)
def test_the_row_has_the_outcome_of_the_move_and_how_long_it_was_there(status: str, lasted: str) -> None:
    row = moves({"messages": [{"handle": ID, "status": status, "detail": "d", "changed": status == "moved"}]})
    assert (row["status"], row["detail"], row["in_mailboxes"]) == (status, "d", lasted)
    assert row["in_mailboxes_seconds"] == (7500 if lasted else None)


def test_a_move_without_a_result_is_never_taken_for_done() -> None:
    assert moves({"failed": True, "msg": "The journal is locked."})["status"] == "not_attempted"
    assert moves({"failed": True, "module_stdout": ""}, lost=True)["status"] == "unknown"
    assert moves({"messages": []})["status"] == "not_attempted"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3600, "1 h 0 min"), (90061, "1 d 1 h")]
)
def test_durations_have_two_units(seconds: int, text: str) -> None:
    found = {"messages": [{"handle": ID, "status": "moved"}]}
    [row] = judged.judged([entry(age=seconds)], {"messages": [message()]}, "all", BAD, NOW)
    assert judged.with_moves([row], found, False, NOW)[0]["in_mailboxes"] == text


def test_the_word_for_an_account() -> None:
    def word(*rows: tuple[str, bool], fails: bool = False) -> str:
        return judged.word([{"status": status, "changed": changed} for status, changed in rows], fails)

    assert word() == word(("kept", False), ("already_moved", False)) == "nothing_to_do"
    assert word(("moved", True)) == "ok"
    assert word(("moved", True), ("failed", False), fails=True) == "partial"
    assert word(("failed", False), fails=True) == word(fails=True) == "failed"
    assert word(("moved", True), ("unknown", False), fails=True) == "unknown"
