# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Run the emulator: `python3 tests/emulator --help`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tools")]


def use_own_environment(problem: Exception) -> NoReturn:
    """Start again with the Python of the checkout's environment, which has the libraries."""
    try:
        from bootstrap import RUN, SetUpError, prepare  # pylint: disable=import-outside-toplevel
    except ImportError:
        sys.exit(f"{problem}. Install: {sys.executable} -m pip install -r {HERE / 'requirements.txt'}")
    if Path(sys.prefix) == RUN.path:
        raise problem
    try:
        prepare(RUN)
    except SetUpError as trouble:
        sys.exit(str(trouble))
    os.execv(RUN.python, [str(RUN.python), *sys.argv])


try:
    from emulator import Emulator
    from emulator.scenarios import SCENARIOS
except (ImportError, AttributeError) as missing:  # no libraries, or old ones
    use_own_environment(missing)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python3 tests/emulator", description="An embedded Cloudflare Email Security."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--scenario", choices=SCENARIOS, default="default")
    parser.add_argument("--messages", type=int, default=1000, help="size of the scenario bulk (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0, metavar="MS", help="before each answer")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=JSON", help="a setting, see settings.py; repeatable"
    )
    parser.add_argument("--ready-file", type=Path, metavar="PATH", help="written as JSON when the server listens")
    return parser.parse_args()


def setting(text: str) -> tuple[str, object]:
    """NAME=JSON, where a bare word is a string."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    emulator = Emulator(
        options.scenario,
        messages=options.messages,
        seed=options.seed,
        host=options.host,
        port=options.port,
        **{"latency": options.latency / 1000, **dict(map(setting, options.set))},
    )
    with emulator:
        exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in emulator.environment().items())
        variables = {"quarantine_release_messages": [message.id for message in emulator.quarantined()[:2]]}
        print(f"Cloudflare Email Security, emulated: {emulator.url}  (control: {emulator.control_url}/)\n")
        print(f"export {exports}\n")
        print(f"ansible-playbook emailsec.cloudflare.release -e {shlex.quote(json.dumps(variables))}", flush=True)
        if options.ready_file:
            _write(options.ready_file, json.dumps(emulator.describe(), indent=2))
        signal.sigwait(stops)


def _write(path: Path, text: str) -> None:
    """Write the file so that nobody sees half of it."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    try:
        serve(arguments())
    except (ValueError, OSError) as mistake:
        sys.exit(f"The emulator did not start: {mistake}")
