# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running one program and measuring it: its time, and its memory at the peak."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bootstrap import BENCHMARKS, CHECKOUT, COLLECTIONS

WATCH = Path(__file__).with_name("watch.py")
TIME_LIMIT = 600.0


class Failed(Exception):
    """A program did not do what it should have."""


class Usage(NamedTuple):
    """What a program took: wall clock and processor in seconds, memory of its largest process in bytes."""

    seconds: float
    cpu: float
    memory: int
    code: int  # of its end


class Started:
    """A program under way, with all that it starts a group of processes of its own."""

    def __init__(self, command: list[str], variables: dict[str, str], output: Path, given: Path | None = None) -> None:
        self._output = output
        self._usage = output.with_suffix(".usage")
        self._name = " ".join(command[:2])
        everything = BENCHMARKS.variables() | {"PYTHONPATH": str(COLLECTIONS)} | variables
        with output.open("wb") as out, open(given or os.devnull, "rb") as stdin:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(WATCH), str(self._usage), *command],
                cwd=CHECKOUT,
                env=everything,
                stdin=stdin,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, *, must_succeed: bool = True) -> Usage:
        """Wait for its end, and end it if that takes too long."""
        try:
            self._process.wait(TIME_LIMIT)
        except BaseException:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()
            raise
        if self._process.returncode:
            raise Failed(f"{self._name} could not be started:\n{self._said()}")
        usage = Usage(**json.loads(self._usage.read_text(encoding="utf-8")))
        if usage.code and must_succeed:
            raise Failed(f"{self._name} ended with {usage.code}:\n{self._said()}")
        return usage

    def _said(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")[-3000:]
