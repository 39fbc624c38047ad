# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual environments of the demo and the tests: made when missing, kept while their requirements stay the same.

All of them live in ``.venv`` in the checkout, together with a home directory of their own, so that nothing outside the
checkout is written to but pip's cache. Run as a program, this makes the environment for development:
``python3 tests/tools/bootstrap.py && . .venv/bin/activate``.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
COLLECTIONS = VENV / "collections"
HOME = VENV / "home"

# Left out of what the programs here inherit: settings that would make a run differ from one machine to the next, and
# the credentials of a real Cloudflare account, which have no place in a test.
INHERITED_NOT = re.compile(
    r"ANSIBLE_|CLOUDFLARE_|COVERAGE_|PYTEST_|PYTHON|VIRTUAL_ENV$|XDG_|__PYVENV_LAUNCHER__$|PIP_(USER|TARGET|PREFIX)$"
)


class SetUpError(Exception):
    """The environment cannot be made. The message tells the user why."""


class Environment(t.NamedTuple):
    """A virtual environment: where it is and which requirement files, relative to the checkout, it holds.

    pins: versions on top of these files. interpreter: the Python that makes it, unless it is the running one.
    """

    path: Path
    requirements: tuple[str, ...]
    pins: tuple[str, ...] = ()
    interpreter: Path | None = None

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.path / "bin" / "python"

    def make(self) -> None:
        """Make the environment with only pip in it, unless it exists."""
        if not self._place().items() <= _read(self._stamp).items() or not _runs(self.python):
            # Cleared, as the programs of an environment that was moved still name its old place.
            _make(self)
            self._stamp.write_text(json.dumps(self._place()), encoding="utf-8")

    def fill(self) -> None:
        """Install the requirements of the environment, unless they are installed."""
        known, place = _read(self._stamp), self._place()
        wanted = {name: _digest(CHECKOUT / name) for name in self.requirements}
        if wanted.items() <= known.items():
            return
        # What was installed before comes along, so that pip finds versions that suit all of it.
        names = sorted(wanted | {name: "" for name in known if name not in place and (CHECKOUT / name).is_file()})
        _install(self, names)
        self._stamp.write_text(json.dumps(place | {name: _digest(CHECKOUT / name) for name in names}), encoding="utf-8")

    @property
    def _stamp(self) -> Path:
        return self.path / ".stamp.json"

    def _place(self) -> dict[str, str]:
        """Return a text that changes when the environment has to be made again."""
        place = {"path": str(self.path)}
        if self.pins:
            place["pins"] = " ".join(self.pins)
        if self.interpreter:
            place["interpreter"] = str(self.interpreter)
        return place

    def variables(self) -> dict[str, str]:
        """Return the variables for programs of this environment, with only the project's own configuration."""
        inherited = {name: value for name, value in os.environ.items() if not INHERITED_NOT.match(name)}
        loopback = {"NO_PROXY": "127.0.0.1,localhost"}
        if others := inherited.pop("no_proxy", inherited.get("NO_PROXY", "")):
            loopback["NO_PROXY"] += f",{others}"
        path = os.pathsep.join([str(self.path / "bin"), inherited.get("PATH", os.defpath)])
        return (
            inherited
            | _utf8(inherited)
            | loopback
            | {
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_CONFIG": str(Path(__file__).with_name("ansible.cfg")),
                "HOME": str(HOME),
                "PATH": path,
                "PYTHONNOUSERSITE": "1",
                "VIRTUAL_ENV": str(self.path),
            }
        )


RUN = Environment(VENV, ("tests/requirements/run.txt", "tests/emulator/requirements.txt"))
TEST = Environment(VENV, (*RUN.requirements, "tests/requirements/test.txt", "tests/contract/requirements.txt"))
STYLE = Environment(VENV, (*TEST.requirements, "tests/requirements/style.txt"))
JOBS = Environment(VENV, (*TEST.requirements, "tests/requirements/jobs.txt"))
LINT = Environment(VENV / "lint", ("tests/requirements/lint.txt",))
BENCHMARKS = Environment(VENV / "benchmarks", (*RUN.requirements, "tests/requirements/benchmarks.txt"))
DOCSITE = Environment(LINT.path, (*LINT.requirements, "tests/requirements/docsite.txt"))
EVENTS = Environment(VENV / "events", (*RUN.requirements, "tests/requirements/events.txt"))
FLOOR = Environment(VENV / "floor", ("tests/requirements/floor.txt", "tests/requirements/test.txt"))


