# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The stages of the role that follow a release: reclassify and allow. Each returns how it ended, and none fails."""

from __future__ import annotations

import typing as t

from ...module_utils._plan.follow_up import FollowUp, follow_up_of
from ...module_utils._times import parse_time
from . import allowing
from .asked import Asked
from .door import Door, Result, earlier, mark, selected, selection
from .follow_up import Target, ended, left_out, reclassified, targets

# The stages in their order, and how their sentences begin
TITLES = {"reclassify": "Reclassify", "allow": "Allow senders"}


def shown_plan(door: Door, run: Result) -> Result:
    """Return the plan of a run as the modules made or checked it, or nothing. The file may hold another one by now."""
    planned = earlier(door, "plan").get("planned", {}).get("plan")
    return t.cast(Result, planned or earlier(door, "look").get("looked", {}).get("plan") or run.get("plan") or {})


def wanted(asked: Asked, plan: Result) -> FollowUp:
    """Return what is to be done after the release. The plan counts, as that was approved."""
    return follow_up_of(plan) if asked.from_plan else FollowUp(**asked.follow_up)


def follows(door: Door, run: Result) -> dict[str, bool]:
    """Return which stages have something to do after a release."""
    asked, _kept, _trail = selected(door)
    plan = shown_plan(door, run)
    follow_up = wanted(asked, plan)
    any_released = asked.mode != "plan" and bool(follow_up) and bool(targets(run, plan))
    return {
        "reclassify": any_released and bool(follow_up.reclassify_as),
        "allow": any_released and bool(follow_up.allow_for),
    }


def endings(door: Door) -> dict[str, Result]:
    """Return how the stages ended that had something to do, by their names, as far as the tags let the run go."""
    released = earlier(door, "release").get("follows", {})
    return {
        name: earlier(door, name).get("followed") or _lost(name)
        for name, follows_here in released.items()
        if follows_here and name not in cut(door)
    }


def cut(door: Door) -> list[str]:
    """Return which stages have something to do but are left out by the tags."""
    reached = {"reclassify": ["reclassify"], "allow": [*TITLES], "report": [*TITLES]}.get(selection(door)["last"], [])
    released = earlier(door, "release").get("follows", {})
    return [name for name, follows_here in released.items() if follows_here and name not in reached]


def _lost(name: str) -> Result:
    trouble = f"The stage {name} ended without a result, so it is unknown what was sent."
    return ended(TITLES[name], [], 0, trouble)


def reclassify(door: Door) -> Result:
    """Tell Cloudflare what its verdict on the released messages should be."""
    asked, kept, trail = selected(door)
    follow_up, chosen = _task(door)
    result = door.call(
        "message_reclassify",
        {
            "messages": [target.name for target in chosen],
            "expected_disposition": follow_up.reclassify_as,
            "settle_time": asked.module.get("settle_time"),
            "journal": kept.journal,
            "fail_on": [],  # the stage is judged by its rows
            "account_id": asked.account_id,
            "ticket": _ticket(door),
            "reason": asked.reason or shown_plan(door, _run(door)).get("reason"),
            **trail._asdict(),
        },
        door.check_mode,
    )
    followed = reclassified(result, chosen)
    return {**mark(door), "changed": followed["changed"], "followed": followed}


def allow(door: Door) -> Result:
    """Make an allow policy for the senders of the released messages."""
    asked, _kept, _trail = selected(door)
    follow_up, chosen = _task(door)
    account = {"account_id": asked.account_id}
    results = []
    if all(target.seen for target in chosen):
        seen = [(target, target.seen or {}) for target in chosen]
    else:
        results.append(door.call("message_info", {**account, "messages": [target.name for target in chosen]}, True))
        seen = [(target, _found(results[0], target)) for target in chosen]
    if not results or "messages" in results[0]:
        results.append(door.call("settings_info", {**account, "kinds": ["allow_policies"]}, True))
    if "settings" not in results[-1]:
        rows, trouble = allowing.unread(chosen, "Nothing was sent."), left_out(results[-1])[1]
        return _ended(door, chosen, rows, results, trouble)
    started = parse_time(selection(door)["started"])
    if started is None:
        raise ValueError("The stage select has no start.")
    last_day = follow_up.last_day(started)
    decided = allowing.decide(
        [(target, allowing.sender_of(facts, follow_up.allow_domains)) for target, facts in seen if facts],
        results[-1]["settings"]["allow_policies"],
        started.date().isoformat(),
        last_day,
        _ticket(door),
    )
    made: Result = {}
    if decided.entries:
        made = door.call("allow_policies", {**account, "entries": decided.entries}, door.check_mode)
        results.append(made)
    rows = allowing.allowed(decided, made, last_day, door.check_mode)
    rows += allowing.unread([target for target, facts in seen if not facts], "The message could not be read.")
    return _ended(door, chosen, rows, results, left_out(made)[1] if made.get("failed") else "")


def _ended(
    door: Door, chosen: t.Sequence[Target], rows: list[dict[str, t.Any]], results: list[Result], trouble: str
) -> Result:
    calls = sum(result.get("api_calls") or 0 for result in results)
    places = {target.name: number for number, target in enumerate(chosen)}
    followed = ended(TITLES["allow"], sorted(rows, key=lambda row: places[row["id"]]), calls, trouble)
    return {**mark(door), "changed": followed["changed"], "followed": followed}


def _task(door: Door) -> tuple[FollowUp, list[Target]]:
    """Return what is to be done, and for which messages."""
    asked, _kept, _trail = selected(door)
    run = _run(door)
    plan = shown_plan(door, run)
    return wanted(asked, plan), targets(run, plan)


def _run(door: Door) -> Result:
    return t.cast(Result, earlier(door, "release")["run"])


def _ticket(door: Door) -> str:
    asked, _kept, _trail = selected(door)
    return str(asked.ticket or shown_plan(door, _run(door)).get("ticket") or "")


def _found(result: Result, target: Target) -> Result:
    """Return what was read of a message. If that is unclear, it shows no sender."""
    fitting = [
        message
        for message in result.get("messages") or []
        if target.name in (message.get("id"), message.get("postfix_id"), message.get("message_id"))
    ]
    return fitting[0] if len(fitting) == 1 else {}
