# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""An entry for each settings list, and every request that a list takes."""

from __future__ import annotations

from typing import Any

from contract_client import Api
from emulator.lists import KINDS, OPERATIONS

NOBODY = "00000000-0000-4000-8000-000000000000"
EXAMPLES: dict[str, dict[str, Any]] = {
    "allow_policies": {
        "pattern": "billing@partner.example",
        "pattern_type": "EMAIL",
        "is_regex": False,
        "is_acceptable_sender": True,
        "is_exempt_recipient": False,
        "is_trusted_sender": False,
        "verify_sender": True,
    },
    "block_senders": {"pattern": "spam@sender.example", "pattern_type": "EMAIL", "is_regex": False},
    "trusted_domains": {"pattern": "partner.example", "is_regex": False, "is_recent": True, "is_similarity": False},
    "content_policies": {"name": "Phrase", "pattern": "urgent.*account", "targets": ["SUBJECT"], "enabled": True},
    "impersonation_registry": {"name": "John Doe", "email": "john.doe@corp.example", "is_email_regex": False},
    "sending_domain_restrictions": {"domain": "partner.example", "exclude": ["old.partner.example"]},
    "url_ignore_patterns": {"pattern": r"https://partner\.example/.*"},
    "domains": {
        "domain": "corp.example",
        "allowed_delivery_modes": ["DIRECT"],
        "ip_restrictions": [],
        "drop_dispositions": ["MALICIOUS"],
        "regions": ["GLOBAL"],
    },
}


def every_request(api: Api, kind: str) -> None:
    """Send each kind of request to a list, those that succeed and those that fail. The client checks every answer."""
    row, example = KINDS[kind], EXAMPLES[kind]
    path = f"/accounts/{api.emulator.account_id}/email-security/settings/{kind}"
    for body in (example, example, {}, {**example, row.key[-1]: "other.example"}):
        api.request("POST", path, json=body)
    for query in ({}, {"page": 2, "per_page": 1}, {"per_page": 0}):
        api.get(path, **query)
    ids = [entry["id"] for entry in api.emulator.entries(kind)]
    assert len(ids) == 2
    change = {name: value for name, value in example.items() if name not in row.key}
    change = change or {"comments": "changed"}
    for one in (f"{path}/{ids[0]}", f"{path}/{NOBODY}"):
        api.get(one)
        api.request("PATCH", one, json=change)
        if row.replace:
            api.request("PUT", one, json=example)
    if row.batch:
        orders: dict[str, list[Any]] = {name: [] for name in row.batch}
        api.request("POST", f"{path}/batch", json={**orders, "deletes": [{"id": NOBODY}]})
        if "patches" in orders:
            orders["patches"] = [{**change, "id": ids[0]}]
        api.request("POST", f"{path}/batch", json={**orders, "deletes": [{"id": ids[1]}]})
        assert [entry["id"] for entry in api.emulator.entries(kind)] == ids[:1]
        assert set(row.batch) <= set(OPERATIONS)
    for _ in range(2):
        api.request("DELETE", f"{path}/{ids[0]}")
