# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Who may hand something in: whoever knows the secret."""

from __future__ import annotations

import hmac
import typing as t

from .seldom import Seldom


class Gate:
    """Admits requests that have the secret in a header."""

    def __init__(self, header: str, secret: str, seldom: Seldom) -> None:
        self._header = header
        self._secret = secret.encode()
        self._seldom = seldom

    def admits(self, headers: t.Mapping[str, str]) -> bool:
        """Tell whether a request with these headers may go on. How long that takes tells nothing of the secret."""
        if hmac.compare_digest(headers.get(self._header, "").encode("utf-8", "surrogateescape"), self._secret):
            return True
        self._seldom(f"Requests without the right secret in the header {self._header} were refused")
        return False
