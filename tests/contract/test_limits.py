# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Rate limits and their headers."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from contract_client import Api, error
from emulator import Emulator
from emulator.clock import utc


def test_headers_tell_how_the_credential_stands(api: Api, emulator: Emulator) -> None:
    first, second = api.get(""), api.get("nobody")
    assert first.headers["Ratelimit"].startswith('"default";r=1199;t=')
    assert second.headers["Ratelimit"].startswith('"default";r=1198;t=')
    assert first.headers["Ratelimit-Policy"] == '"default";q=1200;w=300'
    assert first.headers["cf-ray"] != second.headers["cf-ray"]
    assert Api(emulator, "key").get("").headers["Ratelimit"].startswith('"default";r=1199;')


def test_over_the_limit_everything_is_refused_until_the_block_ends(api: Api, emulator: Emulator) -> None:
    emulator.configure(rate_quota=2, rate_block=300)
    body = {"ids": [emulator.quarantined()[0].id]}
    assert [api.get("").status_code for _ in range(2)] == [200, 200]
    refused = api.release(body)
    assert error(refused) == (429, 971)
    assert "throttling" in refused.json()["errors"][0]["message"]
    assert refused.headers["Retry-After"] == "300"
    assert refused.headers["Ratelimit"] == '"default";r=0;t=300'
    emulator.clock.advance(290)
    assert int(api.get("").headers["Retry-After"]) <= 10
    assert not emulator.deliveries
    emulator.clock.advance(11)
    assert api.release(body).status_code == 200


def test_the_block_is_the_rest_of_the_window_by_default(api: Api, emulator: Emulator) -> None:
    emulator.configure(rate_quota=1, rate_window=60)
    api.get("")
    emulator.clock.advance(45)
    assert 14 <= int(api.get("").headers["Retry-After"]) <= 15
    emulator.clock.advance(15)
    assert api.get("").status_code == 200


def test_a_block_may_be_shorter_than_the_window(api: Api, emulator: Emulator) -> None:
    emulator.configure(rate_quota=1, rate_block=1)
    assert [api.get("").status_code for _ in range(3)] == [200, 429, 429]
    emulator.clock.advance(1.1)
    assert [api.get("").status_code for _ in range(2)] == [200, 429]


def test_retry_after_as_date_or_not_at_all(api: Api, emulator: Emulator) -> None:
    emulator.configure(rate_quota=1, retry_after="date")
    api.get("")
    until = parsedate_to_datetime(api.request("GET", "", check=False).headers["Retry-After"])
    assert 298 <= (until - utc(emulator.clock.now())).total_seconds() <= 301
    emulator.configure(retry_after="omitted")
    assert "Retry-After" not in api.get("").headers
