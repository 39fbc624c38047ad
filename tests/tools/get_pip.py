# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts pip into an empty virtual environment, as get-pip.py does, from the pip that comes with Python.

ansible-test downloads get-pip.py from a host that not every network reaches, unless its cache has one. This stands in
for it there: same arguments, no download but that of the packages which they name.
"""

from __future__ import annotations

import runpy
import subprocess
import sys

if __name__ == "__main__":
    # In a process of its own, as ensurepip makes the one that it runs in deaf to pip's configuration.
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    # Options of get-pip.py that pip does not know. Both ask for less than an environment may hold.
    wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    sys.argv[1:] = ["install", *wanted]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
