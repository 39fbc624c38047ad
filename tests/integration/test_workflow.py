# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks as nodes of a workflow: what one publishes is what the next one gets, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from emulator import Emulator
from msgspec.structs import replace

from playbooks import Ansible, Run

SEARCH = {"sender": "partner.example", "since": "7d"}


@pytest.fixture
def next_job(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator) -> Ansible:
    """An ansible-playbook in another directory, as the next job of AWX has one.

    Its path is short, as Ansible from 2.21 on has a socket below it.
    """
    return Ansible(tmp_path_factory.mktemp("next"), emulator.environment())


def report(ansible: Ansible, artifacts: dict[str, Any]) -> Run:
    """Run the last node with what the nodes before have published."""
    return ansible.playbook("emailsec.cloudflare.workflow_report", "-e", json.dumps(artifacts))


def test_a_small_plan_travels_as_an_artifact(ansible: Ansible, next_job: Ansible, emulator: Emulator) -> None:
    planned = ansible.plan(search=SEARCH, handover="artifact", fail_if_nothing="true")
    assert planned.code == 0
    assert "goes to the next node as an artifact" in planned.text
    assert "quarantine_release_plan_file" not in planned.artifacts
    assert "@" not in planned.output

    foretold = next_job.playbook("emailsec.cloudflare.apply", "--check", "-e", json.dumps(planned.artifacts))
    assert (foretold.code, foretold.total("changed"), len(emulator.deliveries)) == (0, 1, 0)

    applied = next_job.playbook("emailsec.cloudflare.apply", "-e", json.dumps(planned.artifacts))
    assert (applied.code, applied.total("changed")) == (0, 1)
    assert "3 messages: 2 released, 1 blocked, 2 recipients reached." in applied.text
    assert sorted(emulator.deliveries.values()) == [1, 1]
    assert next_job.plan_of("localhost.received") == ansible.plan_of()
    assert (next_job.reports / "localhost.received.plan.json").stat().st_mode & 0o777 == 0o600

    ended = report(next_job, planned.artifacts | applied.artifacts)
    assert (ended.code, ended.artifacts["quarantine_release_outcome"]) == (0, "partial")
    assert "localhost: partial, blocked 1, recipients_delivered 2, released 2, total 3" in ended.text


def test_an_artifact_is_taken_only_as_it_was_approved(ansible: Ansible, next_job: Ansible, emulator: Emulator) -> None:
    artifacts = ansible.plan(search=SEARCH, handover="auto").artifacts
    other = ansible.plan(search={"sender": "supplier.example", "since": "8w"}, handover="auto").artifacts
    packed = artifacts["quarantine_release_plan_packed"]["localhost"]
    calls = len(emulator.requests)
    for text, words in (
        (packed[:-7], "was cut on its way"),
        (other["quarantine_release_plan_packed"], "not the approved one"),
    ):
        run = next_job.playbook(
            "emailsec.cloudflare.apply", "-e", json.dumps(artifacts | {"quarantine_release_plan_packed": text})
        )
        assert run.code == 2
        assert words in run.text
    assert len(emulator.requests) == calls, "refused before any request"


def test_a_long_plan_is_refused_or_goes_by_its_file(ansible: Ansible, next_job: Ansible, emulator: Emulator) -> None:
    refused = ansible.plan(search=SEARCH, handover="artifact", handover_limit=1000)
    assert refused.code == 2
    assert "quarantine_release_handover_limit allows 1000 in artifacts. Nothing was handed over." in refused.text
    assert "quarantine_release_plan_digest" not in refused.artifacts

    planned = ansible.plan(search=SEARCH, handover="auto", handover_limit=1000)
    assert planned.code == 0
    assert f"so it must see {ansible.reports}" in planned.text
    assert "quarantine_release_plan_packed" not in planned.artifacts
    applied = next_job.playbook("emailsec.cloudflare.apply", "-e", json.dumps(planned.artifacts))
    assert applied.code == 0
    assert sorted(emulator.deliveries.values()) == [1, 1]


