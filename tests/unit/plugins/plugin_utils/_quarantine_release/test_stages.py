# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages of the role, one after the other for several hosts, with Ansible and the modules stood in for."""

from __future__ import annotations

import errno
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._packing import packed_plan
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release import (
    following,
    merging,
    publishing,
    stages,
)
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.names import ROLE, Family

Result = dict[str, t.Any]
STAGES: dict[str, t.Callable[[t.Any], Result]] = {
    "select": stages.select,
    "release": stages.release,
    "report": publishing.report,
    "report_all": publishing.report_all,
    "conclude": publishing.conclude,
    "merge": merging.merge,
    "plan": stages.plan,
    "reclassify": following.reclassify,
    "allow": following.allow,
}


class Play:
    """Stands in for the action plugin: runs stages, and keeps their results as Ansible registers them."""

    check_mode = False
    diff_mode = False
    is_last_batch = True
    options: t.Mapping[str, t.Any] = {}
    merging: t.Mapping[str, t.Any] = {}
    last = "report"
    is_relaunched = False

    def __init__(self, reports: Path, **hosts: Result) -> None:
        common = {"max_messages": 10, "report_dir": str(reports), "report_formats": ["csv"], "fail_on": ["failed"]}
        common["account_id"] = "5a1c0f3e9b7d42468ace13579bdf0246"
        self.hosts = list(hosts)
        self.host = ""
        self.said: list[str] = []
        self._variables = {host: {**common, **variables} for host, variables in hosts.items()}
        self._registered: dict[tuple[str, str], Result] = {}

    def run(self, host: str, *names: str) -> Result:
        """Run stages for a host and return the result of the last one."""
        self.host = host
        for name in names:
            self._registered[name, host] = STAGES[name](self)
        return self._registered[names[-1], host]

    def lose(self, host: str, stage: str, **left: t.Any) -> None:
        """Have a stage ended without a result, as when Ansible itself fails."""
        self._registered[stage, host] = left or {"failed": True}

    def variables(self, family: Family = ROLE) -> Result:
        """Return the variables of the host, or of a playbook."""
        return self.variables_of(self.host) if family is ROLE else dict(self.merging)

    def variable(self, name: str) -> t.Any:
        """Return one variable of the host."""
        return self.variables()[name]

    def variables_of(self, host: str) -> Result:
        """Return the variables of a host."""
        return self._variables[host]

    def earlier(self, stage: str, host: str | None = None) -> Result:
        """Return what a stage returned."""
        return self._registered.get((stage, host or self.host), {})

    def check_run(self) -> None:
        """Find nothing wrong."""

    def last_stage(self) -> str:
        """Return how far the tags let it go."""
        return self.last

    def word(self, host: str) -> t.Any:
        """Return the outcome of a host in one word."""
        return self.earlier("report", host)["facts"]["result"]

    def person(self) -> str:
        """Return who runs it."""
        return "alice"

    def job(self) -> None:
        """Return no job."""

    def relaunched(self) -> bool:
        """Tell whether AWX runs the job again."""
        return self.is_relaunched

    def call(self, module: str, options: Result, _check_mode: bool) -> Result:
        """Release everything but a message that is called bad. Plan nothing."""
        if module == "message_plan":
            plan = {"digest": "sha256:1", "messages": [], "expires_at": "2026-11-28T00:00:00Z"}
            return {
                "msg": "0 messages",
                "plan": plan,
                "digest": "sha256:1",
                "summary": {"release": 0},
                "account_id": "used",
            }
        facts: Result = {
            "postfix_id": None,
            "delivered": [],
            "undelivered": [],
            "failed": [],
            "rule": None,
            "delivery": None,
        }
        rows = [
            {**facts, "handle": name, "id": name, "status": "failed" if name == "bad" else "released", "detail": "d"}
            for name in options["messages"]
        ]
        failed = any(row["status"] in options["fail_on"] for row in rows)
        summary = {"recipients_delivered": 1}
        return {
            "changed": True,
            "failed": failed,
            "msg": "m",
            "messages": rows,
            "summary": summary,
            "account_id": "used",
        }

    def say(self, line: str) -> None:
        """Keep a line."""
        self.said.append(line)


