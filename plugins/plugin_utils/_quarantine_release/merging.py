# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""One report over all accounts, of the JSON reports that earlier runs have left."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ...module_utils._errors import InputError
from ...module_utils._text import printable
from ...module_utils._times import parse_duration
from .._merging import Report, is_broken, merged_reports, without_report
from .door import Door, Result, sentence
from .names import MERGE
from .places import SETTINGS_REPORT, report_directory, resolved
from .reports import write_reports
from .values import Values


def merge(door: Door) -> Result:
    """Write the merged report. Fails if an account did, after it is written, and names it first."""
    directory = report_directory(door.options.get("directory"))
    try:
        asked = Values(door.variables(MERGE), MERGE.prefix, {})
        within, file = asked.text("within"), asked.text("file")
        asked.check()
        reports = merged_reports(_found(directory, within), door.options["hosts"])
    except OSError as error:
        return _failed(f"The reports in {directory} cannot be read ({error.strerror}).")
    except (InputError, ValueError) as error:
        return _failed(f"{sentence(error)} Nothing was written.")
    target = resolved(file or os.path.join(directory, "all-accounts"))
    try:
        if not door.check_mode:
            write_reports(reports, target, ["csv", "html"])
    except OSError as error:
        return _failed(sentence(error))
    broken = ", ".join(f"{report['host']} {report['outcome']}" for report in reports if is_broken(report))
    outcomes = [report["outcome"] for report in reports]
    counts = [f"{outcome} {outcomes.count(outcome)}" for outcome in dict.fromkeys(outcomes)]
    told = [
        f"Needs attention: {broken}." if broken else "",
        ", ".join([f"Accounts: {len(reports)}", *counts]) + ".",
        "" if reports else f"There are no reports in {directory}.",
        "" if door.check_mode else f"Report: {target}.html",
    ]
    msg = printable(" ".join(filter(None, told)), None)
    return {"changed": False, "failed": bool(broken) or not reports, "msg": msg, "_ansible_verbose_always": True}


def _failed(msg: str) -> Result:
    return {"changed": False, "failed": True, "msg": printable(msg, None)}


def _found(directory: str, within: str | None) -> t.Iterator[Report]:
    """Yield the reports in a directory. within: their maximum age. Raises InputError and OSError."""
    since = time.time() - parse_duration(within, "merge_within").total_seconds() if within else 0
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if (
            name.endswith(".json")
            and not name.endswith((".plan.json", ".retract.json"))
            and not SETTINGS_REPORT.fullmatch(name)
            and os.stat(path).st_mtime >= since
        ):
            yield _read(path)


def _read(path: str) -> Report:
    """Return a report. One that cannot be read stands for an account that failed."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        if isinstance(report["result"], dict) and all(
            isinstance(report[name], str) for name in ("host", "outcome", "started")
        ):
            return t.cast(Report, report)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return without_report(os.path.basename(path), "failed", f"The report {path} cannot be read.")
