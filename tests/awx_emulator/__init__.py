# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulated AWX: as much of its REST API as the modules of awx.awx use to set it up, and as people use to run a workflow."""

from .server import Awx

__all__ = ["Awx"]
