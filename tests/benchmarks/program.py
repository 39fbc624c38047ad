# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running one program and measuring it: its time, and its memory at the peak."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, NamedTuple

from bootstrap import BENCHMARKS, CHECKOUT, COLLECTIONS

TIME_LIMIT = 600.0


class Failed(Exception):
    """A program did not do what it should have."""


class Usage(NamedTuple):
    """What a program took: wall clock and processor in seconds, memory of its largest process in bytes."""

    seconds: float
    cpu: float
    memory: int
    code: int


class Started:
    """A program under way."""

    def __init__(self, command: list[str], variables: dict[str, str], output: Path, given: Path | None = None) -> None:
        self._output = output
        self._name = " ".join(command[:2])
        everything = BENCHMARKS.variables() | {"PYTHONPATH": str(COLLECTIONS)} | variables
        with output.open("wb") as out, _opened(given) as stdin:
            self._begin = time.perf_counter()
            self._process = subprocess.Popen(
                command, cwd=CHECKOUT, env=everything, stdin=stdin, stdout=out, stderr=subprocess.STDOUT
            )

    def wait(self, *, must_succeed: bool = True) -> Usage:
        """Wait for its end."""
        try:
            _, status, used = os.wait4(self._process.pid, 0)
        except BaseException:
            self._process.terminate()
            self._process.wait()
            raise
        seconds = time.perf_counter() - self._begin
        self._process.returncode = code = os.waitstatus_to_exitcode(status)
        if code and must_succeed:
            raise Failed(f"{self._name} ended with {code}:\n{self._output.read_text(errors='replace')[-3000:]}")
        unit = 1 if sys.platform == "darwin" else 1024
        return Usage(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit, code)


def _opened(given: Path | None) -> IO[bytes]:
    return open(given or os.devnull, "rb")
