# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Cloudflare's official Python SDK as a client."""

from __future__ import annotations

from itertools import islice

import cloudflare
import pytest
from cloudflare import Cloudflare
from contract_client import Api
from emulator import Emulator


@pytest.fixture
def sdk(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Cloudflare:
    """The SDK, set up by nothing but the environment."""
    for name in ("CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    return Cloudflare(max_retries=0)


def test_release(sdk: Cloudflare, emulator: Emulator) -> None:
    message = emulator.quarantined()[1]
    investigate = sdk.email_security.investigate
    [entry] = investigate.release.bulk(account_id=emulator.account_id, ids=[message.id]).result
    assert (entry.id, entry.delivered, entry.failed) == (message.id, list(message.recipients), [])
    found = investigate.get(message.id, account_id=emulator.account_id)
    assert not found.is_quarantined
    assert found.post_delivery_operations == ["QUARANTINE_RELEASE"]
    assert emulator.requests[0].body == f'{{"ids":["{message.id}"]}}'.encode()


def test_search(sdk: Cloudflare, emulator: Emulator) -> None:
    page = sdk.email_security.investigate.list(
        account_id=emulator.account_id, delivery_status="quarantined", detections_only=True, per_page=100
    )
    assert {message.id for message in page.result} < {message.id for message in emulator.quarantined()}
    assert emulator.requests[0].violations == []


def test_paging_of_the_sdk_repeats_the_first_page(sdk: Cloudflare, emulator: Emulator) -> None:
    messages = sdk.email_security.investigate.list(account_id=emulator.account_id, per_page=5)
    ids = [message.id for message in islice(messages, 15)]
    assert ids == ids[:5] * 3
    assert [dict(request.query).get("page") for request in emulator.requests] == [None, "2", "3"]


def test_paging_of_the_sdk_worked_while_pages_did(sdk: Cloudflare, emulator: Emulator) -> None:
    emulator.configure(page="honoured")
    ids = [message.id for message in sdk.email_security.investigate.list(account_id=emulator.account_id, per_page=5)]
    assert len(ids) == len(set(ids)) == 15


def test_evidence(sdk: Cloudflare, emulator: Emulator) -> None:
    message = next(message for message in emulator.quarantined() if message.attachments)
    investigate, account = sdk.email_security.investigate, emulator.account_id
    assert investigate.detections.get(message.id, account_id=account).attachments[0].name == message.attachments[0].name
    assert message.subject
    assert message.subject in investigate.raw.get(message.id, account_id=account).raw
    assert investigate.preview.get(message.id, account_id=account).screenshot
    assert investigate.trace.get(message.id, account_id=account).inbound.lines
    moved = investigate.move.bulk(account_id=account, destination="Inbox", ids=[message.id]).result
    assert [entry.success for entry in moved] == [False] * len(message.recipients)


def test_accounts_and_token(sdk: Cloudflare, emulator: Emulator) -> None:
    assert {account.id for account in sdk.accounts.list()} == {account.id for account in emulator.accounts}
    token = sdk.user.tokens.verify()
    assert token
    assert token.status == "active"


def test_errors(sdk: Cloudflare, emulator: Emulator) -> None:
    with pytest.raises(cloudflare.NotFoundError):
        sdk.email_security.investigate.get("nobody", account_id=emulator.account_id)
    with pytest.raises(cloudflare.BadRequestError):
        sdk.email_security.investigate.release.bulk(account_id=emulator.account_id, ids=[])
    emulator.faults.add("cut")
    with pytest.raises(cloudflare.APIConnectionError):
        sdk.email_security.investigate.get("nobody", account_id=emulator.account_id)


def test_the_sdk_sends_a_doubtful_release_again(sdk: Cloudflare, emulator: Emulator) -> None:
    message = emulator.quarantined()[0]
    emulator.faults.add("status", route="release", status=504, body="html", when="after")
    sdk.with_options(max_retries=1).email_security.investigate.release.bulk(
        account_id=emulator.account_id, ids=[message.id]
    )
    assert list(emulator.deliveries.values()) == [2]


@pytest.mark.parametrize(("ids", "name"), [("postfix", "postfix_id"), ("investigate", "id")])
def test_older_sdks_sent_a_bare_array(api: Api, emulator: Emulator, ids: str, name: str) -> None:
    message = emulator.quarantined()[0]
    assert api.release([getattr(message, name)]).status_code == 400
    emulator.configure(release_forms=["array"], array_ids=ids, answer_ids="both")
    [entry] = api.release([getattr(message, name)]).json()["result"]
    assert (entry["postfix_id"], entry["delivered"]) == (message.postfix_id, list(message.recipients))
