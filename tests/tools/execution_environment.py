# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks what ansible-builder makes of the collection, and that no more than it installs is needed.

Runs in a copy of the checkout. No image is built: that would take a container engine.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

import yaml
from bootstrap import VENV, Environment, SetUpError, prepare
from emulator_process import RunningEmulator, running_emulator

SAMPLE = Path("docs/execution-environment.yml")
REQUIREMENTS = "requirements.txt"
# What an image has: Ansible, and what ansible-builder finds that the collection needs.
IMAGE = Environment(VENV / "image", (REQUIREMENTS,), pins=("ansible-core",))


def main() -> int:
    """Look at the build context of the sample, at the requirements that are found, and run with nothing but these."""
    tree = Path("../../..").resolve()
    _check_context(tree / "context")
    _check_requirements(tree)
    prepare(IMAGE)
    with tempfile.TemporaryDirectory(prefix="emailsec-image-") as name, running_emulator(Path(name)) as emulator:
        found = _search(tree, emulator)
        hosts = _accounts(tree, emulator)
    print(f"With {', '.join(_required())} alone: {found} messages found in the first of {hosts} accounts.")
    return 0


def _check_context(context: Path) -> None:
    """Make the build context of the sample with ansible-builder, and check that the collection is in it."""
    _run("ansible-builder", "create", "--file", str(SAMPLE), "--context", str(context))
    wanted = yaml.safe_load((context / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    if [collection["name"] for collection in wanted["collections"]] != ["emailsec.cloudflare"]:
        sys.exit(f"{SAMPLE} installs {wanted}")


def _check_requirements(tree: Path) -> None:
    """Compare what ansible-builder finds in the collection with the file that pip gets."""
    found = yaml.safe_load(_run("ansible-builder", "introspect", str(tree)))
    python = [re.sub(r"\s*#.*", "", line) for line in found["python"]]
    if python != _required() or found["system"]:
        sys.exit(f"ansible-builder finds {found}, and not just {_required()}")


def _required() -> list[str]:
    """Return the requirements without comments."""
    lines = Path(REQUIREMENTS).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _search(tree: Path, emulator: RunningEmulator) -> int:
    """Return how many messages message_info finds; at least one."""
    module = ["emailsec.cloudflare.message_info", "--args", f"account_id={emulator.accounts[0]['id']}"]
    python = f"ansible_python_interpreter={IMAGE.python}"
    output = _in_image(tree, emulator, "ansible", "localhost", "--module-name", *module, "--extra-vars", python)
    result = json.loads(output[output.index("{") :])
    if not result["messages"]:
        sys.exit(f"message_info found nothing:\n{output}")
    return len(result["messages"])


def _accounts(tree: Path, emulator: RunningEmulator) -> int:
    """Return how many accounts the inventory finds: all."""
    inventory = "playbooks/inventory/cloudflare_accounts.yml"
    output = json.loads(_in_image(tree, emulator, "ansible-inventory", "--inventory", inventory, "--list"))
    hosts = len(output["_meta"]["hostvars"])
    if hosts != len(emulator.accounts):
        sys.exit(f"The inventory has {hosts} accounts of {len(emulator.accounts)}: {output}")
    return hosts


def _in_image(tree: Path, emulator: RunningEmulator, program: str, *arguments: str) -> str:
    """Return what a program prints that has only what an image has."""
    variables = IMAGE.variables() | emulator.variables()
    variables |= {"ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_COLLECTIONS_PATH": str(tree)}
    return _run(str(IMAGE.path / "bin" / program), *arguments, env=variables)


def _run(*command: str, **options: t.Any) -> str:
    """Return what a command printed, and exit if it fails."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\n{Path(command[0]).name} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetUpError as problem:
        sys.exit(str(problem))
