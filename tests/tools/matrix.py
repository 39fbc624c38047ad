# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unit and integration tests with every Ansible that the collection supports. Start it as ``./test matrix``."""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import time
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

import pythons
from bootstrap import VENV, Environment, SetUpError, prepare
from stages import StageFailed, tests_in

ABOUT = "units and integration with every Ansible from the floor on; long"
TESTS = ("tests/requirements/test.txt", "tests/emulator/requirements.txt")
HEAD = ("row", "ansible-core", "Python", "requests", "units", "integration", "seconds")
VERSIONS = """
import importlib.metadata as m, platform
print(m.version("ansible-core"), platform.python_version(), m.version("requests"))
"""


class Row(t.NamedTuple):
    """One combination: its Ansible, and the Pythons that run it, the first found of which is taken."""

    name: str
    pythons: tuple[str, ...]
    requirements: str = "requirements.txt"
    pins: tuple[str, ...] = ()

    def environment(self, interpreter: Path) -> Environment:
        """Return where the row runs."""
        return Environment(VENV / "matrix" / self.name, (self.requirements, *TESTS), self.pins, interpreter)


def _newest(core: str, *versions: str) -> Row:
    """Return the row of the newest patch of an Ansible, with the newest requests."""
    return Row(core, versions, pins=(f"ansible-core=={core}.*",))


ROWS = (
    Row("floor", ("3.11", "3.12"), "tests/requirements/floor.txt"),
    _newest("2.16", "3.11", "3.12"),
    _newest("2.17", "3.11", "3.12"),
    _newest("2.18", "3.11", "3.12", "3.13"),
    _newest("2.19", "3.11", "3.12", "3.13"),
    _newest("2.20", "3.12", "3.13", "3.14"),
    _newest("2.21", "3.13", "3.12", "3.14"),
)


class Skipped(Exception):
    """The row cannot run on this machine. The message says why."""


def main(words: list[str], added: list[str]) -> int:
    """Run the requested rows, all of them even if one fails, and print a summary."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(
        prog="./test matrix",
        description=f"Runs {ABOUT}. Each row gets an environment of its own below .venv/matrix.",
        epilog="What follows -- goes to pytest: ./test matrix -- -n 4",
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"some of {', '.join(names)}; default: all")
    parser.add_argument("--units", action="store_true", help="leave the integration tests out")
    arguments = parser.parse_args(words)
    if unknown := [word for word in arguments.rows if word not in names]:
        parser.error(f"there is no row {', '.join(unknown)}; there are {', '.join(names)}")
    wanted = [row for row in ROWS if row.name in (arguments.rows or names)]
    directories = ("tests/unit",) if arguments.units else ("tests/unit", "tests/integration")
    results = [_run(row, directories, added) for row in wanted]
    print()
    _show([result.cells for result in results])
    # A matrix of nothing but rows that were skipped has shown nothing.
    return 0 if all(result.good for result in results) and any(result.ran for result in results) else 1


class Result(t.NamedTuple):
    """How a row ended."""

    cells: tuple[str, ...]
    good: bool = True
    ran: bool = True


def _run(row: Row, directories: tuple[str, ...], added: list[str]) -> Result:
    """Make the environment of a row and run the tests of the directories in it."""
    print(f"\n=== matrix: {row.name}", flush=True)
    begin = time.monotonic()
    try:
        environment = _prepared(row)
    except Skipped as reason:
        return Result((row.name, f"skipped: {reason}"), ran=False)
    except SetUpError as problem:
        print(problem, flush=True)
        return Result((row.name, "FAILED: its environment cannot be made; see above"), good=False)
    done = subprocess.run([environment.python, "-c", VERSIONS], check=True, stdout=subprocess.PIPE, text=True)
    counts, verdicts = zip(*(_tested(environment, directory, added) for directory in directories), strict=True)
    left_out = ("not run",) * (2 - len(directories))
    seconds = f"{time.monotonic() - begin:.0f}"
    return Result((row.name, *done.stdout.split(), *counts, *left_out, seconds), good=all(verdicts))


def _prepared(row: Row) -> Environment:
    """Return the row's environment, ready to use."""
    interpreter = pythons.find(row.pythons)
    if interpreter is None:
        raise Skipped(f"no Python {' or '.join(row.pythons)} with venv found")
    environment = row.environment(interpreter)
    try:
        prepare(environment)
    except SetUpError as problem:
        if re.search(r"No matching distribution found for ansible-core\b", str(problem)):
            raise Skipped(f"pip finds none of {' '.join(row.pins) or row.requirements}") from problem
        raise
    return environment


def _tested(environment: Environment, directory: str, added: list[str]) -> tuple[str, bool]:
    """Run the tests of a directory; return their counts in words, and whether all is well."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place, "report.xml")
        try:
            tests_in(directory)(environment, [*added, f"--junitxml={report}"])
            good = True
        except StageFailed as failure:
            print(f"{directory}: {failure}", flush=True)
            good = False
        return _counts(report) if good or report.exists() else "did not run", good


def _counts(report: Path) -> str:
    """Return the numbers in a report of pytest that are not zero."""
    (suite,) = ET.parse(report).getroot()
    number = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    failed = number["failures"] + number["errors"]
    told = {"FAILED": failed, "passed": number["tests"] - failed - number["skipped"], "skipped": number["skipped"]}
    return ", ".join(f"{count} {word}" for word, count in told.items() if count) or "no tests"


def _show(rows: list[tuple[str, ...]]) -> None:
    """Print the table; a row that was not run has its reason in place of the cells."""
    full = [row for row in [HEAD, *rows] if len(row) == len(HEAD)]
    widths = [
        max(len(row[0]) for row in [HEAD, *rows]),
        *(max(map(len, column)) for column in list(zip(*full, strict=True))[1:]),
    ]
    for row in [HEAD, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip())
