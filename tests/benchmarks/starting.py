# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part 3: what the module costs before its first request, compared with a module that only imports requests.

Ansible packs a module and what it imports into one file and starts that; the same files are started here.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import NamedTuple

from bootstrap import BENCHMARKS

from .bench import Bench, bench
from .contenders import PROGRAMS
from .program import Failed, Started
from .scope import Scope
from .table import Table, megabytes


class Start(NamedTuple):
    """Seconds and memory of the start, of the module and of the other one."""

    module: float
    only_requests: float
    module_memory: float
    only_requests_memory: float

    @property
    def added(self) -> float:
        """The seconds that the collection adds."""
        return self.module - self.only_requests

    def table(self) -> Table:
        """Show it."""
        rows = [
            ("A module that only imports `requests`", _ms(self.only_requests), megabytes(self.only_requests_memory)),
            ("`message_release` with an empty list", _ms(self.module), megabytes(self.module_memory)),
            ("Difference", _ms(self.added), megabytes(self.module_memory - self.only_requests_memory)),
        ]
        about = "The file that Ansible makes of a module, started without Ansible around it. Medians."
        return Table("Start of the module", about, ("Module", "Time", "Memory"), rows)


def start(directory: Path, scope: Scope) -> Start:
    """Measure both in turns."""
    with bench(directory, 1) as place:
        modules = [_packed(place, "emailsec.cloudflare.message_release"), _packed(place, "only_requests")]
        usages = [
            [Started([str(BENCHMARKS.python), str(file)], place.variables, place.output()).wait() for file in modules]
            for _ in range(scope.starts)
        ]
    ours, other = zip(*usages, strict=True)
    return Start(
        *(median(usage.seconds for usage in column) for column in (ours, other)),
        *(median(usage.memory for usage in column) for column in (ours, other)),
    )


def _packed(place: Bench, module: str) -> Path:
    """Let Ansible run a module with an empty list, and keep the file that it starts."""
    kept = place.directory / f"kept-{module}"
    variables = place.variables | {
        "ANSIBLE_KEEP_REMOTE_FILES": "true",
        "ANSIBLE_LIBRARY": str(PROGRAMS),
        "ANSIBLE_REMOTE_TEMP": str(kept),
    }
    command = [str(BENCHMARKS.path / "bin" / "ansible"), "localhost", "-m", module, "-a", '{"messages": []}']
    Started(command, variables, place.output()).wait()
    files = list(kept.glob("*/AnsiballZ_*.py"))
    if len(files) != 1:
        raise Failed(f"Ansible kept no file of {module}: {files}")
    return files[0]


def _ms(number: float) -> str:
    return f"{number * 1000:.0f} ms"
