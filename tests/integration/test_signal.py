# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signals to the module's own process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from emulator import Emulator

from playbooks import Ansible, Run, module_process, statuses

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for the process in /proc")


def release_and_send(ansible: Ansible, emulator: Emulator, number: signal.Signals) -> tuple[Run, list[str]]:
    """Release two messages, one request each, and send a signal to the module while the first is under way."""
    messages = [emulator.add_message().id, emulator.add_message().id]
    emulator.faults.add("delay", seconds=3, route="release", message_id=messages[0])
    process = ansible.start(
        *("emailsec.cloudflare.release", "-e", f"quarantine_release_messages={','.join(messages)}"),
        *("-e", "quarantine_release_batch_size=1", "-e", "quarantine_release_concurrency=1"),
        *("-e", "quarantine_release_request_format=object"),
    )
    deadline = time.monotonic() + 60
    while not emulator.requests_to("release") and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(module_process(str(ansible.directory), "message_release"), number)
    return ansible.finish(process), messages


def test_sigterm_lets_the_request_in_flight_end(ansible: Ansible, emulator: Emulator) -> None:
    run, (first, second) = release_and_send(ansible, emulator, signal.SIGTERM)
    assert run.code == 2
    assert statuses(ansible.report()["result"]) == {first: "released", second: "not_attempted"}
    assert "a signal ended it" in ansible.ticket()
    assert [message for message, _recipient in emulator.deliveries] == [first]


def test_after_sigkill_nobody_claims_to_know(ansible: Ansible, emulator: Emulator) -> None:
    run, _messages = release_and_send(ansible, emulator, signal.SIGKILL)
    assert run.code == 2
    assert ansible.report()["outcome"] == "unknown"
    for text in (ansible.ticket(), run.result("Show the outcome")["msg"]):
        assert "The module ended without a result" in text