WHOLE = ("select", "release", "report", "conclude")


def test_a_release_ends_with_its_line_and_its_report(tmp_path: Path) -> None:
    play = Play(tmp_path, good={"messages": ["a"]}, bad={"messages": ["bad"]})
    good, bad = play.run("good", *WHOLE), play.run("bad", *WHOLE)
    assert (good["failed"], bad["failed"]) == (False, True)
    assert good["msg"].startswith("m. Report: ")
    assert bad["msg"].startswith("Needs attention: bad failed. m. Report: ")
    assert play.said == ["1 message was asked for.", "1 message was asked for."]
    assert play.word("good") == "ok"


def test_a_mistake_sends_nothing_and_is_in_the_report_over_all_accounts(tmp_path: Path) -> None:
    play = Play(tmp_path, wrong={"messages": ["a"], "canary": "x"}, good={"messages": ["a"]})
    wrong = play.run("wrong", "select", "report", "conclude")
    play.run("good", *WHOLE)
    assert wrong["failed"]
    assert wrong["msg"] == "quarantine_release_canary must be a whole number, not 'x'. Nothing was sent."
    assert play.earlier("report", "wrong")["several"]
    play.run("wrong", "report_all")
    [table] = tmp_path.glob("all-accounts-*.csv")
    assert '"good"' in table.read_text()


