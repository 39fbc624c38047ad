# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks that the action group ``api`` names every module, so that ``module_defaults`` for the group reach them all."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml


def main() -> int:
    """Compare meta/runtime.yml with plugins/modules in the current directory."""
    modules = {path.stem: path.read_text(encoding="utf-8") for path in Path("plugins/modules").glob("*.py")}
    grouped = set(yaml.safe_load(Path("meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]["api"])
    problems = [f"meta/runtime.yml: the action group api lacks {name}" for name in modules if name not in grouped]
    problems += [f"meta/runtime.yml: {name} in the action group api is no module" for name in grouped - set(modules)]
    problems += [
        f"plugins/modules/{name}.py: lacks the options of the group, the fragment emailsec.cloudflare.api"
        for name, text in modules.items()
        if "- emailsec.cloudflare.api\n" not in text
    ]
    print("\n".join(sorted(problems)) or f"The action group api names all {len(modules)} modules.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
