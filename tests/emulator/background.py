# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""A web application in a thread of its own, for as long as a `with` statement lasts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Self

from aiohttp import web


class Background:
    """Serves the application that `make` makes; `origin` says where."""

    def __init__(self, make: Callable[[], web.Application], host: str, port: int) -> None:
        self._make = make
        self._address = (host, port)
        self._started: Future[str]
        self._stop: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread
        self.origin = ""

    def __enter__(self) -> Self:
        self._started = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="emulator", daemon=True)
        self._thread.start()
        self.origin = self._started.result(timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def restart(self, pause: float = 0.5) -> None:
        """Close every connection, and listen again on the same port after a pause (seconds). What is known stays."""
        self._address = (self._address[0], int(self.origin.rpartition(":")[2]))
        self.__exit__()
        time.sleep(pause)
        self.__enter__()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self._make(), access_log=None, shutdown_timeout=0.1)
        try:
            await runner.setup()
            await web.TCPSite(runner, *self._address).start()
            host, port = runner.addresses[0][:2]
            self._started.set_result(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        except OSError as problem:
            self._started.set_exception(problem)
        else:
            await self._stop.wait()
        finally:
            await runner.cleanup()
