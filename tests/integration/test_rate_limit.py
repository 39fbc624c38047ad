# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP 429: it was not processed, so it is waited for and sent again, within max_wait."""

from __future__ import annotations

from typing import Any

from emulator import Emulator

from playbooks import Ansible, statuses


def test_it_waits_as_told_or_by_itself_and_gives_up_at_max_wait(ansible: Ansible, emulator: Emulator) -> None:
    told, untold, impatient = (emulator.add_message() for _number in range(3))
    limited: dict[str, Any] = {
        "action": "status",
        "status": 429,
        "code": 971,
        "message": "Please wait",
        "route": "release",
    }
    emulator.faults.add(**limited, message_id=told.id, retry_after=3)
    emulator.faults.add(**limited, message_id=untold.id)
    emulator.faults.add(**limited, message_id=impatient.id, retry_after=300, times=None)

    waited, backed_off, gave_up = ansible.module(
        "message_release",
        {"messages": [told.id]},
        {"messages": [untold.id]},
        {"messages": [impatient.id], "max_wait": 5},
    )

    assert statuses(waited) == {told.id: "released"}
    assert statuses(backed_off) == {untold.id: "released"}
    assert statuses(gave_up) == {impatient.id: "not_attempted"}
    assert "rate limit asks to wait another 300 s" in gave_up["msg"]
    assert set(emulator.deliveries) == {(message.id, message.recipients[0]) for message in (told, untold)}
    assert set(emulator.deliveries.values()) == {1}
    times = [request.time for request in emulator.requests_to("release") if told.id in request.body.decode()]
    assert times[1] - times[0] >= 3


def test_the_limit_of_the_server_is_not_run_into_twice(ansible: Ansible, emulator: Emulator) -> None:
    emulator.configure(rate_quota=10, rate_window=6.0)
    handles = [emulator.add_message().id for _number in range(20)]
    (result,) = ansible.module("message_release", {"messages": handles, "batch_size": 1})
    assert set(statuses(result).values()) == {"released"}
    assert sorted(emulator.deliveries.values()) == [1] * 20
    assert sum(request.status == 429 for request in emulator.requests) <= 1
