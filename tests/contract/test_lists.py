# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The settings lists: paging, search, order, changes one by one and in batches, conflicts, and what is never changed."""

from __future__ import annotations

from typing import Any

import cloudflare
import httpx
import pytest
from cloudflare import Cloudflare
from contract_client import Api, error
from contract_lists import EXAMPLES, NOBODY, every_request
from emulator import Emulator
from emulator.lists import KINDS, OPERATIONS

ALLOW = EXAMPLES["allow_policies"]


def path(api: Api, kind: str, below: str = "") -> str:
    return f"/accounts/{api.emulator.account_id}/email-security/settings/{kind}{below}"


def create(api: Api, kind: str, **fields: Any) -> httpx.Response:
    return api.request("POST", path(api, kind), json={**EXAMPLES[kind], **fields})


def batch(api: Api, kind: str, **operations: Any) -> httpx.Response:
    return api.request("POST", path(api, kind, "/batch"), json={**{name: [] for name in OPERATIONS}, **operations})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lag", [0, 60])
def test_every_request_to_a_list_is_answered_as_the_contract_says(kind: str, lag: int) -> None:
    with Emulator("empty", state_lag=lag) as emulator:
        every_request(Api(emulator), kind)


def test_pages_search_and_order(api: Api, emulator: Emulator) -> None:
    for number in (2, 0, 1):
        create(api, "allow_policies", pattern=f"user{number}@partner.example", comments=f"number {number}")
    listing = path(api, "allow_policies")

    def patterns(**query: Any) -> list[str]:
        return [entry["pattern"][4] for entry in api.get(listing, **query).json()["result"]]

    assert patterns() == ["2", "0", "1"]
    assert patterns(order="pattern") == ["0", "1", "2"]
    assert patterns(order="pattern", direction="desc", per_page=2, page=2) == ["0"]
    assert patterns(search="NUMBER 1") == ["1"]
    assert patterns(pattern="user0@partner.example", pattern_type="EMAIL", verify_sender="true") == ["0"]
    assert patterns(verify_sender="false") == []
    info = api.get(listing, per_page=2).json()["result_info"]
    assert info == {"page": 1, "per_page": 2, "count": 2, "total_count": 3, "total_pages": 2}
    assert api.get(listing, order="nonsense").status_code == 400


def test_put_resets_what_is_left_out_and_patch_leaves_it(api: Api) -> None:
    made = create(api, "allow_policies", comments="why").json()["result"]
    one = path(api, "allow_policies", f"/{made['id']}")
    changed = api.request("PATCH", one, json={"is_trusted_sender": True}).json()["result"]
    assert (changed["comments"], changed["is_trusted_sender"]) == ("why", True)
    replaced = api.request("PUT", one, json=ALLOW).json()["result"]
    assert (replaced.get("comments"), replaced["is_trusted_sender"], replaced["id"]) == (None, False, made["id"])
    assert replaced["created_at"] == made["created_at"]


@pytest.mark.parametrize("kind", KINDS)
def test_two_entries_with_one_key_are_refused(api: Api, kind: str) -> None:
    assert create(api, kind).status_code == 201
    expected = (400, 4102) if KINDS[kind].key[-1] == "pattern" else (400, 1001)
    assert error(create(api, kind)) == expected


def test_an_entry_with_a_duplicate_can_be_changed(api: Api, emulator: Emulator) -> None:
    first, second = emulator.add_entries("allow_policies", ALLOW, {**ALLOW, "pattern": "Billing@Partner.example"})
    one = path(api, "allow_policies", f"/{first['id']}")
    assert api.request("PATCH", one, json={"comments": "why"}).status_code == 200
    other = path(
        api, "allow_policies", f"/{create(api, 'allow_policies', pattern='a@x.example').json()['result']['id']}"
    )
    assert error(api.request("PATCH", other, json={"pattern": second["pattern"]})) == (400, 4102)


def test_a_batch_is_a_transaction(api: Api, emulator: Emulator) -> None:
    kept = create(api, "block_senders").json()["result"]
    new = {**EXAMPLES["block_senders"], "pattern": "new@sender.example"}
    refused = batch(api, "block_senders", deletes=[{"id": kept["id"]}], posts=[new, new])
    assert error(refused) == (400, 4102)
    assert refused.json()["errors"][0]["source"] == {"pointer": "/posts/1/pattern"}
    assert emulator.entries("block_senders") == [kept]
    # Deletes come first, so a pattern can be replaced.
    done = batch(api, "block_senders", deletes=[{"id": kept["id"]}], posts=[EXAMPLES["block_senders"], new]).json()
    assert [entry["id"] for entry in done["result"]["deletes"]] == [kept["id"]]
    assert [entry["pattern"] for entry in emulator.entries("block_senders")] == [
        "spam@sender.example",
        "new@sender.example",
    ]


