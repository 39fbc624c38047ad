# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Setting up AWX: what is made, that a second run changes nothing, and that a change changes no more than it says."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from controller import DATA, READ_TOKEN, WRITE_TOKEN, SetUp

from playbooks import CHECKOUT

FIND, PLAN, APPLY = "Quarantine: Find", "Quarantine: Plan", "Quarantine: Apply"
RELEASE, VERIFY, REPORT = "Quarantine: Release now", "Quarantine: Verify later", "Quarantine: Report"
TEMPLATES = (FIND, PLAN, APPLY, RELEASE, VERIFY, REPORT)
WORKFLOW = "Quarantine: Plan, approve, release"
READ, WRITE = "Quarantine: may read", "Quarantine: may release"
GROUP = "Quarantine: one release at a time"
MAIL = ["survey_recipient", "survey_sender", "survey_subject", "survey_hours"]


def asked(set_up: SetUp, endpoint: str, name: str) -> list[str]:
    """The variables that a survey asks for."""
    return [question["variable"] for question in set_up.awx.survey(endpoint, name)]


def test_makes_all_of_it(set_up: SetUp) -> None:
    """Everything is there after the first run."""
    assert set_up.first.code == 0, set_up.first.output
    assert set_up.awx.inventory() == {
        "organizations": ["Default"],
        "users": ["admin"],
        "instance_groups": [GROUP, "default"],
        "credential_types": ["Cloudflare Email Security"],
        "credentials": [READ, WRITE],
        "execution_environments": ["Quarantine: execution environment"],
        "projects": ["Quarantine: playbooks"],
        "inventories": ["Quarantine: accounts"],
        "hosts": ["harbour-logistics", "meadow-clinic"],
        "job_templates": sorted(TEMPLATES),
        "workflow_job_templates": [WORKFLOW],
        "workflow_job_template_nodes": ["apply", "approve", "plan", "report"],
        "workflow_approval_templates": ["Quarantine: Approve the release"],
    }


def test_project_is_this_release(set_up: SetUp) -> None:
    """The project is this repository at the tag of this version."""
    galaxy = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))
    project = set_up.awx.one("projects", "Quarantine: playbooks")
    assert project["scm_url"] == f"{galaxy['repository']}.git"
    assert project["scm_branch"] == galaxy["version"]


def test_credentials_go_into_the_environment(set_up: SetUp) -> None:
    """Inputs are injected as the environment variables of the modules, and as nothing else; secrets are secret."""
    kind = set_up.awx.one("credential_types", "Cloudflare Email Security")
    assert kind["injectors"] == {
        "env": {
            "CLOUDFLARE_API_TOKEN": "{{ api_token }}",
            "CLOUDFLARE_EMAIL": "{{ api_email }}",
            "CLOUDFLARE_API_KEY": "{{ api_key }}",
            "CLOUDFLARE_ACCOUNT_ID": "{{ account_id }}",
            "CLOUDFLARE_BASE_URL": "{{ api_url }}",
        }
    }
    secret = {field["id"] for field in kind["inputs"]["fields"] if field.get("secret")}
    assert secret == {"api_token", "api_key"}
    assert set_up.awx.one("credentials", READ)["inputs"] == {"api_token": READ_TOKEN}
    assert set_up.awx.one("credentials", WRITE)["inputs"] == {"api_token": WRITE_TOKEN}


@pytest.mark.parametrize(
    ("template", "credentials"),
    [(FIND, [READ]), (PLAN, [READ]), (VERIFY, [READ]), (APPLY, [WRITE]), (RELEASE, [WRITE]), (REPORT, [])],
)
def test_only_what_releases_may_release(set_up: SetUp, template: str, credentials: list[str]) -> None:
    """Each template has the credential that it needs, and no other."""
    assert set_up.awx.related("job_templates", template, "credentials") == credentials


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_is_asked_but_the_survey(set_up: SetUp, template: str) -> None:
    """At launch nobody hands in variables, credentials or limits."""
    item = set_up.awx.one("job_templates", template)
    asks = {name: value for name, value in item.items() if name.startswith("ask_")}
    assert len(asks) == 16
    assert not any(asks.values())
    assert item["survey_enabled"] == bool(set_up.awx.survey("job_templates", template))


