# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""What the emulator remembers of its work: requests and deliveries."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class Request(Struct, kw_only=True):
    """One request, recorded when it arrives and completed when it is answered; never with a secret."""

    number: int
    connection: int  # requests with the same number came over the same connection
    time: float
    method: str
    host: str
    path: str  # as sent, percent-encoded
    query: list[tuple[str, str]]
    credential: str | None  # by name
    headers: dict[str, str]  # by lower-case name
    body: bytes
    route: str | None = None
    violations: list[str] = field(default_factory=list)
    fault: str | None = None
    status: int | None = None  # None: not answered (yet)
    seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """For the control interface; the body as text."""
        names = self.__struct_fields__
        return {name: getattr(self, name) for name in names} | {"body": self.body.decode("utf-8", "backslashreplace")}


class Moved(Struct, frozen=True, kw_only=True):
    """One message moved in one mailbox."""

    account: str
    message_id: str  # the investigate id
    recipient: str
    folder: str
    time: float


class Delivery(Struct, frozen=True, kw_only=True):
    """One copy of a message handed to one recipient."""

    account: str
    message_id: str  # the investigate id
    recipient: str
    time: float