def test_a_batch_of_domains_is_none(api: Api, emulator: Emulator) -> None:
    new = EXAMPLES["domains"]
    assert batch(api, "domains", posts=[new, new]).status_code == 400
    assert [entry["domain"] for entry in emulator.entries("domains")] == [new["domain"]]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"deletes": [], "patches": [], "puts": []}, "/posts"),
        ({**{name: [] for name in OPERATIONS}, "more": []}, "/more"),
        ({**{name: [] for name in OPERATIONS}, "posts": [{**ALLOW, "pattern": ""}]}, "/posts/0/pattern"),
        (
            {**{name: [] for name in OPERATIONS}, "posts": [{**ALLOW, "pattern_type": "UNKNOWN"}]},
            "/posts/0/pattern_type",
        ),
        ({**{name: [] for name in OPERATIONS}, "patches": [{"is_regex": True}]}, "/patches/0/id"),
        ({**{name: [] for name in OPERATIONS}, "posts": [ALLOW] * 1001}, "/posts"),
        ({**{name: [] for name in OPERATIONS}, "deletes": [{"id": NOBODY}]}, "/deletes/0/id"),
        (
            {**{name: [] for name in OPERATIONS}, "posts": [{**ALLOW, "pattern": "10.0.0.0/8", "pattern_type": "IP"}]},
            "/posts/0/pattern",
        ),
        (
            {**{name: [] for name in OPERATIONS}, "posts": [{**ALLOW, "pattern": "(", "is_regex": True}]},
            "/posts/0/pattern",
        ),
    ],
)
def test_a_batch_says_what_is_wrong(api: Api, emulator: Emulator, body: dict[str, Any], pointer: str) -> None:
    refused = api.request("POST", path(api, "allow_policies", "/batch"), json=body)
    assert refused.json()["errors"][0]["source"]["pointer"] == pointer
    assert emulator.entries("allow_policies") == []


def test_synchronized_entries_cannot_be_changed(api: Api, emulator: Emulator) -> None:
    kind = "impersonation_registry"
    [entry] = emulator.add_entries(kind, {**EXAMPLES[kind], "directory_id": 7, "directory_node_id": 8})
    one = path(api, kind, f"/{entry['id']}")
    assert api.request("PATCH", one, json={"name": "Somebody"}).status_code == 400
    assert api.request("DELETE", one).status_code == 400
    assert emulator.entries(kind) == [entry]


def test_readers_see_a_change_late(api: Api, emulator: Emulator) -> None:
    emulator.configure(state_lag=60)
    create(api, "allow_policies")
    assert api.get(path(api, "allow_policies")).json()["result"] == []
    emulator.clock.advance(61)
    assert len(api.get(path(api, "allow_policies")).json()["result"]) == 1


CHANGES = {"content_policies": ("notes", "changed"), "domains": ("lookback_hops", 2)}
PASS = {"dkim": "pass"}


@pytest.mark.parametrize(
    ("policy", "mail", "held"),
    [
        ({}, {"validation": PASS}, False),
        ({}, {}, True),
        ({}, {"validation": PASS, "disposition": "MALICIOUS"}, True),
        ({"is_trusted_sender": True}, {"validation": PASS, "disposition": "MALICIOUS"}, False),
        ({"pattern": "other@shop.example"}, {"validation": PASS}, True),
        ({"pattern": "shop.example", "pattern_type": "DOMAIN", "verify_sender": False}, {}, False),
        ({"pattern": "192.0.2.0/24", "pattern_type": "IP", "verify_sender": False}, {}, False),
        ({"pattern": r".*@shop\.example", "is_regex": True}, {"validation": PASS}, False),
        (
            {"pattern": "alice@corp.example", "is_exempt_recipient": True, "is_acceptable_sender": False},
            {"validation": PASS, "disposition": "MALICIOUS", "recipients": ["alice@corp.example"]},
            False,
        ),
    ],
)
def test_new_mail_follows_the_allow_policies(
    api: Api, emulator: Emulator, policy: dict[str, Any], mail: dict[str, Any], held: bool
) -> None:
    made = create(api, "allow_policies", **{"pattern": "news@shop.example", **policy}).json()["result"]
    assert emulator.add_message(**mail).is_quarantined is held
    api.request("DELETE", path(api, "allow_policies", f"/{made['id']}"))
    assert emulator.add_message(**mail).is_quarantined


def test_other_processes_can_fill_a_list(emulator: Emulator) -> None:
    lists = f"{emulator.control_url}/lists/allow_policies"
    httpx.post(lists, json=[ALLOW, ALLOW])
    assert [entry["pattern"] for entry in httpx.get(lists).json()] == [ALLOW["pattern"]] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_sdk_is_a_client(emulator: Emulator, kind: str) -> None:
    token = emulator.environment()["CLOUDFLARE_API_TOKEN"]
    sdk = Cloudflare(api_token=token, base_url=emulator.url, max_retries=0)
    row, account = KINDS[kind], emulator.account_id
    resource: Any = getattr(sdk.email_security.settings, kind)
    keys = [EXAMPLES[kind][row.key[-1]], "second.example", "third.example", "fourth.example"]
    made = [resource.create(account_id=account, **{**EXAMPLES[kind], row.key[-1]: key}) for key in keys]
    assert [getattr(entry, row.key[-1]) for entry in resource.list(account_id=account, per_page=2)] == keys
    assert resource.get(made[0].id, account_id=account).id == made[0].id
    field, value = CHANGES.get(kind, ("comments", "changed"))
    assert getattr(resource.edit(made[0].id, account_id=account, **{field: value}), field) == value
    if kind == "domains":
        whole = {name: value for name, value in EXAMPLES[kind].items() if name != "domain"}
        replaced = resource.update(made[0].id, account_id=account, **whole)
        assert (replaced.lookback_hops, replaced.status) == (None, "PENDING")
    if hasattr(resource, "batch"):
        orders = {
            "patches": [{"id": made[0].id, field: value}],
            "puts": [],
            "posts": [],
            "deletes": [{"id": made[1].id}],
        }
        done = resource.batch(account_id=account, **orders)
        assert ([entry.id for entry in done.patches], len(emulator.entries(kind))) == ([made[0].id], 3)
    resource.delete(made[0].id, account_id=account)
    with pytest.raises(cloudflare.NotFoundError):
        resource.get(made[0].id, account_id=account)
    with pytest.raises(cloudflare.BadRequestError):
        resource.create(account_id=account, **{**EXAMPLES[kind], row.key[-1]: keys[2]})
    assert [request.violations for request in emulator.requests if request.violations] == []
