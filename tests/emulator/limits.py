# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Cloudflare's rate limit: so many requests per credential and window, then a block."""

from __future__ import annotations

import math
from email.utils import format_datetime

from msgspec import Struct

from .clock import utc
from .envelope import ApiError, error
from .settings import Settings


class Window(Struct):
    """What one credential has used since `start`, and until when it is blocked, if it is."""

    start: float
    used: int = 0
    blocked_until: float | None = None

    def end(self, settings: Settings) -> float:
        """When counting begins anew."""
        return self.start + settings.rate_window if self.blocked_until is None else self.blocked_until


class RateLimits:
    """The windows of all credentials, by name."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}

    def _window(self, name: str, now: float, settings: Settings) -> Window:
        window = self._windows.get(name)
        if window is None or now >= window.end(settings):
            window = self._windows[name] = Window(now)
        return window

    def count(self, name: str, now: float, settings: Settings) -> None:
        """Count one request, or refuse it with 429."""
        window = self._window(name, now, settings)
        window.used += 1
        if window.used <= settings.rate_quota:
            return
        if window.blocked_until is None:
            window.blocked_until = window.end(settings) if settings.rate_block is None else now + settings.rate_block
        wait = math.ceil(window.blocked_until - now)
        headers = {
            "seconds": {"Retry-After": str(wait)},
            "date": {"Retry-After": format_datetime(utc(now + wait), usegmt=True)},
            "omitted": {},
        }
        message = (
            f"More than {settings.rate_quota} requests per {settings.rate_window:g} seconds reached. "
            "Please wait and consider throttling your request speed"
        )
        raise ApiError(429, error(971, message), headers=headers[settings.retry_after])

    def headers(self, name: str, now: float, settings: Settings) -> dict[str, str]:
        """How the credential stands, as every JSON answer tells."""
        window = self._window(name, now, settings)
        left = max(0, settings.rate_quota - window.used)
        return {
            "Ratelimit": f'"default";r={left};t={math.ceil(window.end(settings) - now)}',
            "Ratelimit-Policy": f'"default";q={settings.rate_quota};w={settings.rate_window:g}',
        }