def prepare(*environments: Environment) -> None:
    """Make the environments, and link the checkout as a collection in them."""
    if sys.version_info < (3, 11):  # noqa: UP036 - started with a Python of the user's choice
        raise SetUpError(f"This needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}.")
    # One for each place, with what all stages want of it. The outer ones first: to make one anew clears what is in it.
    places: dict[Path, Environment] = {}
    for environment in sorted(environments, key=lambda environment: len(environment.path.parts)):
        before = places.setdefault(environment.path, environment).requirements
        places[environment.path] = environment._replace(
            requirements=tuple(dict.fromkeys(before + environment.requirements))
        )
    with _lock(), ThreadPoolExecutor() as together:
        for environment in places.values():
            environment.make()
        list(together.map(Environment.fill, places.values()))
    HOME.mkdir(exist_ok=True)
    link = COLLECTIONS / "ansible_collections" / "emailsec" / "cloudflare"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.resolve() != CHECKOUT:
        link.unlink(missing_ok=True)
        link.symlink_to(CHECKOUT, target_is_directory=True)


def _make(environment: Environment) -> None:
    """Make the environment again, with only pip in it."""
    python = str(environment.interpreter or sys.executable)
    _say(f"Making {_relative(environment.path)} with {python}")
    _quietly([python, "-m", "venv", "--clear", "--symlinks", str(environment.path)], "The environment cannot be made")


def _install(environment: Environment, names: list[str]) -> None:
    """Install pins and requirement files with pip."""
    what = ", ".join([*environment.pins, *names])
    _say(f"Installing {what} into {_relative(environment.path)}")
    begin = time.monotonic()
    command = [str(environment.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Python compiles what is imported, which is a small part.
    command += ["--no-compile", *environment.pins]
    for name in names:
        command += ["-r", name]
    _quietly(command, f"pip could not install {what}")
    _say(f"Installed in {time.monotonic() - begin:.0f} s")


def _quietly(command: list[str], failure: str) -> None:
    """Run a command with the user's own settings, and show its output only if it fails."""
    own = {name: value for name, value in os.environ.items() if not re.match(r"PYTHON|PIP_(USER|TARGET|PREFIX)$", name)}
    done = subprocess.run(
        command,
        check=False,
        cwd=CHECKOUT,
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise SetUpError(f"{done.stdout.strip()}\n{failure}; see above.")


def _utf8(variables: dict[str, str]) -> dict[str, str]:
    """Return the variable for a UTF-8 locale, which Ansible needs; nothing if there is one already."""
    inherited = variables.get("LC_ALL") or variables.get("LC_CTYPE") or variables.get("LANG") or ""
    if re.search(r"utf-?8", inherited, re.IGNORECASE):
        return {}
    return {"LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"}


def _runs(python: Path) -> bool:
    """Tell whether the environment's Python is there, runs and has pip."""
    try:
        return subprocess.run([python, "-c", "import pip"], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _read(stamp: Path) -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads(stamp.read_text(encoding="utf-8"))
        return known
    except (OSError, ValueError):
        return {}


def _digest(path: Path) -> str:
    """Return the digest of a requirement file and of the files that it names."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise SetUpError(f"The requirements in {_relative(path)} cannot be read: {exc.strerror}.") from exc
    named = "".join(_digest(path.parent / name) for name in re.findall(r"^-r\s+(\S+)", text, re.MULTILINE))
    return hashlib.sha256((text + named).encode()).hexdigest()


@contextlib.contextmanager
def _lock() -> t.Iterator[None]:
    """Keep two runs in one checkout from making the same environment at the same time."""
    checkout = os.open(CHECKOUT, os.O_RDONLY)
    try:
        fcntl.flock(checkout, fcntl.LOCK_EX)
        yield
    finally:
        os.close(checkout)


def _relative(path: Path) -> str:
    return os.path.relpath(path, CHECKOUT)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        prepare(TEST)
    except SetUpError as error:
        sys.exit(str(error))
