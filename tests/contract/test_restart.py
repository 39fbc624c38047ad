# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""A server that goes away, and comes back as it was."""

from __future__ import annotations

import socket
import threading
import time
from email.utils import parsedate_to_datetime

import httpx
import pytest
from contract_client import Api
from emulator import Emulator


def test_it_comes_back_with_its_mail_and_its_memory(api: Api, emulator: Emulator) -> None:
    url, mail = emulator.url, [message.id for message in emulator.messages()]
    api.release({"ids": [emulator.quarantined()[0].id]})
    emulator.faults.add("status", status=503)
    emulator.restart(pause=0)
    assert emulator.url == url
    assert [message.id for message in emulator.messages()] == mail
    assert sum(emulator.deliveries.values()) == 1
    assert [api.get("").status_code for _ in range(2)] == [503, 200]
    assert [request.number for request in emulator.requests] == [1, 2, 3]


def test_nobody_listens_in_between(api: Api, emulator: Emulator) -> None:
    restart = threading.Thread(target=emulator.restart, args=(0.6,))
    restart.start()
    time.sleep(0.3)
    with pytest.raises(httpx.ConnectError):
        api.get("")
    restart.join()
    assert api.get("").status_code == 200


def test_requests_under_way_are_cut_off(api: Api, emulator: Emulator) -> None:
    emulator.faults.add("hang")
    restart = threading.Timer(0.2, emulator.restart, args=(0,))
    restart.start()
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("")
    restart.join()
    assert api.get("").status_code == 200


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_the_url_of_an_ipv6_address_has_brackets() -> None:
    with Emulator(host="::1") as emulator:
        assert emulator.url.startswith("http://[::1]:")
        headers = {"Authorization": f"Bearer {emulator.credentials['write'].secret}"}
        emulator.faults.add("redirect")
        answers = [httpx.get(f"{emulator.url}/accounts", headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [302, 200]
        assert answers[0].headers["Location"].startswith("http://localhost:")
        emulator.restart(pause=0)
        assert httpx.get(f"{emulator.url}/accounts", headers=headers).status_code == 200


def test_the_date_is_that_of_the_emulated_world(api: Api, emulator: Emulator) -> None:
    emulator.clock.advance(-86400)
    date = parsedate_to_datetime(api.get("").headers["Date"])
    assert abs(date.timestamp() - time.time() + 86400) < 5
