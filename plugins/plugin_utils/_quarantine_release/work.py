# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Plan and release for one account: the modules to call, with which options, in which order.

The modules are called by what C(call) stands for, so that all of this can be tested without Ansible.
"""

from __future__ import annotations

import typing as t

from ...module_utils._plan.follow_up import FollowUp, follow_up_of
from .._joining import joined_run, planned_run
from .asked import Asked
from .places import Places
from .steps import Step, failures, needs_look, steps, trouble

Result = t.Dict[str, t.Any]
PREVIEW = "preview"  # quarantine_release_evidence: full evidence, and a picture of each message
# Runs a module: its name, its options, and whether in check mode. Returns its result, whatever it is.
Call = t.Callable[[str, t.Dict[str, t.Any], bool], Result]
# Shows a line in the output of the job.
Say = t.Callable[[str], None]


class Trail(t.NamedTuple):
    """Who started the run, asked for it and approved it, as journal and reports have it."""

    started_by: str
    requested_by: str | None
    approved_by: str | None


def make_plan(asked: Asked, place: Places, trail: Trail, call: Call, check_mode: bool) -> Result:
    """Make the plan; return the result of message_plan. In check mode no file is written."""
    given = asked.follow_up.items() if FollowUp(**asked.follow_up) else []
    follow_up = {name: value for name, value in given if value is not None}
    evidence = {"evidence": "full"} if asked.planning.get("evidence") == PREVIEW else {}
    options = {
        **asked.planning,
        **evidence,
        **(asked.search if asked.search else {"messages": asked.handles}),
        "account_id": asked.account_id,
        "policy": asked.policy,
        "dest": None if check_mode else place.plan,
        "requested_by": trail.requested_by,
        "reason": asked.reason,
        "ticket": asked.ticket,
        "follow_up": follow_up or None,
        "fail_on": [],  # the run is judged by its end
    }
    return call("message_plan", options, check_mode)


class Releasing:
    """Releases what was asked for, or what a plan says.

    planned: the result of message_plan, if this run made the plan.
    """

    def __init__(
        self, asked: Asked, place: Places, trail: Trail, planned: Result | None, call: Call, check_mode: bool
    ) -> None:
        self._asked = asked
        self._place = place
        self._trail = trail
        self._planned = planned
        self._call = call
        self._check_mode = check_mode

    def look(self) -> Result:
        """Return what the release would do now."""
        return self._send(Step([], 1, 1), self._asked.digest, self._asked.breaker, check_mode=True)

    def run(self, say: Say, looked: Result | None = None, refused: str = "") -> Result:
        """Release, and return the result of all steps as message_release returns it.

        refused: why nothing may be sent, although the look was fine.
        """
        asked = self._asked
        if asked.mode == "plan" or (self._planned and (self._check_mode or self._planned.get("failed"))):
            return planned_run(self._planned or {}, asked.fail_on)
        if looked is None and self._needs_look():
            looked = self.look()
        if looked is None:
            # With a plan to apply, this is only reached in check mode.
            only = self._send(Step([], 1, 1), asked.digest, asked.breaker, self._check_mode, asked.fail_on)
            return _unapproved(asked, only) or only
        if unapproved := _unapproved(asked, looked):
            return unapproved
        parts = [] if refused else steps(looked, asked.canary, asked.chunk)
        done: list[Result] = []
        stopped = refused
        for step in parts:
            results = [one["result"] for one in done]
            # Each step applies the plan that the prediction checked, even if nobody gave a digest.
            pin = looked.get("plan_digest") or asked.digest
            result = self._send(step, pin, max(asked.breaker - failures(results), 0), check_mode=False)
            done.append({"ids": step.ids, "result": result})
            stopped = trouble(step, [*results, result], asked.breaker)
            if step.of > 1:
                say(" ".join(filter(None, [f"{step.name}:", str(result.get("msg") or ""), stopped])))
            if stopped:
                break
        # The plan that was checked. Its file may have changed since.
        return {**joined_run(looked, done, stopped, asked.fail_on), "plan": looked.get("plan")}

    def _needs_look(self) -> bool:
        asked = self._asked
        count = (self._planned or {}).get("summary", {}).get("release", len(asked.handles or []))
        return not self._check_mode and needs_look(
            count, applies=asked.applies, approve=asked.approve, canary=asked.canary, chunk=asked.chunk
        )

    def _send(
        self, step: Step, digest: str | None, breaker: int, check_mode: bool, fail_on: t.Sequence[str] = ()
    ) -> Result:
        """Run message_release for a step. fail_on: empty in steps, as the whole is judged by it."""
        asked = self._asked
        if asked.from_plan:
            pin = self._planned["digest"] if self._planned else digest
            what = {"plan": self._place.plan, "plan_digest": pin, "only": step.ids or None}
        else:
            what = {"messages": step.ids or asked.handles}
        options = {
            **asked.module,
            **what,
            **self._trail._asdict(),
            "account_id": asked.account_id,
            "reason": asked.reason,
            "ticket": asked.ticket,
            "stop_after_failures": breaker,
            "verify_delivery": asked.verify,
            "fail_on": list(fail_on),
            "journal": self._place.journal,
        }
        return self._call("message_release", options, check_mode)


def _unapproved(asked: Asked, looked: Result) -> Result | None:
    """Return the result of a run that ends because the variables ask for another follow-up than the plan that it applies."""
    wanted, plan = FollowUp(**asked.follow_up), looked.get("plan")
    if not asked.applies or not wanted or plan is None or follow_up_of(plan) == wanted:
        return None
    approved = follow_up_of(plan).words() or "Nothing is done after the release."
    msg = (
        "The plan was approved with something else after the release than quarantine_release_reclassify_as and "
        f"quarantine_release_allow_for ask for. The plan says: {approved} Nothing was sent. Leave these variables out, or make a new plan."
    )
    return {"failed": True, "changed": False, "msg": msg, "messages": [], "account_id": looked.get("account_id")}
