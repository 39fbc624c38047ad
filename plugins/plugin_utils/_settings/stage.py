# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The stages of the role settings and of the playbook export_settings, for one account."""

from __future__ import annotations

import datetime
import os
import time

from ...module_utils._files import read_whole
from ...module_utils._text import printable
from ...module_utils._times import from_seconds
from .._quarantine_release.door import Door, Result, now, sentence, stats, unsent
from .._quarantine_release.names import SETTINGS
from .._quarantine_release.places import make_directory, report_directory, try_directory, write_file
from .._quarantine_release.values import Mistake, Values
from .asked import read, read_account
from .checked import check
from .report import DRIFT, FAILED, account, counts, lists_of
from .run import Done, run
from .told import differences, notes, summary
from .written import HEADER, as_variables, export_path

EXPORT_DIRECTORY = "settings-export"
_MOST = 64 * 1024 * 1024


def declare(door: Door) -> Result:
    """Make the lists of an account as declared, one after the other. It never fails itself: conclude_settings decides about that."""
    begun: Result = {"started": now(), "directory": "", "gate": False}
    try:
        values = Values({"report_dir": door.variable("report_dir", SETTINGS)}, SETTINGS.prefix)
        given = values.text("report_dir")
        values.check()
        if given:
            directory = report_directory(given)
            try_directory(directory, 0, check_mode=False)  # the report is written in check mode, too
            begun["directory"] = directory
        door.check_run()
        asked = read(door.variables(SETTINGS), door.host, len(door.hosts))
        check(asked.lists, _today())
    except (OSError, ValueError) as error:
        mistake = failure(unsent(error))
        made = account(door.host, FAILED, mistake["told"], False)
        return {**begun, **mistake, "outcome": FAILED, "account": made, **_stats(door.host, FAILED, {}, "")}
    begun["gate"] = asked.fail_if_nothing and door.check_mode
    done = run(door, asked)
    word = done.word
    told = told_of(door, done, "as declared", done.digest if word == DRIFT else "")
    refused = done.predicted and not door.check_mode and word == FAILED
    numbers = {} if refused else {wanted.kind.name: counts(wanted, result) for wanted, result in done.outcomes}
    found = {"account_id": done.account_id, "digest": done.digest, "lists": lists_of(done.outcomes)}
    return {
        **begun,
        **told,
        "changed": done.differs and not refused,
        "fails": word == FAILED or (asked.fail_on_drift and word == DRIFT),
        "outcome": word,
        "account": account(door.host, word, told["told"], done.predicted, **found) if begun["directory"] else None,
        **_stats(door.host, word, numbers, done.digest if door.check_mode else ""),
    }


def told_of(door: Door, done: Done, after: str, digest: str = "") -> Result:
    """Return what a stage says of the lists of an account. after: what differences call the lists then. digest: empty for none."""
    diff = differences(done.outcomes, door.host, after) if door.diff_mode else []
    return {
        "lines": [note for wanted, result in done.outcomes for note in notes(wanted, result, _today())],
        "told": summary(done.outcomes, done.word, digest, done.wrong),
        **({"diff": diff} if diff else {}),
    }


def export(door: Door) -> Result:
    """Write the lists of an account as variables of its host. It never fails itself."""
    try:
        door.check_run()
        variables = door.variables(SETTINGS)
        values = Values(variables, SETTINGS.prefix, {"export_dir": EXPORT_DIRECTORY})
        directory = report_directory(values.text("export_dir"))
        values.check()
        account_id = read_account(variables, door.host, len(door.hosts))
        path = export_path(directory, door.host)
        before = _present(path)
        try_directory(directory, 0, check_mode=True)  # it is made when there is something to write
    except (OSError, ValueError) as error:
        return failure(f"{sentence(error)} Nothing was read from Cloudflare.")
    found = door.call("settings_info", {"account_id": account_id}, door.check_mode)
    if found.get("failed") or "settings" not in found:
        return failure(str(found.get("msg") or "The module that reads the lists ended without a result."))
    text = as_variables(found["account_id"], found["settings"])
    changed = text != before
    if changed and not door.check_mode:
        try:
            make_directory(os.path.dirname(path))
            write_file(path, text)
        except OSError as error:
            return failure(f"The settings were not written: {sentence(error)}")
    return {
        "changed": changed,
        "lines": [],
        "told": printable(_exported(path, found, changed, door.check_mode), None),
        "fails": False,
        **({"diff": {"before": before, "after": text}} if changed and door.diff_mode else {}),
    }


def _present(path: str) -> str:
    """Return what the file of an earlier export holds, or nothing. Raises Mistake for any other file."""
    try:
        text = read_whole(path, _MOST).decode(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}.") from None
    if not text.startswith(HEADER.partition("\n")[0]):
        raise Mistake(f"{path} was not written by an export, so it is not replaced. Use another settings_export_dir.")
    return text


def _exported(path: str, found: Result, changed: bool, check_mode: bool) -> str:
    counts = {part: sum(map(len, found[part].values())) for part in ("settings", "unmanaged", "duplicates")}
    today = _today().isoformat()
    expired = sum("" < entry.get("expires", "") < today for entries in found["settings"].values() for entry in entries)
    word = ("would be written to" if check_mode else "written to") if changed else "already in"
    told = [f"{counts['settings']} entries {word} {path}."]
    left = {
        "Left out, because they cannot be declared (settings_info has them)": counts["unmanaged"],
        "Duplicates that are left out, and that settings_purge deletes": counts["duplicates"],
        "Expired, and deleted when the file is applied": expired,
    }
    told += [f"{words}: {number}." for words, number in left.items() if number]
    return " ".join(told)


def _today() -> datetime.date:
    return from_seconds(time.time()).date()


def failure(told: str) -> Result:
    """Return the result of a stage that did nothing."""
    return {"changed": False, "lines": [], "told": printable(told, None), "fails": True}


def _stats(host: str, word: str, numbers: Result, digest: str) -> Result:
    """Return what the next job of a workflow gets. digest: empty for none."""
    results = {"settings_results": {host: {"result": word, "summary": numbers}}}
    return stats({**results, **({"settings_digest": {host: digest}} if digest else {})})
