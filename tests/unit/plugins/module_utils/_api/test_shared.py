# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers that processes share: in a file that is this user's alone, or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import tempfile
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Client, Credential, Settings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.shared import SharedNumbers
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, TOKEN, URL, envelope
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script


def folder() -> Path:
    """Return where the file is."""
    return Path(tempfile.gettempdir()) / f"emailsec-cloudflare-{os.getuid()}"


def add(times: int) -> None:
    """Count up in the file; the work of one process."""
    for _number in range(times):
        with SharedNumbers("a").held() as numbers:
            numbers["count"] = numbers.get("count", 0) + 1


def count() -> float:
    """Return how far the file has counted."""
    with SharedNumbers("a").held() as numbers:
        return numbers.get("count", 0)


def test_processes_do_not_lose_each_others_changes() -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=add, args=(50,)) for _number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert count() == 200


def test_file_and_folder_are_closed_to_others() -> None:
    add(1)
    (file,) = folder().iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder(), file)] == [0o700, 0o600]


@pytest.mark.parametrize(
    "content",
    ["", "nonsense", "[1]", "null", '{"count": "x"}', '{"count": {}}', "[" * 4000, '{"count"', "\udcff\udcff"],
)
def test_a_spoiled_file_is_as_good_as_none(content: str) -> None:
    add(1)
    next(folder().iterdir()).write_bytes(content.encode(errors="surrogateescape"))
    assert count() == 0
    add(2)
    assert count() == 2


def test_a_folder_that_others_may_enter_is_not_used() -> None:
    folder().mkdir(mode=0o755)
    add(1)
    assert not list(folder().iterdir())


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    folder().symlink_to(tmp_path, target_is_directory=True)
    add(1)
    assert not list(tmp_path.iterdir())


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("as it was")
    folder().mkdir(mode=0o700)
    (folder() / "a.json").symlink_to(target)
    numbers = SharedNumbers("a")
    for _number in range(2):
        with numbers.held() as held:
            held["count"] = held.get("count", 0) + 1
    assert target.read_text() == "as it was"
    with numbers.held() as held:
        assert held["count"] == 2, "the threads of the process still share them"


def test_without_a_name_nothing_is_written() -> None:
    with SharedNumbers().held() as numbers:
        numbers["count"] = 1
    assert not folder().exists()


def test_a_change_that_failed_midway_is_not_kept() -> None:
    add(1)

    def fail() -> None:
        with SharedNumbers("a").held() as numbers:
            numbers["count"] = 99
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        fail()
    assert count() == 1


def test_what_the_client_shares_names_no_credential(script: Script, clock: FakeClock) -> None:
    script.get("x", envelope([]))
    Client(Settings(URL, ACCOUNT, Credential({"Authorization": f"Bearer {TOKEN}"}, "api_token")), clock).get("x")
    (file,) = folder().iterdir()
    assert not any(part in f"{file.name}{file.read_text()}" for part in (TOKEN, TOKEN[:8], ACCOUNT))
    assert all(isinstance(value, (float, int)) for value in json.loads(file.read_text()).values())
