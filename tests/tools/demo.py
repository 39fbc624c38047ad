# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows a release from quarantine, against the emulator and nothing else. Start it as ``./demo``."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from bootstrap import CHECKOUT, RUN, SetUpError, prepare
from emulator_process import RunningEmulator, running_emulator
from process import call, end_on_sigterm

CALLBACKS = Path(__file__).with_name("callback_plugins")
INVENTORY = CHECKOUT / "playbooks" / "inventory" / "several_accounts"


class ActFailed(Exception):
    """An act did not end as it should."""


def main() -> None:
    """Set up, play the four acts, clean up."""
    prepare(RUN)
    with tempfile.TemporaryDirectory(prefix="emailsec-demo-") as name:
        directory = Path(name)
        with running_emulator(directory) as emulator:
            _play(emulator, directory)


def _play(emulator: RunningEmulator, directory: Path) -> None:
    reports = directory / "reports"
    waiting = sum(_quarantined(emulator, account["id"]) for account in emulator.accounts)
    print(
        f"An emulated Cloudflare at {emulator.url}: {len(emulator.accounts)} accounts, {waiting} mails in quarantine."
    )
    print(f"Some are known to be good; {INVENTORY.relative_to(CHECKOUT)} names them.")

    def playbook(*options: str) -> None:
        variables = RUN.variables() | emulator.variables()
        variables |= {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            "ANSIBLE_STDOUT_CALLBACK": "brief",
            "TMPDIR": str(directory),
        }
        if sys.stdout.isatty():
            variables["ANSIBLE_FORCE_COLOR"] = "true"
        command = [str(RUN.path / "bin" / "ansible-playbook"), "emailsec.cloudflare.release", "-i", str(INVENTORY)]
        command += ["-e", f"quarantine_release_report_dir={reports}", *options]
        if code := call(command, cwd=directory, env=variables):
            raise ActFailed(f"ansible-playbook ended with {code}.")

    _head("1. Check mode: what would be released? Nothing is sent.")
    playbook("--check")
    _expect(not _delivered(emulator), "nothing was delivered")

    _head("2. The release.")
    playbook()
    delivered = _delivered(emulator)
    _expect(bool(delivered), f"{sum(delivered.values())} copies were delivered")
    written = sorted(reports.rglob("*.txt"))

    _head("3. The same again: nothing is left to do, nothing is sent twice.")
    playbook()
    _expect(_delivered(emulator) == delivered and set(delivered.values()) == {1}, "still one copy for each recipient")

    _head("4. The report of the release, ready for a ticket.")
    if not written:
        raise ActFailed(f"The playbook wrote no report into {reports}.")
    for report in written:
        # Subjects are what strangers wrote: no control character of theirs reaches the terminal.
        print(re.sub(r"[^\n\t\x20-\x7e\u00a0-\U0010ffff]", "?", report.read_text(encoding="utf-8")))


def _quarantined(emulator: RunningEmulator, account: str) -> int:
    return sum(message["is_quarantined"] for message in emulator.ask(f"/messages?account={account}"))


def _delivered(emulator: RunningEmulator) -> dict[tuple[str, str], int]:
    """Return how many copies of each message each recipient got."""
    counts = emulator.ask("/deliveries")["counts"]
    return {(message, person): number for message, people in counts.items() for person, number in people.items()}


def _head(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def _expect(condition: bool, text: str) -> None:
    if not condition:
        raise ActFailed(f"This was to be: {text}. It is not so.")
    print(f"-> As the emulator counts: {text}.", flush=True)


if __name__ == "__main__":
    end_on_sigterm()
    try:
        main()
    except (ActFailed, SetUpError) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
