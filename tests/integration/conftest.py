# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: an emulated Cloudflare, and an ansible-playbook that talks to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

# pylint: disable=wrong-import-position
from emulator import Emulator

from playbooks import Ansible


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A fresh emulator with the default mail."""
    with Emulator() as running:
        yield running


@pytest.fixture
def ansible(tmp_path: Path, emulator: Emulator) -> Ansible:
    """An ansible-playbook with a credential that may do everything."""
    return Ansible(tmp_path, emulator.environment())
