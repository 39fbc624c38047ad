# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGTERM to the module: the request in flight is finished, no other is sent, and all is reported."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from playbooks import Ansible, statuses

from emulator import Emulator


def module_process(marker: str) -> int:
    """The id of the module's own process, the youngest one that carries the marker in its environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"AnsiballZ_message_release" in (entry / "cmdline").read_bytes():
                if marker.encode() in (entry / "environ").read_bytes():
                    found.append((int((entry / "stat").read_text().rpartition(")")[2].split()[19]), int(entry.name)))
        except OSError:
            continue  # it has ended, or is another user's
    return max(found)[1]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for the process in /proc")
def test_the_module_ends_after_the_request_in_flight(ansible: Ansible, emulator: Emulator) -> None:
    first, second = emulator.add_message(), emulator.add_message()
    emulator.faults.add("delay", seconds=3, route="release", message_id=first.id)
    process = ansible.start(
        *("emailsec.cloudflare.release", "-e", f"quarantine_release_messages={first.id},{second.id}"),
        *("-e", "quarantine_release_batch_size=1", "-e", "quarantine_release_concurrency=1"),
        *("-e", "quarantine_release_request_format=object"),
    )
    deadline = time.monotonic() + 60
    while not emulator.requests_to("release") and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(module_process(str(ansible.directory)), signal.SIGTERM)
    run = ansible.finish(process)

    assert run.code == 2
    assert statuses(ansible.report()["result"]) == {first.id: "released", second.id: "not_attempted"}
    assert "a signal ended it" in ansible.ticket()
    assert list(emulator.deliveries) == [(first.id, first.recipients[0])]
