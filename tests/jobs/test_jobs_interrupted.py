# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs that are cancelled, and jobs that run at the same time: nothing goes out twice, and what is known is written down."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from emulator import Emulator
from jobs import Controller, Done, Job
from templates import report_of, template

MESSAGES = 6
ONE_BY_ONE = {
    "quarantine_release_batch_size": 1,
    "quarantine_release_concurrency": 1,
    "quarantine_release_settle_time": 3,
}


def journal(directory: Path) -> list[dict[str, Any]]:
    """What the journal says."""
    return [json.loads(line) for line in (directory / "journal.jsonl").read_text(encoding="utf-8").splitlines()]


def release(controller: Controller, emulator: Emulator, reports: Path, ids: list[str]) -> Job:
    """A job that releases messages one by one."""
    variables = {"quarantine_release_report_dir": str(reports), **ONE_BY_ONE}
    return controller.launch(
        template(emulator, "release", extra_vars=variables), answers={"quarantine_release_messages": " ".join(ids)}
    )


def wait_for_releases(emulator: Emulator, number: int) -> None:
    """Wait until so many calls for a release have come."""
    deadline = time.monotonic() + 60
    while len(emulator.requests_to("release")) < number and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(emulator.requests_to("release")) >= number


def test_a_cancelled_job_is_finished_by_the_next(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    ids = [emulator.add_message().id for _ in range(MESSAGES)]
    emulator.configure(release_forms=["object", "array"])
    # The answer to the third one is lost with the job, but its work is done.
    emulator.faults.add("hang", when="after", seconds=30, route="release", message_id=ids[2])
    job = release(controller, emulator, tmp_path / "reports", ids)
    wait_for_releases(emulator, 3)
    canceled = job.cancel()

    assert (canceled.status, canceled.artifacts) == ("canceled", {})
    delivered = {message for message, _ in emulator.deliveries}
    assert delivered == set(ids[:3])
    known = [line["event"] for line in journal(tmp_path / "reports") if ids[2] in json.dumps(line)]
    assert known == ["intent"], "that it was sent is known, what became of it is not"

    finished = release(controller, emulator, tmp_path / "reports", ids).wait()

    assert finished.status == "successful", finished.stdout
    assert set(emulator.deliveries.values()) == {1}
    assert len(emulator.deliveries) == MESSAGES
    statuses = {row["handle"]: row["status"] for row in report_of(tmp_path / "reports")["result"]["messages"]}
    assert {statuses[each] for each in ids[:2]} == {"already_released"}
    assert {statuses[each] for each in ids[3:]} == {"released"}


def test_two_jobs_at_once(controller: Controller, emulator: Emulator, tmp_path: Path) -> None:
    emulator.configure(state_lag=4.0)  # what the one has released, the other still reads as quarantined
    ids = [emulator.add_message().id for _ in range(MESSAGES)]
    jobs = [release(controller, emulator, tmp_path / "reports", order) for order in (ids, ids[::-1])]
    done: list[Done] = [job.wait() for job in jobs]

    assert [job.status for job in done] == ["successful"] * 2, [job.stdout for job in done]
    assert set(emulator.deliveries.values()) == {1}
    assert len(emulator.deliveries) == MESSAGES
    released = [job.artifacts["quarantine_release_results"]["localhost"]["summary"]["released"] for job in done]
    assert sorted(released) == [0, MESSAGES]
