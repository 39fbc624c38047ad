# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files in docs/front-doors.md, and the template in docs/events.md, run as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from emulator import Emulator

from playbooks import CHECKOUT, Ansible, Run

GUIDE = "".join((CHECKOUT / "docs" / name).read_text(encoding="utf-8") for name in ("front-doors.md", "events.md"))
# The sender of two mails that the rules let through, and of one that they do not
PARTNER = "partner.example"


class Unsafe(yaml.SafeLoader):
    """Reads what Ansible marks as unsafe as the text that it is."""


Unsafe.add_constructor("!unsafe", lambda _loader, node: node.value)


def block(name: str) -> str:
    """The block of the guides that begins with the name of a file."""
    found: str
    (found,) = re.findall(rf"^```\w+\n# {re.escape(name)}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture
def etc(ansible: Ansible) -> Path:
    """What the guide has below /etc/emailsec and /var/lib/emailsec."""
    for name in ("front-door.yml", "nightly.yml"):
        (ansible.directory / name).write_text(block(name))
    (ansible.directory / "environment").write_text("export CRON=yes\n")
    return ansible.directory


def run(ansible: Ansible, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the guide with its directories here."""
    here = str(ansible.directory)
    text = re.sub("/etc/emailsec|/var/lib/emailsec", here, script)
    return ansible.program("bash", "-c", text, environment=environment)


def answers(**options: str) -> dict[str, str]:
    """What Rundeck gives a step: all options, also those that nobody filled in."""
    given = {"recipient": "", "sender": "", "subject": "", "hours": "168", "ticket": "INC-7", **options}
    return {"RD_JOB_USERNAME": "alice", **{f"RD_OPTION_{name.upper()}": value for name, value in given.items()}}


@pytest.mark.usefixtures("etc")
def test_rundeck(ansible: Ansible, emulator: Emulator) -> None:
    done = run(ansible, block("rundeck-step.sh"), **answers(sender=PARTNER))
    assert done.returncode == 0, done.stdout
    assert sorted(emulator.deliveries.values()) == [1, 1]
    report = ansible.report()
    assert (report["ticket"], report["plan"]["requested_by"]) == ("INC-7", "alice")

    for answer, words in (
        (answers(sender=PARTNER, ticket=""), "require_ticket"),
        (answers(), "The search needs at least one of: "),
    ):
        refused = run(ansible, block("rundeck-step.sh"), **answer)
        assert refused.returncode == 2
        assert words in refused.stdout
    assert sorted(emulator.deliveries.values()) == [1, 1]


def test_an_approval_in_rundeck(ansible: Ansible, emulator: Emulator) -> None:
    assert ansible.plan(search={"sender": PARTNER}).code == 0
    (ansible.directory / "apply.yml").write_text(block("apply.yml"))
    for digest, deliveries in (("", 0), ("{{ lookup('pipe', 'touch pwned') }}", 0), (ansible.plan_of()["digest"], 2)):
        done = run(ansible, "ansible-playbook emailsec.cloudflare.apply -e @apply.yml", **answers(digest=digest))
        assert (done.returncode, len(emulator.deliveries)) == (0 if deliveries else 2, deliveries), done.stdout
    assert not (ansible.directory / "pwned").exists()
    assert ansible.report()["approved_by"] == "alice"


@pytest.mark.usefixtures("etc")
def test_what_people_type_is_text(ansible: Ansible, emulator: Emulator) -> None:
    text = "'\"; touch pwned; $(touch pwned) \u00e4 {{ lookup('pipe', 'touch pwned') }}"
    message = emulator.add_message(subject=text, sender=f"a@{PARTNER}", validation={"spf": "pass"})
    done = run(ansible, block("rundeck-step.sh"), **answers(subject=text))
    assert not (ansible.directory / "pwned").exists()
    assert done.returncode == 0, done.stdout
    assert {delivered for delivered, _recipient in emulator.deliveries} == {message.id}


@pytest.mark.usefixtures("etc")
def test_cron(ansible: Ansible, emulator: Emulator) -> None:
    known = emulator.add_message(sender=f"a@{PARTNER}", validation={"spf": "pass"}, age=3600)
    young = emulator.add_message(sender=f"a@{PARTNER}", validation={"spf": "pass"}, age=60)
    for _ in range(2):
        done = run(ansible, block("emailsec-release"))
        assert done.returncode == 0, done.stdout
    delivered = {message for message, _recipient in emulator.deliveries}
    assert known.id in delivered
    assert young.id not in delivered
    assert set(emulator.deliveries.values()) == {1}
    assert {message.sender.rpartition("@")[2] for message in emulator.messages() if message.id in delivered} == {
        PARTNER
    }


def test_a_pipeline(ansible: Ansible, emulator: Emulator) -> None:
    (ansible.directory / "release.yml").write_text(json.dumps({"quarantine_release_search": {"sender": PARTNER}}))
    jobs = yaml.safe_load(block(".gitlab-ci.yml"))
    planned = run(ansible, "set -e\n" + "\n".join(jobs["plan"]["script"]))
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert not emulator.deliveries
    for path in jobs["plan"]["artifacts"]["paths"]:
        assert (ansible.directory / path).is_file()
    name, _, digest = (
        (ansible.directory / jobs["plan"]["artifacts"]["reports"]["dotenv"]).read_text().strip().partition("=")
    )

    nothing = run(ansible, "\n".join(jobs["apply"]["script"]), **{name: ""})
    assert (nothing.returncode != 0, nothing.stdout) == (True, ""), "not even begun"
    failing = jobs["plan"]["script"][1:]
    gone = run(ansible, "set -e\ncd collections\n" + "\n".join(failing))
    assert gone.returncode != 0
    assert not (ansible.directory / "collections" / "plan.env").exists()

    other = run(ansible, "\n".join(jobs["apply"]["script"]), **{name: "sha256:" + "0" * 64})
    assert other.returncode == 2
    assert not emulator.deliveries
    applied = run(ansible, "\n".join(jobs["apply"]["script"]), **{name: digest})
    assert applied.returncode == 0, applied.stdout
    assert sorted(emulator.deliveries.values()) == [1, 1]


def job_template(name: str) -> dict[str, Any]:
    """The job template in a block."""
    template: dict[str, Any] = yaml.load(block(name), Unsafe)
    return template


def taken(template: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """The answers that AWX takes: those that the survey of the template asks for."""
    asked = {question["variable"] for question in template["survey_spec"]["spec"]}
    return {variable: answer for variable, answer in answers.items() if variable in asked}


def launched(ansible: Ansible, template: dict[str, Any], *arguments: object, **answers: Any) -> Run:
    """Launch a job template with these answers."""
    playbook = f"emailsec.cloudflare.{Path(template['playbook']).stem}"
    variables = {**template["extra_vars"], **taken(template, answers)}
    return ansible.playbook(playbook, "-e", json.dumps(variables), *arguments)


def test_an_event_in_awx(ansible: Ansible, emulator: Emulator) -> None:
    safe = [emulator.add_message(sender=f"a@{PARTNER}", validation={"spf": "pass"}).id for _ in range(2)]
    other = emulator.add_message(sender="a@stranger.example", validation={"spf": "pass"}).id
    template = job_template("event-release.yml")
    done = launched(ansible, template, event_account=emulator.account_id, event_ids=",".join([*safe, other]))
    assert done.code == 0, done.output
    assert {message for message, _recipient in emulator.deliveries} == set(safe)


def test_thehive(ansible: Ansible, emulator: Emulator) -> None:
    template = job_template("thehive.yml")
    observables = {
        "mail": (f"board@{PARTNER}", "2 messages: "),
        "mail-subject": ("Minutes of the meeting", "2 messages: "),
        "domain": (PARTNER, "3 messages: "),
        "ip": ("192.0.2.1", "The search needs at least one of: "),
    }
    # In place of a job for each, one with the answers as variables of hosts
    hosts = {
        kind: {
            **taken(template, {"data": value, "dataType": kind, "tlp": 2, "_id": "~42"}),
            "quarantine_release_account_id": emulator.account_id,
        }
        for kind, (value, _words) in observables.items()
    }
    (ansible.directory / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    done = launched(ansible, template, "-i", "hosts.json")
    assert {host for host, row in done.recap.items() if row["failures"]} == {"ip"}, done.output
    for kind, (_value, words) in observables.items():
        assert words in json.dumps([line["result"] for line in done.results if line["host"] == kind]), kind
    assert not emulator.deliveries
