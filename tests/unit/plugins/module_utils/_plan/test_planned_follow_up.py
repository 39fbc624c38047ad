# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be done after a release, as options and plans have it."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.document import parse_plan, seal
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.follow_up import (
    FollowUp,
    follow_up_of,
    is_sound,
)
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._plan_lines import plan_lines

NOON = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)


def plan(**more: t.Any) -> dict[str, t.Any]:
    content = {"schema": "emailsec.cloudflare/plan", "version": 1, "account_id": "a", "messages": []}
    return seal({**content, "created_at": "2026-11-27T12:00:00Z", "expires_at": "2026-11-28T12:00:00Z", **more})


def test_a_plan_of_before_has_none() -> None:
    old = parse_plan(json.dumps(plan()).encode(), "it")
    assert not follow_up_of(old)
    assert plan_lines(old) == []


def test_a_plan_has_it_its_digest_covers_it_and_the_approver_reads_it() -> None:
    wanted = FollowUp("none", "14d", False)
    made = plan(follow_up=wanted._asdict())
    assert follow_up_of(parse_plan(json.dumps(made).encode(), "it")) == wanted
    assert made["digest"] != plan()["digest"]
    [line] = plan_lines(made)
    assert "the verdict on each released message should be none" in line
    assert "lets the address of each authenticated sender through for 14d" in line
    [line] = plan_lines(plan(follow_up=FollowUp(None, "2w", True)._asdict()))
    assert "every address in the domain of each authenticated sender through for 2w" in line
    assert "verdict" not in line


@pytest.mark.parametrize(
    "value",
    [
        None, {}, [], "none", {"reclassify_as": "none"}, {**FollowUp("none")._asdict(), "more": 1},
        FollowUp()._asdict(), FollowUp("good")._asdict(), FollowUp("none", "14")._asdict(), FollowUp("none", "400d")._asdict(),
        FollowUp("none", None, True)._asdict(), {**FollowUp("none")._asdict(), "allow_domains": 1},
        {**FollowUp("none")._asdict(), "allow_for": 14}, {**FollowUp("none")._asdict(), "reclassify_as": ["none"]},
    ],
)  # fmt: skip
def test_a_garbled_one_makes_the_plan_unusable(value: t.Any) -> None:
    assert not is_sound(value)
    with pytest.raises(InputError, match="what it says is to be done after the release is garbled"):
        parse_plan(json.dumps(plan(follow_up=value)).encode(), "it")


@pytest.mark.parametrize(
    ("duration", "day"),
    [("14d", "2026-12-11"), ("2w", "2026-12-11"), ("1d", "2026-11-28"), ("25h", "2026-11-29"), ("5m", "2026-11-28")],
)
def test_a_part_of_a_day_counts_as_a_whole_one(duration: str, day: str) -> None:
    assert FollowUp(None, duration).checked().last_day(NOON) == day


@pytest.mark.parametrize("duration", ["14", " 14 ", "0d", "-1d", "14 days", "", "366d", "53w", "d"])
def test_bad_durations_are_refused_and_named(duration: str) -> None:
    with pytest.raises(InputError, match=r"^x\.allow_for "):
        FollowUp(None, duration).checked("x.")


def test_domains_without_a_duration_mean_nothing() -> None:
    assert not FollowUp(None, None, True).checked()
    assert FollowUp("none", None, True).checked() == FollowUp("none")