def test_an_account_that_fails_does_not_keep_the_others_from_their_approval(
    ansible: Ansible, next_job: Ansible, emulator: Emulator
) -> None:
    hosts = {
        "good": {"account_id": emulator.accounts[0].id, "search": SEARCH},
        "idle": {"account_id": emulator.accounts[1].id, "search": {"sender": "nobody.example", "since": "7d"}},
        "bad": {"account_id": "f" * 32, "search": SEARCH},
    }
    planned = ansible.plan(*ansible.inventory(**hosts), handover="artifact", fail_if_nothing=True)
    assert planned.code == 0
    words = {host: result["result"] for host, result in planned.artifacts["quarantine_release_plan_results"].items()}
    assert words == {"good": "would_release", "idle": "nothing_to_do", "bad": "failed"}

    inventory = next_job.inventory(**hosts)
    approved = planned.artifacts["quarantine_release_plan_digest"]
    applied = next_job.playbook(
        "emailsec.cloudflare.apply", *inventory, "-e", json.dumps(planned.artifacts), "-l", ",".join(approved)
    )
    assert (applied.code, set(approved)) == (0, {"good", "idle"})
    assert sorted(emulator.deliveries.values()) == [1, 1]

    ended = report(next_job, planned.artifacts | applied.artifacts)
    assert (ended.code, ended.artifacts["quarantine_release_outcome"]) == (2, "failed")
    assert "bad: failed" in ended.text


def test_nobody_is_asked_to_approve_nothing(ansible: Ansible) -> None:
    nothing = ansible.plan(search={"sender": "nobody.example", "since": "7d"}, fail_if_nothing="yes")
    assert nothing.code == 2
    assert "There is nothing to approve, so the job fails" in nothing.text
    ended = report(ansible, nothing.artifacts)
    assert (ended.code, ended.artifacts["quarantine_release_outcome"]) == (0, "nothing_to_do")

    refused = ansible.plan(search=SEARCH, policy={"denied_senders": "partner.example"}, fail_if_nothing="yes")
    assert refused.code == 2
    ended = report(ansible, refused.artifacts)
    assert (ended.code, ended.artifacts["quarantine_release_outcome"]) == (2, "blocked")


def test_a_workflow_that_ended_early_is_no_success(ansible: Ansible, emulator: Emulator) -> None:
    planned = ansible.plan(search=SEARCH)
    ended = report(ansible, planned.artifacts)
    assert (ended.code, ended.artifacts["quarantine_release_outcome"]) == (2, "unknown")
    assert "Do not start the workflow again yet" in ended.text

    refused = ansible.plan(search=SEARCH, handover="artifact", handover_limit=100)
    ended = report(ansible, refused.artifacts)
    assert (ended.code, ended.artifacts["quarantine_release_outcome"]) == (2, "failed"), "nothing was handed over"

    nothing = report(ansible, {})
    assert nothing.code == 2
    assert "left no results, so they failed before they began" in nothing.text
    assert not emulator.deliveries


def test_what_became_of_it_later(ansible: Ansible, emulator: Emulator) -> None:
    assert ansible.release(search=SEARCH).code == 0
    search = ("-e", "search_sender=partner.example", "-e", "search_since=", "-e", "search_limit=")
    calls = len(emulator.requests)
    fine = ansible.playbook("emailsec.cloudflare.verify", *search)
    assert fine.code == 0
    assert "Found: 2, delivered 2" in fine.text, "the third one was never released"

    released = next(iter(emulator.deliveries))[0]
    message = next(message for message in emulator.messages() if message.id == released)
    message.change(replace(message.state, delivery_status=("bounced",)), 0)
    bad = ansible.playbook("emailsec.cloudflare.verify", *search)
    assert bad.code == 2
    assert "Found: 2, bounced 1, delivered 1" in bad.text
    assert released in bad.text
    assert {request.method for request in emulator.requests[calls:]} == {"GET"}
