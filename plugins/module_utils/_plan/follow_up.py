# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""What is to be done after a release, as options and plans have it."""

from __future__ import annotations

import datetime
import re
import typing as t

from .._errors import InputError
from .._mail.verdicts import EXPECTED_DISPOSITIONS
from .._times import parse_duration

LONGEST = datetime.timedelta(days=365)
_DAY = datetime.timedelta(days=1)


class FollowUp(t.NamedTuple):
    """What is to be done after a release.

    reclassify_as: what the verdict on the released messages should have been. None: nothing is said to Cloudflare.
    allow_for: for how long their senders are allowed. None: they are not.
    allow_domains: allow the domains of the senders instead of their addresses.
    """

    reclassify_as: str | None = None
    allow_for: str | None = None
    allow_domains: bool = False

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.reclassify_as or self.allow_for)

    def checked(self, prefix: str = "") -> FollowUp:
        """Return this without what has no effect. Raises InputError, which names the option after this prefix."""
        if self.reclassify_as is not None and self.reclassify_as not in EXPECTED_DISPOSITIONS:
            raise InputError(
                f"{prefix}reclassify_as must be one of {', '.join(EXPECTED_DISPOSITIONS)}, not {self.reclassify_as!r:.40}"
            )
        if self.allow_for is not None:
            if re.fullmatch(r"\s*\d+\s*", self.allow_for):
                number = self.allow_for.strip()
                raise InputError(f"{prefix}allow_for has no unit: {number:.10}. Write {number:.10}d for days")
            if parse_duration(self.allow_for, f"{prefix}allow_for") > LONGEST:
                raise InputError(f"{prefix}allow_for must be at most {LONGEST.days}d, not {self.allow_for!r:.40}")
        return self._replace(allow_domains=bool(self.allow_for and self.allow_domains))

    def last_day(self, now: datetime.datetime) -> str:
        """Return the last day on which senders are allowed, such as 2026-12-10. A part of a day counts as a whole one."""
        whole_days = -(-parse_duration(self.allow_for or "", "allow_for") // _DAY)
        return (now.date() + whole_days * _DAY).isoformat()

    def words(self) -> str:
        """Return this as sentences for the approver; empty if there is nothing to do."""
        told = []
        if self.reclassify_as:
            told.append(f"Cloudflare is told that the verdict on each released message should be {self.reclassify_as}.")
        if self.allow_for:
            who = (
                "every address in the domain of each authenticated sender"
                if self.allow_domains
                else "the address of each authenticated sender"
            )
            told.append(f"An allow policy lets {who} through for {self.allow_for}.")
        return " ".join(["After the release:", *told]) if told else ""


def follow_up_of(plan: t.Mapping[str, t.Any]) -> FollowUp:
    """Return what a plan says is to be done after the release. Plans of before release 0.5.0 have nothing."""
    return FollowUp(**plan["follow_up"]) if plan.get("follow_up") else FollowUp()


def is_sound(value: object) -> bool:
    """Tell whether a value in a plan says what is to be done after the release."""
    if not isinstance(value, dict) or value.keys() != set(FollowUp._fields):
        return False
    texts = (value["reclassify_as"], value["allow_for"])
    if not isinstance(value["allow_domains"], bool) or not all(text is None or isinstance(text, str) for text in texts):
        return False
    try:
        return bool(FollowUp(**value)) and FollowUp(**value).checked() == FollowUp(**value)
    except InputError:
        return False