def test_a_mistake_says_once_that_nothing_was_sent(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a"], "result_file": str(tmp_path)})
    ended = play.run("host", "select", "report", "conclude")
    assert ended["failed"]
    assert ended["msg"].count("Nothing was sent.") == 1


@pytest.mark.parametrize("left", [{"failed": True}, {"unreachable": True, "msg": "Broken pipe", "changed": False}])
def test_a_release_that_leaves_no_result_is_unknown(tmp_path: Path, left: Result) -> None:
    play = Play(tmp_path, host={"messages": ["a"]})
    play.run("host", "select")
    play.lose("host", "release", **left)
    ended = play.run("host", "report", "conclude")
    assert play.word("host") == "unknown"
    assert ended["failed"]
    assert "it is unknown what was sent" in ended["msg"]


def test_a_run_that_ended_before_the_release_has_failed(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a"]})
    for left in ({}, {"skipped": True}):
        play.run("host", "select")
        play.lose("host", "release", **left) if left else None
        ended = play.run("host", "report", "conclude")
        assert (ended["failed"], play.word("host")) == (True, "failed")
        assert ended["msg"].startswith("The run ended before the release. Nothing was sent.")


@pytest.mark.parametrize("left", [{"failed": True}, {"unreachable": True, "changed": False}])
def test_a_host_that_was_never_reached_fails(tmp_path: Path, left: Result) -> None:
    play = Play(tmp_path, lost={"messages": ["a"]}, good={"messages": ["a"]})
    play.run("good", *WHOLE)
    play.lose("lost", "select", **left)
    ended = play.run("lost", "report", "conclude")
    assert ended["failed"]
    assert ended["msg"] == "The stage select ended without a result. Nothing was sent."
    assert play.run("lost", "release")["failed"]


def test_no_report_is_named_that_was_not_written(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a"]})
    play.run("host", "select", "release")
    play.lose("host", "report", unreachable=True)
    ended = play.run("host", "conclude")
    assert ended["failed"]
    assert ended["msg"] == "m. The stage report ended without a result, so there is no report."


def test_tags_that_end_the_run_early_say_that_nothing_was_sent(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a", "b"], "policy": {"max_messages": 5}})
    play.last = "select"
    assert play.run("host", "select", "conclude")["msg"] == (
        "2 messages were asked for. The tags end the run here, so nothing was sent."
    )
    play.last = "plan"
    ended = play.run("host", "select", "plan", "report", "conclude")
    assert not ended["failed"]
    assert "The tags end the run here, so nothing was sent." in ended["msg"]
    assert not list(tmp_path.iterdir())


def test_the_tag_plan_without_a_plan_to_make_is_refused(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a"]})
    play.last = "plan"
    ended = play.run("host", "select", "conclude")
    assert ended["failed"]
    assert ended["msg"].startswith("The tag plan ends the run after the plan")


def test_tags_of_others_leave_the_role_alone(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"canary": "a mistake"})
    play.last = ""
    assert not play.run("host", "select", "conclude")["failed"]
    assert play.run("host", "release")["failed"], "it runs all the same if the role has the tag always"


def test_what_an_earlier_run_of_the_role_left_counts_for_nothing(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a"]})
    play.run("host", *WHOLE)
    play.run("host", "select")
    ended = play.run("host", "report", "conclude")
    assert ended["failed"]
    assert ended["msg"].startswith("The run ended before the release. Nothing was sent.")


def test_the_report_names_the_account_that_was_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "of the controller")
    play = Play(tmp_path, host={"messages": ["a"]})
    play.run("host", *WHOLE)
    assert play.earlier("report")["report"]["account_id"] == "used"


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_report_directory_where_nothing_can_be_written_is_found_out_before(tmp_path: Path, check_mode: bool) -> None:
    (tmp_path / "file").touch()
    play = Play(tmp_path / "file" / "reports", host={"messages": ["a"]})
    play.check_mode = check_mode
    ended = play.run("host", "select", "conclude")
    assert ended["failed"]
    assert ended["msg"] == f"{tmp_path / 'file' / 'reports'} cannot be written (Not a directory). Nothing was sent."


def test_a_full_report_directory_is_found_out_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    play = Play(tmp_path, host={"messages": ["a"]})
    monkeypatch.setattr(os, "fsync", full)
    assert play.run("host", "select")["mistake"] == (
        f"{tmp_path} cannot be written (No space left on device). Nothing was sent."
    )


def test_check_mode_leaves_nothing_behind(tmp_path: Path) -> None:
    play = Play(tmp_path / "new" / "reports", host={"messages": ["a"]})
    play.check_mode = True
    assert not play.run("host", "select")["mistake"]
    assert not list(tmp_path.iterdir())


def test_a_report_that_cannot_be_written_after_all_fails_the_host(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    play = Play(reports, host={"messages": ["a"]}, plan={"messages": ["a"], "mode": "plan", "fail_if_nothing": True})
    for host, stage in (("host", "release"), ("plan", "plan")):
        play.run(host, "select", stage)
    reports.rmdir()
    reports.touch()
    assert play.run("host", "report", "conclude")["msg"].startswith("m. The report was not written: ")
    for host in play.hosts:
        assert play.run(host, "report", "conclude")["failed"]


def test_nothing_to_approve_is_judged_in_the_last_batch(tmp_path: Path) -> None:
    plans = {"messages": ["a"], "mode": "plan", "fail_if_nothing": True}
    play = Play(tmp_path, first=plans, second=plans)
    play.is_last_batch = False
    assert not play.run("first", "select", "plan", "release", "report", "conclude")["failed"]
    play.is_last_batch = True
    ended = play.run("second", "select", "plan", "release", "report", "conclude")
    assert ended["failed"]
    assert ended["msg"].startswith("There is nothing to approve, so the job fails")


def test_an_account_without_a_report_is_first_in_the_report_over_all_accounts(tmp_path: Path) -> None:
    play = Play(tmp_path, good={"messages": ["a"]}, lost={"messages": ["a"]})
    for variables in play.hosts:
        play.variables_of(variables)["report_formats"] = ["html"]
    play.run("good", *WHOLE)
    play.run("lost", "select")
    play.run("good", "report_all")
    [page] = tmp_path.glob("all-accounts-*.html")
    text = page.read_text()
    assert "There is no report of this account." in text
    assert text.index(">lost") < text.index(">good")


def test_a_refused_account_leaves_a_report_that_is_newer_than_its_last_success(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a"]})
    play.run("host", *WHOLE)
    play.variables_of("host")["canary"] = "x"
    play.run("host", "select", "report")
    play.options = {"directory": str(tmp_path), "hosts": ["host"]}
    merged = play.run("host", "merge")
    assert merged["failed"]
    assert merged["msg"] == (
        f"Needs attention: host failed. Accounts: 1, failed 1. Report: {tmp_path}/all-accounts.html"
    )


def test_a_report_that_cannot_be_read_is_a_broken_account(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a"]})
    play.run("host", *WHOLE)
    for number, text in enumerate(["{", "[]", '{"host": 1, "result": {}}', "{}"]):
        (tmp_path / f"broken-{number}.json").write_text(text)
    play.options = {"directory": str(tmp_path), "hosts": []}
    merged = play.run("host", "merge")
    assert merged["failed"]
    assert merged["msg"].startswith(
        "Needs attention: broken-0.json failed, broken-1.json failed, broken-2.json failed, b"
    )
    assert "Accounts: 5, failed 4, ok 1." in merged["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"merging": {"within": "soon"}}, "merge_within must be a number with m, h, d or w"),
        ({"directory": "/nowhere"}, "The reports in /nowhere cannot be read (No such file or directory)."),
        ({}, "Accounts: 0. There are no reports in "),
    ],
)
def test_nothing_to_merge_fails(tmp_path: Path, options: Result, words: str) -> None:
    play = Play(tmp_path, host={})
    play.merging = options.get("merging", {})
    play.options = {"directory": str(tmp_path), "hosts": [], **options}
    merged = play.run("host", "merge")
    assert merged["failed"]
    assert merged["msg"].startswith(words)


@pytest.mark.parametrize(
    ("settle_time", "waits"), [("", 10.0), ("3", 3.0), (60, 60.0), ("soon", None), ("nan", None), (1e9, None)]
)
def test_without_a_journal_that_lasts_the_state_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle_time: object, waits: float | None
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    variables = {"messages": ["a"], "settle_time": settle_time}
    play = Play(tmp_path, fresh={**variables, "journal_lasts": "no"}, lasting=variables)
    play.run("lasting", *WHOLE)
    assert slept == []
    play.run("fresh", *WHOLE)
    assert slept == ([] if waits is None else [pytest.approx(waits, abs=1)])
    play.check_mode = True
    play.run("fresh", *WHOLE)
    assert len(slept) < 2, "what only looks need not wait"


def test_a_plan_is_not_applied_by_a_job_that_is_run_again(tmp_path: Path) -> None:
    handed_over = {"mode": "apply", "plan_digest": f"sha256:{'0' * 64}", "plan_packed": packed_plan({"messages": []})}
    play = Play(tmp_path, fresh={**handed_over, "journal_lasts": False}, lasting=handed_over)
    assert play.run("fresh", "select")["mistake"] == ""
    play.is_relaunched = True
    assert "the plan in it was applied before" in play.run("fresh", "select")["mistake"]
    assert play.run("lasting", "select")["mistake"] == "", "its journal knows"


class Following(Play):
    """Has answers for the modules that follow a release."""

    def __init__(self, reports: Path, **variables: t.Any) -> None:
        super().__init__(reports, host={"messages": ["a"], **variables})
        self.called: list[tuple[str, Result]] = []
        self.answers: dict[str, Result] = {
            "message_reclassify": {
                "messages": [{"handle": "a", "status": "submitted", "detail": "d"}],
                "msg": "m",
                "summary": {},
            },
            "message_info": {
                "messages": [{"id": "a", "from": "x@y.example", "validation": {"dmarc": "pass"}}],
                "msg": "",
            },
            "settings_info": {"settings": {"allow_policies": []}, "msg": "m"},
        }

    def call(self, module: str, options: Result, check_mode: bool) -> Result:
        """Answer, and remember the options."""
        self.called.append((module, options))
        if module == "allow_policies":
            return {"created": 1, "entries": options["entries"], "msg": "m", "summary": {}}
        return self.answers.get(module) or super().call(module, options, check_mode)


def test_a_release_without_a_follow_up_has_nothing_more_to_do(tmp_path: Path) -> None:
    play = Following(tmp_path)
    assert play.run("host", "select", "release")["follows"] == {"reclassify": False, "allow": False}
    play.run("host", "report", "conclude")
    assert "follow_up" not in play.earlier("report")["report"]
    assert [module for module, _options in play.called] == ["message_release"]


def test_both_stages_follow_a_release(tmp_path: Path) -> None:
    play = Following(tmp_path, reclassify_as="none", allow_for="14d", ticket="INC-7", settle_time=5)
    assert play.run("host", "select", "release")["follows"] == {"reclassify": True, "allow": True}
    ended = play.run("host", "reclassify", "allow", "report", "conclude")
    assert (ended["failed"], play.word("host")) == (False, "ok")
    assert ended["msg"].startswith("m. Reclassify: 1 submitted. Allow senders: 1 allowed.")
    assert [module for module, _options in play.called] == [
        "message_release", "message_reclassify", "message_info", "settings_info", "allow_policies",
    ]  # fmt: skip
    asked = dict(play.called)["message_reclassify"]
    assert (asked["messages"], asked["expected_disposition"], asked["ticket"], asked["settle_time"]) == (
        ["a"],
        "none",
        "INC-7",
        5,
    )
    assert asked["journal"] == dict(play.called)["message_release"]["journal"]
    [entry] = dict(play.called)["allow_policies"]["entries"]
    assert (entry["pattern_type"], entry["pattern"], entry["verify_sender"]) == ("EMAIL", "x@y.example", True)
    follow_up = play.earlier("report")["facts"]["follow_up"]
    assert follow_up["allow"] == {"failed": False, "allowed": 1, "total": 1}
    assert (
        play.earlier("report")["ansible_stats"]["data"]["quarantine_release_results"]["host"]["follow_up"] == follow_up
    )


@pytest.mark.parametrize("module", ["message_info", "settings_info"])
@pytest.mark.parametrize("answer", [{"failed": True, "msg": "No."}, {"failed": True, "module_stdout": ""}])
def test_what_cannot_be_read_is_not_allowed(tmp_path: Path, module: str, answer: Result) -> None:
    play = Following(tmp_path, allow_for="14d")
    play.answers[module] = answer
    ended = play.run("host", "select", "release", "allow", "report", "conclude")
    assert (ended["failed"], play.word("host")) == (True, "partial")
    assert "allow_policies" not in dict(play.called)
    assert play.earlier("report")["facts"]["follow_up"]["allow"] == {"failed": True, "not_attempted": 1, "total": 1}


def test_a_message_that_was_not_read_is_not_allowed(tmp_path: Path) -> None:
    play = Following(tmp_path, allow_for="14d")
    play.answers["message_info"] = {"messages": [{"id": "b", "from": "x@y.example"}], "msg": ""}
    play.run("host", "select", "release", "allow", "report")
    assert play.earlier("report")["facts"]["follow_up"]["allow"] == {"failed": True, "not_attempted": 1, "total": 1}


@pytest.mark.parametrize("left", [{"failed": True}, {"skipped": True}, {"unreachable": True, "msg": "Broken pipe"}])
def test_a_stage_that_leaves_no_result_is_told(tmp_path: Path, left: Result) -> None:
    play = Following(tmp_path, reclassify_as="none")
    play.run("host", "select", "release")
    play.lose("host", "reclassify", **left)
    ended = play.run("host", "report", "conclude")
    assert (ended["failed"], play.word("host")) == (True, "partial")
    assert "The stage reclassify ended without a result, so it is unknown what was sent." in ended["msg"]


@pytest.mark.parametrize(
    ("last", "left_out"),
    [("release", "reclassify and allow"), ("verify", "reclassify and allow"), ("reclassify", "allow"), ("allow", "")],
)
def test_the_tags_may_end_the_run_before_a_stage(tmp_path: Path, last: str, left_out: str) -> None:
    play = Following(tmp_path, reclassify_as="none", allow_for="14d")
    play.last = last
    ran = {"release": (), "verify": (), "reclassify": ("reclassify",), "allow": ("reclassify", "allow")}[last]
    ended = play.run("host", "select", "release", *ran, "report", "conclude")
    assert not ended["failed"]
    assert (f"these stages were left out: {left_out}." in ended["msg"]) == bool(left_out)
