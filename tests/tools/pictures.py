# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the pictures of job output in docs/images, from jobs that are run against the emulator.

Run it by hand when the output has changed: ``python3 tests/tools/pictures.py``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from bootstrap import CHECKOUT, LINT, RUN, SetUpError, prepare
from emulator_process import RunningEmulator, running_emulator

IMAGES = CHECKOUT / "docs" / "images"
SEARCH = {"quarantine_release_search": {"sender": "partner.example", "since": "7d"}}
APPROVAL = {
    "quarantine_release_handover": "artifact",
    "quarantine_release_fail_if_nothing": True,
    "quarantine_release_show_content": True,
    "quarantine_release_journal_lasts": False,
}
# Tasks of which a reader learns nothing.
SHOWN = re.compile(r"Searched for|Show what was decided|Show the outcome|Show what became")
# Without the fonts that a browser would fetch from somewhere else.
DRAW = r"""
import pathlib, re, sys
from rich.console import Console
from rich.text import Text
console = Console(record=True, width=120, file=open("/dev/null", "w"))
console.print(Text.from_ansi(sys.stdin.read().strip()))
text = console.export_svg(title=sys.argv[2])
pathlib.Path(sys.argv[1]).write_text(re.sub(r"@font-face \{.*?\}\s*", "", text, flags=re.DOTALL))
"""


def main() -> None:
    """Play the workflow, and draw what its jobs print."""
    prepare(RUN, LINT)
    with tempfile.TemporaryDirectory(prefix="emailsec-pictures-") as name, running_emulator(Path(name)) as emulator:
        planned, artifacts = _job(emulator, Path(name), "plan", SEARCH | APPROVAL)
        _draw(planned, "awx-plan", "Quarantine: Plan")
        _applied, results = _job(emulator, Path(name), "apply", artifacts)
        reported, _ = _job(emulator, Path(name), "workflow_report", artifacts | results)
        _draw(reported, "awx-report", "Quarantine: Report")


def _job(
    emulator: RunningEmulator, directory: Path, playbook: str, variables: dict[str, t.Any]
) -> tuple[str, dict[str, t.Any]]:
    """Return what a job prints in colour, and its artifacts."""
    environment = RUN.variables() | emulator.variables()
    environment |= {
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_FORCE_COLOR": "true",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_SHOW_CUSTOM_STATS": "true",
        "COLUMNS": "110",
    }
    hosts = {"harbour-logistics": {"quarantine_release_account_id": emulator.accounts[0]["id"]}}
    (directory / "accounts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    command = [
        "ansible-playbook",
        f"emailsec.cloudflare.{playbook}",
        "-i",
        "accounts.json",
        "-e",
        json.dumps(variables),
    ]
    done = subprocess.run(command, cwd=directory, env=environment, check=True, capture_output=True, text=True)
    output, _, stats = done.stdout.replace(str(directory), "/runner/project").partition("CUSTOM STATS")
    return output, json.loads(stats[stats.index("RUN: ") + len("RUN: ") :])


def _draw(output: str, name: str, title: str) -> None:
    """Draw the interesting tasks and the recap."""
    parts = re.split(r"\n(?=\S*(?:TASK|PLAY))", output)
    text = "\n".join(part for part in parts if "TASK" not in part or SHOWN.search(part))
    command = [str(LINT.python), "-c", DRAW, str(IMAGES / f"{name}.svg"), title]
    subprocess.run(command, input=text, check=True, text=True)


if __name__ == "__main__":
    try:
        main()
    except SetUpError as problem:
        sys.exit(str(problem))
