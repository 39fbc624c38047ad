# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows a release: done once, approved with the plan, and never in the way of what was released."""

from __future__ import annotations

import csv
import datetime
import json
import os
import signal
import time
from typing import Any

import pytest
from emulator import Emulator

from playbooks import Ansible, Run, module_process, prefixed

SENDER = "billing@supplier.example"
RECLASSIFY = {"reclassify_as": "none", "settle_time": 3}


def writes(emulator: Emulator) -> list[str | None]:
    """The routes of the requests that could have changed something, but those that only tried a format."""
    return [request.route for request in emulator.requests if request.method != "GET" and request.status != 400]


def held(emulator: Emulator, **traits: Any) -> str:
    """The id of a new message in quarantine, from a sender that is proven."""
    proven = {"spf": "pass", "dkim": "pass", "dmarc": "pass"}
    return emulator.add_message(**{"sender": SENDER, "disposition": "SPAM", "validation": proven, **traits}).id


def outcome(run: Run) -> tuple[int, Any, Any]:
    """The exit code, the outcome in one word, and the fact about the follow-up."""
    return (
        run.code,
        run.facts("quarantine_release_result")["localhost"],
        run.facts("quarantine_release_follow_up")["localhost"],
    )


def row(ansible: Ansible) -> dict[str, str]:
    """The first message of the newest CSV report."""
    with sorted(ansible.reports.glob("localhost-*.csv"))[-1].open(encoding="utf-8-sig", newline="") as file:
        return next(csv.DictReader(file))


def test_what_was_released_is_reclassified_once(ansible: Ansible, emulator: Emulator) -> None:
    mine = {"messages": [held(emulator)], "ticket": "INC-7", **RECLASSIFY}
    foretold = ansible.release("--check", **mine)
    assert outcome(foretold) == (0, "would_release", {"reclassify": {"failed": False, "would_submit": 1, "total": 1}})
    assert writes(emulator) == []

    first = ansible.release(**mine)
    assert outcome(first) == (0, "ok", {"reclassify": {"failed": False, "submitted": 1, "total": 1}})
    assert "Reclassify: 1 submitted." in first.text
    assert writes(emulator) == ["release", "submit"]
    assert ansible.report()["follow_up"]["reclassify"]["messages"][0]["status"] == "submitted"
    assert row(ansible)["reclassified"] == "submitted"
    assert "Accepted by Cloudflare as none." in ansible.ticket()
    assert "Reclassified" in sorted(ansible.reports.glob("localhost-*.html"))[-1].read_text(encoding="utf-8")

    emulator.requests.clear()
    again = ansible.release(**mine)
    assert outcome(again) == (0, "nothing_to_do", {"reclassify": {"failed": False, "already_submitted": 1, "total": 1}})
    assert (again.total("changed"), writes(emulator)) == (0, [])
    assert "@" not in foretold.output + first.output + again.output


def test_a_follow_up_that_fails_hides_no_release_and_is_completed_by_the_next_run(
    ansible: Ansible, emulator: Emulator
) -> None:
    mine = {"messages": [held(emulator)], **RECLASSIFY}
    emulator.faults.add("status", route="submit", status=403, body="json")
    failed = ansible.release(**mine)
    assert outcome(failed)[:2] == (2, "partial")
    assert failed.facts("quarantine_release_summary")["localhost"]["released"] == 1
    assert "Needs attention: Reclassify:" in failed.text
    assert "1 released" in failed.text
    assert "The messages are released all the same." in ansible.ticket()
    emulator.requests.clear()

    completed = ansible.release(**mine)
    assert outcome(completed)[:2] == (0, "ok")
    assert "1 already_released" in completed.text
    assert writes(emulator) == ["submit"]
    assert set(emulator.deliveries.values()) == {1}


@pytest.mark.parametrize("everything", [True, False])
def test_a_run_that_is_killed_between_the_stages_is_completed(
    ansible: Ansible, emulator: Emulator, everything: bool
) -> None:
    mine = prefixed({"messages": [held(emulator)], **RECLASSIFY})
    arguments = ("emailsec.cloudflare.release", "-e", json.dumps(mine))
    emulator.faults.add("hang", route="submissions", times=None)
    process = ansible.start(*arguments)
    deadline = time.monotonic() + 60
    while not emulator.requests_to("submissions") and time.monotonic() < deadline:
        time.sleep(0.05)
    module = module_process(str(ansible.directory), "message_reclassify")
    if everything:
        process.kill()
    os.kill(module, signal.SIGKILL)
    killed = ansible.finish(process)
    if not everything:
        assert outcome(killed)[:2] == (2, "partial")
        assert "1 released" in killed.text
    emulator.faults.clear()
    emulator.requests.clear()

    completed = ansible.playbook(*arguments)
    assert outcome(completed)[:2] == (0, "ok")
    assert writes(emulator) == ["submit"]
    assert set(emulator.deliveries.values()) == {1}


