# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures the collection against its alternatives. Start it as `python3 tests/benchmarks`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "tools")]

from bootstrap import BENCHMARKS, SetUpError, prepare
from process import end_on_sigterm

SUBJECTS = RELEASE, SETTINGS = "release", "settings"


def main() -> None:
    """Measure all parts, show the tables, and write them into the page if asked to."""
    parser = argparse.ArgumentParser(
        prog="python3 tests/benchmarks",
        description="Measures the collection against its alternatives, on the emulator. Sets itself up in .venv.",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: whether all of it works")
    parser.add_argument("--write", action="store_true", help="put tables and chart into docs/performance.md")
    parser.add_argument("--only", choices=SUBJECTS, help="measure and write one of the two subjects")
    arguments = parser.parse_args()
    if arguments.quick and arguments.write:
        parser.error("--quick does not measure what the page shows")
    prepare(BENCHMARKS)
    if Path(sys.prefix) != BENCHMARKS.path:
        os.execv(BENCHMARKS.python, [str(BENCHMARKS.python), *sys.argv])
    from benchmarks.everything import measure
    from benchmarks.lists import measure_lists
    from benchmarks.page import write
    from benchmarks.program import Failed
    from benchmarks.scope import FULL, QUICK

    for subject in [arguments.only] if arguments.only else SUBJECTS:
        with tempfile.TemporaryDirectory(prefix="emailsec-benchmarks-") as name:
            try:
                scope = QUICK if arguments.quick else FULL
                figures = (measure_lists if subject == SETTINGS else measure)(Path(name), scope)
            except Failed as problem:
                sys.exit(str(problem))
        tables = figures.tables() if arguments.quick else [figures.targets(), *figures.tables()]
        print("\n\n".join(table.markdown() for table in tables), end="\n\n", flush=True)
        if arguments.write:
            write(subject, figures)


if __name__ == "__main__":
    end_on_sigterm()
    try:
        main()
    except SetUpError as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
