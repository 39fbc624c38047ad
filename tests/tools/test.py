# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the tests: the usual stages, or those that are named. Start it as ``./test``."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
import typing as t
from pathlib import Path

import matrix
from bootstrap import VENV, SetUpError, prepare
from process import end_on_sigterm
from stages import REST, USUAL, Stage, StageFailed

STAGES = {stage.name: stage for stage in (*USUAL, *REST)}
SETS = {
    "quick": ["units"],
    "usual": [stage.name for stage in USUAL],
    "rest": [stage.name for stage in REST],
    "all": list(STAGES),
}


def main() -> int:
    """Run the requested stages, all of them even if one fails, and print a summary."""
    words, added = _split(sys.argv[1:])
    if words[:1] == ["matrix"]:
        return matrix.main(words[1:], added)
    parser = argparse.ArgumentParser(
        prog="./test",
        description="Runs the tests. Sets up what they need in .venv, which takes a while the first time.",
        epilog="What follows -- goes to pytest or ansible-test: ./test units -- -k batches",
    )
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="stages or sets of those listed; default: usual")
    parser.add_argument("--list", action="store_true", help="list the stages and end")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what a stage prints even if it passes")
    arguments = parser.parse_args(words)
    if arguments.list:
        print("\n".join(f"{stage.name:<12} {stage.about}" for stage in STAGES.values()))
        print(f"{'matrix':<12} extra, by itself: {matrix.ABOUT}")
        print("\n".join(f"{name:<12} stands for: {', '.join(stages)}" for name, stages in SETS.items()))
        return 0
    if unknown := [word for word in arguments.stages if word not in STAGES | SETS]:
        parser.error(f"there is no stage {', '.join(unknown)}; there are {', '.join([*STAGES, *SETS])}")
    wanted = {name for word in arguments.stages or ["usual"] for name in SETS.get(word, [word])}
    return _run([stage for name, stage in STAGES.items() if name in wanted], added, verbose=arguments.verbose)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Split the command line at ``--``."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _run(stages: list[Stage], added: list[str], *, verbose: bool) -> int:
    begin = time.monotonic()
    prepare(*(stage.environment for stage in stages))
    rows = [("set-up", "done", time.monotonic() - begin)]
    for stage in stages:
        begin = time.monotonic()
        passed = _shown(stage, added) if verbose else _told(stage, added)
        rows.append((stage.name, "passed" if passed else "FAILED", time.monotonic() - begin))
    rows.append(("in all", "", sum(row[2] for row in rows)))
    print()
    for name, verdict, seconds in rows:
        print(f"{name:<12} {verdict:<7} {seconds:6.1f} s")
    return 1 if any(row[1] == "FAILED" for row in rows) else 0


def _shown(stage: Stage, added: list[str]) -> bool:
    """Run a stage with its output as it comes; return whether it passed."""
    print(f"\n=== {stage.name}: {stage.about}", flush=True)
    return _passed(stage, added)


def _told(stage: Stage, added: list[str]) -> bool:
    """Run a stage with its output in a file. Print its last line, or all of it if the stage fails."""
    print(f"{stage.name:<12} {stage.about} ... ", end="", flush=True)
    log = VENV / "logs" / f"{stage.name}.log"
    log.parent.mkdir(exist_ok=True)
    with _into(log):
        passed = _passed(stage, added)
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    print((text or "passed").splitlines()[-1] if passed else f"FAILED\n{text}\n", flush=True)
    return passed


def _passed(stage: Stage, added: list[str]) -> bool:
    try:
        stage.run(stage.environment, added)
    except StageFailed as failure:
        print(f"{stage.name}: {failure}", flush=True)
        return False
    return True


@contextlib.contextmanager
def _into(log: Path) -> t.Iterator[None]:
    """Write what this program and those that it starts print to a file."""
    kept = {stream: os.dup(stream.fileno()) for stream in (sys.stdout, sys.stderr)}
    try:
        with log.open("wb") as file:
            for stream in kept:
                os.dup2(file.fileno(), stream.fileno())
        yield
    finally:
        for stream, descriptor in kept.items():
            stream.flush()
            os.dup2(descriptor, stream.fileno())
            os.close(descriptor)


if __name__ == "__main__":
    end_on_sigterm()
    try:
        sys.exit(main())
    except SetUpError as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
