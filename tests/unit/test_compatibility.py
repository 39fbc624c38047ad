# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is promised about versions is what is tested: the floor, the matrix and its table."""

from __future__ import annotations

import re
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TESTING = (ROOT / "docs" / "development" / "testing.md").read_text(encoding="utf-8")


def floor(package: str) -> str:
    """Return the oldest version of a package that is tested."""
    text = (ROOT / "tests" / "requirements" / "floor.txt").read_text(encoding="utf-8")
    versions: list[str] = re.findall(rf"^{package}==([\d.]+)", text, re.MULTILINE)
    return min(versions, key=lambda version: [int(part) for part in version.split(".")])


def table() -> dict[str, list[str]]:
    """Return the rows of the table by their names."""
    block = re.search(r"^```text\n(row +ansible-core .*?)^```", TESTING, re.MULTILINE | re.DOTALL)
    assert block
    rows = [line.split() for line in block[1].splitlines()[1:]]
    return {row[0]: row for row in rows}


def test_the_oldest_ansible_that_is_promised_is_tested() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">={floor('ansible-core')}"
    assert f"ansible-core {floor('ansible-core').removesuffix('.0')} or later" in README


@pytest.mark.parametrize("file", ["requirements.txt", "tests/unit/requirements.txt"])
def test_the_oldest_requests_that_is_promised_is_tested(file: str) -> None:
    promised = re.search(r"^requests *>= *([\d.]+)$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert promised
    assert f"{promised[1]}.0" == floor("requests")
    assert f"`requests` {promised[1]} or later" in README


def test_the_table_has_every_row_of_the_matrix(tool: t.Callable[[str], t.Any]) -> None:
    assert list(table()) == [row.name for row in tool("matrix").ROWS]


def test_the_table_has_rows_that_passed() -> None:
    rows = table()
    for name, row in rows.items():
        units, integration = row[5], " ".join(row[6:8])
        assert (row[4].isdecimal(), units) == (True, "passed"), name
        assert re.fullmatch(r"\d+ passed|not run", integration), name
    # The ends of the range are tested in full, whatever was left out between them.
    assert all(rows[name][7] == "passed" for name in (next(iter(rows)), list(rows)[-1]))
    assert table()["floor"][1:4:2] == [floor("ansible-core"), floor("requests")]
    assert all(row[1].startswith(f"{name}.") for name, row in table().items() if name != "floor")


def program(path: Path, script: str) -> Path:
    """Return a program of this content."""
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_python_that_does_not_run_hides_none_that_does(
    tool: t.Callable[[str], t.Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shim = program(tmp_path / "shims" / "python3.77", "echo 'pyenv: python3.77: command not found' >&2; exit 127")
    real = program(tmp_path / "root" / "versions" / "3.77.1" / "bin" / "python3.77", "echo 3.77 /real/python")
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    assert tool("pythons").find(["3.77"]) is None
    monkeypatch.setenv("PYENV_ROOT", str(real.parents[3]))
    assert tool("pythons").find(["3.77"]) == Path("/real/python")


def test_a_python_is_found_by_what_it_is_and_the_first_wish_comes_first(
    tool: t.Callable[[str], t.Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = program(tmp_path / "a" / "python3.77", "echo 3.76 /other/python")
    wanted = program(tmp_path / "b" / "python3.77", "echo 3.77 /real/python")
    second = program(tmp_path / "c" / "python3.78", "echo 3.78 /second/python")
    monkeypatch.setenv("PATH", ":".join(str(file.parent) for file in (other, wanted, second)))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    assert tool("pythons").find(["3.77", "3.78"]) == Path("/real/python")
    assert tool("pythons").find(["3.79", "3.78"]) == Path("/second/python")


def test_the_running_python_can_be_found(tool: t.Callable[[str], t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).resolve().parent))
    assert tool("pythons").find([f"{sys.version_info.major}.{sys.version_info.minor}"])
