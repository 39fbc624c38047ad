# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""A plan as lines for the approver. Knows nothing of Ansible."""

from __future__ import annotations

import typing as t

from ..module_utils._plan.document import digest as digest_of
from ..module_utils._plan.follow_up import follow_up_of
from ..module_utils._text import printable
from ..plugin_utils._shown import message_lines

_MOST = 200


def plan_lines(
    plan: t.Mapping[str, t.Any], show_content: bool = False, most: int | None = _MOST, digest: str | None = None
) -> list[str]:
    """Return a line for each message of a plan, those to be released first, after one for what is done after the release.

    show_content: whether to show addresses and subjects. most: how many messages, None for all; a last line says how many are left out.
    digest: what the plan has to have. Raises ValueError if it has another.
    """
    if digest is not None and digest != digest_of(plan):
        raise ValueError("The plan was changed after it was read. Nothing is shown of it, and nothing was sent.")
    entries = sorted(plan.get("messages") or [], key=lambda entry: entry["decision"] != "release")
    lines = [_line(entry, show_content) for entry in entries[:most]]
    left = len(entries) - len(lines)
    last = f"... and {left} more; the plan and the report have all of them." if left else ""
    return list(filter(None, [printable(follow_up_of(plan).words(), None), *lines, last]))


def approval_lines(plan: t.Mapping[str, t.Any], show_content: bool) -> list[str]:
    """Return the lines of a plan for somebody who approves it: all that would be released, however many, and some of the rest."""
    entries = plan.get("messages") or []
    releases = sum(entry["decision"] == "release" for entry in entries)
    most = max(_MOST, releases)
    lines = plan_lines(plan, show_content, most)
    if len(entries) > most:
        lines[-1] = f"... and {len(entries) - most} more, which the plan does not release."
    return lines


def _line(entry: t.Mapping[str, t.Any], show_content: bool) -> str:
    rules = "" if not entry["rules"] else f" ({', '.join(entry['rules'])})"
    facts = [f"{entry['decision']}{rules}", entry.get("id") or entry.get("handle")]
    if entry.get("overridden"):
        facts.append(f"overridden: {', '.join(entry['overridden'])}")
    return "; ".join([*map(printable, facts), *message_lines(entry, show_content)])
