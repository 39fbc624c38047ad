# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows a release from quarantine, against the emulator only. Start it as ``./demo``."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bootstrap import CHECKOUT, RUN, VENV, SetUpError, prepare
from emulator_process import RunningEmulator, running_emulator
from process import call, end_on_sigterm

CALLBACKS = Path(__file__).with_name("callback_plugins")
INVENTORY = CHECKOUT / "playbooks" / "inventory" / "several_accounts"
KEPT = VENV / "demo" / "report.html"
SENDER = "partner.example"


_EXPIRE = """\
- name: Allow policies
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Delete those that have expired
      emailsec.cloudflare.allow_policies:
        entries: []
        remove_expired: true
"""


class ActFailed(Exception):
    """An act of the demo failed."""


def main() -> None:
    """Set up, play both parts, keep a report, clean up."""
    prepare(RUN)
    with tempfile.TemporaryDirectory(prefix="emailsec-demo-") as name:
        directory = Path(name)
        with running_emulator(directory) as emulator:
            waiting = sum(_quarantined(emulator, account["id"]) for account in emulator.accounts)
            print(
                f"An emulated Cloudflare at {emulator.url}: {len(emulator.accounts)} accounts, {waiting} messages in quarantine."
            )
            stage = Stage(emulator, directory)
            _plan_and_apply(stage)
            _release_a_list(stage)
            _follow_up(stage)
            _keep_a_report(stage)


class Stage:
    """Where the acts are played: the emulator, and a directory for reports."""

    def __init__(self, emulator: RunningEmulator, directory: Path) -> None:
        self.emulator = emulator
        self.directory = directory
        self.reports = directory / "reports"

    def playbook(self, name: str, *options: str) -> None:
        """Show a command, and run it. name: of a playbook of the collection, or the path of another one."""
        playbook = name if name.endswith(".yml") else f"emailsec.cloudflare.{name}"
        print(f"$ {shlex.join(['ansible-playbook', Path(playbook).name, *options])}", flush=True)
        variables = RUN.variables() | self.emulator.variables()
        variables |= {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_STDOUT_CALLBACK": "brief",
            "CLOUDFLARE_ACCOUNT_ID": self.emulator.accounts[0]["id"],
            "TMPDIR": str(self.directory),
        }
        if sys.stdout.isatty():
            variables["ANSIBLE_FORCE_COLOR"] = "true"
        command = [str(RUN.path / "bin" / "ansible-playbook"), playbook]
        command += ["-e", f"quarantine_release_report_dir={self.reports}", *options]
        if code := call(command, cwd=CHECKOUT, env=variables):
            raise ActFailed(f"ansible-playbook ended with {code}.")

    def show_newest_report(self) -> None:
        """Show the text for the ticket that the last run wrote."""
        written = sorted(self.reports.glob("*.txt"))
        if not written:
            raise ActFailed(f"The playbook wrote no report into {self.reports}.")
        # Subjects are what strangers wrote: no control character of theirs reaches the terminal.
        print(re.sub(r"[^\n\t\x20-\x7e\u00a0-\U0010ffff]", "?", written[-1].read_text(encoding="utf-8")))


def _plan_and_apply(stage: Stage) -> None:
    _head(f"1. Somebody is missing a message from {SENDER}. Is it in quarantine?")
    stage.playbook("search", "-e", f"search_sender={SENDER}", "-e", "search_show_content=true")

    _head("2. Plan its release: rules judge each message. Nothing is sent.")
    ticket = stage.directory / "ticket.yml"
    ticket.write_text("quarantine_release_ticket: !unsafe INC-4711\n", encoding="utf-8")
    stage.playbook("plan", "-e", f"{{quarantine_release_search: {{sender: {SENDER}}}}}", "-e", f"@{ticket}")
    _expect(not _delivered(stage.emulator), "nothing was delivered")

    _head("3. Look at the plan.")
    stage.show_newest_report()

    _head("4. Apply the plan with the digest that was approved, and follow the delivery.")
    plan = json.loads((stage.reports / "localhost.plan.json").read_text(encoding="utf-8"))
    stage.playbook(
        "apply", "-e", f"quarantine_release_plan_digest={plan['digest']}", "-e", "quarantine_release_verify=20"
    )
    released = {entry["id"] for entry in plan["messages"] if entry["decision"] == "release"}
    _expect(
        {message for message, _ in _delivered(stage.emulator)} == released,
        "what the plan releases was delivered, and nothing else",
    )

    _head("5. The report, ready for the ticket.")
    stage.show_newest_report()


