# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Who may hand something in: whoever knows the secret."""

from __future__ import annotations

import hmac
import typing as t

from ._clock import Clock

_PAUSE = 60.0


class Gate:
    """Admits requests that have the secret in a header. warn: told of others, at most once a minute, whoever knocks."""

    def __init__(self, header: str, secret: str, clock: Clock, warn: t.Callable[[str], None]) -> None:
        self._header = header
        self._secret = secret.encode()
        self._clock = clock
        self._warn = warn
        self._refused = 0
        self._warned: float | None = None

    def admits(self, headers: t.Mapping[str, str]) -> bool:
        """Tell whether a request with these headers may go on. How long that takes tells nothing of the secret."""
        if hmac.compare_digest(headers.get(self._header, "").encode("utf-8", "surrogateescape"), self._secret):
            return True
        self._refused += 1
        now = self._clock.monotonic()
        if self._warned is None or now - self._warned >= _PAUSE:
            self._warn(f"Requests without the right secret in the header {self._header} were refused: {self._refused}")
            self._warned, self._refused = now, 0
        return False
