# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a search to the delivery: what was planned is what goes out, and nothing else ever does."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from emulator import Emulator

from playbooks import Ansible, statuses

SEARCH = {"sender": "partner.example", "since": "7d", "subject": "", "recipient": None}


def sealed(plan: dict[str, Any]) -> str:
    """A plan as text, with its digest as the documentation says how to take it."""
    content = {name: value for name, value in plan.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return json.dumps({**content, "digest": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"})


def test_the_whole_path(ansible: Ansible, emulator: Emulator) -> None:
    planned = ansible.plan(search=SEARCH, ticket="INC-7", reason="Asked for", requested_by="Alice")
    plan = ansible.plan_of()
    released = {entry["id"] for entry in plan["messages"] if entry["decision"] == "release"}
    (blocked,) = [entry for entry in plan["messages"] if entry["decision"] == "blocked"]
    assert (planned.code, planned.total("changed")) == (0, 0)
    assert "3 messages: 2 to release to 2 recipients, 1 blocked (require_authentication 1)." in planned.text
    assert plan["digest"] in planned.text
    assert planned.facts("quarantine_release_result") == {"localhost": "would_release"}
    assert planned.facts("quarantine_release_digest") == {"localhost": plan["digest"]}
    assert (plan["requested_by"], plan["ticket"], plan["reason"]) == ("Alice", "INC-7", "Asked for")
    assert json.loads(sealed(plan)) == plan
    assert (ansible.reports / "localhost.plan.json").stat().st_mode & 0o777 == 0o600
    assert statuses(ansible.report()["result"])[blocked["handle"]] == "blocked"
    assert {request.method for request in emulator.requests} == {"GET"}

    foretold = ansible.apply("--check", plan_digest=plan["digest"])
    assert (foretold.code, foretold.total("changed")) == (0, 1)
    assert not emulator.requests_to("release")

    applied = ansible.apply(plan_digest={"localhost": plan["digest"]}, verify="10")
    assert (applied.code, applied.total("changed")) == (0, 1)
    assert "3 messages: 2 released, 1 blocked, 2 recipients reached." in applied.text
    assert applied.facts("quarantine_release_result") == {"localhost": "partial"}
    assert {row["delivery"] for row in ansible.report()["result"]["messages"]} == {"delivered", None}
    assert {message for message, _ in emulator.deliveries} == released
    assert set(emulator.deliveries.values()) == {1}

    posts = len(emulator.requests_to("release"))
    again = ansible.apply(plan_digest=plan["digest"])
    assert (again.code, again.total("changed")) == (0, 0)
    assert "2 already_released, 1 blocked" in again.text
    assert len(emulator.requests_to("release")) == posts
    for run in (planned, foretold, applied, again):
        assert "@" not in run.output


def test_plans_that_must_not_be_applied(ansible: Ansible, emulator: Emulator) -> None:
    assert ansible.plan(search=SEARCH).code == 0
    plan = ansible.plan_of()
    digest = plan["digest"]
    blocked = next(entry for entry in plan["messages"] if entry["decision"] == "blocked")
    for entry in plan["messages"]:
        entry.update(decision="release", rules=[])
    everything = json.loads(sealed(plan))
    plans = {
        "tampered": (json.dumps({**everything, "digest": digest}), "", "it was changed after it was made"),
        "resealed": (sealed(plan), digest, "the plan is not the approved one"),
        "expired": (
            sealed({**plan, "expires_at": "2026-01-01T00:00:00Z"}),
            "",
            "the plan expired at 2026-01-01T00:00:00Z",
        ),
        "foreign": (sealed({**plan, "account_id": emulator.accounts[1].id}), "", "the plan is for account "),
        "garbled": ("{]", "", "is not a plan of this collection"),
        "missing": (None, "", "cannot be read"),
        "unapproved": (
            sealed(plan),
            {"another host": digest},
            "has no digest for unapproved, so no plan of it was approved",
        ),
    }
    hosts = {}
    for host, (text, pin, _) in plans.items():
        if text:
            (ansible.directory / f"{host}.json").write_text(text)
        hosts[host] = {"plan_file": f"{host}.json", **({"plan_digest": pin} if pin else {})}
    calls = len(emulator.requests)

    run = ansible.apply(*ansible.inventory(**hosts), require_digest=False)

    assert run.code == 2
    assert {host: row["failures"] for host, row in run.recap.items()} == dict.fromkeys(plans, 1)
    for host, (_, _, words) in plans.items():
        told = " ".join(str(line["result"].get("msg")) for line in run.results if line["host"] == host)
        assert words.lower() in told.lower(), host
    assert len(emulator.requests) == calls, "refused before any request"
    assert blocked["id"] not in {message for message, _ in emulator.deliveries}


def test_what_changed_for_the_worse_since_the_plan_is_blocked(ansible: Ansible, emulator: Emulator) -> None:
    worse, wider, forged, other, same = (
        emulator.add_message(sender="a@drift.example", validation={"spf": "pass"}) for _ in range(5)
    )
    ansible.plan(search={"sender": "drift.example"})
    worse.disposition = "MALICIOUS"
    wider.recipients = (*wider.recipients, "boss@harbour-logistics.example")
    forged.validation = {"spf": "pass", "dmarc": "fail"}
    other.envelope_sender = "b@drift.example"

    run = ansible.apply(plan_digest=ansible.plan_of()["digest"])

    rows = {row["handle"]: (row["status"], row["rule"]) for row in ansible.report()["result"]["messages"]}
    assert rows == {
        **dict.fromkeys((worse.id, wider.id, forged.id, other.id), ("blocked", "drift")),
        same.id: ("released", None),
    }
    assert run.facts("quarantine_release_result") == {"localhost": "partial"}
    assert {message for message, _ in emulator.deliveries} == {same.id}


def test_a_spoofed_sender_is_released_only_where_nobody_asks_for_it(ansible: Ansible, emulator: Emulator) -> None:
    sender = {"sender": "cfo@partner.example", "envelope_sender": "cfo@partner.example"}
    signed_by_another = {"spf": "fail", "dkim": "pass", "dmarc": "fail"}
    genuine = emulator.add_message(**sender, validation={"spf": "pass"}).id
    spoofed = emulator.add_message(**sender, validation=signed_by_another).id
    two = emulator.add_message(
        **{**sender, "sender": "x@evil.example, cfo@partner.example"}, validation={"dmarc": "pass"}
    ).id
    bounce = emulator.add_message(**{**sender, "envelope_sender": ""}, validation={"dmarc": "pass"}).id
    named = f"{genuine} {spoofed} {two} {bounce}"
    policies: dict[str, Any] = {
        "default": {"allowed_senders": "partner.example"},
        "survey": "allowed_senders: partner.example\nrequire_authentication: 'yes'",
        "weak": {"allowed_senders": ["partner.example"], "require_authentication": "any"},
        "none": {"allowed_senders": ["partner.example"], "require_authentication": "none"},
        "no": {"allowed_senders": ["partner.example"], "require_authentication": "no"},
        "wrong": {"require_authentication": "maybe"},
        "useless": {"denied_senders": "@evil.example"},
    }
    hosts = {host: {"messages": named, "policy": policy} for host, policy in policies.items()}

    planned = ansible.plan(*ansible.inventory(**hosts))

    released = {
        host: {entry["id"] for entry in ansible.plan_of(host)["messages"] if entry["decision"] == "release"}
        for host in policies
        if planned.recap[host]["failures"] == 0
    }
    assert released == {
        "default": {genuine},
        "survey": {genuine},
        "weak": {genuine},
        "none": {genuine, spoofed},
        "no": {genuine, spoofed},
    }
    assert "must be one of aligned, any, none" in planned.output
    assert "has the pattern '@evil.example', which can never match" in planned.output
    ansible.release(messages=named, policy=policies["default"])
    assert {message for message, _ in emulator.deliveries} == {genuine}


def test_a_policy_in_one_run(ansible: Ansible, emulator: Emulator) -> None:
    by_verdict = {
        message.disposition: message for message in emulator.quarantined() if message.validation.get("spf") == "pass"
    }
    spam, malicious = by_verdict["SPAM"], by_verdict["MALICIOUS-BEC"]
    named = f"{spam.id}, {malicious.id}; nix"
    everything = {"since": "8w", "limit": "500"}
    hosts: dict[str, dict[str, Any]] = {
        "allowed": {
            "messages": named,
            "policy": {"forbidden_dispositions": "MALICIOUS,\n MALICIOUS-BEC ; SPOOF", "max_age": ""},
        },
        "refused": {"search": everything, "policy": {"max_messages": "2"}},
        "unfounded": {"search": "sender: nobody.example\nsince: 7d\n", "policy": ""},
        "ticketless": {"messages": spam.id, "policy": {"require_ticket": "true"}, "ticket": ""},
        "forbidden": {"messages": malicious.id, "policy": {"max_messages": 5}, "search": {"sender": ""}},
    }

    empty = {
        f"empty_{number}": {"messages": spam.id, "policy": {"allowed_senders": value}}
        for number, value in enumerate(("", None, " ,\n"))
    }
    lists = (
        "forbidden_dispositions",
        "forbidden_threat_categories",
        "protected_recipients",
        "allowed_senders",
        "denied_senders",
    )
    empty["all"] = {"messages": spam.id, "policy": dict.fromkeys((*lists, "overrides", "min_age"), "")}
    unfilled = ansible.release(*ansible.inventory(**{f"host_{name}": case for name, case in empty.items()}))
    assert [row["failures"] for row in unfilled.recap.values()] == [1] * len(empty)
    assert unfilled.text.count("Empty in quarantine_release_policy: allowed_senders.") >= len(empty) - 1
    assert f"Empty in quarantine_release_policy: {', '.join(lists)}." in unfilled.text
    assert not emulator.requests

    foretold = ansible.release(*ansible.inventory(**hosts), "--check")
    assert not emulator.requests_to("release")
    assert not ansible.reports.exists()
    run = ansible.release(*ansible.inventory(**hosts))

    outcomes = {"refused": "blocked", "unfounded": "nothing_to_do", "ticketless": "blocked", "forbidden": "blocked"}
    assert foretold.facts("quarantine_release_result") == {"allowed": "would_release", **outcomes}
    assert run.facts("quarantine_release_result") == {"allowed": "partial", **outcomes}
    assert {host: row["failures"] for host, row in run.recap.items()} == {
        "allowed": 1, "refused": 1, "unfounded": 0, "ticketless": 1, "forbidden": 0,
    }  # fmt: skip
    assert {host: row["changed"] for host, row in run.recap.items()} == dict.fromkeys(hosts, 0) | {"allowed": 1}
    assert {host: row["changed"] for host, row in foretold.recap.items()} == dict.fromkeys(hosts, 0) | {"allowed": 1}
    assert "The whole plan is refused (max_messages:" in run.result("Show the outcome", "refused")["msg"]
    assert not (ansible.reports / "refused.plan.json").exists()
    assert {message for message, _ in emulator.deliveries} == {spam.id}


def test_the_next_node_of_a_workflow_takes_what_the_plan_published(ansible: Ansible, emulator: Emulator) -> None:
    hosts = {
        account.name.split()[0]: {"account_id": account.id, "search": {"sender": "supplier.example"}}
        for account in emulator.accounts
    }
    ansible.environment["ANSIBLE_SHOW_CUSTOM_STATS"] = "true"
    planned = ansible.plan(*ansible.inventory(**hosts))
    stats = json.loads(planned.output.split("CUSTOM STATS: ")[1].partition("RUN: ")[2])
    assert set(stats["quarantine_release_plan_digest"]) == set(hosts)
    assert {word["result"] for word in stats["quarantine_release_results"].values()} == {"would_release"}

    applied = ansible.playbook("emailsec.cloudflare.apply", *ansible.inventory(**hosts), "-e", json.dumps(stats))

    assert (applied.code, applied.total("changed")) == (0, 3)
    assert set(applied.facts("quarantine_release_result").values()) == {"ok"}
    assert set(emulator.deliveries.values()) == {1}
    assert len(emulator.deliveries) == 3


def test_an_unknown_id_fails_with_a_plan_as_without_one(ansible: Ansible, emulator: Emulator) -> None:
    good = emulator.add_message(sender="a@partner.example", validation={"dmarc": "pass"}).id
    gone = "4NoSuchMessage00-2026-01-05T10:00:00-12345678"
    planned = ansible.plan(messages=[good, gone])
    assert planned.code == 2
    assert "1 blocked (not_found 1)." in planned.text
    assert f"Needs attention: {gone} not_found." in planned.text
    assert statuses(ansible.report()["result"]) == {good: "would_release", gone: "not_found"}
    assert not emulator.requests_to("release")

    applied = ansible.apply(plan_digest=ansible.plan_of()["digest"])
    assert (applied.code, statuses(ansible.report()["result"])) == (2, {good: "released", gone: "not_found"})
    for canary in (0, 1):
        other = emulator.add_message(sender="a@partner.example", validation={"dmarc": "pass"}).id
        released = ansible.release(messages=[gone, other], policy={"max_messages": 5}, canary=canary)
        assert (released.code, statuses(ansible.report()["result"])) == (2, {other: "released", gone: "not_found"})
    assert ansible.release(messages=[gone], policy={"max_messages": 5}, fail_on=["failed"]).code == 0
    assert set(emulator.deliveries.values()) == {1}
