# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Several results as one: what a plan predicts, and how the steps of a release ended. Knows nothing of Ansible."""

from __future__ import annotations

import typing as t

from ..module_utils._release.items import Item
from ..module_utils._release.ledger import Ledger
from ..module_utils._release.outcome import Outcome, Status
from ..module_utils._release.planned import blocked, planned_handles
from ..module_utils._release.result import RunResult, summarise, summary_sentence

Result = t.Mapping[str, t.Any]
_LOST = "The module ended without a result (was it killed?)."
# What a result has if the module was killed, was not reached, or was not run.
_TRACES = ("module_stdout", "module_stderr", "unreachable", "skipped")


def is_lost(result: Result) -> bool:
    """Tell whether this is no result of a module, so that nobody knows what it did."""
    untold = "msg" not in result or ("summary" not in result and not result.get("failed"))
    return untold or "module_stdout" in result or any(result.get(name) for name in _TRACES)


def planned_run(planned: Result, fail_on: t.Collection[str] = ()) -> dict[str, t.Any]:
    """Return a result of message_plan as one of message_release, each message with what the plan predicts."""
    plan = planned.get("plan")
    if plan is None:
        return _nothing(planned)
    foretold = Outcome(Status.WOULD_RELEASE, "The plan releases it.", changed=True)
    outcomes = {Item(handle): foretold for handle in planned_handles(plan)}
    outcomes.update(blocked(plan))
    Ledger().record_all(outcomes.items())
    run = RunResult([item.handles[0] for item in outcomes], list(outcomes))
    kept = {name: planned[name] for name in ("account_id", "api_calls") if name in planned}
    return {
        **run.data(),
        **kept,
        "failed": bool(planned.get("failed")) or run.fails(fail_on),
        "messages": list(run.rows),
        "msg": planned["msg"],
        "plan_digest": plan["digest"],
    }


def joined_run(
    look: Result, steps: t.Sequence[Result], stopped: str = "", fail_on: t.Collection[str] = ()
) -> dict[str, t.Any]:
    """Return the results of a release in steps as one.

    look: the result in check mode, before the first step. steps: C(ids) that each was to release, and its C(result).
    stopped: why no more steps were made, if so. What was to be released and is in no step is not_attempted.
    """
    if "messages" not in look:
        return _nothing(look)
    sent = {name: row for step in steps for name, row in _rows(step).items()}
    left_out = _row_of(Outcome(Status.NOT_ATTEMPTED, f"It was not sent: {stopped or 'the run stopped before it'}"))
    rows = []
    for row in look["messages"]:
        outcome = sent.get(_name(row), left_out) if row["status"] == Status.WOULD_RELEASE else row
        rows.append({**row, **outcome, "handle": row["handle"]})
    results = [step["result"] for step in steps]
    summary = summarise(
        (row["status"] for row in rows),
        sum(result["summary"]["recipients_delivered"] for result in results if "summary" in result),
    )
    troubles = [result for result in (look, *results) if result.get("failed")]
    words = [_told(troubles[0]) if troubles else "", stopped, summary_sentence(summary)]
    return {
        **{
            name: value
            for trouble in troubles[:1]
            for name, value in trouble.items()
            if name in ("status", "errors", "cf_ray")
        },
        **{name: look[name] for name in ("account_id", "reason", "ticket", "plan_digest") if name in look},
        "changed": any(result.get("changed") for result in results),
        "failed": bool(troubles) or any(row["status"] in fail_on for row in rows),
        "msg": " ".join(filter(None, words)),
        "messages": rows,
        "summary": summary,
        "api_calls": sum(result.get("api_calls", 0) for result in (look, *results)),
        "diff": _joined_diff(results),
    }


def _rows(step: Result) -> dict[str, Result]:
    """Return what became of each message of a step, by the id with which it was released."""
    result = step["result"]
    if "messages" in result:
        return {row["handle"]: row for row in result["messages"]}
    status = Status.UNKNOWN if is_lost(result) else Status.NOT_ATTEMPTED
    return dict.fromkeys(step["ids"], _row_of(Outcome(status, _told(result))))


def _row_of(outcome: Outcome) -> dict[str, t.Any]:
    return {**outcome.facts(), "detail": outcome.detail, "rule": None, "delivery": None, "changed": False}


def _name(row: Result) -> str:
    return str(row["id"] or row["postfix_id"] or row["handle"])


def _told(result: Result) -> str:
    return _LOST if is_lost(result) else result["msg"]


def _nothing(result: Result) -> dict[str, t.Any]:
    """Return the run of which only this is there, a result of a module that sends nothing. So nothing is in doubt."""
    kept = {name: value for name, value in result.items() if name not in _TRACES}
    return {**kept, "msg": _told(result), "failed": True, "changed": False, "messages": []}


def _joined_diff(results: t.Sequence[Result]) -> dict[str, dict[str, str]]:
    diffs = [result["diff"] for result in results if "diff" in result]
    return {side: {name: word for diff in diffs for name, word in diff[side].items()} for side in ("before", "after")}
