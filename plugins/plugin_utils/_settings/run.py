# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Runs the modules of the lists: as they are asked for, or only if their changes are the approved ones."""

from __future__ import annotations

import typing as t

from ...module_utils._plan.document import is_pinned
from .._quarantine_release.door import Door, Result
from .asked import Asked, Wanted
from .digest import account_of, digest_of
from .report import DRIFT, FAILED, MADE, NOTHING

_AGAIN = "Run it again with --check, look at the changes, and set settings_digest to the digest in the last line of the account."


class Done(t.NamedTuple):
    """What became of an account.

    digest: over all changes; empty if they are not all known. predicted: no change was made. wrong: what is not as it was approved,
    or an empty text.
    """

    account_id: str
    outcomes: list[tuple[Wanted, Result]]
    digest: str
    predicted: bool
    wrong: str

    @property
    def differs(self) -> bool:
        """Tell whether a list has changes."""
        return any(bool(result.get("changed")) for _wanted, result in self.outcomes)

    @property
    def word(self) -> str:
        """Return the outcome of the account."""
        if self.wrong or any(result.get("failed") for _wanted, result in self.outcomes):
            return FAILED
        return (DRIFT if self.predicted else MADE) if self.differs else NOTHING


def run(door: Door, asked: Asked) -> Done:
    """Make the lists of an account as declared. With a digest that was approved, find out first whether the changes have it."""
    if not asked.digest:
        return _called(door, asked, door.check_mode)
    found = _called(door, asked, check_mode=True)
    if not found.digest:
        return found._replace(
            wrong="The changes are not all known, so they are not the approved ones. Nothing was changed."
        )
    if not is_pinned({"digest": found.digest}, asked.digest):
        return found._replace(
            wrong=f"The changes are not the approved ones, so nothing was changed: their digest is {found.digest}, but settings_digest is "
            f"{asked.digest}. {_AGAIN}"
        )
    if door.check_mode or not found.differs:
        return found
    done = _called(door, asked, check_mode=False)
    if done.word != FAILED and done.digest != found.digest:
        return done._replace(
            wrong="Somebody else changed a list in the same moment, so what was changed is not quite what was approved: its digest is "
            f"{done.digest or 'not known'}, but settings_digest is {asked.digest}. Look at what was changed."
        )
    return done


def _called(door: Door, asked: Asked, check_mode: bool) -> Done:
    outcomes = [
        (
            wanted,
            door.call(wanted.kind.name, {"account_id": asked.account_id, **wanted.options}, check_mode, diff=True),
        )
        for wanted in asked.lists
    ]
    account_id = account_of(outcomes, asked.account_id)
    return Done(account_id, outcomes, digest_of(account_id, outcomes), check_mode, "")