def test_the_approval_covers_the_follow_up(ansible: Ansible, emulator: Emulator) -> None:
    held(emulator, subject="mine")
    planned = ansible.plan(search={"sender": SENDER, "subject": "mine"}, **RECLASSIFY)
    plan = ansible.plan_of()
    assert plan["follow_up"] == {"reclassify_as": "none", "allow_for": None, "allow_domains": False}
    words = "After the release: Cloudflare is told that the verdict on each released message should be none."
    assert words in planned.text
    assert words in ansible.ticket()
    assert (outcome(planned), writes(emulator)) == ((0, "would_release", {}), [])

    tampered = {**plan, "follow_up": {**plan["follow_up"], "allow_for": "365d"}}
    path = ansible.directory / "tampered.plan.json"
    path.write_text(json.dumps(tampered))
    path.chmod(0o600)
    refused = ansible.apply(plan_digest=plan["digest"], plan_file=str(path))
    assert (refused.code, writes(emulator)) == (2, [])
    assert "it was changed after it was made" in refused.text

    for other in ({"reclassify_as": "spam"}, {"allow_for": "14d"}):
        for arguments in ((), ("--check",)):
            unapproved = ansible.apply(*arguments, plan_digest=plan["digest"], **other)
            assert (unapproved.code, writes(emulator)) == (2, [])
            assert "The plan was approved with something else after the release" in unapproved.text

    applied = ansible.apply(plan_digest=plan["digest"], settle_time=3)
    assert outcome(applied) == (0, "ok", {"reclassify": {"failed": False, "submitted": 1, "total": 1}})
    emulator.requests.clear()
    again = ansible.apply(plan_digest=plan["digest"], settle_time=3)
    assert (outcome(again)[:2], writes(emulator)) == ((0, "nothing_to_do"), [])


def test_tags_end_before_the_follow_up(ansible: Ansible, emulator: Emulator) -> None:
    mine = {"messages": [held(emulator)], **RECLASSIFY}
    released = ansible.release("--tags", "release", **mine)
    assert released.code == 0
    assert "The tags end the run here, so these stages were left out: reclassify." in released.text
    assert writes(emulator) == ["release"]
    reclassified = ansible.release("--tags", "reclassify", **mine)
    assert reclassified.code == 0
    assert writes(emulator) == ["release", "submit"]
    skipped = ansible.release("--skip-tags", "reclassify", **mine)
    assert skipped.code != 0
    assert "would leave out a stage that others need" in skipped.text


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "number": (
        {"allow_for": 14},
        "quarantine_release_allow_for has no unit: 14. Write 14d for days. Nothing was sent.",
    ),
    "text": (
        {"allow_for": "14"},
        "quarantine_release_allow_for has no unit: 14. Write 14d for days. Nothing was sent.",
    ),
    "unit": ({"allow_for": "2y"}, "quarantine_release_allow_for must be a number with m, h, d or w"),
    "long": ({"allow_for": "366d"}, "quarantine_release_allow_for must be at most 365d"),
    "verdict": ({"reclassify_as": "good"}, "quarantine_release_reclassify_as must be one of none, bulk,"),
    "no_truth": ({"allow_domains": "perhaps"}, "quarantine_release_allow_domains must be true or false"),
}


def test_bad_values_end_the_run_before_any_request(ansible: Ansible, emulator: Emulator) -> None:
    inventory = ansible.inventory(**{host: wrong for host, (wrong, _words) in BAD.items()})
    run = ansible.release(*inventory, messages=[held(emulator)])
    assert {host: row["failures"] for host, row in run.recap.items()} == dict.fromkeys(BAD, 1), run.output
    assert emulator.requests == []
    for host, (_wrong, words) in BAD.items():
        assert words in run.messages(host)[-1], host


def test_a_plain_release_has_few_tasks(ansible: Ansible, emulator: Emulator) -> None:
    run = ansible.release(messages=[held(emulator)])
    assert run.code == 0
    assert sum(run.recap["localhost"][counter] for counter in ("ok", "skipped")) <= 16


LAST_DAY = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=14)


