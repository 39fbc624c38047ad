# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The stages of the role that publish how a run ended: reports, facts, the plan for the next node, and the last line.

Except for conclude, the results contain text of messages, so the tasks need no_log.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

from ...module_utils._text import printable
from .._joining import planned_run
from .._merging import by_urgency, without_report
from .._packing import packed_plan
from . import outcome
from .asked import Asked
from .door import Door, Result, earlier, mark, now, selected, selection, sentence, stats
from .following import cut, endings, shown_plan
from .places import Places, make_directory, report_directory, report_path
from .reports import make_report, write_reports, write_rows

_UNSENT = "The tags end the run here, so nothing was sent."


def report(door: Door) -> Result:
    """Write the reports of the account; return the facts for later plays and what the next node of a workflow gets."""
    chosen = selection(door)
    several = len(door.hosts) > 1 and not door.check_mode
    if "asked" not in chosen:
        facts = {"result": "failed", "summary": {}, "digest": "", "follow_up": {}}
        return {
            **mark(door),
            "changed": False,
            "facts": facts,
            "report": _refused(door, chosen),
            "several": several,
            # So that the last node of a workflow knows that nothing was sent.
            **stats({"quarantine_release_results": {door.host: {"result": "failed", "summary": {}}}}),
        }
    asked, kept, trail = selected(door)
    run = _run(door)
    planned = earlier(door, "plan").get("planned", {})
    after = endings(door)
    times_and_job = {"started": chosen["started"], "ended": now(), "awx_job_id": door.job()}
    made = make_report(asked, trail, door.host, run, shown_plan(door, run), after, **times_and_job)
    if pictures := earlier(door, "plan").get("pictures"):
        made["pictures"] = pictures
    written = problem = ""
    if chosen["last"] == "report" and not door.check_mode:
        try:
            make_directory(kept.directory)
            made["result"] = write_rows(made["result"], asked, kept)
            write_reports([made], kept.report, asked.formats)
            written = f"{kept.report}.{'txt' if 'txt' in asked.formats else 'json'}"
        except OSError as error:
            problem = f"The report was not written: {sentence(error)}"
    hands_over = (
        asked.mode == "plan" and bool(planned.get("digest")) and not planned.get("failed") and not door.check_mode
    )
    result = {"result": made["outcome"], "summary": run.get("summary") or {}}
    if after:
        result["follow_up"] = {name: {"failed": one["failed"], **one["summary"]} for name, one in after.items()}
    published = {"quarantine_release_results": {door.host: result}}
    if asked.mode == "plan":
        # A second name, because the next node publishes its own results under the first.
        published["quarantine_release_plan_results"] = {door.host: result}
    return {
        **mark(door),
        "changed": False,
        "facts": {"follow_up": {}, **result, "digest": run.get("plan_digest") or ""},
        "report": made,
        "written": written,
        "problem": problem,
        "packed": packed_plan(planned["plan"]) if hands_over and asked.handover != "file" else "",
        "hands_over": hands_over,
        "several": several and bool({"csv", "html"} & set(asked.formats)),
        "diff": run.get("diff", {}) if door.diff_mode and run.get("changed") and not asked.show_content else {},
        **stats(published),
    }


def report_all(door: Door) -> Result:
    """Write one report over all accounts of the play, in the forms that the first account asks for whose variables are right.

    With serial, each batch writes it anew, and the last one has all accounts.
    """
    known = next((one for one in (selection(door, host) for host in door.hosts) if "asked" in one), None)
    if known is None:
        return {"changed": False}
    asked, kept = Asked(**known["asked"]), Places(**known["places"])
    reports = [earlier(door, "report", host).get("report") or without_report(host, "unknown") for host in door.hosts]
    try:
        write_reports(
            by_urgency(reports), kept.all_accounts, [name for name in asked.formats if name in ("csv", "html")]
        )
    except OSError as error:
        door.say(f"The report over all accounts was not written: {sentence(error)}")
        return {"changed": False, "failed": True}
    return {"changed": False}


