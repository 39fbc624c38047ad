# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role settings: the report over all accounts, the digest of the changes, and which accounts fail."""

from __future__ import annotations

import copy
import html.parser
import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release import merging
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.places import SETTINGS_REPORT
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._settings import asked, digest, page, report, stage
from ansible_collections.emailsec.cloudflare.tests.unit.plugins.plugin_utils._settings.test_settings import (
    ACCOUNT,
    Door,
    run,
    sender,
)
from ansible_collections.emailsec.cloudflare.tests.unit.plugins.plugin_utils.test_reports import HOSTILE

BLOCK: dict[str, t.Any] = {"block_senders": []}


def drift(*patterns: str, **more: t.Any) -> dict[str, t.Any]:
    """Return the result of a module that creates entries."""
    after = {f"DOMAIN {pattern}": sender(pattern) for pattern in patterns}
    counts = {"created": len(patterns), "updated": 0, "deleted": 0, "unchanged": 1}
    return {"changed": bool(patterns), **counts, "diff": {"before": {}, "after": after}, "account_id": ACCOUNT, **more}


def digest_of(result: dict[str, t.Any], account_id: str = ACCOUNT, name: str = "block_senders") -> str:
    return digest.digest_of(account_id, [(asked.Wanted(KINDS[name], {}, []), result)])


# --- the digest ----------------------------------------------------------------------------------------------------------


def test_the_changes_have_the_fields_that_differ() -> None:
    before = {"a": {"pattern": "a", "regions": ["US", "DE"], "comments": "old"}, "b": {"pattern": "b"}}
    after = {"a": {"pattern": "a", "regions": ["DE", "US"], "is_regex": False}, "c": {"pattern": "c"}}
    assert digest.changes({"diff": {"before": before, "after": after}}) == [
        {
            "verb": "update",
            "key": "a",
            "fields": {"comments": {"before": "old", "after": None}, "is_regex": {"before": None, "after": False}},
        },
        {"verb": "delete", "key": "b", "fields": {"pattern": {"before": "b", "after": None}}},
        {"verb": "create", "key": "c", "fields": {"pattern": {"before": None, "after": "c"}}},
    ]


def test_the_digest_is_over_the_changes_and_not_over_their_order() -> None:
    one = drift("a.example", "b.example")
    known = digest_of(one)
    assert re.fullmatch("sha256:[0-9a-f]{64}", known)
    assert digest_of(drift("b.example", "a.example", unchanged=7, api_calls=9, duplicates=[{}])) == known
    others = [copy.deepcopy(one) for _ in range(2)]
    others[0]["diff"]["after"]["DOMAIN a.example"]["comments"] = "x"
    others[1]["diff"]["before"]["DOMAIN a.example"] = {"pattern": "old"}
    found = [digest_of(other) for other in (*others, drift("a.example"), drift())]
    found += [digest_of(one, "0" * 32), digest_of(one, name="trusted_domains")]
    assert len({known, *found}) == len(found) + 1


@pytest.mark.parametrize("unknown", [{"failed": True}, {"diff": {}}, {"deleted": 1}])
def test_changes_that_are_not_all_known_have_no_digest(unknown: dict[str, t.Any]) -> None:
    assert digest_of(drift("a.example", **unknown)) == ""


def test_drift_has_a_digest_in_output_and_artifacts() -> None:
    _door, result = run(stage.declare, BLOCK, drift("a.example"), check_mode=True)
    known = digest_of(drift("a.example"))
    assert result["told"].endswith(f" Digest of these changes: {known}.")
    data = result["ansible_stats"]["data"]
    counts = {"created": 1, "updated": 0, "deleted": 0, "unchanged": 1}
    assert data == {
        "settings_results": {"one": {"result": "drift", "summary": {"block_senders": counts}}},
        "settings_digest": {"one": known},
    }
    _door, result = run(stage.declare, BLOCK, drift(), check_mode=True)
    assert "Digest" not in result["told"]
    assert result["ansible_stats"]["data"]["settings_digest"] == {"one": digest_of(drift())}
    _door, result = run(stage.declare, BLOCK, drift("a.example"))
    assert "settings_digest" not in result["ansible_stats"]["data"]


