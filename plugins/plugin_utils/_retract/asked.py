# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What the variables of the playbook retract ask for."""

from __future__ import annotations

import os
import re
import typing as t

from ...module_utils._errors import InputError
from ...module_utils._followup.folders import FOLDERS, PURGES
from ...module_utils._mail.verdicts import check_dispositions
from ...module_utils._release.released import read_moment
from .._quarantine_release.names import RETRACT, ROLE
from .._quarantine_release.places import resolved
from .._quarantine_release.values import Values, missing_account, not_text

WORSE = "worse"
ALL = "all"
REPORT_DIRECTORY = "retract-reports"
_DEFAULTS = {
    "since": "24h",
    "when": WORSE,
    "dispositions": ["MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPOOF"],
    "destination": "junk_email",
    "report_dir": REPORT_DIRECTORY,
}
# In the inbox, a message is not taken back.
_DESTINATIONS = [folder for folder in FOLDERS if folder != "inbox"]


class Asked(t.NamedTuple):
    """journals, reports: paths; one of them is empty. since: as it was given."""

    account_id: str
    journals: list[str]
    reports: list[str]
    since: str
    when: str
    dispositions: list[str]
    destination: str
    purge: bool
    report_dir: str
    show_content: bool


def read(variables: t.Mapping[str, t.Any], host: str, hosts: int, now: float) -> Asked:
    """Return what is asked for. Raises Mistake with every mistake.

    variables: without their prefix. hosts: how many the play has.
    """
    reader = _Reader(variables, RETRACT.prefix, _DEFAULTS)
    account_id = reader.as_text("quarantine_release_account_id", reader.value("account_id"))
    others = missing_account(account_id, host, hosts)
    if not others:
        account_id = reader.own_account(account_id or os.environ.get("CLOUDFLARE_ACCOUNT_ID"), ROLE.prefix)
    asked = Asked(
        account_id=account_id or "",
        journals=reader.paths("journal"),
        reports=reader.paths("report"),
        since=reader.text("since") or "",
        when=reader.choice("when", [WORSE, ALL]) or "",
        dispositions=reader.dispositions(),
        destination=reader.choice("destination", _DESTINATIONS) or "",
        purge=reader.flag("purge"),
        report_dir=reader.text("report_dir") or "",
        show_content=reader.flag("show_content"),
    )
    if asked.since:
        reader.moment("since", asked.since, now)
    if bool(asked.journals) == bool(asked.reports) and not reader.mistakes:
        wrong = "are both set" if asked.journals else "are both missing"
        others.append(
            f"retract_journal and retract_report {wrong}. Set one of them: to the journal that the releases were recorded in, or to "
            "the JSON report of a run."
        )
    if asked.destination == PURGES and not asked.purge:
        others.append(
            f"retract_destination {PURGES} removes the messages for good, and nobody can bring them back. Set retract_purge to true "
            "if you mean it."
        )
    reader.check(*others)
    return asked


class _Reader(Values):
    def paths(self, name: str) -> list[str]:
        """Return one path or several, resolved, each once."""
        value = self.value(name)
        texts = value if isinstance(value, (list, tuple)) else [value]
        found = [self.as_text(self.prefix + name, text) for text in texts]
        if texts is value and not (found and all(found)):
            self.mistakes.append(f"{self.prefix}{name} is an empty list, or has an item that is no path.")
        return list(dict.fromkeys(resolved(path) for path in found if path))

    def dispositions(self) -> list[str]:
        """Return verdicts, which may be one text."""
        value = self.value("dispositions")
        words = re.findall(r"[^\s,;]+", value) if isinstance(value, str) else value
        name = f"{self.prefix}dispositions"
        if not isinstance(words, (list, tuple)) or not words:
            self.mistakes.append(f"{name} must be a list of verdicts, such as [MALICIOUS, SPOOF]. It is {value!r:.80}.")
            return []
        odd = next((word for word in words if not isinstance(word, str)), None)
        try:
            if odd is not None:
                self.mistakes.append(not_text(name, odd))
            else:
                check_dispositions(words)
        except InputError as error:
            self.mistakes.append(f"{name} {error}.")
        return [str(word) for word in words]

    def moment(self, name: str, text: str, now: float) -> None:
        """Find what is wrong with a moment."""
        try:
            if read_moment(text, f"{self.prefix}{name}", now).timestamp() > now:
                self.mistakes.append(f"{self.prefix}{name} is in the future: {text:.40}.")
        except InputError as error:
            self.mistakes.append(f"{error}.")
