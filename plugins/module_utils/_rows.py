# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The rows of a result: all of them in a file (option result_file), and the wanted ones in the result (return_messages)."""

from __future__ import annotations

import json
import os
import typing as t

from ._errors import InputError, ResultFileError
from ._files import check_target, write_parts

ALL = "all"
ATTENTION = "attention"
NONE = "none"

Row = t.Mapping[str, t.Any]


def check_result_file(path: str | None, *others: str | None) -> None:
    """Raise InputError if no result file can be written at this path. Writes nothing.

    others: the other files of the task. None of them may be overwritten.
    """
    if path is None:
        return
    if os.path.realpath(path) in [os.path.realpath(other) for other in others if other is not None]:
        raise InputError(f"result_file is also given as another file of this task: {path}. Nothing was sent.")
    try:
        check_target(path)
    except OSError as error:
        raise InputError(f"The result file {path} cannot be written ({error.strerror}). Nothing was sent.") from None


def write_result_file(path: str, rows: t.Iterable[Row], mask: t.Callable[[Row], Row]) -> None:
    """Write all rows as JSON Lines, whole or not at all. Raises ResultFileError.

    mask: takes secrets out of a row.
    """
    try:
        write_parts(path, (json.dumps(mask(row)).encode() + b"\n" for row in rows))
    except OSError as error:
        raise ResultFileError(
            f"The result file {path} could not be written ({error.strerror}). The result has all rows instead"
        ) from None


def wanted(rows: t.Sequence[Row], choice: str, needs_attention: t.Callable[[Row], bool]) -> t.Sequence[Row]:
    """Return the rows that belong into the result by the option return_messages."""
    if choice == ALL:
        return rows
    return [row for row in rows if needs_attention(row)] if choice == ATTENTION else []
