# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""What is kept on the application and on each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from .credentials import Credential
    from .records import Request
    from .world import World

WORLD: web.AppKey[World] = web.AppKey("world")
RECORD: web.RequestKey[Request] = web.RequestKey("record")
CREDENTIAL: web.RequestKey[Credential | None] = web.RequestKey("credential")
QUERY: web.RequestKey[dict[str, Any]] = web.RequestKey("query")
