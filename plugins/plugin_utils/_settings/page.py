# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The report of the role settings as an HTML page. All texts are printable; the template escapes them."""

from __future__ import annotations

import collections
import typing as t

from ...module_utils._settings.kinds import KINDS
from ...module_utils._text import printable
from .._html_page import html_page

_OPEN = 25  # changes of a list that are shown without a click
_LONGEST = 1200  # characters of a value: more than a comment may have


def page(report: t.Mapping[str, t.Any]) -> str:
    """Return the page."""
    accounts = [_account(number, account) for number, account in enumerate(report["accounts"])]
    return html_page(
        "settings.html.j2",
        styles=("report.css", "settings.css"),
        accounts=accounts,
        columns=[name for name in KINDS if any(name in account["lists"] for account in accounts)],
        counts=collections.Counter(account["outcome"] for account in accounts),
        check_mode=report["check_mode"],
        facts={
            "Started": printable(f"{report['started'][:19].replace('T', ' ')} UTC"),
            "Started by": printable(report["started_by"]),
            "Job": printable(report["awx_job_id"]),
        },
    )


def _account(number: int, account: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    texts = {name: printable(account[name], 2000) for name in ("host", "account_id", "outcome", "msg", "digest")}
    lists = {name: _list(f"a{number}-{name}", found) for name, found in account["lists"].items()}
    shown = any(one["shown"] for one in lists.values()) or account["outcome"] == "failed"
    return {**texts, "predicted": account["predicted"], "place": f"a{number}", "lists": lists, "shown": shown}


def _list(place: str, found: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    changes = [
        {
            "verb": change["verb"],
            "key": printable(change["key"], _LONGEST),
            "fields": [
                (name, *(None if pair[side] is None else _shown(pair[side]) for side in ("before", "after")))
                for name, pair in change["fields"].items()
            ],
        }
        for change in found["changes"]
    ]
    return {
        **{name: found[name] for name in ("created", "updated", "deleted", "unchanged")},
        "place": place,
        "changes": changes,
        "open": len(changes) <= _OPEN,
        "failed": bool(found.get("failed")),
        "msg": printable(found.get("msg"), 2000),
        "expiring": [f"{printable(one['key'])} ({printable(one['expires'])})" for one in found["expiring"]],
        "duplicates": [printable(key) for key in found["duplicates"]],
        "shown": bool(changes or found.get("failed") or found["expiring"] or found["duplicates"]),
    }


def _shown(value: t.Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(printable(item) for item in value) or "[]"
    return printable(value, _LONGEST) or '""'
