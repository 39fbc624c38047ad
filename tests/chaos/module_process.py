# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module as a process of its own, as Ansible runs it on a host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

MODULES = "ansible_collections.emailsec.cloudflare.plugins.modules"
MAX_WAIT = 600  # seconds: the longest that a run is ever told to wait for a rate limit
PATIENCE = MAX_WAIT + 100.0  # seconds after which a run counts as hanging


class Ended(NamedTuple):
    """How a run ended.

    code: its exit code (negative: the signal). printed: everything. result: if there is one. hung: it had to be ended.
    """

    code: int
    printed: str
    result: dict[str, Any] | None
    hung: bool = False


def start(
    directory: Path,
    options: Mapping[str, Any],
    variables: Mapping[str, str],
    *,
    check_mode: bool = False,
    module: str = "message_release",
) -> subprocess.Popen[str]:
    """Start the module in a directory that also holds its temporary files."""
    arguments = directory / "arguments.json"
    arguments.write_text(
        json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": check_mode}}), encoding="utf-8"
    )
    environment = {
        "HOME": str(directory),
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ["PYTHONPATH"],
        "TMPDIR": str(directory),
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-m", f"{MODULES}.{module}", str(arguments)],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Ended:
    """Wait for its end."""
    try:
        printed = process.communicate(timeout=PATIENCE)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return Ended(process.wait(), process.communicate()[0], None, hung=True)
    return Ended(process.returncode, printed, _result(printed))


def _result(printed: str) -> dict[str, Any] | None:
    for line in printed.splitlines():
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                return found
    return None
