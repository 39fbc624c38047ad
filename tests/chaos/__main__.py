# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault campaign: storms drawn from seeds, each played against the real module. ``python tests/chaos --help``."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# pylint: disable=wrong-import-position
from storm import FOCI, draw
from trial import Trial, run


def main() -> int:
    """Play the storms and say what came of them."""
    parser = argparse.ArgumentParser(prog="python tests/chaos", description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=len(FOCI), help="how many storms (default: one about each kind of trouble)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the first one; the others follow")
    parser.add_argument("--jobs", type=int, default=8, help="how many at once; most of the time they wait")
    parser.add_argument("--replay", type=int, metavar="SEED", help="play one storm and tell all that happened")
    arguments = parser.parse_args()
    if arguments.replay is not None:
        trial = run(draw(arguments.replay))
        print("\n".join([str(trial.storm.options), *trial.story, *(f"WRONG: {words}" for words in trial.violations)]))
        return bool(trial.violations)
    begin = time.monotonic()
    trials: list[Trial] = []
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for trial in pool.map(run, map(draw, range(arguments.seed, arguments.seed + arguments.runs))):
            trials.append(trial)
            if trial.violations:
                _complain(trial)
    _sum_up(trials, time.monotonic() - begin)
    spared = _never_struck(trials) if len(trials) >= len(FOCI) else []
    if spared:
        print(f"\nNothing was proven about {', '.join(spared)}: it never struck.")
    return bool(spared) or any(trial.violations for trial in trials)


def _never_struck(trials: list[Trial]) -> list[str]:
    """What the storms are about, and no storm suffered from."""
    struck = {name for trial in trials for name, number in trial.hits.items() if number}
    struck |= {str(trial.storm.disturbance) for trial in trials if trial.disturbed}
    return sorted(set(FOCI) - struck)


def _complain(trial: Trial) -> None:
    print(f"\nSeed {trial.storm.seed} ({trial.storm.focus}):")
    for words in trial.violations[:10]:
        print(f"  {words}")
    command = shlex.join(["python", "tests/chaos", "--replay", str(trial.storm.seed)])
    print(f"  Replay: {command}", flush=True)


def _sum_up(trials: list[Trial], seconds: float) -> None:
    storms = [trial.storm for trial in trials]
    hits: Counter[str] = sum((trial.hits for trial in trials), Counter())
    disturbances = Counter(str(trial.storm.disturbance) for trial in trials if trial.disturbed)
    rows = [
        ("storms", len(trials)),
        ("messages", sum(len(storm.recipients) for storm in storms)),
        ("requests", sum(trial.requests for trial in trials)),
        ("copies delivered", sum(trial.copies for trial in trials)),
        ("storms with a state that lags", sum(bool(storm.settings["state_lag"]) for storm in storms)),
        ("faults that struck", _listed(hits)),
        ("disturbances", _listed(disturbances)),
        ("statuses", _listed(sum((trial.statuses for trial in trials), Counter()))),
        ("seconds", f"{seconds:.0f}; the longest storm {max(trial.seconds for trial in trials):.0f}"),
        ("storms with a violation", sum(bool(trial.violations) for trial in trials)),
    ]
    print()
    for name, value in rows:
        print(f"{name:<30} {value}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
