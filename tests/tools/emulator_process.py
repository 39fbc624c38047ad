# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator as a process of its own, for the demo and the benchmarks."""

from __future__ import annotations

import contextlib
import json
import time
import typing as t
import urllib.request
from pathlib import Path

from bootstrap import CHECKOUT, RUN, Environment, SetUpError
from process import started

PATIENCE = 60.0


class RunningEmulator:
    """What the emulator prints about itself when it starts."""

    def __init__(self, description: dict[str, t.Any]) -> None:
        self.url: str = description["url"]
        self.accounts: list[dict[str, str]] = description["accounts"]
        self._control_url: str = description["control_url"]
        self._credentials: dict[str, dict[str, str]] = description["credentials"]

    def variables(self) -> dict[str, str]:
        """Return the variables with which the collection finds the emulator and may release."""
        credential = {name: text for name, text in self._credentials["write"].items() if name.startswith("CLOUDFLARE_")}
        return {"CLOUDFLARE_BASE_URL": self.url, **credential}

    def ask(self, path: str) -> t.Any:
        """Return the answer of the emulator's control interface, which no client of the API sees."""
        return self._exchange(urllib.request.Request(f"{self._control_url}{path}"))

    def tell(self, path: str, body: t.Any) -> t.Any:
        """Send the emulator a command through its control interface."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self._exchange(urllib.request.Request(f"{self._control_url}{path}", data, headers, method="POST"))

    def edit(self, path: str, body: t.Any) -> None:
        """Change something of the first account by the API, as a client does."""
        url = f"{self.url}/accounts/{self.accounts[0]['id']}/email-security/{path}"
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.variables()['CLOUDFLARE_API_TOKEN']}",
        }
        self._exchange(urllib.request.Request(url, json.dumps(body).encode(), headers, method="PATCH"))

    @staticmethod
    def _exchange(request: urllib.request.Request) -> t.Any:
        # Never by way of a proxy: this is the same machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE) as answer:
            return json.load(answer)


@contextlib.contextmanager
def running_emulator(directory: Path, *options: str, environment: Environment = RUN) -> t.Iterator[RunningEmulator]:
    """Start the emulator with these options, with its files in the directory, and end it in any case."""
    ready, log = directory / "ready.json", directory / "emulator.log"
    command = [str(environment.python), "tests/emulator", "--ready-file", str(ready), *options]
    with (
        log.open("w", encoding="utf-8") as output,
        started(command, cwd=CHECKOUT, env=environment.variables(), output=output) as process,
    ):
        give_up = time.monotonic() + PATIENCE
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > give_up:
                raise SetUpError(f"The emulator did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.05)
        yield RunningEmulator(json.loads(ready.read_text(encoding="utf-8")))
