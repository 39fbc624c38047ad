# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the Pythons of this machine that can make a virtual environment: on the PATH, and those of pyenv."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

# Says where the Python really is, which is not where a version manager's stand-in is.
QUESTION = """
import ensurepip, sys, venv
print("%d.%d" % sys.version_info[:2], getattr(sys, "_base_executable", sys.executable))
"""


def find(versions: t.Sequence[str]) -> Path | None:
    """Return a Python of the first of these versions, such as 3.12, that exists."""
    for version in versions:
        for candidate in _candidates(version):
            answer = _ask(candidate)
            if answer[:1] == [version]:
                return Path(answer[1])
    return None


def _candidates(version: str) -> t.Iterator[Path]:
    """Yield where a Python of this version may be. All places on the PATH: the first may be one that does not run."""
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield Path(directory or os.curdir, f"python{version}")
    for root in (os.environ.get("PYENV_ROOT"), Path.home() / ".pyenv"):
        if root:
            yield from sorted(Path(root, "versions").glob(f"{version}.*/bin/python{version}"), reverse=True)


def _ask(python: Path) -> list[str]:
    """Return what the Python answers; nothing when it does not run, or cannot make environments."""
    try:
        done = subprocess.run(
            [python, "-c", QUESTION], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.strip().split(" ", 1) if done.returncode == 0 else []
