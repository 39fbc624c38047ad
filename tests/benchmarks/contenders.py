# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways that are compared, each as a command, and modules started by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bootstrap import BENCHMARKS

from .bench import Bench
from .program import Started

PROGRAMS = Path(__file__).with_name("programs")
MODULES = "ansible_collections.emailsec.cloudflare.plugins.modules"
BATCH = 50


class Contender(NamedTuple):
    """A way to do something. batch: what it sends in one call. tries: how often it sends that at most, if told to retry."""

    name: str
    program: str
    batch: int
    tries: int = 1

    def start(self, bench: Bench, *, tries: int = 1, **given: object) -> Started:
        """Start it with what it is to work on."""
        given |= {"batch_size": self.batch, "tries": tries}
        return Started(self._command(str(bench.file(given))), bench.variables, bench.output())

    def _command(self, given: str) -> list[str]:
        program = str(PROGRAMS / self.program)
        if program.endswith(".py"):
            return [str(BENCHMARKS.python), program, given]
        return [str(BENCHMARKS.path / "bin" / "ansible-playbook"), program, "-e", f"@{given}"]


OURS = Contender("`message_release`", "release.yml", BATCH, 6)
ONE_BY_ONE = Contender("`uri`, one id per call", "uri.yml", 1, 4)
LOOPED = Contender(f"`uri`, {BATCH} ids per call", "uri.yml", BATCH, 4)
SDK = Contender("Python SDK, script", "sdk.py", BATCH, 3)
BARE = Contender("`requests`, bare script", "bare.py", BATCH, 4)
CONTENDERS = (OURS, ONE_BY_ONE, LOOPED, SDK, BARE)
NOTHING = Contender("Ansible with a module that does nothing", "nothing.yml", BATCH)


def start_module(bench: Bench, name: str, **options: object) -> Started:
    """Start a module by itself, as Ansible's last step does: what it takes then is its own."""
    given = bench.file({"ANSIBLE_MODULE_ARGS": options})
    return Started([str(BENCHMARKS.python), "-m", name], bench.variables, bench.output(), given)


def start_release(bench: Bench, ids: list[str], **options: object) -> Started:
    """Start the module that releases messages by itself."""
    return start_module(bench, f"{MODULES}.message_release", messages=ids, **options)


def start_same_result(bench: Bench, ids: list[str]) -> Started:
    """Start a module that only returns a result of the same size."""
    given = bench.file({"ANSIBLE_MODULE_ARGS": {"messages": ids, "api_token": bench.variables["CLOUDFLARE_API_TOKEN"]}})
    return Started([str(BENCHMARKS.python), str(PROGRAMS / "same_result.py")], bench.variables, bench.output(), given)


def start_uri(bench: Bench, path: str, **options: object) -> Started:
    """Start Ansible's module uri by itself, with one call below the account's part of the API."""
    variables = bench.variables
    return start_module(
        bench,
        "ansible.modules.uri",
        url=f"{variables['CLOUDFLARE_BASE_URL']}/accounts/{bench.account}/email-security/{path}",
        headers={"Authorization": f"Bearer {variables['CLOUDFLARE_API_TOKEN']}"},
        body_format="json",
        **options,
    )
