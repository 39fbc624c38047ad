# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The stage of the playbooks search and verify: reads their variables, searches, and returns what they show."""

from __future__ import annotations

import typing as t

from ._found import FAILING, search_outcome
from ._quarantine_release.door import Door, Result
from ._quarantine_release.names import FILTERS, SEARCH, SEARCH_OPTIONS
from ._quarantine_release.values import Values, missing_account
from ._told import searched

_DEFAULTS = {"since": "7d", "limit": 100, "fail_on": []}


def search(door: Door) -> Result:
    """Search, and return the lines to show, a sentence about them, and whether the host fails. It never fails itself."""
    try:
        door.check_run()
        values = _Asked(door.variables(SEARCH))
        options = values.options()
        show_content, released = values.flag("show_content"), values.flag("released")
        fail_on = values.words("fail_on", FAILING)
        whose = not values.flag("require_filter") or not set(FILTERS).isdisjoint(options)
        unfiltered = [] if whose else [f"The search needs at least one of: {', '.join(FILTERS)}."]
        values.check(*unfiltered, *missing_account(options.get("account_id"), door.host, len(door.hosts)))
    except ValueError as error:
        return {"changed": False, "searched": "", "lines": [], "told": f"{error} No request was made.", "fails": True}
    found = door.call("message_info", options, door.check_mode)
    asked = {name: value for name, value in options.items() if name in SEARCH_OPTIONS}
    named = any(name in FILTERS for name in asked)
    outcome = search_outcome(found, released, fail_on, show_content, named)
    return {"changed": False, "searched": searched(asked, show_content), **outcome}


class _Asked(Values):
    def __init__(self, variables: t.Mapping[str, t.Any]) -> None:
        super().__init__(variables, SEARCH.prefix, _DEFAULTS)

    def options(self) -> dict[str, t.Any]:
        """Return the options of message_info."""
        given = {name: self.value(name) for name in SEARCH_OPTIONS}
        if self._variables.get("delivery_status", None) is None:  # an empty text means wherever it is now
            given["delivery_status"] = "quarantined"
        account_id = self.as_text("quarantine_release_account_id", self.value("account_id"))
        return {**self.search(given, self.prefix), **({"account_id": account_id} if account_id else {})}
