# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: an emulated AWX, and an administrator who sets it up."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "awx_setup"), str(TESTS / "integration"), str(TESTS / "tools"), str(TESTS)]

# pylint: disable=wrong-import-position
from awx_emulator import Awx
from controller import Controller, SetUp, playbooks


@pytest.fixture
def awx() -> Iterator[Awx]:
    """An AWX that was just installed."""
    with Awx(playbooks()) as running:
        yield running


@pytest.fixture
def controller(tmp_path: Path, awx: Awx) -> Controller:
    """Its administrator."""
    return Controller(tmp_path, awx)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """An AWX that is set up, once for all tests of a file as it takes a while."""
    with Awx(playbooks()) as running:
        controller = Controller(tmp_path_factory.mktemp("awx"), running)
        yield SetUp(running, controller, controller.set_up("-vvvv"))


@pytest.fixture
def set_up(made: SetUp) -> Iterator[SetUp]:
    """The same, as it was right after it was set up."""
    state = copy.deepcopy(vars(made.awx.store))
    yield made
    vars(made.awx.store).update(state)
