# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of all unit tests."""

from __future__ import annotations

import importlib
import os
import signal
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.tests.unit.support import http
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, TOKEN
from ansible_collections.emailsec.cloudflare.tests.unit.support.module import Finished, run_module
from hypothesis import HealthCheck, settings

# The same examples in every run, so that a test that passed here passes there.
settings.register_profile(
    "unit", derandomize=True, database=None, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck)
)
# Other examples in every run, and many: pytest --hypothesis-profile=long
settings.register_profile(
    "long", deadline=None, max_examples=5000, print_blob=True, suppress_health_check=list(HealthCheck)
)
settings.load_profile("unit")

_LEFT_OUT = ("CLOUDFLARE_", "CF_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_", "NETRC")


@pytest.fixture(autouse=True)
def quiet_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """An environment without settings, an empty home, temporary files apart, and signal handlers that come back."""
    for name in list(os.environ):
        if name.startswith(_LEFT_OUT) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> t.Callable[[str], t.Any]:
    """Import a program of tests/tools."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "tools"))
    return importlib.import_module


@pytest.fixture
def clock() -> FakeClock:
    """A clock that makes no test wait."""
    return FakeClock()


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[http.Script]:
    """The HTTP calls of the test; at its end, none may be missing."""
    script = http.Script()
    http.install(script, monkeypatch)
    yield script
    script.verify()


class Runner(t.Protocol):
    """Runs a module with a token and an account, unless the test gives its own or None."""

    def __call__(
        self, name: str, /, *, check: bool = False, diff: bool = False, null: t.Sequence[str] = (), **options: t.Any
    ) -> Finished:
        """Return how the module ended. null: options that the task gives as null."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], clock: FakeClock, script: http.Script) -> Runner:
    """Run a module against the script."""

    def runner(
        name: str, /, *, check: bool = False, diff: bool = False, null: t.Sequence[str] = (), **options: t.Any
    ) -> Finished:
        given = {"account_id": ACCOUNT, "api_token": TOKEN, **options}
        given = {option: value for option, value in given.items() if value is not None}
        return run_module(capsys, clock, name, {**given, **dict.fromkeys(null)}, check_mode=check, diff=diff)

    return runner
