# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that are started here, and that do not outlive the one that started them."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

PATIENCE = 15.0


def end_on_sigterm() -> None:
    """Make SIGTERM end this program in the same orderly way as Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def call(command: list[str], *, cwd: Path, env: dict[str, str]) -> int:
    """Run a command without input, show its output as it comes, and return its exit code."""
    with started(command, cwd=cwd, env=env) as process:
        return process.wait()


@contextlib.contextmanager
def started(
    command: list[str], *, cwd: Path, env: dict[str, str], output: t.IO[str] | None = None
) -> t.Iterator[subprocess.Popen[bytes]]:
    """Start a command, and end it afterwards: first with a request, so that it can clean up."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
