# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages of the role, one after the other for several hosts, with Ansible and the modules stood in for."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._packing import packed_plan
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release import publishing, stages

Result = dict[str, t.Any]
STAGES: dict[str, t.Callable[[t.Any], Result]] = {
    "select": stages.select,
    "release": stages.release,
    "report": publishing.report,
    "report_all": publishing.report_all,
    "conclude": publishing.conclude,
}


class Play:
    """Stands in for the action plugin: runs stages, and keeps their results as Ansible registers them."""

    check_mode = False
    writes = True
    is_relaunched = False

    def __init__(self, reports: Path, **hosts: Result) -> None:
        common = {"max_messages": 10, "report_dir": str(reports), "report_formats": ["csv"], "fail_on": ["failed"]}
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

    def forget(self, host: str, *names: str) -> None:
        """Have stages ended without a result, as when Ansible itself fails."""
        for name in names:
            self._registered[name, host] = {"failed": True}

    def variables(self) -> Result:
        """Return the variables of the host."""
        return self._variables[self.host]

    def earlier(self, stage: str, host: str | None = None) -> Result:
        """Return what a stage returned."""
        return self._registered.get((stage, host or self.host), {})

    def fact(self, _name: str, host: str) -> t.Any:
        """Return the word of a host."""
        return self.earlier("report", host).get("facts", {}).get("result")

    def person(self) -> str:
        """Return who runs it."""
        return "alice"

    def job(self) -> None:
        """Return no job."""

    def relaunched(self) -> bool:
        """Tell whether AWX runs the job again."""
        return self.is_relaunched

    def call(self, _module: str, options: Result, _check_mode: bool) -> Result:
        """Release everything but a message that is called bad."""
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
        return {"changed": True, "failed": failed, "msg": "m", "messages": rows, "summary": {"recipients_delivered": 1}}

    def say(self, line: str) -> None:
        """Keep a line."""
        self.said.append(line)


WHOLE = ("select", "release", "report", "conclude")


def test_a_release_ends_with_its_line_and_its_report(tmp_path: Path) -> None:
    play = Play(tmp_path, good={"messages": ["a"]}, bad={"messages": ["bad"]})
    good, bad = play.run("good", *WHOLE), play.run("bad", *WHOLE)
    assert (good["failed"], bad["failed"]) == (False, True)
    assert good["msg"].startswith("m. Report: ")
    assert bad["msg"].startswith("m. Needs attention: bad failed. Report: ")
    assert play.said == ["Messages selected: 1", "Messages selected: 1"]
    assert play.fact("", "good") == "ok"


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


def test_a_release_that_leaves_no_result_is_unknown(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a"]})
    play.run("host", "select")
    play.forget("host", "release")
    ended = play.run("host", "report", "conclude")
    assert play.fact("", "host") == "unknown"
    assert ended["failed"]
    assert "it is unknown what was sent" in ended["msg"]


def test_tags_that_stop_before_the_release_say_what_was_selected(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a", "b"]})
    assert play.run("host", "select", "conclude")["msg"] == "Messages selected: 2"
    assert play.run("host", "select", "report", "conclude") == play.run("host", "conclude")
    assert not list(tmp_path.iterdir())


def test_what_an_earlier_run_of_the_role_left_counts_for_nothing(tmp_path: Path) -> None:
    play = Play(tmp_path, host={"messages": ["a"]})
    play.run("host", *WHOLE)
    play.run("host", "select")
    assert play.run("host", "report", "conclude")["msg"] == "Messages selected: 1"


@pytest.mark.parametrize(
    ("settle_time", "waits"), [("", 10.0), ("3", 3.0), (60, 60.0), ("soon", None), ("nan", None), (1e9, None)]
)
def test_without_a_journal_that_lasts_the_state_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle_time: object, waits: float | None
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(stages.time, "sleep", slept.append)
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
