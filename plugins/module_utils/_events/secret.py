# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Checks the secret in the requests that a client sends."""

from __future__ import annotations

import hmac
import typing as t

from .limited_warnings import LimitedWarnings


class SecretCheck:
    """Admits requests with the secret in a header."""

    def __init__(self, header: str, secret: str, warn: LimitedWarnings) -> None:
        self._header = header
        self._secret = secret.encode()
        self._warn = warn

    def admits(self, headers: t.Mapping[str, str]) -> bool:
        """Tell whether the secret is in these headers. The time that this takes does not depend on the secret."""
        if hmac.compare_digest(headers.get(self._header, "").encode("utf-8", "surrogateescape"), self._secret):
            return True
        self._warn(f"Requests without the right secret in the header {self._header} were refused")
        return False
