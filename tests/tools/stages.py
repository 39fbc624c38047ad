# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages of the tests: what each one runs, and in which environment."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import awx_collection
import private_home
from bootstrap import CHECKOUT, COLLECTIONS, DOCSITE, EVENTS, FLOOR, JOBS, LINT, RUN, STYLE, TEST, Environment, prepare
from process import call
from tree import copy_of_checkout

TOOLS = Path(__file__).resolve().parent
# What users get, and so what Ansible's rules are for.
SHIPPED = ["plugins/", "roles/", "playbooks/", "meta/", "changelogs/"]


class StageFailed(Exception):
    """A command of the stage failed."""


class Stage(t.NamedTuple):
    """One stage of ``./test``."""

    name: str
    about: str
    environment: Environment
    run: t.Callable[[Environment, list[str]], None]


def tests_in(directory: str) -> t.Callable[[Environment, list[str]], None]:
    """Return a stage that runs the tests of a directory, with the options that the user added."""

    def run(environment: Environment, added: list[str]) -> None:
        variables = {"PYTHONPATH": str(COLLECTIONS)}
        command = [_bin(environment, "pytest"), directory, "-q", "-n", "auto"]
        _run(environment, [*command, *added], variables=variables)

    return run


def _integration(environment: Environment, added: list[str]) -> None:
    # One more than there are cores, as the tests wait for delays and retries. A worker takes from others what they have not begun.
    workers = str((os.cpu_count() or 1) + 1)
    tests_in("tests/integration")(environment, ["-n", workers, "--dist", "worksteal", *added])


def _chaos(environment: Environment, added: list[str]) -> None:
    command = [str(environment.python), "tests/chaos", *added]
    variables = {"PYTHONPATH": str(COLLECTIONS)}
    _run(environment, command, variables=variables)
    if not added:
        for program in ("tests/chaos/follow_ups.py", "tests/chaos/settings.py"):
            _run(environment, [str(environment.python), program], variables=variables)


def _awx(environment: Environment, added: list[str]) -> None:
    awx_collection.ensure(environment)
    # A file of tests shares an AWX that was set up once, which takes a while.
    tests_in("tests/awx_setup")(environment, ["--dist", "loadfile", *added])


def _jobs(environment: Environment, added: list[str]) -> None:
    tests_in("tests/jobs")(environment, added)
    if not added:
        # A walk through a set-up of AWX, whose steps build on each other. Whoever has a real AWX runs tests/awx_live alone.
        awx_collection.ensure(environment)
        tests_in("tests/awx_live")(environment, ["--emulated", "--dist", "loadfile"])


def _sanity(environment: Environment, added: list[str]) -> None:
    private_home.furnish(environment)
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    python = subprocess.run([environment.python, "-c", version], check=True, stdout=subprocess.PIPE, text=True).stdout
    # Said outright, as ansible-test otherwise tries, and changes, every Python that it finds on the PATH.
    command = [_bin(environment, "ansible-test"), "sanity", "--local", "--python", python.strip()]
    command += ["--color", "yes" if sys.stdout.isatty() else "no"]
    with copy_of_checkout() as copy:
        _run(environment, [*command, *(added or SHIPPED)], cwd=copy)


def _lint(environment: Environment, _added: list[str]) -> None:
    with copy_of_checkout() as copy:
        variables = {"ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2])}
        _run(environment, [_bin(environment, "ansible-lint"), "--strict", "--offline"], cwd=copy, variables=variables)


def _style(environment: Environment, _added: list[str]) -> None:
    scripts = ["demo", "test", ".ci/run", *map(str, TOOLS.glob("*.sh"))]
    failures = []
    for command in (["shellcheck", *scripts], ["ruff", "format", "--check"], ["ruff", "check"], ["mypy"]):
        try:
            _run(environment, [_bin(environment, command[0]), *command[1:]])
        except StageFailed as failure:
            failures.append(str(failure))
    if failures:
        raise StageFailed(", ".join(failures))


def _docs(environment: Environment, _added: list[str]) -> None:
    command = [_bin(environment, "antsibull-docs"), "lint-collection-docs", "--plugin-docs"]
    with copy_of_checkout() as copy:
        _run(environment, [*command, "--validate-collection-refs", "self", "."], cwd=copy)


def _docsite(environment: Environment, _added: list[str]) -> None:
    _run(environment, [str(environment.python), str(TOOLS / "docsite.py")])


def _image(_environment: Environment, added: list[str]) -> None:
    prepare(LINT)
    _in_copy("python", str(TOOLS / "execution_environment.py"))(LINT, added)


def _in_copy(*command: str) -> t.Callable[[Environment, list[str]], None]:
    """Return a stage that runs one program of the environment in a copy of the checkout."""

    def run(environment: Environment, _added: list[str]) -> None:
        with copy_of_checkout() as copy:
            _run(environment, [_bin(environment, command[0]), *command[1:]], cwd=copy)

    return run


def _bin(environment: Environment, name: str) -> str:
    return str(environment.path / "bin" / name)


def _run(
    environment: Environment, command: list[str], *, cwd: Path = CHECKOUT, variables: dict[str, str] | None = None
) -> None:
    """Run a command in the environment, its output shown as it comes."""
    plain = {} if sys.stdout.isatty() else {"NO_COLOR": "1"}
    everything = environment.variables() | plain | (variables or {})
    if code := call(command, cwd=cwd, env=everything):
        raise StageFailed(f"{Path(command[0]).name} ended with {code}")


# What ./test runs when nothing is named, and what a change is likely to break
USUAL = (
    Stage("units", "the unit tests", TEST, tests_in("tests/unit")),
    Stage("contract", "the emulator against the API's contract", TEST, tests_in("tests/contract")),
    Stage("integration", "modules, role and playbooks against the emulator", TEST, _integration),
    Stage("style", "format, lint and types: ruff, mypy, shellcheck", STYLE, _style),
    Stage("docs", "the documentation of plugins and roles", LINT, _docs),
    Stage("package", "build, install and Galaxy's importer", LINT, _in_copy("python", str(TOOLS / "package.py"))),
)
REST = (
    Stage("awx", "setting up AWX, against an emulated one", TEST, _awx),
    Stage("jobs", "playbooks as jobs of AWX, a fleet of accounts, and a walk through an emulated AWX", JOBS, _jobs),
    Stage("events", "the event source and its rulebooks with ansible-rulebook", EVENTS, tests_in("tests/events")),
    Stage("chaos", "storms of faults against the module", TEST, _chaos),
    Stage("floor", "the unit tests with the oldest Ansible and requests", FLOOR, tests_in("tests/unit")),
    Stage("sanity", "ansible-test sanity", TEST, _sanity),
    Stage("lint", "ansible-lint, profile production", LINT, _lint),
    Stage("docsite", "the documentation site, built into .venv/site", DOCSITE, _docsite),
    Stage("changelog", "the changelog and its fragments", LINT, _in_copy("antsibull-changelog", "lint")),
    Stage("licences", "a licence for every file", LINT, _in_copy("reuse", "lint", "--lines")),
    Stage("image", "what ansible-builder makes of it, and that this is enough", RUN, _image),
)
