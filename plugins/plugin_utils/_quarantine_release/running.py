# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""How Ansible runs the role: on which machine, in which mode, and how far the tags let it go."""

from __future__ import annotations

import typing as t

from .values import Mistake

# The tags of the role. Each runs what the ones before it run, and more.
_TAGS = ("select", "plan", "release", "verify", "reclassify", "allow", "report")
# The tag approve has no end of its own, and the others mean all tasks of a kind.
_SKIPPED = {*_TAGS, "approve", "always", "all", "tagged"}


def check_place(host: str, connection: str, become: bool) -> None:
    """Raise Mistake unless the modules run on the machine, and as the user, that runs Ansible."""
    if connection != "local" or become:
        wrong = "ansible_become is true" if connection == "local" else f"ansible_connection is {connection}"
        raise Mistake(
            f"The roles of this collection run on the machine that runs Ansible, but {wrong} for {host}, so the credential would have "
            "gone elsewhere. Set ansible_connection to local and ansible_become to false in vars of the play."
        )


def check_mode_meant(extra: t.Mapping[str, t.Any], check_mode: bool) -> None:
    """Raise Mistake if somebody tried to turn on check mode by an extra variable, which does nothing."""
    meant = str(extra.get("ansible_check_mode", "")).strip().lower() in ("true", "yes", "on", "1")
    if meant and not check_mode:
        raise Mistake("The extra variable ansible_check_mode does not turn on check mode. Use --check.")


def last_stage(run: t.Iterable[str], skip: t.Iterable[str], own: t.Iterable[str], included: bool) -> str:
    """Return the tag of the last stage that a run with these tags asks for; empty if it does not ask for the role.

    own: other tags of the tasks of the role. included: the role is included, so it is asked for, whatever its tasks are tagged.
    Raises Mistake for tags that would leave out what was asked for.
    """
    given = set(run)
    whole = given & {"all", "tagged", *own}
    last = "report" if whole else next((name for name in reversed(_TAGS) if name in given), "")
    if not last and (included or "approve" in given):
        raise Mistake(
            f"No stage of the role quarantine_release ends with the tags {', '.join(sorted(given))}. Use --tags with select, plan, release, "
            "reclassify, allow or report. If your include_role has tags of its own, repeat them in its option apply."
        )
    skipped = sorted(_SKIPPED & set(skip))
    if last and skipped:
        raise Mistake(
            f"--skip-tags {','.join(skipped)} would leave out a stage that others need. Use --tags select, plan, release, reclassify, allow or report: each "
            "runs the stages up to it."
        )
    return last
