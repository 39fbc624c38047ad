# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The end of a run of the role settings: the report over all accounts, and which accounts fail."""

from __future__ import annotations

import json
import typing as t

from ...module_utils._text import printable
from .._quarantine_release.door import Door, Result, now, sentence
from .._quarantine_release.names import SETTINGS
from .._quarantine_release.places import make_directory, report_path, write_file
from .asked import Wanted
from .digest import CHANGED, changes
from .page import page
from .told import expiring

FAILED, DRIFT, MADE, NOTHING = "failed", "drift", "changed", "no_change"
_URGENCY = (FAILED, DRIFT, MADE, NOTHING)
_LOST = "There is no result of this account. The run did not reach it, or lost it. The output of the job says why."
_CLOSED = (
    "No account has drift, so there is nothing to approve, and the job fails, as settings_fail_if_nothing asks for."
)


def conclude(door: Door) -> Result:
    """Write the report, and return for each account the last line, and whether it fails.

    With serial, each batch writes the report anew, and the last one has all accounts and decides whether there is nothing to approve.
    """
    ended = {host: door.earlier("declare", host, SETTINGS) for host in door.hosts}
    problem = _problem(door, ended)
    if problem and not door.is_last_batch:
        door.say(problem)
        problem = ""
    closed = door.is_last_batch and DRIFT not in [one.get("outcome") for one in ended.values()]
    return {
        "changed": False,
        "ends": {host: _end(one, closed, problem) for host, one in ended.items() if "told" in one},
    }


def _end(one: Result, closed: bool, problem: str) -> Result:
    closed = closed and one["gate"]
    told = [one["told"], _CLOSED if closed else "", problem]
    # Where people wait for the drift of all accounts, one that fails does not stop the others.
    fails = closed if one["gate"] else one["fails"]
    return {"told": " ".join(filter(None, told)), "fails": fails or bool(problem)}


def _problem(door: Door, ended: t.Mapping[str, Result]) -> str:
    """Write the report to the directory of the first account that has one. Return why it could not be written."""
    first = next((one for one in ended.values() if one.get("directory")), None)
    if first is None:
        return ""
    path = report_path(first["directory"], "settings", f"{first['started'][:19]}Z")
    accounts = [one.get("account") or _lost(host, one) for host, one in ended.items()]
    for account in accounts:
        account["account_id"] = account["account_id"] or str(door.of_host(account["host"], "settings_account_id") or "")
    accounts.sort(key=lambda account: _URGENCY.index(account["outcome"]))
    report = {
        "started": first["started"],
        "ended": now(),
        "check_mode": door.check_mode,
        "outcome": accounts[0]["outcome"],
        "awx_job_id": door.job(),
        "started_by": door.person(),
        "accounts": accounts,
    }
    try:
        make_directory(first["directory"])
        write_file(f"{path}.json", json.dumps(report, indent=2) + "\n")
        write_file(f"{path}.html", page(report))
    except OSError as error:
        return printable(f"The report was not written: {sentence(error)}", None)
    return ""


def account(host: str, outcome: str, msg: str, predicted: bool, **more: t.Any) -> dict[str, t.Any]:
    """Return what the report says of an account. predicted: its changes were not made. more: account_id, digest and lists."""
    return {
        "host": host,
        "account_id": "",
        "outcome": outcome,
        "msg": msg,
        "digest": "",
        "predicted": predicted,
        "lists": {},
        **more,
    }


def _lost(host: str, one: Result) -> dict[str, t.Any]:
    return account(host, FAILED, str(one.get("msg") or _LOST), False)


def lists_of(outcomes: t.Iterable[tuple[Wanted, Result]]) -> dict[str, t.Any]:
    """Return what the report says of the lists of an account."""
    return {wanted.kind.name: _list(wanted, result) for wanted, result in outcomes}


def _list(wanted: Wanted, result: Result) -> dict[str, t.Any]:
    title = wanted.kind.title
    return {
        **counts(wanted, result),
        "changes": changes(result),
        "expiring": [{"key": title(entry), "expires": entry["expires"]} for entry in expiring(result)],
        "duplicates": [title(entry) for entry in result.get("duplicates") or []],
    }


def counts(wanted: Wanted, result: Result) -> dict[str, t.Any]:
    """Return the numbers of a list, and why it failed."""
    numbers = {word: result.get(word, 0) for word in (*CHANGED, "unchanged")}
    return {**numbers, "failed": True, "msg": wanted.failure(result)} if result.get("failed") else numbers
