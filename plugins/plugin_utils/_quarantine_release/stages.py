# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The stages of the role that find and release messages. Each returns the result of its task, and none fails.

The results hold what messages say, so the tasks need no_log.
"""

from __future__ import annotations

import json
import os
import time

from ...module_utils._errors import CloudflareError, InputError
from ...module_utils._mail.handle_file import read_handles
from ...module_utils._release.settle import SETTLE_TIME
from ...module_utils._rows import check_result_file
from ...module_utils._text import printable
from ...module_utils._times import parse_time
from .._joining import is_lost
from .._packing import unpacked_plan
from .._plan_lines import approval_lines
from .._told import counted, searched
from .asked import Asked, read
from .door import Door, Result, approved, earlier, mark, now, selected, selection, unsent
from .following import follows, wanted
from .pictures import save_pictures, wants_pictures
from .places import make_directory, places, try_directory, write_file
from .values import Mistake
from .work import Releasing, make_plan

_APPLIED_BEFORE = (
    "This job was relaunched, and the plan in it was applied before. No journal tells what that released, and the state of a message "
    "may not show it yet. Start the workflow again, which makes a new plan. With awx_setup_shared_directory, there is a journal that lasts."
)


def select(door: Door) -> Result:
    """Read what the variables ask for. A mistake in them is in the result as mistake, and keeps the other stages from running."""
    started = now()
    result: Result = {
        "changed": False, "started": started, "last": "", "plans": False, "asks": False, "mistake": "", "told": "",
    }  # fmt: skip
    try:
        result["last"] = last = door.last_stage()
        if not last:
            return result
        door.check_run()
        asked = read(door.variables(), door.host, _listed, len(door.hosts))
        kept = places(asked, door.host, started, door.check_mode)
        if last == "plan" and not asked.plans:
            raise Mistake(
                "The tag plan ends the run after the plan, but these variables ask for none. Use the mode plan, or no tag."
            )
        if not asked.applies:
            result["told"] = (
                searched(asked.search, asked.show_content) if asked.search else counted(asked.handles or [])
            )
            door.say(result["told"])
        if kept.result_file and not door.check_mode:
            check_result_file(kept.result_file, kept.journal, kept.plan)
        if last == "report":
            try_directory(kept.directory, len(asked.handles or ()), door.check_mode)
        if asked.packed and not asked.journal_lasts and door.relaunched():
            raise Mistake(_APPLIED_BEFORE)
        if asked.packed:
            # In check mode too, because people look at this result.
            make_directory(os.path.dirname(kept.plan))
            write_file(kept.plan, json.dumps(unpacked_plan(asked.packed)))
    except (Mistake, CloudflareError, OSError, ValueError) as error:
        return {**result, "mistake": unsent(error)}
    asks = asked.approve and asked.mode != "plan" and not door.check_mode
    return {**result, "plans": asked.plans, "asks": asks, "asked": asked._asdict(), "places": kept._asdict()}


def plan(door: Door) -> Result:
    """Make the plan. Its lines are for the approver."""
    asked, kept, trail = selected(door)
    try:
        if not door.check_mode:
            make_directory(os.path.dirname(kept.plan))
        planned = make_plan(asked, kept, trail, door.call, door.check_mode)
        if is_lost(planned):
            planned["failed"] = True
    except OSError as error:
        planned = {"failed": True, "msg": unsent(error)}
    pictures = save_pictures(asked, kept, planned, door.call) if wants_pictures(asked) and not door.check_mode else {}
    lines = (
        approval_lines(planned.get("plan") or {}, asked.show_content) if asked.mode == "plan" or asked.approve else []
    )
    goes_on = asked.mode != "plan" and not planned.get("failed") and not door.check_mode
    shown = [printable(planned["msg"], None)] if goes_on else []
    return {**mark(door), "changed": False, "planned": planned, "pictures": pictures, "lines": shown + lines}


def look(door: Door) -> Result:
    """Predict what the release would do now, and return the question whether to do it."""
    asked, _kept, _trail = selected(door)
    looked = _releasing(door).look()
    lines = approval_lines(looked.get("plan") or {}, asked.show_content) if asked.applies else []
    after = wanted(asked, looked.get("plan") or {}).words()
    question = " ".join(filter(None, [f"{door.host}: {looked.get('msg', '')}", after, looked.get("plan_digest")]))
    return {**mark(door), "changed": False, "looked": looked, "lines": lines, "question": printable(question, None)}


def release(door: Door) -> Result:
    """Release, in steps if there are several. The run in the result is the result of all steps, as message_release returns it."""
    if "asked" not in selection(door):
        return {
            "changed": False,
            "failed": True,
            "msg": "The tags of this run leave out the stage select. Nothing was sent.",
        }
    asked, kept, _trail = selected(door)
    looked = earlier(door, "look")
    refused = "" if approved(door) or not selection(door)["asks"] else "It was not approved, so nothing was sent."
    try:
        if not door.check_mode and asked.mode != "plan":
            make_directory(kept.directory)
            if not asked.journal_lasts:
                _outlast_the_lag(door, asked)
        run = _releasing(door).run(lambda line: door.say(printable(line, None)), looked.get("looked"), refused)
    except OSError as error:
        run = {"failed": True, "changed": False, "msg": unsent(error)}
    changed = bool(run.get("changed")) and asked.mode != "plan"
    return {**mark(door), "changed": changed, "run": run, "follows": follows(door, run)}


def _releasing(door: Door) -> Releasing:
    asked, kept, trail = selected(door)
    return Releasing(asked, kept, trail, earlier(door, "plan").get("planned"), door.call, door.check_mode)


def _outlast_the_lag(door: Door, asked: Asked) -> None:
    """Wait until the state shows what an earlier run released just before this one started, as no journal tells."""
    try:
        settle_time = float(asked.module.get("settle_time", SETTLE_TIME))
    except (TypeError, ValueError):
        return  # the module refuses it
    started = parse_time(selection(door)["started"])
    passed = max(0.0, time.time() - started.timestamp()) if started else 0.0
    if passed < settle_time <= 3600:
        time.sleep(settle_time - passed)


def _listed(path: str, column: str | None) -> list[str]:
    try:
        return [handle.text for handle in read_handles(os.path.expanduser(path), column)]
    except InputError as error:
        raise ValueError(str(error)) from None
