# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""GET investigate: filters, pages and cursors."""

from __future__ import annotations

import base64
import struct
import zlib
from datetime import timedelta
from typing import Any

import pytest
from contract_client import Api, error
from emulator import Emulator
from emulator.clock import rfc3339, utc

ALL = {"detections_only": "false", "per_page": 1000}


def subjects(messages: list[dict[str, Any]]) -> list[str]:
    return [message["subject"] for message in messages]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"delivery_status": "quarantined", "final_disposition": "SPOOF"}, ["Re: contract draft"]),
        ({"final_disposition": "MALICIOUS", "subject": "WIRE urgent"}, ["Urgent wire transfer"]),
        ({"message_action": "QUARANTINE_RELEASED"}, ["Offer 311"]),
        ({"message_action": "MOVED"}, ["You have won"]),
        ({"message_action": "PREVIEW"}, ["Newsletter, issue 12"]),
        ({"sender": "supplier.example"}, ["Quarterly invoice 2041", "Offer 311"]),
        ({"sender": "SALES@supplier.example"}, ["Offer 311"]),
        ({"recipient": "erin@harbour-logistics.example"}, ["Minutes of the meeting", "Tender documents"]),
        ({"recipient": "meadow-clinic.example"}, []),
        ({"domain": "track.carrier.example"}, ["Delivery note 77-1"]),
        ({"query": "PAYSLIP.docm hr@"}, ["Payslip attached"]),
        ({"message_id": "<minutes-7@partner.example>"}, ["Minutes of the meeting"] * 2),
        ({"smtp_helo_ip": "198.51.100.1"}, []),
        ({"delivery_status": "bounced"}, []),
        ({"delivery_status": "bounced", "detections_only": "false"}, ["Undeliverable"]),
    ],
    ids=str,
)
def test_filters(api: Api, query: dict[str, str], expected: list[str]) -> None:
    assert subjects(api.search(**query)) == expected


def test_default_is_detections_of_30_days_newest_first(api: Api, emulator: Emulator) -> None:
    found = api.search(per_page=1000)
    assert [message["scanned_at"] for message in found] == sorted((m["scanned_at"] for m in found), reverse=True)
    assert "NONE" not in {message["final_disposition"] for message in found}
    assert "Older than the default search" not in subjects(found)
    everything = api.search(**ALL, start=rfc3339(utc(emulator.clock.now()) - timedelta(days=365)))
    assert len(everything) == len(emulator.messages()) == len(found) + 4


def test_alert_id_and_time_window(api: Api, emulator: Emulator) -> None:
    message = emulator.quarantined()[3]
    assert [found["id"] for found in api.search(alert_id=message.alert_id)] == [message.id]
    moment = rfc3339(message.scanned_at)
    assert [found["id"] for found in api.search(start=moment, end=moment)] == [message.id]