def test_releases_take_turns(set_up: SetUp) -> None:
    """What releases runs in a group of its own, one job at a time; nothing else does."""
    group = set_up.awx.one("instance_groups", GROUP)
    assert group["max_concurrent_jobs"] == 1
    assert group["is_container_group"]
    for template in TEMPLATES:
        item = set_up.awx.one("job_templates", template)
        releases = template in (APPLY, RELEASE)
        assert set_up.awx.related("job_templates", template, "instance_groups") == ([GROUP] if releases else [])
        assert item["prevent_instance_group_fallback"] == releases
        assert item["allow_simultaneous"] != releases


def test_accounts_are_hosts(set_up: SetUp) -> None:
    """Each account is a host with its id and its own variables."""
    hosts = {host["name"]: json.loads(host["variables"]) for host in set_up.awx.all("hosts")}
    assert hosts == {
        "harbour-logistics": {"quarantine_release_account_id": "a" * 32},
        "meadow-clinic": {"quarantine_release_account_id": "b" * 32, "quarantine_release_verify": 30},
    }


def test_surveys_ask_what_an_operator_knows(set_up: SetUp) -> None:
    """Names, words and hours; no id, digest or file."""
    everything = ["survey_account", *MAIL, "survey_ticket", "survey_reason"]
    assert asked(set_up, "job_templates", FIND) == ["survey_account", *MAIL]
    assert asked(set_up, "job_templates", VERIFY) == ["survey_account", *MAIL]
    assert asked(set_up, "job_templates", PLAN) == everything
    assert asked(set_up, "job_templates", RELEASE) == everything
    assert asked(set_up, "job_templates", APPLY) == asked(set_up, "job_templates", REPORT) == []
    assert asked(set_up, "workflow_job_templates", WORKFLOW) == everything
    for question in set_up.awx.survey("workflow_job_templates", WORKFLOW):
        words = f"{question['question_name']} {question['question_description']} {question['variable']}"
        assert not re.search(r"(?i)\bids?\b|_id|digest|uuid|file|json", words)
    account, *_, hours, _, _ = set_up.awx.survey("workflow_job_templates", WORKFLOW)
    assert account["choices"] == ["all", "harbour-logistics", "meadow-clinic"]
    assert (hours["type"], hours["default"], hours["min"]) == ("integer", 24, 1)


def test_answers_become_variables_of_the_playbooks(set_up: SetUp) -> None:
    """AWX gets the Jinja that reads the answers, and not what Ansible makes of it."""
    variables = json.loads(set_up.awx.one("job_templates", PLAN)["extra_vars"])
    assert variables["quarantine_release_search"] == {
        "recipient": "{{ survey_recipient | default('') }}",
        "sender": "{{ survey_sender | default('') }}",
        "subject": "{{ survey_subject | default('') }}",
        "since": "{{ survey_hours | default(24, true) }}h",
    }
    assert variables["quarantine_release_hosts"] == "{{ survey_account | default('all', true) }}"
    assert variables["quarantine_release_handover"] == "artifact"
    assert variables["quarantine_release_journal_lasts"] is False
    assert json.loads(set_up.awx.one("workflow_job_templates", WORKFLOW)["extra_vars"]) == {
        "quarantine_release_fail_if_nothing": True
    }
    # Nobody is asked for these, so the variables of an account count.
    assert not {"quarantine_release_reclassify_as", "quarantine_release_allow_for"} & set(variables)


