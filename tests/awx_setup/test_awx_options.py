# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made only when it is asked for, and that all of it can be removed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml
from awx_emulator import Awx
from controller import Controller, SetUp, playbooks

from playbooks import CHECKOUT

OPERATORS, APPROVERS, AUDITORS = "Service desk", "Mail security", "Audit"
WORKFLOW = "Quarantine: Plan, approve, release"
WATCH = "Quarantine: Watch over releases"
DRIFT, SETTINGS, EXPIRED = (f"Quarantine: Settings: {name}" for name in ("show drift", "apply", "remove expired"))
SETTINGS_WORKFLOW = "Quarantine: Settings: check, approve, apply"
# The example of the guide, with all that it leaves out
EXAMPLE = yaml.safe_load((CHECKOUT / "docs" / "awx-variables.yml").read_text(encoding="utf-8"))
OPTIONS = {name.removeprefix("awx_setup_"): value for name, value in EXAMPLE.items()} | {
    "accounts": EXAMPLE["awx_setup_accounts"][:1],
    "manage_organization": True,
    "manage_teams": True,
    "auditors": [AUDITORS],
    "roles": [{"role": "execute", "teams": [APPROVERS], "job_templates": ["Quarantine: Release now"]}],
    "shared_directory": "/var/lib/quarantine",
    "ask_follow_up": True,
    "retract_schedule": "DTSTART:20260101T000000Z RRULE:FREQ=MINUTELY;INTERVAL=15",
    "groups": [{"name": "regulated", "hosts": ["harbour-logistics"], "variables": {"search_limit": 5}}],
    "notification_templates": [
        {
            "name": "Quarantine: chat",
            "notification_type": "webhook",
            "notification_configuration": {"url": "https://chat.example", "password": "secret-of-the-chat"},
        }
    ],
    "notifications": {
        "success": ["Quarantine: chat"],
        "error": ["Quarantine: chat"],
        "approvals": ["Quarantine: chat"],
    },
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """An AWX that others use as well, set up with all options."""
    with Awx(playbooks()) as running:
        default = running.one("organizations", "Default")["id"]
        running.add("teams", name="Others", organization=default)
        running.add("projects", name="Others", organization=default, scm_type="git")
        controller = Controller(tmp_path_factory.mktemp("awx"), running, OPTIONS)
        yield SetUp(running, controller, controller.set_up("-v"))


def test_options_are_made(set_up: SetUp) -> None:
    """Organization, teams, groups and notifications."""
    awx = set_up.awx
    assert set_up.first.code == 0, set_up.first.output
    assert awx.inventory()["organizations"] == ["Default", "Mail"]
    assert awx.inventory()["teams"] == [AUDITORS, APPROVERS, "Others", OPERATORS]
    assert awx.related("groups", "regulated", "hosts") == ["harbour-logistics"]
    assert awx.related("workflow_job_templates", WORKFLOW, "notification_templates_success") == ["Quarantine: chat"]
    assert awx.related("workflow_job_templates", WORKFLOW, "notification_templates_approvals") == ["Quarantine: chat"]
    assert awx.related("workflow_job_templates", WORKFLOW, "notification_templates_started") == []
    assert "secret-of-the-chat" not in set_up.first.output


def test_teams_may_do_their_part(set_up: SetUp) -> None:
    """Operators find, verify and start the workflow, approvers approve, auditors look; nobody gets a credential."""
    awx = set_up.awx
    assert awx.holders("workflow_job_templates", WORKFLOW, "execute") == [OPERATORS]
    assert awx.holders("workflow_job_templates", WORKFLOW, "approval") == [APPROVERS]
    assert awx.holders("workflow_job_templates", WORKFLOW, "read") == [AUDITORS]
    for name in ("Find", "Verify later"):
        assert awx.holders("job_templates", f"Quarantine: {name}", "execute") == [OPERATORS]
    for name in ("Plan", "Apply", "Report"):
        assert awx.holders("job_templates", f"Quarantine: {name}", "execute") == []
        assert sorted(awx.holders("job_templates", f"Quarantine: {name}", "read")) == [AUDITORS, APPROVERS, OPERATORS]
    assert awx.holders("job_templates", "Quarantine: Release now", "execute") == [APPROVERS]
    assert awx.holders("job_templates", "Quarantine: Release now", "read") == [AUDITORS]
    for credential in awx.inventory()["credentials"]:
        assert not any(awx.holders("credentials", credential, role) for role in ("admin", "use", "read"))


def test_one_account_is_not_asked_for(set_up: SetUp) -> None:
    """With one account there is no question for it; a rule that wants a ticket makes it a must."""
    questions = {question["variable"]: question for question in set_up.awx.survey("workflow_job_templates", WORKFLOW)}
    assert "survey_account" not in questions
    assert questions["survey_ticket"]["required"]
    assert not questions["survey_reason"]["required"]
    # AWX takes an empty text for an answer.
    assert (questions["survey_ticket"]["min"], questions["survey_reason"]["min"]) == (1, 0)


def test_surveys_ask_what_is_to_follow(set_up: SetUp) -> None:
    """In words of an operator, and the answer that the form shows is no. The plan carries it, so that Apply is not asked."""
    for endpoint, name in (
        ("workflow_job_templates", WORKFLOW),
        ("job_templates", "Quarantine: Plan"),
        ("job_templates", "Quarantine: Release now"),
    ):
        *_, reclassify, days = set_up.awx.survey(endpoint, name)
        assert reclassify["question_name"] == "Tell Cloudflare that this was a mistake?"
        assert (reclassify["default"], reclassify["choices"], reclassify["required"]) == ("no", ["no", "yes"], False)
        assert days["question_name"] == "Let this sender through for how many days?"
        assert (days["type"], days["default"], days["min"], days["max"]) == ("integer", 0, 0, 365)
    variables = json.loads(set_up.awx.one("job_templates", "Quarantine: Release now")["extra_vars"])
    assert "survey_reclassify" in variables["quarantine_release_reclassify_as"]
    assert "survey_allow_days" in variables["quarantine_release_allow_for"]
    assert "allow_for" not in set_up.awx.one("job_templates", "Quarantine: Apply")["extra_vars"]


def test_shared_directory_holds_what_lasts(set_up: SetUp) -> None:
    """Each run of the workflow has a directory for its reports, and all share a journal."""
    variables = json.loads(set_up.awx.one("job_templates", "Quarantine: Apply")["extra_vars"])
    assert variables["quarantine_shared_directory"] == "/var/lib/quarantine"
    assert variables["quarantine_release_handover"] == "auto"
    assert "awx_workflow_job_id" in variables["quarantine_release_report_dir"]
    assert variables["quarantine_release_journal"].endswith("}}/journal.jsonl")
    assert variables["quarantine_release_journal_lasts"] is True


def test_releases_are_watched_over_on_a_schedule(set_up: SetUp) -> None:
    """What turns bad is taken back by the journal of all releases; nobody may start it, and a failure is told."""
    awx = set_up.awx
    template = awx.one("job_templates", WATCH)
    assert template["playbook"] == "playbooks/retract.yml"
    assert json.loads(template["extra_vars"]) == {
        "retract_journal": "/var/lib/quarantine/journal.jsonl",
        "retract_report_dir": "/var/lib/quarantine/retract-reports",
        "retract_show_content": True,
    }
    assert awx.related("job_templates", WATCH, "credentials") == ["Quarantine: may release"]
    assert awx.related("job_templates", WATCH, "notification_templates_error") == ["Quarantine: chat"]
    assert awx.holders("job_templates", WATCH, "execute") == []
    assert awx.holders("job_templates", WATCH, "read") == [AUDITORS]
    schedule = awx.one("schedules", WATCH)
    assert schedule["unified_job_template"] == template["id"]
    assert (schedule["rrule"], schedule["enabled"]) == (OPTIONS["retract_schedule"], True)


def test_settings_have_job_templates_and_a_workflow(set_up: SetUp) -> None:
    """Drift is shown by a check that may read; what writes is on schedule or approved, and takes turns with releases."""
    awx = set_up.awx
    templates = {name: awx.one("job_templates", name) for name in (DRIFT, SETTINGS, EXPIRED)}
    assert {name: (each["playbook"], each["job_type"], each["diff_mode"]) for name, each in templates.items()} == {
        DRIFT: ("playbooks/settings.yml", "check", True),
        SETTINGS: ("playbooks/settings.yml", "run", True),
        EXPIRED: ("playbooks/remove_expired_settings.yml", "run", True),
    }
    group = ["Quarantine: one release at a time"]
    assert {
        name: (awx.related("job_templates", name, "credentials"), awx.related("job_templates", name, "instance_groups"))
        for name in templates
    } == {
        DRIFT: (["Quarantine: may read"], []),
        SETTINGS: (["Quarantine: may release"], group),
        EXPIRED: (["Quarantine: may release"], group),
    }
    variables = {name: json.loads(each["extra_vars"] or "{}") for name, each in templates.items()}
    assert variables[DRIFT]["settings_fail_on_drift"] is True
    assert variables[SETTINGS]["settings_digest"] == {}
    assert variables[EXPIRED] == {}
    for name in (DRIFT, SETTINGS):
        assert variables[name]["settings_report_dir"] == "/var/lib/quarantine/settings-reports"
    workflow = awx.one("workflow_job_templates", SETTINGS_WORKFLOW)
    assert json.loads(workflow["extra_vars"]) == {"settings_fail_if_nothing": True, "settings_fail_on_drift": False}
    nodes = {
        node["identifier"]: node["id"]
        for node in awx.all("workflow_job_template_nodes")
        if node["workflow_job_template"] == workflow["id"]
    }
    assert sorted(nodes) == ["apply", "approve", "check"]
    links = {name: awx.store.listed("workflow_job_template_nodes", nodes[name], "success_nodes") for name in nodes}
    assert links == {"check": [nodes["approve"]], "approve": [nodes["apply"]], "apply": []}
    schedules = {each["unified_job_template"]: each["rrule"] for each in awx.all("schedules") if each["name"] != WATCH}
    assert schedules == {
        templates[DRIFT]["id"]: OPTIONS["settings_schedule"],
        templates[EXPIRED]["id"]: OPTIONS["settings_expired_schedule"],
    }
    # A job on a schedule is told of if it fails.
    for name, told in ((DRIFT, ["Quarantine: chat"]), (EXPIRED, ["Quarantine: chat"]), (SETTINGS, [])):
        assert awx.related("job_templates", name, "notification_templates_error") == told


def test_teams_do_their_part_for_settings(set_up: SetUp) -> None:
    """Operators look for drift and start the workflow, approvers approve; nobody applies by himself."""
    awx = set_up.awx
    assert awx.holders("workflow_job_templates", SETTINGS_WORKFLOW, "execute") == [OPERATORS]
    assert awx.holders("workflow_job_templates", SETTINGS_WORKFLOW, "approval") == [APPROVERS]
    assert awx.holders("workflow_job_templates", SETTINGS_WORKFLOW, "read") == [AUDITORS]
    assert awx.holders("job_templates", DRIFT, "execute") == [OPERATORS]
    for name in (SETTINGS, EXPIRED):
        assert awx.holders("job_templates", name, "execute") == []
    for name, readers in (
        (DRIFT, [AUDITORS, APPROVERS, OPERATORS]),
        (SETTINGS, [AUDITORS, APPROVERS, OPERATORS]),
        (EXPIRED, [AUDITORS]),
    ):
        assert sorted(awx.holders("job_templates", name, "read")) == readers


def test_settings_can_be_ended(set_up: SetUp) -> None:
    """Without a schedule, only the schedule goes; without the settings, all of it goes, and then a run writes nothing."""
    awx = set_up.awx
    schedule = next(each["id"] for each in awx.all("schedules") if each["name"] == DRIFT)
    changes = {"settings_schedule": "", "notifications": {**OPTIONS["notifications"], "error": []}}
    run = set_up.controller.set_up(**changes, accounts=EXAMPLE["awx_setup_accounts"])
    assert run.code == 0, run.output
    # With several accounts, there is a question, and a schedule need not answer it.
    for endpoint, name in (("job_templates", DRIFT), ("workflow_job_templates", SETTINGS_WORKFLOW)):
        (question,) = awx.survey(endpoint, name)
        assert (question["required"], question["choices"]) == (False, ["all", "harbour-logistics", "meadow-clinic"])
    assert ("DELETE", f"/api/v2/schedules/{schedule}/") in [(write.method, write.path) for write in awx.writes]
    assert {each["name"] for each in awx.all("schedules")} == {WATCH, EXPIRED}

    off = {"settings": "false", "settings_schedule": "", "settings_expired_schedule": ""}
    ended = set_up.controller.set_up(**off)
    assert ended.code == 0, ended.output
    assert not [name for names in awx.inventory().values() for name in names if "ettings" in name]
    again = set_up.controller.set_up(**off)
    assert (again.code, again.total("changed"), awx.writes) == (0, 0, []), again.output


def test_watch_can_be_changed_and_ended(set_up: SetUp) -> None:
    """Another schedule reaches the schedule alone; without one, template and schedule go."""
    awx = set_up.awx
    schedule = awx.one("schedules", WATCH)
    rule = "DTSTART;TZID=Europe/Berlin:20260101T060000 RRULE:INTERVAL=2;FREQ=HOURLY"
    run = set_up.controller.set_up(retract_schedule=f" {rule}\n")
    assert run.code == 0, run.output
    assert [(write.method, write.path) for write in awx.writes] == [("PATCH", f"/api/v2/schedules/{schedule['id']}/")]
    assert schedule["rrule"] == rule

    template = awx.one("job_templates", WATCH)["id"]
    foretold = set_up.controller.set_up("--check", retract_schedule="")
    assert (foretold.code, foretold.total("changed"), awx.writes) == (0, 1, []), foretold.output
    assert "Some of this would be created" not in foretold.text
    ended = set_up.controller.set_up(retract_schedule="")
    assert ended.code == 0, ended.output
    assert [(write.method, write.path) for write in awx.writes] == [("DELETE", f"/api/v2/job_templates/{template}/")]
    assert {each["name"] for each in awx.all("schedules")} == {DRIFT, EXPIRED}


def test_second_run_changes_nothing(set_up: SetUp) -> None:
    """Nor do the options, secrets of notifications included."""
    run = set_up.controller.set_up()
    assert run.code == 0, run.output
    assert run.total("changed") == 0
    assert set_up.awx.writes == []


def test_removal_wants_a_word(set_up: SetUp) -> None:
    """Without it nothing is removed, and the message says which."""
    for word in ("", "yes"):
        run = set_up.controller.remove(confirm_removal=word)
        assert run.code != 0
        assert "set awx_setup_confirm_removal=Quarantine" in run.text
    assert set_up.awx.requests == []


def test_check_mode_removes_nothing(set_up: SetUp) -> None:
    """It tells of what would go."""
    before = set_up.awx.inventory()
    run = set_up.controller.remove("--check", confirm_removal="Quarantine")
    assert run.code == 0, run.output
    assert run.total("changed") > 5
    assert set_up.awx.writes == []
    assert set_up.awx.inventory() == before


def test_removal_leaves_what_others_made(set_up: SetUp) -> None:
    """All that was made goes, and nothing else; a second removal changes nothing."""
    run = set_up.controller.remove(confirm_removal="Quarantine")
    assert run.code == 0, run.output
    assert set_up.awx.inventory() == {
        "organizations": ["Default"],
        "users": ["admin"],
        "teams": ["Others"],
        "instance_groups": ["default"],
        "projects": ["Others"],
    }
    again = set_up.controller.remove(confirm_removal="Quarantine")
    assert again.code == 0, again.output
    assert again.total("changed") == 0
    assert set_up.awx.writes == []


def test_removal_keeps_what_is_in_use(set_up: SetUp) -> None:
    """An organization with something else in it stays, and so does a type that another credential has."""
    organization = set_up.awx.one("organizations", "Mail")["id"]
    kind = set_up.awx.one("credential_types", "Cloudflare Email Security")["id"]
    set_up.awx.add("projects", name="Others too", organization=organization, scm_type="git")
    set_up.awx.add("credentials", name="Others", organization=organization, credential_type=kind)
    run = set_up.controller.remove(confirm_removal="Quarantine")
    assert run.code == 0, run.output
    assert "contains objects that this role did not create" in run.text
    assert "other credentials use it" in run.text
    left = set_up.awx.inventory()
    assert left["organizations"] == ["Default", "Mail"]
    assert left["credential_types"] == ["Cloudflare Email Security"]
    assert left["credentials"] == ["Others"]
    assert left["projects"] == ["Others", "Others too"]