def _release_a_list(stage: Stage) -> None:
    before = _delivered(stage.emulator)
    inventory = str(INVENTORY.relative_to(CHECKOUT))
    _head(f"6. Other messages are known to be good; {inventory} names them. Check mode: nothing is sent.")
    stage.playbook("release", "-i", inventory, "--check")
    _expect(_delivered(stage.emulator) == before, "nothing more was delivered")

    _head("7. The release.")
    stage.playbook("release", "-i", inventory)
    delivered = _delivered(stage.emulator)
    _expect(len(delivered) > len(before), f"{len(delivered) - len(before)} messages were delivered")

    _head("8. The same again: nothing is left to do, nothing is sent twice.")
    stage.playbook("release", "-i", inventory)
    _expect(
        _delivered(stage.emulator) == delivered and set(delivered.values()) == {1},
        "each recipient still has each message once",
    )


def _follow_up(stage: Stage) -> None:
    sender = "orders@supplier.example"
    ticket = f"@{stage.directory / 'ticket.yml'}"
    _head(f"9. {sender} is held by mistake. Release it, tell Cloudflare, and let the sender through for 14 days.")
    held = _arrives(stage.emulator, sender)
    _expect(held["is_quarantined"], "a message of the sender is in quarantine")
    follow_up = ["-e", "quarantine_release_reclassify_as=none", "-e", "quarantine_release_allow_for=14d"]
    stage.playbook("release", "-e", f"quarantine_release_messages={held['id']}", *follow_up, "-e", ticket)
    [policy] = stage.emulator.ask("/lists/allow_policies")
    print(f"The allow policy: {policy['pattern']}, {policy['comments']}")
    _expect(not _arrives(stage.emulator, sender)["is_quarantined"], "the next message of the sender is not held")

    _head("10. Fifteen days later (the demo turns the day of the policy back), a schedule deletes what has expired.")
    policy["comments"] = re.sub(r"\d{4}-\d\d-\d\d", "2026-01-01", policy["comments"])
    stage.emulator.edit(f"settings/allow_policies/{policy['id']}", {"comments": policy["comments"]})
    schedule = stage.directory / "expire.yml"
    schedule.write_text(_EXPIRE, encoding="utf-8")
    stage.playbook(str(schedule))
    _expect(_arrives(stage.emulator, sender)["is_quarantined"], "the next message of the sender is held again")


def _arrives(emulator: RunningEmulator, sender: str) -> dict[str, Any]:
    """Let a message arrive that its sender proves and Cloudflare takes for spam. Return what became of it."""
    proven = {"spf": "pass", "dkim": "pass", "dmarc": "pass"}
    order = {"sender": sender, "subject": "Your order", "disposition": "SPAM", "validation": proven}
    [message] = emulator.tell("/messages", order)
    return dict(message)


def _keep_a_report(stage: Stage) -> None:
    """Copy the HTML report of the release to a place that outlives the demo."""
    pages = sorted(stage.reports.glob("all-accounts-*.html"))
    if not pages:
        raise ActFailed(f"The playbook wrote no page into {stage.reports}.")
    KEPT.parent.mkdir(exist_ok=True)
    shutil.copy2(pages[0], KEPT)
    _head(f"The report of the release in act 7, as a page: {KEPT.relative_to(CHECKOUT)}")
    print(f"To look at it, open this address in a browser: {KEPT.as_uri()}", flush=True)


def _quarantined(emulator: RunningEmulator, account: str) -> int:
    return sum(message["is_quarantined"] for message in emulator.ask(f"/messages?account={account}"))


def _delivered(emulator: RunningEmulator) -> dict[tuple[str, str], int]:
    """Return how often each recipient got each message."""
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
