# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same playbook and inventory with the API as it was until September 2026, and as it is since."""

from __future__ import annotations

import json
from typing import Any

import pytest
from emulator import Emulator

from playbooks import HARBOUR, ONE_ACCOUNT, Ansible

UNTIL_SEPTEMBER_2026 = {
    "release_forms": {"array"},
    "array_ids": "postfix",
    "answer_ids": "postfix",
    "legacy_fields": True,
    "post_delivery_operations": False,
}


@pytest.mark.parametrize(
    ("settings", "credential", "body"),
    [(UNTIL_SEPTEMBER_2026, "key", list), ({}, "write", dict)],
    ids=["until September 2026", "today"],
)
def test_one_inventory_for_both(
    ansible: Ansible, emulator: Emulator, settings: dict[str, Any], credential: str, body: type
) -> None:
    emulator.configure(**settings)
    ansible.environment = emulator.environment(credential)

    run = ansible.release("-i", ONE_ACCOUNT)

    assert (run.code, run.total("changed")) == (0, 1)
    assert ansible.report(HARBOUR)["result"]["summary"]["released"] == 3
    assert len(emulator.deliveries) == 5
    assert set(emulator.deliveries.values()) == {1}
    taken = [request for request in emulator.requests_to("release") if request.status == 200]
    assert {type(json.loads(request.body)) for request in taken} == {body}
    assert {request.credential for request in emulator.requests} == {credential}

    again = ansible.release("-i", ONE_ACCOUNT)
    assert (again.code, again.total("changed")) == (0, 0)
    assert set(emulator.deliveries.values()) == {1}
