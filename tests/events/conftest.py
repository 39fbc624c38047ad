# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: an emulated Cloudflare, and an ansible-rulebook that watches it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

# pylint: disable=wrong-import-position
from emulator import Emulator
from rulebooks import Rulebook


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """A fresh emulator; without mail, unless the test names another scenario."""
    with Emulator(getattr(request, "param", "empty")) as running:
        yield running


@pytest.fixture
def rulebook(tmp_path: Path, emulator: Emulator) -> Iterator[Rulebook]:
    """The rulebook that comes with the collection, not started yet."""
    rulebook = Rulebook(tmp_path, emulator.account_id, emulator.environment())
    yield rulebook
    rulebook.kill()
