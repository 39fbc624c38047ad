# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The command line and the control interface, as another process sees them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from emulator import Emulator

PACKAGE = Path(__file__).resolve().parents[1] / "emulator"


def launch(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(PACKAGE), *arguments], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_command_line(tmp_path: Path, stop: signal.Signals) -> None:
    ready = tmp_path / "ready.json"
    process = launch("--scenario", "bulk", "--messages", "50", "--set", "rate_quota=9", "--ready-file", str(ready))
    while not ready.exists():
        assert process.poll() is None
        time.sleep(0.02)
    about = json.loads(ready.read_text(encoding="utf-8"))
    assert httpx.get(f"{about['control_url']}/settings").json()["rate_quota"] == 9
    assert len(httpx.get(f"{about['control_url']}/messages").json()) == 50
    token = about["credentials"]["write"]["CLOUDFLARE_API_TOKEN"]
    answer = httpx.get(f"{about['url']}/accounts", headers={"Authorization": f"Bearer {token}"})
    assert about["accounts"][0]["id"] in answer.text
    process.send_signal(stop)
    output, _ = process.communicate(timeout=5)
    assert process.returncode == 0
    assert f"export CLOUDFLARE_BASE_URL={about['url']} CLOUDFLARE_ACCOUNT_ID={about['accounts'][0]['id']}" in output
    assert "ansible-playbook emailsec.cloudflare." in output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--set", "colour=red"], "colour"),
        (["--scenario", "none"], "invalid choice"),
        (["--host", "192.0.2.1"], "192.0.2.1"),
    ],
    ids=str,
)
def test_wrong_command_lines(arguments: list[str], reason: str) -> None:
    ended = subprocess.run([sys.executable, str(PACKAGE), *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode
    assert reason in ended.stderr
    assert "Traceback" not in ended.stderr


class Control:
    """The control interface over HTTP."""

    def __init__(self, emulator: Emulator) -> None:
        self.http = httpx.Client(base_url=emulator.control_url)

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.http.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def control(emulator: Emulator) -> Iterator[Control]:
    control = Control(emulator)
    yield control
    control.http.close()


def test_the_whole_interface(control: Control, emulator: Emulator) -> None:
    headers = emulator.credentials["write"].headers
    mail = f"{emulator.url}/accounts/{emulator.account_id}/email-security/investigate"
    assert set(control("GET", "/")) == {"accounts", "credentials"}
    control("PATCH", "/settings", {"release_forms": ["array"]})
    [first, second] = control("POST", "/messages", [{"subject": "one", "age": 60}, {"state": "delivered"}])
    assert (first["is_quarantined"], second["is_quarantined"]) == (True, False)
    assert first["id"] in {message["id"] for message in control("GET", "/messages")}
    control("POST", "/outcomes", {first["id"]: ["failed", "deliver"]})
    for _ in range(2):
        httpx.post(f"{mail}/release", json=[first["id"]], headers=headers)
    counts = control("GET", "/deliveries")
    assert counts["counts"] == {first["id"]: {first["recipients"][0]: 1}}
    assert len(counts["log"]) == 1
    control("POST", "/moves", {first["id"]: [{}]})
    httpx.post(f"{mail}/move", json={"destination": "Inbox", "ids": [first["id"]]}, headers=headers)
    assert {moved["folder"] for moved in control("GET", "/moves")} == {"Inbox"}
    assert control("PATCH", f"/messages/{first['id']}", {"state": "quarantined"})["is_quarantined"]
    control("DELETE", f"/messages/{second['id']}")
    assert second["id"] not in {message["id"] for message in control("GET", "/messages")}
    control("POST", "/faults", {"action": "status", "status": 502, "route": "search"})
    assert httpx.get(mail, headers=headers).status_code == 502
    assert [fault["hits"] for fault in control("GET", "/faults")] == [1]
    assert control("DELETE", "/faults") == []
    control("POST", "/fates", {first["id"]: [{"after": 0}]})
    control("PATCH", f"/messages/{first['id']}", {"disposition": "BULK"})
    httpx.post(f"{mail}/{first['id']}/reclassify", json={"expected_disposition": "NONE"}, headers=headers)
    known = control("GET", "/submissions")[-1]
    assert (known["original_disposition"], known["outcome_disposition"]) == ("BULK", "NONE")
    log = control("GET", "/requests?route=release")
    assert [entry["body"] for entry in log] == [json.dumps([first["id"]], separators=(",", ":"))] * 2
    control("DELETE", "/requests")
    assert control("GET", "/requests") == []
    assert control("POST", "/clock", {"advance": 100})["now"] > time.time() + 90
    control("POST", "/reset")
    assert control("GET", "/settings")["release_forms"] == ["object"]
    assert not control("GET", "/deliveries")["counts"]
    assert first["id"] not in {message["id"] for message in control("GET", "/messages")}


def test_mistakes_are_explained(control: Control) -> None:
    for method, path, body in (
        ("PATCH", "/settings", {"state_lag": "long"}),
        ("POST", "/faults", {"action": "explode"}),
        ("POST", "/messages", {"colour": "red"}),
        ("POST", "/outcomes", {"unknown": ["failed"]}),
        ("PATCH", "/messages/unknown", {"state": "released"}),
        ("DELETE", "/messages/unknown", None),
        ("PATCH", "/messages/unknown", {"disposition": "SPAM"}),
        ("POST", "/moves", {"unknown": [{}]}),
        ("POST", "/fates", {"unknown": [{}]}),
        ("POST", "/clock", {}),
        ("GET", "/messages?account=unknown", None),
    ):
        assert control(method, path, body, status=400)["error"]
