# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reads CSV as it comes out of other programs."""

from __future__ import annotations

import csv
import io
import typing as t

from .._errors import InputError
from .pasted import stripped


def csv_rows(text: str, delimiter: str) -> t.Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank, with the number of its first line. Raises InputError."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    line = 0
    try:
        for row in rows:
            number, line = line + 1, rows.line_num
            if any(map(stripped, row)):
                yield number, row
    except csv.Error as error:
        raise InputError(f"line {line + 1} is not valid CSV ({error})") from None