def policies(emulator: Emulator) -> list[tuple[Any, ...]]:
    """The allow policies: type, pattern, the flags that are set, and the comments."""
    flags = ("is_regex", "is_acceptable_sender", "is_trusted_sender", "is_exempt_recipient", "verify_sender")
    return [
        (entry["pattern_type"], entry["pattern"], {flag for flag in flags if entry.get(flag)}, entry["comments"])
        for entry in emulator.entries("allow_policies")
    ]


def test_proven_senders_are_allowed_for_a_while(ansible: Ansible, emulator: Emulator) -> None:
    forged = held(emulator, sender="ceo@partner.example", validation={"spf": "pass", "dkim": "none", "dmarc": "fail"})
    mine = {"messages": [held(emulator), held(emulator), forged], "ticket": "INC-7", "allow_for": "14d", **RECLASSIFY}
    foretold = ansible.release("--check", **mine)
    assert foretold.facts("quarantine_release_follow_up")["localhost"]["allow"] == {
        "failed": False, "would_allow": 2, "not_allowed": 1, "total": 3,
    }  # fmt: skip
    assert (policies(emulator), writes(emulator)) == ([], [])

    first = ansible.release(**mine)
    assert outcome(first)[:2] == (0, "ok")
    assert "Allow senders: 2 allowed, 1 not_allowed." in first.text
    comments = f"INC-7: released from quarantine [expires {LAST_DAY}]"
    assert policies(emulator) == [("EMAIL", SENDER, {"is_acceptable_sender", "verify_sender"}, comments)]
    assert writes(emulator) == ["release", "submit", "batch_allow_policies"]
    assert row(ansible)["sender_allowed"] == f"allowed, {SENDER}, until {LAST_DAY}"
    assert "do not prove the sender" in ansible.ticket()
    assert "@" not in foretold.output + first.output
    assert held(emulator) not in {message.id for message in emulator.quarantined()}

    emulator.requests.clear()
    again = ansible.release(**mine)
    assert outcome(again)[:2] == (0, "nothing_to_do")
    assert (again.total("changed"), writes(emulator)) == (0, [])


def test_policies_that_fail_are_made_by_the_next_run(ansible: Ansible, emulator: Emulator) -> None:
    mine = {"messages": [held(emulator)], "allow_for": "14d", **RECLASSIFY}
    emulator.faults.add("status", route="batch_allow_policies", status=403, body="json")
    failed = ansible.release(**mine)
    assert outcome(failed)[:2] == (2, "partial")
    assert failed.facts("quarantine_release_follow_up")["localhost"]["reclassify"]["failed"] is False
    assert "Needs attention: Allow senders: 1 failed." in failed.text
    assert "1 released" in failed.text
    emulator.requests.clear()
    emulator.faults.add("status", route="list_allow_policies", status=403, body="json")
    unread = ansible.release(**mine)
    assert (outcome(unread)[:2], writes(emulator)) == ((2, "partial"), [])
    completed = ansible.release(**mine)
    assert (outcome(completed)[:2], writes(emulator)) == ((0, "ok"), ["batch_allow_policies"])
    assert len(policies(emulator)) == 1


def test_a_plan_carries_policies_and_domains_only_if_asked(ansible: Ansible, emulator: Emulator) -> None:
    held(emulator, subject="mine")
    planned = ansible.plan(
        search={"sender": SENDER, "subject": "mine"}, allow_for="14d", allow_domains=True, ticket="INC-7"
    )
    assert planned.code == 0, planned.output
    plan = ansible.plan_of()
    assert "every address in the domain of each authenticated sender" in ansible.ticket()
    applied = ansible.apply(plan_digest=plan["digest"])
    assert outcome(applied)[:2] == (0, "ok")
    assert [entry[:2] for entry in policies(emulator)] == [("DOMAIN", "supplier.example")]


def test_what_others_declared_stays_as_it_is(ansible: Ansible, emulator: Emulator) -> None:
    emulator.add_entries(
        "allow_policies",
        {
            "pattern_type": "EMAIL",
            "pattern": SENDER,
            "is_acceptable_sender": True,
            "verify_sender": True,
            "comments": "Ours",
        },
    )
    before = policies(emulator)
    run = ansible.release(messages=[held(emulator, state="quarantined")], allow_for="14d")
    assert outcome(run)[:2] == (0, "ok")
    assert "Allow senders: 1 already_allowed." in run.text
    assert (policies(emulator), "batch_allow_policies" in writes(emulator)) == (before, False)
