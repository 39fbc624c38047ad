# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Where a run keeps its files. Relative paths start in the directory in which Ansible was started."""

from __future__ import annotations

import os
import re
import tempfile
import typing as t

from ...module_utils._files import write_whole
from .asked import Asked

REPORT_DIRECTORY = "quarantine-release-reports"
# A release of a host named settings has fractions of a second in the name of its report.
SETTINGS_REPORT = re.compile(r"settings-\d{8}T\d{6}Z\.json")
_ROOM = 8192  # bytes that a message takes in all reports together, about


class Places(t.NamedTuple):
    """Paths of one run for one account.

    directory: of the reports. plan: the plan, written or read. journal: None for none. report: path of the report without
    its suffix; the time of the run in it keeps a run from overwriting another's. all_accounts: the same over all accounts.
    result_file: the rows of all messages; None for none.
    """

    directory: str
    plan: str
    journal: str | None
    report: str
    all_accounts: str
    result_file: str | None


def places(asked: Asked, host: str, started: str, check_mode: bool) -> Places:
    """Return where the run of a host that started then keeps its files.

    In check mode there is no journal as long as its directory is not there, as nothing is made.
    """
    directory = report_directory(asked.report_dir)
    stem = _stem(directory, host)
    journal = resolved(asked.journal) if asked.journal else None
    if journal and check_mode and not os.path.isdir(os.path.dirname(journal)):
        journal = None
    result_file = resolved(asked.result_file) if asked.result_file else None
    plan = f"{stem}.received.plan.json" if asked.packed else resolved(asked.plan_file or f"{stem}.plan.json")
    return Places(
        directory,
        plan,
        journal,
        report_path(directory, host, started),
        report_path(directory, "all-accounts", started),
        result_file,
    )


def report_directory(path: str | None) -> str:
    """Return the directory of the reports."""
    return os.path.realpath(os.path.expanduser(path or REPORT_DIRECTORY))


def report_path(directory: str, name: str, started: str) -> str:
    """Return the path of a report, without its suffix."""
    return f"{_stem(directory, name)}-{re.sub('[-:]', '', started)}"


def _stem(directory: str, host: str) -> str:
    return os.path.join(directory, re.sub(r"[^\w.-]", "_", host))


def resolved(path: str) -> str:
    """Return an absolute path. Its directory is resolved; its last part never is, as it must not be a link."""
    folder, name = os.path.split(os.path.expanduser(path))
    return os.path.join(os.path.realpath(folder), name)


def make_directory(path: str) -> None:
    """Make a directory that only its owner may use. An existing one stays as it is. Raises OSError."""
    os.makedirs(path, mode=0o700, exist_ok=True)


def try_directory(path: str, messages: int, check_mode: bool) -> None:
    """Raise OSError unless reports about so many messages fit into a directory. In check mode it is not made, and nothing stays behind."""
    if not check_mode:
        make_directory(path)
    existing = path
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(bytes((messages + 128) * _ROOM))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def write_file(path: str, text: str) -> None:
    """Write a file with mode 0600, completely or not at all. Raises OSError, which names the file."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