@pytest.mark.parametrize("form", [lambda known: known, lambda known: known[7:].upper(), lambda known: {"one": known}])
def test_what_was_approved_is_made(form: t.Callable[[str], t.Any]) -> None:
    variables = {**BLOCK, "digest": form(digest_of(drift("a.example")))}
    door, result = run(stage.declare, variables, drift("a.example"), drift("a.example"))
    assert (door.modes, result["outcome"], result["fails"], result["changed"]) == (
        [True, False], "changed", False, True,
    )  # fmt: skip
    door, result = run(stage.declare, variables, drift("a.example"), check_mode=True)
    assert (door.modes, result["outcome"], result["fails"]) == ([True], "drift", False)


def test_what_was_not_approved_is_not_made() -> None:
    known, other = digest_of(drift("a.example")), digest_of(drift("b.example"))
    door, result = run(stage.declare, {**BLOCK, "digest": known}, drift("b.example"))
    assert (door.modes, result["outcome"], result["fails"], result["changed"]) == ([True], "failed", True, False)
    assert f"nothing was changed: their digest is {other}, but settings_digest is {known}. Run" in result["told"]
    assert result["ansible_stats"]["data"]["settings_results"] == {"one": {"result": "failed", "summary": {}}}
    for unknown in ({"failed": True, "msg": "no"}, drift("a.example", created=2)):
        door, result = run(stage.declare, {**BLOCK, "digest": known}, unknown)
        assert (door.modes, result["outcome"], result["changed"]) == ([True], "failed", False)
        assert "The changes are not all known" in result["told"]


def test_what_changed_between_the_look_and_the_change_is_told() -> None:
    known = digest_of(drift("a.example"))
    door, result = run(stage.declare, {**BLOCK, "digest": known}, drift("a.example"), drift("b.example"))
    assert (door.modes, result["outcome"], result["changed"]) == ([True, False], "failed", True)
    assert f"its digest is {digest_of(drift('b.example'))}, but settings_digest is {known}." in result["told"]


def test_an_account_as_approved_is_read_only() -> None:
    door, result = run(stage.declare, {**BLOCK, "digest": digest_of(drift())}, drift())
    assert (door.modes, result["outcome"]) == ([True], "no_change")


@pytest.mark.parametrize(
    "value", ["", None, False, [], "sha256:", "ab" * 31, "x" * 64, {}, {"two": "0" * 64}, {"one": ""}, 7]
)
def test_what_is_no_digest_approves_nothing(value: t.Any) -> None:
    door, result = run(stage.declare, {**BLOCK, "digest": value})
    assert (door.calls, result["fails"]) == ([], True)
    assert re.match("settings_digest (must be sha256: and 64|has no digest for one)", result["told"])


# --- the end of the run --------------------------------------------------------------------------------------------------


class End(Door):
    """Ansible after the lists of these hosts were made: what each has left."""

    is_last_batch = True

    def __init__(self, ended: dict[str, t.Any], check_mode: bool = True) -> None:
        super().__init__({}, check_mode=check_mode)
        self.hosts = tuple(ended)
        self.said: list[str] = []
        self._ended = ended

    def earlier(self, name: str, host: str, family: t.Any) -> dict[str, t.Any]:
        assert (name, family.prefix) == ("declare", "settings_")
        return t.cast("dict[str, t.Any]", self._ended[host])

    def of_host(self, host: str, name: str) -> str:
        return f"{name} of {host}"

    def job(self) -> int:
        return 7

    def person(self) -> str:
        return "alice"

    def say(self, line: str) -> None:
        self.said.append(line)


