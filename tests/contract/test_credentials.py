# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Who may call: the table of authentication answers, accounts and token checks."""

from __future__ import annotations

import httpx
import pytest
from contract_client import Api, error
from emulator import Emulator
from emulator.credentials import standard_credentials

KNOWN = standard_credentials(["0" * 32])
WRITE, KEY = KNOWN["write"].headers, KNOWN["key"].headers


@pytest.mark.parametrize(
    ("headers", "expected", "chain"),
    [
        ({}, (400, 9106), None),
        ({"X-Auth-Email": "soc@example.com"}, (400, 9106), None),
        ({"Authorization": "Basic eDp5"}, (400, 6003), 6111),
        ({"Authorization": "Bearer short"}, (400, 6003), 6111),
        ({"Authorization": WRITE["Authorization"] + " x"}, (400, 6003), 6111),
        ({**KEY, "X-Auth-Key": "short"}, (400, 6003), 6103),
        ({**WRITE, **KEY}, (400, 6003), 6301),
        ({"Authorization": "Bearer " + "x" * 40}, (401, 1000), None),
        ({**KEY, "X-Auth-Key": "f" * 37}, (403, 10000), None),
        ({**KEY, "X-Auth-Email": "eve@example.com"}, (403, 10000), None),
        (KNOWN["revoked"].headers, (401, 1000), None),
        (KNOWN["expired"].headers, (401, 10000), None),
        (KNOWN["disabled"].headers, (401, 10000), None),
        (KNOWN["other_account"].headers, (403, 10000), None),
    ],
)
def test_refused_credentials(
    emulator: Emulator, headers: dict[str, str], expected: tuple[int, int], chain: int | None
) -> None:
    api = Api(emulator)
    api.http = httpx.Client(headers=headers, verify=False)
    answer = api.get("")
    assert error(answer) == expected
    assert answer.json()["errors"][0].get("error_chain", [{"code": None}])[0]["code"] == chain


@pytest.mark.parametrize("name", ["write", "read_only", "key", "account_owned"])
def test_readers(emulator: Emulator, name: str) -> None:
    assert Api(emulator, name).get("").status_code == 200
    assert emulator.requests[-1].credential == name


def test_a_reader_cannot_release(emulator: Emulator) -> None:
    api = Api(emulator, "read_only")
    body = {"ids": [emulator.quarantined()[0].id]}
    assert error(api.release(body)) == (403, 10000)
    emulator.configure(forbidden_code=9109)
    assert error(api.release(body)) == (403, 9109)
    assert not emulator.deliveries


@pytest.mark.parametrize("account", ["short", "0" * 31 + "G", "A" * 32])
def test_malformed_accounts(api: Api, account: str) -> None:
    answer = api.request("GET", f"/accounts/{account}/email-security/investigate")
    assert [entry["code"] for entry in answer.json()["errors"]] == [7003, 7000]
    assert answer.status_code == 404


def test_unknown_account_and_routes(api: Api) -> None:
    assert error(api.get(f"/accounts/{'0' * 32}/email-security/investigate")) == (403, 10000)
    for method, path in (("GET", "/nothing"), ("DELETE", api.mail), ("GET", f"{api.mail}/")):
        assert error(api.request(method, path, check=False)) == (404, 7003)


def test_accounts(emulator: Emulator) -> None:
    assert len(Api(emulator).get("/accounts").json()["result"]) == len(emulator.accounts) >= 3
    [only] = Api(emulator, "other_account").get("/accounts").json()["result"]
    assert only["id"] == emulator.accounts[-1].id
    assert error(Api(emulator, "account_owned").get("/accounts")) == (400, 1001)
    assert [Api(emulator).get("/accounts", per_page=size).status_code for size in (4, 5, 50, 51)] == [
        400,
        200,
        200,
        400,
    ]
    assert [a["name"] for a in Api(emulator).get("/accounts", name="Cedar Law").json()["result"]] == ["Cedar Law"]


def test_token_checks(emulator: Emulator) -> None:
    user, owned = "/user/tokens/verify", f"/accounts/{emulator.account_id}/tokens/verify"
    for name in ("write", "expired", "disabled"):
        answer = Api(emulator, name).get(user).json()
        assert answer["result"]["status"] == emulator.credentials[name].status
        assert [entry["code"] for entry in answer["messages"]] == ([10000] if name == "write" else [])
    assert Api(emulator, "account_owned").get(owned).json()["result"]["status"] == "active"
    for name, path in (("write", owned), ("account_owned", user), ("revoked", user), ("key", user)):
        assert error(Api(emulator, name).get(path)) == (401, 1000)


def test_no_secret_in_the_log(emulator: Emulator) -> None:
    for name in emulator.credentials:
        Api(emulator, name).get("")
    log = httpx.get(f"{emulator.control_url}/requests").text
    assert not [credential.name for credential in emulator.credentials.values() if credential.secret in log]
