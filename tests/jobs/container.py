# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the container of an execution environment: one run of ``ansible-runner worker``, of which nothing lasts.

AWX sends a job's private data directory and its settings to such a worker as a stream, and gets back the events and
the artifacts (awx/main/tasks/receptor.py). No container engine is needed for that: a directory that is removed, an
environment of its own, a session of its own, and an end to every process are what a job sees of a container.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

PROGRAMS = Path(sys.executable).parent
GRACE = 10  # seconds from SIGTERM to SIGKILL


class Container:
    """One container. directory: where it may live; it must not be there yet."""

    def __init__(self, directory: Path, home: str | None = None) -> None:
        self.directory = directory
        # /runner in a real one
        self.private_data_dir = directory / "runner"
        self.home = home or str(directory / "home")
        self.output = directory / "output"
        self._mark = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes]

    def start(self, stream: Path) -> None:
        """Start the worker on what the controller sent."""
        for folder in ("runner", "home", "tmp"):
            (self.directory / folder).mkdir(parents=True)
        command = [sys.executable, "-m", "ansible_runner", "worker", f"--private-data-dir={self.private_data_dir}"]
        with stream.open("rb") as sent, self.output.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.directory,
                env=self._variables(),
                stdin=sent,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, timeout: float) -> None:
        """Wait until the worker has ended, which is the end of the container."""
        try:
            self._process.wait(timeout)
        finally:
            self._end()

    def stop(self) -> None:
        """End it as its engine does: SIGTERM for the worker, and SIGKILL for all that is left of it after a while."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self._end()

    def kill(self) -> None:
        """End it at once, as when a node is gone."""
        self._process.kill()
        self._end()

    def remove(self) -> None:
        """Remove all that was written in it."""
        shutil.rmtree(self.directory)

    def _variables(self) -> dict[str, str]:
        """The environment that the image gives."""
        return {
            "CONTAINER": self._mark,
            "HOME": self.home,
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "127.0.0.1",
            "PATH": os.pathsep.join([str(PROGRAMS), os.environ["PATH"]]),
            "TERM": "dumb",
            "TMPDIR": str(self.directory / "tmp"),
        }

    def _end(self) -> None:
        """Kill every process of the container."""
        deadline = time.monotonic() + GRACE
        while (left := self._processes()) and time.monotonic() < deadline:
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.02)
        self._process.wait(GRACE)

    def _processes(self) -> list[int]:
        """The processes that were started in it, but those that are dead already."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"CONTAINER={self._mark}".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found
