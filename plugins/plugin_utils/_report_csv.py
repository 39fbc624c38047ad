# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Reports as CSV (RFC 4180) that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
import typing as t

from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._report_rows import COLUMNS, report_rows

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def report_csv(reports: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Return one line for each message of all reports, after a line of column names."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for report in reports:
        writer.writerows([_inert(row[name]) for name in COLUMNS] for row in report_rows(report))
    return text.getvalue()


def _inert(cell: str) -> str:
    """Return a cell that a spreadsheet shows as it is.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) else cell
