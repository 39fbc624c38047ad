# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the collection as users get it: built, installed, loaded by Ansible, and taken by Galaxy's importer.

Runs in a copy of the checkout, which it leaves files in.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

# The top of the archive: whatever else turns up there needs a word in build_ignore or one here.
WANTED = {
    ".ansible-lint",  # Galaxy's importer reads it, and so knows the modules of awx.awx
    "CHANGELOG.rst",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "REUSE.toml",
    "SECURITY.md",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
}
NEEDED = {"README.md", "LICENSE", "meta/runtime.yml", "meta/execution-environment.yml", "requirements.txt"}


def main() -> int:
    """Build, look inside, install, list the modules, import."""
    outside = Path("../../..").resolve()
    installed = outside / "installed"
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(installed)

    _run("ansible-galaxy", "collection", "build", "--output-path", str(outside))
    (archive,) = outside.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = set(opened.getnames())
        files = [member.name for member in opened if member.isfile()]
    strange = [name for name in sorted(files) if name.startswith("plugins/module") and not name.endswith(".py")]
    problems = [
        f"{archive.name} holds {name}" for name in sorted({name.split("/")[0] for name in names} - WANTED) + strange
    ]
    problems += [f"{archive.name} lacks {name}" for name in sorted(NEEDED - names)]
    print(f"{archive.name}: {len(names)} files, {archive.stat().st_size // 1024} KiB")

    _run("ansible-galaxy", "collection", "install", "--offline", "--no-deps", "-p", str(installed), str(archive))
    modules = [f"emailsec.cloudflare.{path.stem}" for path in sorted(Path("plugins/modules").glob("*.py"))]
    documented = json.loads(_run("ansible-doc", "--json", *modules).stdout)
    problems += [f"{name} has no documentation where it is installed" for name in modules if name not in documented]
    _run("ansible-doc", "--type", "inventory", "--json", "emailsec.cloudflare.accounts")

    # The importer ends with 0 after some of its errors.
    log = _run(sys.executable, "-m", "galaxy_importer.main", str(archive))
    problems += re.findall(r"^(?:ERROR|WARNING).*", log.stdout + log.stderr, re.MULTILINE)
    print("\n".join(problems) or "Installed, documented and imported without a complaint.")
    return 1 if problems else 0


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """Return what a command printed, and exit if it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\n{' '.join(command[:3])} ended with {done.returncode}")
    return done


if __name__ == "__main__":
    sys.exit(main())