def test_workflow_asks_before_it_releases(set_up: SetUp) -> None:
    """Plan, approval, apply, report; what cannot be planned goes to the report."""
    links = {
        (node["identifier"], link): set_up.awx.related("workflow_job_template_nodes", node["identifier"], link)
        for node in set_up.awx.all("workflow_job_template_nodes")
        for link in ("success_nodes", "failure_nodes", "always_nodes")
    }
    assert {key: value for key, value in links.items() if value} == {
        ("plan", "success_nodes"): ["approve"],
        ("plan", "failure_nodes"): ["report"],
        ("approve", "success_nodes"): ["apply"],
        ("apply", "always_nodes"): ["report"],
    }
    approval = set_up.awx.one("workflow_approval_templates", "Quarantine: Approve the release")
    assert approval["timeout"] == 86400
    assert PLAN in approval["description"]


def test_secrets_stay_where_they_belong(set_up: SetUp) -> None:
    """With -vvvv, no secret is in the output; of all requests, only those that make a credential have one."""
    for secret in (READ_TOKEN, WRITE_TOKEN, set_up.awx.token):
        assert secret not in set_up.first.output
        assert secret not in json.dumps(set_up.first.results)
    told = [
        item["endpoint"]
        for items in set_up.awx.store.items.values()
        for item in items.values()
        if READ_TOKEN in json.dumps(item) or WRITE_TOKEN in json.dumps(item)
    ]
    assert told == ["credentials", "credentials"]
    assert "PLAY RECAP" in set_up.first.output


def test_second_run_changes_nothing(set_up: SetUp) -> None:
    """It reports no change, and does not even ask for one, though AWX shows no secret that could be compared."""
    run = set_up.controller.set_up(read_inputs={"api_token": "another-token"})
    assert run.code == 0, run.output
    assert run.total("changed") == 0
    assert set_up.awx.writes == []
    assert len(set_up.awx.requests) > 50


def test_change_of_a_datum_changes_that(set_up: SetUp) -> None:
    """Another rule reaches the two templates that plan, and nothing else."""
    plan, release = (set_up.awx.one("job_templates", name) for name in (PLAN, RELEASE))
    run = set_up.controller.set_up(policy={"max_messages": 7})
    assert run.code == 0, run.output
    assert {(request.method, request.path) for request in set_up.awx.writes} == {
        ("PATCH", f"/api/v2/job_templates/{item['id']}/") for item in (plan, release)
    }
    assert json.loads(plan["extra_vars"])["quarantine_release_policy"] == {"max_messages": 7}


def test_check_mode_writes_nothing(set_up: SetUp) -> None:
    """It tells of the change, also of a survey, and leaves it."""
    run = set_up.controller.set_up("--check", approval_timeout=60, policy={"require_ticket": True})
    assert run.code == 0, run.output
    assert run.total("changed") == 3  # the job templates, the workflow, its nodes
    assert set_up.awx.writes == []


def test_account_comes_and_goes(set_up: SetUp) -> None:
    """A new account gets a host and a choice; a former one loses both."""
    accounts = [DATA["accounts"][0], {"name": "cedar-law", "account_id": "c" * 32}]
    run = set_up.controller.set_up(accounts=accounts, former_accounts=["meadow-clinic"])
    assert run.code == 0, run.output
    assert set_up.awx.inventory()["hosts"] == ["cedar-law", "harbour-logistics"]
    assert set_up.awx.survey("job_templates", FIND)[0]["choices"] == ["all", "harbour-logistics", "cedar-law"]


def test_secrets_are_written_when_asked_for(set_up: SetUp) -> None:
    """A new token gets to AWX with awx_setup_update_secrets."""
    run = set_up.controller.set_up(update_secrets=True, read_inputs={"api_token": "another-token"})
    assert run.code == 0, run.output
    assert set_up.awx.one("credentials", READ)["inputs"] == {"api_token": "another-token"}
    assert set_up.awx.one("credentials", WRITE)["inputs"] == {"api_token": WRITE_TOKEN}
