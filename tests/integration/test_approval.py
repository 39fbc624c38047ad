# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Only a digest approves, only the plan that it names goes out, and reports and journal tell who did what."""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emulator import Emulator

from playbooks import Ansible, prefixed

SEARCH = {"sender": "partner.example", "since": "7d"}
NO_DIGESTS: dict[str, Any] = {
    "empty": "", "blank": " \t", "null": None, "false": False, "list": [], "other": "sha256:", "short": "ab" * 31, "algorithm": f"md5:{'a' * 64}",
    "other_host": {"nobody": f"sha256:{'a' * 64}"}, "host_null": {"host_null": None}, "host_empty": {"host_empty": " "}, "nothing": {},
    "template": "{{ lookup('ansible.builtin.env', 'THERE_IS_NO_SUCH_VARIABLE') }}", "none": "{{ none }}",
}  # fmt: skip
HOSTS_WITHOUT = {"other_host", "host_null", "nothing"}


def test_what_is_no_digest_approves_nothing(ansible: Ansible, emulator: Emulator) -> None:
    assert ansible.plan(search=SEARCH).code == 0
    plan_file = str(ansible.reports / "localhost.plan.json")
    hosts = {host: {"plan_digest": value, "plan_file": plan_file} for host, value in NO_DIGESTS.items()}
    calls = len(emulator.requests)

    for required in (False, True):
        hosts |= {"left_out": {"plan_file": plan_file}} if required else {}
        run = ansible.apply(*ansible.inventory(**hosts), require_digest=required)

        assert len(emulator.requests) == calls, "refused before any request"
        assert {host: row["failures"] for host, row in run.recap.items()} == dict.fromkeys(hosts, 1)
        for host in hosts:
            words = (
                "The mode apply needs quarantine_release_plan_digest"
                if host == "left_out"
                else "quarantine_release_plan_digest has no digest for"
            )
            words = (
                words
                if host in HOSTS_WITHOUT | {"left_out"}
                else "quarantine_release_plan_digest must be sha256: and 64"
            )
            assert words in run.result("Show the outcome", host)["msg"], host


def test_a_digest_is_required_unless_that_is_said(ansible: Ansible, emulator: Emulator) -> None:
    assert ansible.plan(search=SEARCH).code == 0
    assert (ansible.apply(require_digest=None).code, len(emulator.deliveries)) == (2, 0)
    assert (ansible.apply(require_digest="no").code, len(emulator.deliveries)) == (0, 2)


def test_a_release_refuses_a_digest_that_it_would_not_look_at(ansible: Ansible, emulator: Emulator) -> None:
    run = ansible.release(search=SEARCH, plan_digest=f"sha256:{'0' * 64}")
    assert run.code == 2
    assert "quarantine_release_plan_digest is for the mode apply." in run.text
    assert not emulator.requests


@contextlib.contextmanager
def replacing(emulator: Emulator, other: str, target: Path) -> Iterator[None]:
    """Replace a file as soon as the run has looked at the plan, and so asks Cloudflare for the first time."""
    calls = len(emulator.requests)

    def replace() -> None:
        while len(emulator.requests) == calls:
            time.sleep(0.01)
        target.write_text(other)

    thread = threading.Thread(target=replace, daemon=True)
    thread.start()
    yield
    thread.join(10)


def test_the_file_is_replaced_during_the_run(ansible: Ansible, emulator: Emulator) -> None:
    assert ansible.plan(search={"sender": "supplier.example", "since": "8w"}).code == 0
    forged = ansible.plan_of()
    assert ansible.plan(search=SEARCH).code == 0
    approved = ansible.plan_of()
    for path in ansible.reports.glob("localhost.*.plan.json"):
        if path.name != "localhost.plan.json":
            path.unlink()  # nothing but the file itself
    plan = ansible.reports / "localhost.plan.json"
    genuine = plan.read_bytes()
    others = {
        json.dumps(forged): "The plan is not the approved one",
        "{]": "is not a plan of this collection",
    }
    approvals: list[dict[str, Any]] = [{"plan_digest": approved["digest"]}, {"require_digest": False}]

    for (other, words), approval in itertools.product(others.items(), approvals):
        plan.write_bytes(genuine)
        with replacing(emulator, other, plan):
            run = ansible.apply(**approval, chunk_size=1)

        assert run.code == 2
        assert not emulator.deliveries
        assert words in run.text
        report = ansible.report()
        assert report["plan"] == approved, "what was looked at, and not what is in the file"
        assert report["plan_digest"] == approved["digest"]
        assert "plan" not in report["result"]
        assert "partner.example" in ansible.ticket()
        assert "supplier.example" not in ansible.ticket()


def test_who_asked_approved_and_released(ansible: Ansible, emulator: Emulator) -> None:
    assert ansible.plan(search=SEARCH, ticket="INC-7", reason="Asked for", requested_by="Alice").code == 0
    digest = ansible.plan_of()["digest"]

    run = ansible.apply("-e", "awx_user_name=oscar", plan_digest=digest, approved_by="Berta", chunk_size=1)

    assert (run.code, len(emulator.deliveries)) == (0, 2)
    trail = {
        "ticket": "INC-7",
        "started_by": "oscar",
        "requested_by": "Alice",
        "approved_by": "Berta",
        "plan_digest": digest,
    }
    lines = [json.loads(line) for line in (ansible.reports / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["event"] for line in lines} >= {"intent", "outcome"}
    for told in (*lines, ansible.report()):
        assert {name: told[name] for name in trail} == trail
        assert told["reason"] == "Asked for"
    assert all(line["run"] and line["time"] and line["account_id"] == emulator.account_id for line in lines)
    for line in ("Ticket: INC-7", "Requested by: Alice", "Approved by: Berta", "Started by: oscar", f"Plan: {digest}"):
        assert line in ansible.ticket()
    page, table = (
        sorted(ansible.reports.glob(f"localhost-*.{form}"))[-1].read_text(encoding="utf-8-sig")
        for form in ("html", "csv")
    )
    for name, value in (
        ("Ticket", "INC-7"),
        ("Requested by", "Alice"),
        ("Approved by", "Berta"),
        ("Started by", "oscar"),
        ("Plan", digest),
    ):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in page
    for row in csv.DictReader(table.splitlines()):
        assert {name: row[name] for name in trail} == trail


def test_whoever_says_yes_on_the_terminal_approved_it(ansible: Ansible, emulator: Emulator) -> None:
    message = emulator.add_message(sender="a@partner.example", validation={"spf": "pass"})
    asked = json.dumps(prefixed({"messages": message.id, "approve": "true", "approved_by": "Berta"}))
    for answer, approved_by in (("no", ""), ("yes", "oscar")):
        ansible.answer(
            "Only yes releases", answer, "emailsec.cloudflare.release", "-e", "awx_user_name=oscar", "-e", asked
        )
        assert (ansible.report()["approved_by"], len(emulator.deliveries)) == (approved_by, 1 if approved_by else 0)
    lines = [json.loads(line) for line in (ansible.reports / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {(line["approved_by"], line["started_by"], line["requested_by"]) for line in lines} == {
        ("oscar", "oscar", "oscar")
    }
