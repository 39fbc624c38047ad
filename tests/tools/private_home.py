# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The home directory that ansible-test gets: with the pip settings of the machine, and a pip of its own to begin with.

ansible-test hides every variable but HOME and PATH from the programs that it starts. What the user configured for pip by
variables (an index, a proxy, a certificate) therefore has to stand in a file in that home.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path

from bootstrap import HOME, Environment

# The versions of get-pip.py that releases of ansible-test ask for: up to 2.17, 2.18 and 2.19, from 2.20 on.
GET_PIP_VERSIONS = ("23.1.2", "24.2", "25.2")

# Where to install is for the programs here to say.
DROPPED = {"cache-dir", "config-file", "prefix", "require-virtualenv", "root", "target", "user"}


def furnish(environment: Environment) -> None:
    """Write what ansible-test and the programs that it starts look for in the home directory."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in GET_PIP_VERSIONS:
        shutil.copyfile(Path(__file__).with_name("get_pip.py"), cache / f"get_pip_{version.replace('.', '_')}.py")
    configuration = HOME / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.unlink(missing_ok=True)
    # An index may be given with a password in its address.
    with open(os.open(configuration, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(_pip_configuration(environment))


def _pip_configuration(environment: Environment) -> str:
    """Return the text of a pip.conf with the settings that pip has on this machine, from files and variables."""
    options: dict[tuple[str, str], str] = {}
    from_variables: dict[str, str] = {}
    for line in _pip(environment, "config", "list").splitlines():
        name, value = line.split("=", 1)
        section, option = name.rsplit(".", 1)
        if option in DROPPED:
            continue
        text = str(ast.literal_eval(value))
        if section == ":env:":
            from_variables[option] = text
        else:
            options[section, option] = text
    # For pip, a variable outweighs the files, in every section.
    options = {key: text for key, text in options.items() if key[1] not in from_variables}
    options |= {("global", option): text for option, text in from_variables.items()}
    for option, variables in {
        "proxy": ("HTTPS_PROXY", "https_proxy"),
        "cert": ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    }.items():
        if text := next((os.environ[name] for name in variables if os.environ.get(name)), ""):
            options.setdefault(("global", option), text)
    if cache := _pip(environment, "cache", "dir").strip():
        options["global", "cache-dir"] = cache
    # ansible-test must not install anything into the Python of the machine, whatever it takes for its own.
    options["global", "require-virtualenv"] = "true"
    options["global", "quiet"] = "2"
    lines = []
    for section in sorted({owner for owner, option in options}):
        lines.append(f"[{section}]")
        for (owner, option), text in sorted(options.items()):
            if owner == section:
                lines.append(f"{option} = " + text.replace("\n", "\n    "))
    return "\n".join(lines) + "\n"


def _pip(environment: Environment, *arguments: str) -> str:
    """Return what pip answers with the settings and the home of the user; nothing when it has no answer."""
    command = [str(environment.python), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
