# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Pictures in the report of a plan, so that an approver sees the mail without opening it."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from emulator import Emulator

from playbooks import Ansible


def page(ansible: Ansible) -> str:
    """The newest HTML report."""
    return sorted(ansible.reports.glob("localhost-*.html"))[-1].read_text(encoding="utf-8")


def test_the_approver_sees_the_mail(ansible: Ansible, emulator: Emulator) -> None:
    seen = emulator.add_message(sender="a@seen.example", subject="Seen")
    clean = emulator.add_message(sender="b@seen.example", subject="No detection", disposition="NONE")
    damaged = emulator.add_message(sender="c@seen.example", subject="Damaged")
    emulator.faults.add("mangle", route="preview", message_id=damaged.id, kind="wrong_types")
    asked = {"search": {"sender": "seen.example", "detections_only": False}, "evidence": "preview"}

    checked = ansible.plan("--check", **asked)
    assert checked.code == 0, checked.output
    assert not emulator.requests_to("preview")

    run = ansible.plan(**asked)
    assert run.code == 0, run.output
    text = page(ansible)
    (shown,) = re.findall(r'<img src="data:image/png;base64,([^"]+)"', text)
    (file,) = ansible.reports.glob("evidence/*/preview.png")
    assert base64.b64decode(shown) == file.read_bytes()
    assert text.count("<figure>") == 3
    assert text.count("No picture: ") == 2
    assert "No picture: Cloudflare has no picture of it" in text
    assert "img-src data:" in text
    assert not re.search(r'(src|href)="(?!data:image/png;base64,)', text)
    assert len(ansible.plan_of()["messages"]) == 3
    assert "attachments" in str(ansible.plan_of())
    assert {path.stat().st_mode & 0o777 for path in Path(ansible.reports).rglob("preview.png")} == {0o600}
    assert {message.id for message in (seen, clean, damaged)} == {
        entry["id"] for entry in ansible.plan_of()["messages"]
    }

    again = ansible.plan(**asked)
    assert again.code == 0, again.output
    assert page(ansible).count("<img") == 2
    assert [seen.id in request.path.replace("%3A", ":") for request in emulator.requests_to("preview")].count(True) == 1


def test_pictures_that_cannot_be_had_do_not_stop_a_plan(ansible: Ansible, emulator: Emulator) -> None:
    emulator.add_message(sender="a@seen.example")
    ansible.reports.mkdir()
    (ansible.reports / "evidence").touch()
    run = ansible.plan(search={"sender": "seen.example"}, evidence="preview")
    assert run.code == 0, run.output
    assert "is not a directory. Nothing was sent." in page(ansible)
    assert ansible.plan_of()["messages"]
