# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How AWX says no."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """The request is answered with this status and this body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def not_found() -> Refused:
    """There is no such thing."""
    return Refused(404, {"detail": "Not found."})


def invalid(field: str, problem: str) -> Refused:
    """A field has a value that it cannot have."""
    return Refused(400, {field: [problem]})
