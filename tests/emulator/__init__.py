# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The embedded Cloudflare: a stateful HTTP server that stands in for the Email Security API in demo and tests."""

from .server import Emulator

__all__ = ["Emulator"]
