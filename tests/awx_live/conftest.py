# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: the AWX to walk through, and an emulated Cloudflare that its jobs can reach.

A real AWX: CONTROLLER_HOST and CONTROLLER_OAUTH_TOKEN of an administrator, AWX_LIVE_ADDRESS (this machine, as the jobs of that AWX
reach it), and AWX_LIVE_VARIABLES, a JSON object of variables of awx_setup without their prefix, such as execution_environment_image,
project_scm_url, project_scm_branch and release_instance_group. The emulated one: pytest tests/awx_live --emulated
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / name) for name in ("awx_live", "awx_setup", "integration", "jobs", "tools")] + [str(TESTS)]

# pylint: disable=wrong-import-position
from awx_emulator import Awx
from controller import Controller, playbooks
from emulator import Emulator
from people import Site


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of an emulated AWX."""
    parser.addoption("--emulated", action="store_true", help="walk through an emulated AWX instead of CONTROLLER_HOST")


@pytest.fixture(scope="module")
def emulator(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """Cloudflare, with mail that is missed."""
    emulated = pytestconfig.getoption("--emulated")
    if not emulated and not os.environ.get("CONTROLLER_HOST"):
        pytest.skip("no CONTROLLER_HOST, and not --emulated")
    with Emulator(host="127.0.0.1" if emulated else "0.0.0.0") as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator, pytestconfig: pytest.Config) -> Iterator[Site]:
    """An AWX that is set up below a prefix of its own, and set free again whatever happens."""
    directory = tmp_path_factory.mktemp("awx")
    if not pytestconfig.getoption("--emulated"):
        real = {name: value for name, value in os.environ.items() if name.startswith("CONTROLLER_")}
        yield from _walked(Site(Controller(directory, None, environment=real), real["CONTROLLER_HOST"], emulator))
        return
    with Awx(playbooks(), jobs=tmp_path_factory.mktemp("jobs")) as awx:
        yield from _walked(Site(Controller(directory, awx), awx.origin, emulator))


def _walked(site: Site) -> Iterator[Site]:
    try:
        yield site
    finally:
        site.remove()
