# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of the collection where ansible-test and others want it: in a tree of collections, without what git ignores.

ansible-test refuses a collection that lies elsewhere, symbolic links included, and other tools would take what lies
in ``.venv`` for part of the collection or leave files of their own in the checkout.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import typing as t
from pathlib import Path

from bootstrap import CHECKOUT, SetUpError


@contextlib.contextmanager
def copy_of_checkout() -> t.Iterator[Path]:
    """Yield the path of a fresh copy. It is outside the checkout, with no git repository above it."""
    with tempfile.TemporaryDirectory(prefix="emailsec-cloudflare-") as root:
        collection = Path(root).resolve() / "ansible_collections" / "emailsec" / "cloudflare"
        for name in _files():
            source, target = CHECKOUT / name, collection / name
            if not source.exists():
                continue  # deleted, and git does not know yet
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
        yield collection


def _files() -> list[str]:
    """Return the names of the files that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, check=False, cwd=CHECKOUT, capture_output=True, text=True)
    except FileNotFoundError as exc:
        raise SetUpError("This needs git, which is not on the PATH.") from exc
    if done.returncode:
        raise SetUpError(f"git cannot list the files of {CHECKOUT}:\n{done.stderr.strip()}")
    return sorted(set(done.stdout.split("\0")) - {""})
