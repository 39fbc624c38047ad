# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it was measured on."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple


class Machine(NamedTuple):
    """The machine, the versions, the day, and how busy the machine was before."""

    text: str


def machine() -> Machine:
    """Look at this machine."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("ansible-core", "requests", "cloudflare", "aiohttp"))
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    day = datetime.datetime.now(datetime.UTC).date()
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return Machine(
        f"Measured on {day}: {_processor()}, {os.cpu_count()} cores, {system}; "
        f"Python {platform.python_version()}, {versions}. Load of the machine at the beginning "
        f"(1, 5, 15 minutes): {load}. The emulator ran on the same machine."
    )


def _processor() -> str:
    """Return the name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
