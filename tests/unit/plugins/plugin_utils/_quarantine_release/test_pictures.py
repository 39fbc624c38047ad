# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures of the mail in a plan: which are asked for, which are shown, and why one is not."""

from __future__ import annotations

import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.follow_up import FollowUp
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release import pictures
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.pictures import (
    load_pictures,
    save_pictures,
    wants_pictures,
)
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.work import make_plan
from ansible_collections.emailsec.cloudflare.tests.unit.support.png import picture


def asked(**changes: t.Any) -> t.Any:
    """Return what the variables ask for."""
    values = {
        "planning": {"evidence": "preview"}, "formats": ["json", "html"], "account_id": "a", "ticket": "INC-1",
        "search": {}, "handles": ["<a@b.example>"], "policy": {}, "reason": None,
        "follow_up": FollowUp()._asdict(),
    }  # fmt: skip
    return SimpleNamespace(**{**values, **changes})


PLACE: t.Any = SimpleNamespace(directory="/reports", plan="/reports/plan.json")
PLANNED = {
    "plan": {
        "messages": [
            {"handle": "<a@b.example>", "id": "id-1"},
            {"handle": "id-2", "id": "id-2"},
            {"handle": "x", "id": None},
        ]
    }
}


def test_when_pictures_are_wanted() -> None:
    assert wants_pictures(asked())
    assert not wants_pictures(asked(planning={"evidence": "full"}))
    assert not wants_pictures(asked(planning={}))
    assert not wants_pictures(asked(formats=["json", "csv"]))


def test_the_plan_has_full_evidence() -> None:
    called = {}
    trail: t.Any = SimpleNamespace(requested_by=None)
    make_plan(asked(), PLACE, trail, lambda name, options, check: called.update(options) or {}, False)
    assert called["evidence"] == "full"


def test_pictures_are_saved_for_each_message_that_has_an_id() -> None:
    calls = []

    def call(name: str, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        calls.append((name, options, check_mode))
        rows = [
            {"handle": "id-1", "saved": ["/reports/evidence/id-1/preview.png"], "unavailable": {}, "detail": "Saved."},
            {"handle": "id-2", "saved": [], "unavailable": {"preview": "There is none."}, "detail": "Nothing."},
        ]
        return {"messages": rows, "failed": True}

    saved = save_pictures(asked(), PLACE, PLANNED, call)
    assert saved == {
        "<a@b.example>": {"file": "/reports/evidence/id-1/preview.png", "unavailable": ""},
        "id-2": {"file": "", "unavailable": "There is none."},
    }
    [(name, options, check_mode)] = calls
    assert (name, check_mode) == ("message_evidence", False)
    assert options["messages"] == ["id-1", "id-2"]
    assert options["dest"] == "/reports/evidence"
    assert options["parts"] == ["preview"]


@pytest.mark.parametrize(
    "result",
    [{"failed": True, "msg": "No evidence can be saved."}, {"messages": [], "msg": "No evidence can be saved."}],
)
def test_a_picture_that_cannot_be_had_says_why(result: dict[str, t.Any]) -> None:
    saved = save_pictures(asked(), PLACE, PLANNED, lambda *call: result)
    assert {entry["unavailable"] for entry in saved.values()} == {"No evidence can be saved."}


def test_a_plan_without_messages_asks_for_nothing() -> None:
    def call(*_call: object) -> t.NoReturn:
        raise AssertionError

    assert save_pictures(asked(), PLACE, {"failed": True}, call) == {}


def test_pictures_are_read_and_checked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.png").write_bytes(picture())
    (tmp_path / "bad.png").write_bytes(picture() + b"<script>")
    (tmp_path / "link.png").symlink_to(tmp_path / "good.png")
    (tmp_path / "large.png").write_bytes(bytes(1000))
    monkeypatch.setattr(pictures, "LARGEST", 500)
    names = ("good", "bad", "link", "large", "gone")
    report = {"pictures": {name: {"file": str(tmp_path / f"{name}.png"), "unavailable": ""} for name in names}}
    report["pictures"]["none"] = {"file": "", "unavailable": "There is none."}
    [loaded, nothing] = load_pictures([report, {}])
    assert nothing == {}
    assert loaded["good"].png == picture()
    assert [loaded[name].png for name in (*names[1:], "none")] == [None] * 5
    for name, words in (
        ("bad", "is no PNG picture"),
        ("link", "symbolic link"),
        ("large", "larger"),
        ("gone", "is gone"),
    ):
        assert words in loaded[name].why
    assert loaded["none"].why == "There is none."


def test_a_page_has_no_more_pictures_than_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.png").write_bytes(picture())
    monkeypatch.setattr(pictures, "_LARGEST_PAGE", 2 * len(picture()))
    saved = {"file": str(tmp_path / "p.png"), "unavailable": ""}
    reports = [{"pictures": {"a": saved, "b": saved}}, {"pictures": {"c": saved}}]
    [first, second] = load_pictures(reports)
    assert first["a"].png == first["b"].png == picture()
    assert (second["c"].png, str(tmp_path / "p.png") in second["c"].why) == (None, True)
