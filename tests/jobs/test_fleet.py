# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hundreds of accounts, in slices that run at the same time: one report over all, and a bad account spoils nothing.

pytest tests/jobs/test_fleet.py --fleet 300
"""

from __future__ import annotations

import csv
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from emulator import Emulator
from inventories import Inventory
from jobs import Controller
from templates import template

SLICES = 3
LONGEST = 3600
BAD = {
    "forbidden": "Cloud Email Security: Write",
    "malformed": "account_id must be 32 hexadecimal digits",
    "broken": "500",
}


def one_message_each(emulator: Emulator) -> dict[str, dict[str, str]]:
    """Put a message into each account, and return the accounts as hosts that are to release it."""
    return {
        f"account-{number:03}": {
            "quarantine_release_account_id": account.id,
            "quarantine_release_messages": emulator.add_message(account.id).id,
        }
        for number, account in enumerate(emulator.accounts)
    }


@pytest.mark.slow
def test_a_fleet_in_slices(controller: Controller, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    size = pytestconfig.getoption("--fleet")
    reports = tmp_path / "reports"
    with Emulator("empty") as emulator:
        while len(emulator.accounts) < size:
            emulator.add_account(f"Account {len(emulator.accounts)}")
        hosts = one_message_each(emulator)
        # One in each slice
        bad = dict(zip(sorted(hosts)[:: SLICES + 1], BAD, strict=False))
        for host, trouble in bad.items():
            account = hosts[host]["quarantine_release_account_id"]
            if trouble == "malformed":
                hosts[host]["quarantine_release_account_id"] = account[:-1] + "x"
            else:
                status = {"forbidden": 403, "broken": 500}[trouble]
                emulator.faults.add("status", status=status, account_id=account, times=None)
        inventory = Inventory(hosts, quarantine_release_report_dir=str(reports), cloudflare_retries=1)
        job_template = template(emulator, "release", inventory=inventory, forks=2)

        begin = time.monotonic()
        jobs = [
            controller.launch(job_template, workflow_job=7, job_slice=(number + 1, SLICES)) for number in range(SLICES)
        ]
        done = [job.wait(LONGEST) for job in jobs]
        took = time.monotonic() - begin
        print(
            f"{size} accounts in {SLICES} slices: {took:.0f} s, {len(emulator.requests)} requests; load {os.getloadavg()}"
        )
        merged = controller.run(template(emulator, "merge_reports", inventory=inventory), workflow_job=7)

        results = {
            host: result["result"]
            for job in done
            for host, result in job.artifacts["quarantine_release_results"].items()
        }
        assert results == {host: "failed" if host in bad else "ok" for host in hosts}, [
            job.stdout[-3000:] for job in done
        ]
        assert all(len(job.recap["ok"]) in (size // SLICES, size // SLICES + 1) for job in done)
        assert set(emulator.deliveries.values()) == {1}
        assert len(emulator.deliveries) == size - len(bad)

    assert merged.status == "failed", "accounts failed"
    assert f"Accounts: {size}, failed {len(bad)}, ok {size - len(bad)}." in merged.stdout
    with (reports / "all-accounts.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["status"] for row in rows)["released"] == size - len(bad)
    page = (reports / "all-accounts.html").read_text(encoding="utf-8")
    assert [host for host in hosts if host not in page] == []
    assert [trouble for trouble, words in BAD.items() if words not in page] == []


def test_artifacts_of_slices_replace_each_other(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    """AWX keeps one slice's plans only, so the others are not approved, and nothing of them is released."""
    hosts = {
        f"account-{number}": {"quarantine_release_account_id": account.id}
        for number, account in enumerate(emulator.accounts[:2])
    }
    for account in emulator.accounts:
        emulator.add_message(account.id, sender="a@partner.example", validation={"spf": "pass"})
    inventory = Inventory(hosts, quarantine_release_report_dir=str(tmp_path / "reports"))
    search = {"quarantine_release_search": {"sender": "a@partner.example"}}
    plan = template(emulator, "plan", "read_only", inventory=inventory, extra_vars=search)
    artifacts: dict[str, Any] = {}
    for number in (1, 2):
        artifacts.update(controller.run(plan, job_slice=(number, 2)).artifacts)

    job = controller.run(template(emulator, "apply", inventory=inventory), artifacts=artifacts)

    assert job.status == "failed"
    assert "quarantine_release_plan_digest has no digest for account-0, so no plan of it was approved." in job.stdout
    assert {delivery.account for delivery in emulator.delivery_log} == {
        hosts["account-1"]["quarantine_release_account_id"]
    }


def test_account_by_account_and_one_left_out(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    hosts = one_message_each(emulator)
    inventory = Inventory(hosts, quarantine_release_report_dir=str(tmp_path / "reports"))
    pinned: dict[str, Any] = {"environment": {"ANSIBLE_STRATEGY": "host_pinned"}}

    job = controller.run(
        template(emulator, "release", inventory=inventory, forks=2, limit="account-000,account-002", **pinned)
    )
    merged = controller.run(template(emulator, "merge_reports", inventory=inventory))

    assert job.status == "successful", job.stdout
    assert len(emulator.deliveries) == 2
    assert "Accounts: 3, failed 1, ok 2." in merged.stdout
    assert "There is no report of this account." in (tmp_path / "reports" / "all-accounts.html").read_text(
        encoding="utf-8"
    )