def hand_over(door: Door) -> Result:
    """Give the plan to the next node of a workflow: its digest, and either the plan itself or where its file is."""
    asked, kept, _trail = selected(door)
    if _fails(door):
        return {**mark(door), "changed": False, "said": "", "refused": False}
    length = sum(len(door.earlier("report", host).get("packed") or "") for host in door.hosts)
    fits = asked.handover != "file" and length <= asked.handover_limit
    if not fits and asked.handover == "artifact":
        said = (
            f"The plans have {length} characters, and quarantine_release_handover_limit allows {asked.handover_limit} in "
            "artifacts. Nothing was handed over. Plan less at once, or let both jobs see a directory: with awx_setup, "
            "awx_setup_shared_directory; elsewhere, quarantine_release_report_dir, with quarantine_release_handover=auto."
        )
        return {**mark(door), "changed": False, "said": said, "refused": True}
    said = ""
    if fits:
        said = f"The plan goes to the next node as an artifact, {length} characters for all accounts."
    elif asked.handover != "file":
        folder = os.path.dirname(kept.plan)
        said = f"The plan is too long for an artifact. The next node reads the file, so it must see {folder}."
    # These are variables of the role, so that a node with the mode apply takes them as they are.
    made = earlier(door, "report")
    plan_stats = (
        {"quarantine_release_plan_packed": {door.host: made["packed"]}}
        if fits
        else {"quarantine_release_plan_file": {door.host: _plan_file(door)}}
    )
    digest = {"quarantine_release_plan_digest": {door.host: made["facts"]["digest"]}}
    return {**mark(door), "changed": False, "said": said, "refused": False, **stats({**digest, **plan_stats})}


def conclude(door: Door) -> Result:
    """End the host, as a success or as a failure, with the last line of its output."""
    chosen, made, handed = selection(door), earlier(door, "report"), earlier(door, "hand_over")
    if chosen["mistake"]:
        line, fails = chosen["mistake"], True
    elif not chosen["last"]:
        line, fails = "The tags of this run do not ask for the role quarantine_release. Nothing was sent.", False
    elif chosen["last"] == "select":
        line, fails = f"{chosen['told']} {_UNSENT}".strip(), False
    else:
        asked, _kept, _trail = selected(door)
        fails = _fails(door) or bool(handed.get("refused"))
        lost = "" if made else "The stage report ended without a result, so there is no report."
        unsent = _UNSENT if chosen["last"] == "plan" and asked.mode != "plan" else ""
        left_out = " and ".join(cut(door))
        undone = f"The tags end the run here, so these stages were left out: {left_out}." if left_out else ""
        # Nobody can open a file that is gone with its container.
        lasts = asked.journal_lasts
        line = outcome.line(
            _run(door),
            plan=_plan_file(door) if lasts else "",
            report=made.get("written", "") if lasts else "",
            check_mode=door.check_mode,
            gate_closed=_gate_closed(door),
            follow_ups=endings(door).values(),
            said=[unsent, undone, lost or made.get("problem", ""), handed.get("said", "")],
        )
    return {"changed": False, "failed": fails, "msg": printable(line, None), "_ansible_verbose_always": True}


def _refused(door: Door, chosen: Result) -> Result:
    """Return the report of an account whose variables have a mistake.

    It is also written beside its earlier reports, if there may be some, as the newest of them counts.
    """
    made = {**without_report(door.host, "failed", chosen["mistake"]), "started": chosen["started"], "ended": now()}
    if chosen["last"] == "report" and not door.check_mode:
        with contextlib.suppress(OSError, ValueError):
            directory = report_directory(str(door.variable("report_dir") or ""))
            if os.path.isdir(directory):
                write_reports([made], report_path(directory, door.host, chosen["started"]), ["json"])
    return made


def _run(door: Door) -> Result:
    """Return the result of the release, or of the plan if the tags of the run stop there."""
    asked, _kept, _trail = selected(door)
    planned = earlier(door, "plan").get("planned")
    if planned and selection(door)["last"] == "plan":
        return planned_run(planned, asked.fail_on)
    released = earlier(door, "release")
    if "run" in released:
        return t.cast(Result, released["run"])
    left = door.earlier("release")
    if "started" in left or left.get("skipped") or not left:
        return {"failed": True, "changed": False, "msg": "The run ended before the release. Nothing was sent."}
    return {"failed": True, "changed": False, "msg": "The release ended without a result.", "unreachable": True}


def _plan_file(door: Door) -> str:
    """Return where the plan is. A new one is in a file named by its digest, which no later plan replaces."""
    planned = earlier(door, "plan").get("planned", {})
    return t.cast(str, (planned["plan_file"] if "plan_file" in planned else selected(door)[1].plan) or "")


def _fails(door: Door) -> bool:
    """Tell whether the host fails.

    A plan that waits for an approval is judged by what all accounts have, so that one that fails does not stop the others.
    """
    made = earlier(door, "report")
    if not made or made.get("problem"):
        return True
    follow_up_fails = any(one["failed"] for one in endings(door).values())
    return _gate_closed(door) if _is_gate(door) else bool(_run(door).get("failed")) or follow_up_fails


def _is_gate(door: Door) -> bool:
    asked, _kept, _trail = selected(door)
    return asked.fail_if_nothing and asked.mode == "plan"


def _gate_closed(door: Door) -> bool:
    """Tell whether no account of the play has anything to approve. With serial, only the last batch knows."""
    if not _is_gate(door) or not door.is_last_batch:
        return False
    ended = [earlier(door, "report", host).get("facts", {}).get("result") for host in door.hosts]
    return "would_release" not in ended
