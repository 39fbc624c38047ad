# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: an emulated Cloudflare, and what stands in for AWX."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

# pylint: disable=wrong-import-position
from emulator import Emulator
from jobs import Controller


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the size of the fleet."""
    parser.addoption(
        "--fleet", type=int, default=30, help="how many accounts the test of a fleet has; 300 takes a while"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks."""
    config.addinivalue_line("markers", "slow: takes a minute or more; leave it out with -m 'not slow'")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A fresh emulator with the default mail."""
    with Emulator() as running:
        yield running


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    """What stands in for AWX."""
    return Controller(tmp_path)