@pytest.mark.parametrize(
    "query",
    [
        {"per_page": 0},
        {"per_page": 1001},
        {"per_page": "ten"},
        {"detections_only": "yes"},
        {"final_disposition": "HAM"},
        {"delivery_status": "lost"},
        {"start": "yesterday"},
        {"start": "2026-01-01T00:00:00"},
        {"start": "2999-01-01T00:00:00Z"},
        {"start": "2999-01-01T00:00:00Z", "end": "2999-02-01T00:00:00Z"},
        {"start": "2026-02-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        {"cursor": "garbage"},
        {"sender": ["a@b.example", "c@d.example"]},
    ],
    ids=str,
)
def test_refused_queries(api: Api, query: dict[str, Any]) -> None:
    assert api.get("", **query).status_code == 400


def test_unknown_parameters_are_noted(api: Api, emulator: Emulator) -> None:
    assert api.get("", colour="red").status_code == 200
    assert emulator.requests[-1].violations == ["colour: not in the contract"]
    emulator.configure(unknown_query="refused")
    assert api.get("", colour="red").status_code == 400


def walk(api: Api, **query: Any) -> list[str]:
    """The ids of all pages."""
    found, cursor = [], None
    while True:
        answer = api.get("", **query, **({"cursor": cursor} if cursor else {})).json()
        found += [message["id"] for message in answer["result"]]
        cursor = answer["result_info"]["next"]
        if not cursor:
            return found


def test_cursors_walk_through_everything_once(api: Api, emulator: Emulator) -> None:
    found = walk(api, per_page=4, detections_only="false")
    assert found == [message["id"] for message in api.search(**ALL)]
    assert len(emulator.requests_to("search")) == 1 + -(-len(found) // 4)


def test_a_cursor_survives_releases_and_new_mail(api: Api, emulator: Emulator) -> None:
    query = {"per_page": 5, "delivery_status": "quarantined"}
    expected = [message["id"] for message in api.search(**{**query, "per_page": 1000})]
    first = api.get("", **query).json()
    api.release({"ids": expected[:2]})
    emulator.add_message(age=1)
    second = api.search(**query, cursor=first["result_info"]["next"])
    assert [message["id"] for message in second] == expected[5:10]


def test_a_cursor_belongs_to_its_filters(api: Api) -> None:
    cursor = api.get("", per_page=2).json()["result_info"]["next"]
    assert api.get("", per_page=2, subject="invoice", cursor=cursor).status_code == 400


def test_the_deprecated_page(api: Api, emulator: Emulator) -> None:
    first, second = ([m["id"] for m in api.search(per_page=3, page=page)] for page in (1, 2))
    assert first == second
    emulator.configure(page="honoured")
    assert [m["id"] for m in api.search(per_page=3, page=2)] == [m["id"] for m in api.search(per_page=6)][3:]
    emulator.configure(page="refused")
    assert api.get("", page=2).status_code == 400


def test_ten_thousand_messages_are_cheap() -> None:
    with Emulator("bulk", messages=10_000) as emulator:
        api = Api(emulator)
        api.validate = lambda response: None  # type: ignore[method-assign]
        assert len(walk(api, per_page=1000, delivery_status="quarantined")) == 10_000
        assert len(emulator.requests) == 10


def test_pending_search(api: Api, emulator: Emulator) -> None:
    for location in ("absolute", "relative", "other_host"):
        emulator.faults.add("pending", polls=1, location=location)
        waiting = api.get("", subject="invoice")
        assert (waiting.status_code, waiting.json()["result"]) == (202, [])
        where = httpx_url(waiting)
        assert where.host == ("localhost" if location == "other_host" else "127.0.0.1")
        assert api.http.get(where).status_code == 202
        assert subjects(api.http.get(where).json()["result"]) == ["Quarterly invoice 2041"]


def httpx_url(response: Any) -> Any:
    return response.url.join(response.headers["Location"])


def test_unknown_message_and_postfix_id(api: Api, emulator: Emulator) -> None:
    message = emulator.messages()[0]
    assert error(api.get(message.postfix_id)) == (404, 1001)
    emulator.configure(get_by_postfix_id=True)
    assert api.get(message.postfix_id).json()["result"]["id"] == message.id


def test_messages_of_another_account_are_unknown(api: Api, emulator: Emulator) -> None:
    foreign = emulator.messages(emulator.accounts[1].id)[0]
    assert api.get(foreign.id).status_code == 404
    assert api.release({"ids": [foreign.id]}).status_code == 400


def test_reported_mail_is_in_the_submission_store(api: Api, emulator: Emulator) -> None:
    reported = next(message for message in emulator.messages() if message.is_phish_submission)
    assert api.get(reported.id, submission="true").status_code == 200
    assert api.get(emulator.messages()[0].id, submission="true").status_code == 404


def test_clean_mail_has_no_evidence(api: Api, emulator: Emulator) -> None:
    clean = next(message for message in emulator.messages() if message.disposition == "NONE")
    assert [api.get(f"{clean.id}/{part}").status_code for part in ("raw", "preview", "trace")] == [404, 404, 200]


def test_every_detected_message_has_a_picture_of_its_own(api: Api, emulator: Emulator) -> None:
    found = [api.get(f"{message['id']}/preview").json()["result"]["screenshot"] for message in api.search(per_page=100)]
    pictures = [base64.b64decode(screenshot, validate=True) for screenshot in found]
    assert len(set(pictures)) > len(pictures) / 2
    for picture in pictures:
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
        place, kinds = 8, []
        while place < len(picture):
            length, kind = struct.unpack_from(">I4s", picture, place)
            data = picture[place + 8 : place + 8 + length]
            assert struct.unpack_from(">I", picture, place + 8 + length)[0] == zlib.crc32(kind + data)
            kinds.append(kind)
            place += 12 + length
            if kind == b"IDAT":
                assert len(zlib.decompress(data)) == (480 + 1) * 320
        assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]


def test_every_message_has_detections_and_a_trace(api: Api, emulator: Emulator) -> None:
    for message in api.search(**ALL):
        detections, trace = (api.get(f"{message['id']}/{part}").json()["result"] for part in ("detections", "trace"))
        assert detections["final_disposition"] == message["final_disposition"]
        assert message["postfix_id"] in trace["inbound"]["lines"][1]["message"]


def test_a_preview_is_an_action(api: Api, emulator: Emulator) -> None:
    message = emulator.quarantined()[0]
    api.get(f"{message.id}/preview")
    assert api.get(message.id).json()["result"]["post_delivery_operations"] == ["PREVIEW"]


def test_action_log_pages(api: Api, emulator: Emulator) -> None:
    message = emulator.quarantined()[0]
    for _ in range(3):
        api.get(f"{message.id}/preview")
    second = api.get(f"{message.id}/action_log", per_page=2, page=2).json()
    assert (len(second["result"]), second["result_info"]["total_pages"]) == (1, 2)


def test_moves(api: Api, emulator: Emulator) -> None:
    delivered = next(message for message in emulator.messages() if message.state.delivery_status == ("delivered",))
    moved = api.request("POST", "move", json={"destination": "Inbox", "ids": [delivered.id]}).json()["result"]
    assert [(entry["success"], entry["recipient"]) for entry in moved] == [(True, delivered.recipients[0])]
    assert api.get(delivered.id).json()["result"]["delivery_status"] == ["moved"]
    held = emulator.quarantined()[0]
    refused = api.request("POST", f"{held.id}/move", json={"destination": "Inbox"}).json()["result"]
    assert not refused[0]["success"]
    assert held.is_quarantined
    assert api.request("POST", "move", json={"destination": "Attic", "ids": [held.id]}).status_code == 400
