# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Makes entries of a settings list from the CSV of another product."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._errors import InputError
from ...module_utils._mail.csv_rows import csv_rows
from ...module_utils._mail.pasted import stripped
from ...module_utils._settings.keys import Key, key_of
from ...module_utils._settings.kinds import KINDS, Kind
from ...module_utils._text import did_you_mean, first_few, printable
from .foreign_patterns import key_fields

LISTS = ("allow_policies", "block_senders", "trusted_domains")
HEADINGS = (
    "address", "blocked sender", "domain", "domain name", "domains", "e mail", "e mail address", "email", "email address", "emails",
    "entry", "from", "ip", "ip address", "mail", "pattern", "sender", "sender address", "sender email", "senders", "value",
)  # fmt: skip
_DELIMITERS = ",;\t|"
# What Excel reads as the delimiter
_SEPARATOR = re.compile(r"\s*sep=(.)\r?\n")
_READ_WRONG = re.compile("[\ufffd\ud800-\udfff]")
_OWN_OPTIONS = ("expires", "state")

Rows = t.List[t.Tuple[int, t.List[str]]]
Column = t.Union[str, int, None]


class Table(t.NamedTuple):
    """CSV that was read. header: its names, none without a header. place: of the column with the patterns."""

    rows: Rows
    header: list[str]
    place: int


class Entries(t.NamedTuple):
    """refused: the lines without an entry. repeated: those whose entry is that of an earlier line."""

    entries: list[dict[str, t.Any]]
    refused: list[str]
    repeated: list[str]


def csv_entries(
    text: str, name: str, column: Column, comments_column: Column, fields: t.Mapping[str, t.Any], expires: str | None
) -> Entries:
    """Return the entries in CSV. Raises InputError if it cannot be read at all.

    name: of the list. column, comments_column: the name or number of a column. fields: for all entries.
    """
    kind = _kind(name)
    given = {**fields, **({"expires": expires} if expires else {})}
    _check_fields(kind, given)
    table = _table(kind, text, column, isinstance(comments_column, str))
    comments = None if comments_column is None else _place(table.header, comments_column, _width(table.rows))
    found = Entries([], [], [])
    seen: dict[Key, int] = {}
    for line, row in table.rows[1 if table.header else 0 :]:
        cell = row[table.place] if table.place < len(row) else ""
        try:
            if len(row) > _width(table.rows):
                raise InputError(
                    "is in a line with more columns than the first one has; put quotes around the delimiter"
                )
            if not stripped(cell):
                raise InputError("is empty")
            entry = {**key_fields(kind, cell), **given}
            remark = "" if comments is None or comments >= len(row) else _remark(kind, row[comments])
        except InputError as error:
            found.refused.append(f"line {line} ({printable(cell, 80)!r}) {error}")
            continue
        first = seen.setdefault(key_of(kind, entry), line)
        if first != line:
            found.repeated.append(f"line {line} ({printable(cell, 80)!r}) is the same entry as line {first}")
            continue
        found.entries.append({**entry, **({"comments": remark} if remark else {})})
    return found


def _kind(name: str) -> Kind:
    if name not in LISTS:
        raise InputError(f"kind must be one of {', '.join(LISTS)}, not {printable(name, 80)!r}")
    return KINDS[name]


def _check_fields(kind: Kind, given: t.Mapping[str, t.Any]) -> None:
    known = {*kind.fields, *_OWN_OPTIONS} - {*kind.key, str(kind.regex)}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InputError(
            f"fields has {did_you_mean(printable(unknown[0], 80), known)}; it may have {', '.join(sorted(known))}"
        )


def _remark(kind: Kind, cell: str) -> str:
    text = re.sub("\r\n?", "\n", stripped(cell))
    longest = kind.fields["comments"].longest
    if longest is not None and len(text) > longest:
        raise InputError(f"has comments of {len(text)} characters, but Cloudflare takes at most {longest}")
    if _READ_WRONG.search(text):
        raise InputError("has comments that were read in a wrong encoding; save the file as UTF-8")
    return text


