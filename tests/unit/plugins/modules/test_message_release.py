# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""message_release from the arguments to the printed result, against scripted HTTP."""

from __future__ import annotations

from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import entry, envelope, investigate_id, released_row, row
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script


def path(number: int) -> str:
    """Return the path to read message C(number) by itself."""
    return f"investigate/{investigate_id(number).replace(':', '%3A')}"


def test_a_quarantined_message_is_read_once_and_released_once(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)), query={})
    script.release([investigate_id(1)], envelope([entry(1)]))
    done = run("message_release", messages=[investigate_id(1)])
    assert not done.failed
    assert done.statuses == ["released"]


def test_a_released_message_is_not_sent_again(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(released_row(1)))
    done = run("message_release", messages=[investigate_id(1)])
    assert done.statuses == ["already_released"]
    assert done.result["changed"] is False
