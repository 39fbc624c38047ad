# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the tests: all stages, or those that are named. Start it as ``./test``."""

from __future__ import annotations

import argparse
import sys
import time

import matrix
from bootstrap import SetUpError, prepare
from process import end_on_sigterm
from stages import STAGES, Stage, StageFailed

QUICK = ("units",)


def main() -> int:
    """Run the stages that were asked for, all of them even if one fails, and sum up."""
    words, added = _split(sys.argv[1:])
    if words[:1] == ["matrix"]:
        return matrix.main(words[1:], added)
    names = [stage.name for stage in STAGES]
    parser = argparse.ArgumentParser(
        prog="./test",
        description="Runs the tests. Sets up what they need in .venv, which takes a while the first time.",
        epilog="What follows -- goes to pytest or ansible-test: ./test units -- -k batches",
    )
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="one of those listed, or 'quick'; default: all")
    parser.add_argument("--list", action="store_true", help="list the stages and end")
    arguments = parser.parse_args(words)
    if arguments.list:
        print("\n".join(f"{stage.name:<12} {stage.about}" for stage in STAGES))
        print(f"{'quick':<12} stands for: {', '.join(QUICK)}")
        print(f"{'matrix':<12} extra, by itself: {matrix.ABOUT}")
        return 0
    if unknown := [word for word in arguments.stages if word not in (*names, "quick")]:
        parser.error(f"there is no stage {', '.join(unknown)}; there are {', '.join(names)}")
    wanted = {name for word in arguments.stages or names for name in (QUICK if word == "quick" else (word,))}
    return _run([stage for stage in STAGES if stage.name in wanted], added)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Part the command line at ``--``."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _run(stages: list[Stage], added: list[str]) -> int:
    rows: list[tuple[str, str, float]] = []
    begin = time.monotonic()
    prepare(*dict.fromkeys(stage.environment for stage in stages))
    rows.append(("set-up", "done", time.monotonic() - begin))
    for stage in stages:
        print(f"\n=== {stage.name}: {stage.about}", flush=True)
        begin = time.monotonic()
        try:
            stage.run(stage.environment, added)
            verdict = "passed"
        except StageFailed as failure:
            print(f"{stage.name}: {failure}", flush=True)
            verdict = "FAILED"
        rows.append((stage.name, verdict, time.monotonic() - begin))
    rows.append(("in all", "", sum(row[2] for row in rows)))
    print()
    for name, verdict, seconds in rows:
        print(f"{name:<12} {verdict:<7} {seconds:6.1f} s")
    return 1 if any(row[1] == "FAILED" for row in rows) else 0


if __name__ == "__main__":
    end_on_sigterm()
    try:
        sys.exit(main())
    except SetUpError as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
