# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Every unfaulted JSON answer is one that the contract allows."""

from __future__ import annotations

from typing import Any

import pytest
from contract_client import Api
from contract_lists import every_request
from emulator import Emulator
from emulator.app import ROUTES
from emulator.lists import KINDS
from openapi_core.exceptions import OpenAPIError

VARIANTS = [
    {},
    {"legacy_fields": True, "answer_ids": "both"},
    {"post_delivery_operations": False},
    {"total_count": False},
    {"state_lag": 60},
    {"unknown_id": "null"},
    {"unknown_id": "failed"},
    {"release_forms": ["array"]},
    {"release_forms": ["array"], "form_error": "silent"},
    {"page": "honoured"},
    {"move_forms": ["postfix_ids"], "move_log": "mailbox", "unknown_move": "omitted"},
    {"unknown_submission": "omitted"},
    {"post_submissions": False},
    {"page": "refused", "unknown_query": "refused"},
]


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_every_endpoint_answers_as_the_contract_says(settings: dict[str, Any]) -> None:
    with Emulator("hostile", **settings) as emulator:
        api = Api(emulator)
        for message in emulator.messages()[:6] + emulator.messages()[-6:]:
            api.release({"ids": [message.id]})
            api.release([message.postfix_id, "unknown"])
            api.request("POST", f"{message.id}/move", json={"destination": "Inbox"})
            for part in ("", "/action_log", "/detections", "/trace", "/raw", "/preview"):
                api.get(message.id + part)
        for form, handle in (("ids", emulator.messages()[0].id), ("postfix_ids", emulator.messages()[0].postfix_id)):
            api.request("POST", "move", json={"destination": "Inbox", form: [handle, "unknown"]})
        api.get("", per_page=1000, detections_only="false", page=1)
        submissions = f"/accounts/{emulator.account_id}/email-security/submissions"
        for message in emulator.messages()[:3]:
            order = {"alert_id": message.alert_id, "expected_disposition": "NONE"}
            api.request("POST", submissions, json={"type": "reclassification", "messages": [order]})
            api.request("POST", f"{message.id}/reclassify", json={"expected_disposition": "NONE"})
        api.get(submissions)
        api.get("", per_page=2, nonsense=1)
        for path in ("/accounts", "/user/tokens/verify", f"/accounts/{emulator.account_id}/tokens/verify"):
            api.get(path)
        for kind in KINDS:
            every_request(api, kind)
        assert {request.route for request in emulator.requests} == {name for name, *_ in ROUTES}


def test_every_failure_is_one_of_the_contract(emulator: Emulator) -> None:
    for name in emulator.credentials:
        api = Api(emulator, name)
        for path in ("", "nobody", "nobody/raw", "/accounts", "/user/tokens/verify"):
            api.get(path)
        api.release({})
        api.request("POST", "release", content=b"{", headers={"Content-Type": "application/json"})
    emulator.configure(rate_quota=1)
    assert [Api(emulator, "key").get("").status_code for _ in range(2)] == [429, 429]


def test_the_check_can_fail(api: Api, emulator: Emulator) -> None:
    emulator.faults.add("mangle", kind="wrong_types")
    with pytest.raises(OpenAPIError):
        api.get("")
