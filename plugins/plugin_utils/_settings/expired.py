# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The stage of the playbook remove_expired_settings, for one account."""

from __future__ import annotations

from .._quarantine_release.door import Door, Result, unsent
from .._quarantine_release.names import EXPIRED
from .asked import read_expired
from .report import FAILED
from .run import run
from .stage import failure, told_of


def remove(door: Door) -> Result:
    """Delete the entries of an account that have expired, whatever is declared. It never fails itself."""
    try:
        door.check_run()
        asked = read_expired(door.variables(EXPIRED), door.host, len(door.hosts))
    except ValueError as error:
        return failure(unsent(error))
    if not asked.lists:
        return {"changed": False, "lines": [], "told": "No change. settings_remove_expired is off.", "fails": False}
    done = run(door, asked)
    return {"changed": done.differs, "fails": done.word == FAILED, **told_of(door, done, "without what has expired")}
