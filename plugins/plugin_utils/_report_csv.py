# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Reports as CSV (RFC 4180). No spreadsheet reads a cell as a formula, whichever separator it expects."""

from __future__ import annotations

import csv
import io
import typing as t
import unicodedata

from ..plugin_utils._report_rows import COLUMNS, report_rows

_FORMULA = ("=", "+", "-", "\u2212", "@")
# A spreadsheet may ignore these before a formula.
_LEADING = " \t\r\n\"'`"


def report_csv(reports: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Return one line for each message of all reports."""
    return rows_csv((row for report in reports for row in report_rows(report)), COLUMNS)


def rows_csv(rows: t.Iterable[t.Mapping[str, str]], columns: t.Sequence[str]) -> str:
    """Return one line for each row, after a line of column names and, for Excel, a byte order mark."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows([_inert(row[name]) for name in columns] for row in rows)
    return text.getvalue()


def _inert(cell: str) -> str:
    """Return a cell that spreadsheets show as it is, also with semicolons as separators, as in much of Europe.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return ";".join(f"'{part}" if _is_formula(part) else part for part in cell.split(";"))


def _is_formula(text: str) -> bool:
    return unicodedata.normalize("NFKC", text).lstrip(_LEADING).startswith(_FORMULA)