def declared(host: str, *results: dict[str, t.Any], **variables: t.Any) -> dict[str, t.Any]:
    door = Door({**BLOCK, **variables}, *results, check_mode=True)
    door.host = host
    return stage.declare(t.cast(t.Any, door))


def test_the_report_has_all_accounts_by_urgency(tmp_path: Path) -> None:
    folder = str(tmp_path / "reports")
    ended = {
        "fine": declared("fine", drift(), report_dir=folder),
        "drifts": declared("drifts", drift("a.example"), report_dir=folder),
        "mistaken": declared("mistaken", report_dir=folder, purge="maybe"),
        "lost": {},
        "broken": {"failed": True, "msg": "Unexpected failure"},
    }
    ends = report.conclude(t.cast(t.Any, End(ended)))["ends"]
    assert {host: one["fails"] for host, one in ends.items()} == {"fine": False, "drifts": False, "mistaken": True}
    files = sorted((tmp_path / "reports").iterdir())
    assert [file.suffix for file in files] == [".html", ".json"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert SETTINGS_REPORT.fullmatch(files[1].name)
    made = json.loads(files[1].read_text())
    assert {name: made[name] for name in ("check_mode", "outcome", "awx_job_id", "started_by")} == {
        "check_mode": True, "outcome": "failed", "awx_job_id": 7, "started_by": "alice",
    }  # fmt: skip
    assert made["started"] < made["ended"]
    accounts = {one["host"]: one for one in made["accounts"]}
    assert list(accounts) == ["mistaken", "lost", "broken", "drifts", "fine"]
    assert accounts["mistaken"]["msg"].startswith("settings_purge must be true or false")
    assert accounts["mistaken"]["account_id"] == "settings_account_id of mistaken"
    assert accounts["broken"]["msg"] == "Unexpected failure"
    assert accounts["lost"]["msg"].startswith("There is no result of this account.")
    assert accounts["drifts"]["lists"]["block_senders"]["changes"] == digest.changes(drift("a.example"))
    assert accounts["drifts"]["digest"] == digest_of(drift("a.example"))


def test_a_directory_is_tried_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    door, result = run(stage.declare, {**BLOCK, "report_dir": str(tmp_path / "file")})
    assert (door.calls, result["fails"]) == ([], True)
    assert "cannot be written (" in result["told"]
    door, result = run(stage.declare, {**BLOCK, "report_dir": 7})
    assert (door.calls, result["fails"], result["told"][:44]) == (
        [],
        True,
        "settings_report_dir is a number (7) and not ",
    )


def test_a_report_that_cannot_be_written_fails_the_host_and_keeps_its_last_line(tmp_path: Path) -> None:
    one = declared("one", drift(), report_dir=str(tmp_path / "reports"))
    (tmp_path / "reports").rmdir()
    (tmp_path / "reports").touch()
    door = End({"one": one})
    (end,) = report.conclude(t.cast(t.Any, door))["ends"].values()
    assert end["fails"]
    assert end["told"].startswith(f"{one['told']} The report was not written: ")
    door.is_last_batch = False
    (end,) = report.conclude(t.cast(t.Any, door))["ends"].values()
    assert (end, len(door.said)) == ({"told": one["told"], "fails": False}, 1)


@pytest.mark.parametrize(
    ("others", "last", "fails", "closed"),
    [
        ([drift()], True, True, True),
        ([drift()], False, False, False),
        ([drift("a.example")], True, False, False),
        ([drift("a.example"), {"failed": True}], True, False, False),
        ([{"failed": True}], True, True, True),
        ([{"failed": True}], False, False, False),
    ],
)
def test_nothing_to_approve_fails_only_if_no_account_has_drift(
    others: list[t.Any], last: bool, fails: bool, closed: bool
) -> None:
    ended = {f"h{number}": declared("h", one, fail_if_nothing=True) for number, one in enumerate([drift(), *others])}
    door = End(ended)
    door.is_last_batch = last
    ends = report.conclude(t.cast(t.Any, door))["ends"]
    assert {one["fails"] for one in ends.values()} == {fails}
    assert {"as settings_fail_if_nothing asks for" in one["told"] for one in ends.values()} == {closed}


def test_the_gate_is_for_check_mode_and_mistakes_always_fail() -> None:
    _door, made = run(stage.declare, {**BLOCK, "fail_if_nothing": True}, drift())
    assert not report.conclude(t.cast(t.Any, End({"one": made}, check_mode=False)))["ends"]["one"]["fails"]
    wrong = declared("one", fail_if_nothing=True, purge="maybe")
    drifts = declared("two", drift("a.example"), fail_if_nothing=True)
    ends = report.conclude(t.cast(t.Any, End({"one": wrong, "two": drifts})))["ends"]
    assert {host: one["fails"] for host, one in ends.items()} == {"one": True, "two": False}
    _door, both = run(stage.declare, {**BLOCK, "fail_if_nothing": True, "fail_on_drift": True})
    assert "every run would fail" in both["told"]


def test_merge_reports_takes_no_report_of_settings_and_one_of_a_host_with_this_name(tmp_path: Path) -> None:
    release = {"host": "settings", "outcome": "ok", "started": "x", "result": {}}
    (tmp_path / "settings-20261127T091451Z.json").write_text("{}")
    (tmp_path / "settings-20261127T091451.000001Z.json").write_text(json.dumps(release))
    assert list(merging._found(str(tmp_path), None)) == [release]


# --- the page ------------------------------------------------------------------------------------------------------------


class Tags(html.parser.HTMLParser):
    """Collects what a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.places: set[str] = set()
        self.links: set[str] = set()
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.names.update(given)
        self.places.add(given.get("id") or "")
        self.links.add((given.get("href") or "#").removeprefix("#"))

    def handle_data(self, data: str) -> None:
        self.words += data


def paged(*accounts: dict[str, t.Any]) -> Tags:
    times = {"started": "2026-11-27T09:14:51.000000Z", "check_mode": True, "started_by": "alice", "awx_job_id": None}
    return Tags(page.page({**times, "accounts": list(accounts)}))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(text: str) -> None:
    wanted = asked.Wanted(KINDS["block_senders"], {}, [])
    entry = {**sender(text), "comments": text, "expires": "2026-11-28"}
    result = drift(text, expiring=[entry], duplicates=[entry], failed=True, msg=text)
    result["diff"]["before"][f"DOMAIN {text}"] = {"comments": text, "list": [text]}
    given = {"account_id": text, "digest": text, "lists": report.lists_of([(wanted, result)])}
    made = paged(report.account(text, "failed", text, True, **given))
    plain = paged(report.account("x", "failed", "x", True, **{**given, "account_id": "x"}))
    assert (made.tags, made.names) == (plain.tags, plain.names)
    assert {"script", "img"}.isdisjoint(made.tags)
    assert not re.search("[\x00-\x08\x1b\u200b\u202e\ud83d]", made.words)
    assert ("alert(1)" in made.words) == ("alert(1)" in text)


def test_all_links_lead_somewhere_and_what_has_no_change_is_one_line() -> None:
    wanted = asked.Wanted(KINDS["block_senders"], {}, [])

    def one(host: str, word: str, result: dict[str, t.Any]) -> dict[str, t.Any]:
        return report.account(host, word, "m", True, lists=report.lists_of([(wanted, result)]))

    many = drift(*(f"{number}.example" for number in range(1000)))
    soon = drift(expiring=[{**sender("soon"), "expires": "2026-11-28"}])
    made = paged(one("a", "drift", many), one("b", "no_change", drift()), one("c", "no_change", soon))
    assert made.links - {""} <= made.places
    assert {"a0", "a0-block_senders", "a2-block_senders"} <= made.places
    assert "a1" not in made.places
    assert made.words.count("create") > 1000
    assert "Nothing to see in 1 account: b" in made.words
    assert "Has expired, or expires within a week: DOMAIN soon (2026-11-28)" in made.words