def _table(kind: Kind, text: str, column: Column, has_header: bool) -> Table:
    """Return the CSV as the delimiter makes sense of it that gives the column, or else most patterns, or else equal rows.

    has_header: even if it has no heading for the patterns.
    """
    text = text.lstrip("\ufeff")
    if "\0" in text:
        raise InputError("it is not UTF-8; save the file as UTF-8")
    declared = _SEPARATOR.match(text)
    skipped = 1 if declared else 0
    text = text[declared.end() :] if declared else text
    tables, problems = [], []
    for delimiter in declared[1] if declared else _DELIMITERS:
        try:
            rows = [(line + skipped, row) for line, row in csv_rows(text, delimiter) if not _is_comment(row)]
        except InputError as error:
            problems.append(str(error))
            continue
        if not rows:
            raise InputError("it has no rows; is it the right file?")
        tables.append((_fit(kind, rows, column, delimiter == "\t"), rows))
    if not tables:
        raise InputError(problems[0])
    rows = max(tables, key=lambda each: each[0])[1]
    header = [_heading(cell) for cell in rows[0][1]]
    if isinstance(column, str):
        return Table(rows, header, _place(header, column, len(header)))
    places = [index for index, name in enumerate(header) if name in HEADINGS]
    if column is not None:
        place = _place([], column, len(header))
        return Table(rows, header if has_header or place in places else [], place)
    if len(places) > 1:
        names = ", ".join(repr(printable(rows[0][1][place], 40)) for place in places)
        raise InputError(f"more than one column may have the patterns ({names}); name one in column")
    if not places and len(header) > 1:
        names = first_few(rows[0][1], show=lambda cell: repr(printable(cell, 40)))
        raise InputError(
            f"it has {len(header)} columns ({names}); name the one with the patterns, or its number, in column"
        )
    return Table(rows, header if has_header or places else [], places[0] if places else 0)


def _fit(kind: Kind, rows: Rows, column: Column, may_be_cut: bool) -> tuple[bool, int, bool, int]:
    """Return how well a delimiter fits: whether there is the column, how many patterns, whether rows are equal, and their width.

    may_be_cut: a lookup may have cut delimiters off the end of the file.
    """
    wanted = [_heading(column)] if isinstance(column, str) else HEADINGS
    width = _width(rows)
    equal = all(len(row) == width for _line, row in (rows[:-1] if may_be_cut else rows)) and len(rows[-1][1]) <= width
    found = sum(_is_pattern(kind, row[column - 1 : column]) for _line, row in rows) if isinstance(column, int) else 0
    return any(_heading(cell) in wanted for cell in rows[0][1]), found, equal, width


def _is_pattern(kind: Kind, cells: t.Sequence[str]) -> bool:
    try:
        return bool([key_fields(kind, cell) for cell in cells])
    except InputError:
        return False


def _width(rows: Rows) -> int:
    return len(rows[0][1])


def _is_comment(row: t.Sequence[str]) -> bool:
    return stripped(row[0]).startswith("#")


def _heading(cell: str) -> str:
    return " ".join(re.split(r"[\s_-]+", stripped(cell).lower()))


def _place(header: t.Sequence[str], column: str | int, width: int) -> int:
    """Return where a column is, from 0. A name needs a header, a number does not."""
    if isinstance(column, str):
        found = [index for index, name in enumerate(header) if name == _heading(column)]
        if len(found) != 1:
            raise InputError(
                f"the first line has {'no' if not found else 'more than one'} column {printable(column, 80)!r}"
            )
        return found[0]
    if isinstance(column, bool) or not isinstance(column, int) or not 1 <= column <= width:
        raise InputError(f"there is no column {printable(column, 80)}; the first line has {width}")
    return column - 1
