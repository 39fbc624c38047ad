# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""A release in steps: which messages each step releases, and when to stop."""

from __future__ import annotations

import typing as t

from ...module_utils._release.outcome import BREAKING, FAIL_ON

Result = t.Mapping[str, t.Any]


class Step(t.NamedTuple):
    """ids: the messages to release; empty for all that the run names. number, of: 1 of 3. canary: stop unless all end well."""

    ids: list[str]
    number: int
    of: int
    canary: bool = False

    @property
    def name(self) -> str:
        """Return what the output calls it."""
        return f"{'Canary' if self.canary else 'Step'} {self.number} of {self.of}"


def needs_look(count: int, *, applies: bool, approve: bool, canary: int, chunk: int) -> bool:
    """Tell whether the release has to be predicted first, as it is made in steps or a person decides.

    count: how many messages there are to release.
    """
    return applies or approve or canary > 0 or 0 < chunk < count


def steps(look: Result, canary: int, chunk: int) -> list[Step]:
    """Return the steps for what a run in check mode would release: the canary first, then chunks of the others."""
    ids = list(
        dict.fromkeys(
            row["id"] or row["postfix_id"] for row in look.get("messages") or [] if row["status"] == "would_release"
        )
    )
    others = ids[canary:]
    size = chunk or len(others) or 1
    parts = [ids[:canary], *(others[first : first + size] for first in range(0, len(others), size))]
    parts = [part for part in parts if part]
    return [Step(part, number, len(parts), canary > 0 and number == 1) for number, part in enumerate(parts, 1)]


def failures(results: t.Iterable[Result]) -> int:
    """Return how many messages ended badly so far, as stop_after_failures counts them."""
    return sum(row["status"] in BREAKING for result in results for row in result.get("messages") or [])


def trouble(step: Step, results: t.Sequence[Result], breaker: int) -> str:
    """Return why to stop after this step, whose result is the last one, as a sentence; empty to go on."""
    last = results[-1]
    if last.get("summary") is None or last["summary"]["not_attempted"]:
        return "A step was not completed, so nothing more was sent."
    if step.canary and any(row["status"] in FAIL_ON for row in last["messages"]):
        return "The canary did not end well, so nothing more was sent."
    bad = failures(results)
    if 0 < breaker <= bad:
        return f"{bad} messages ended badly (stop_after_failures), so nothing more was sent."
    return ""
