# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Reads handles from a file: text with one handle on each line, or CSV with a header.

A file is data. Nothing takes its content for a template, whatever a sender wrote into a Message-ID.
"""

from __future__ import annotations

import codecs
import csv
import os
import re
import stat
import typing as t

from .._errors import InputError
from .csv_rows import csv_rows
from .handles import Handle, parse_handle, parse_named_handles
from .pasted import cleaned, stripped

COLUMNS = ("id", "postfix_id", "message_id", "message-id")
_MAX_BYTES = 16 * 1024 * 1024
_DELIMITERS = ",;\t"


def read_handles(path: str, column: str | None = None) -> list[Handle]:
    """Return the handles in a file, each once, in their order. Raises one InputError that names all lines without a handle.

    column: the column of a CSV file that has the handles.
    """
    try:
        text, parse = _decode(_read(path))
        return _handles([(f"line {number}", value) for number, value in _values(text, column)], parse)
    except InputError as error:
        raise InputError(f"The list of messages {path} cannot be used: {error}. Nothing was sent.") from None


def _handles(values: t.Sequence[tuple[str, str]], parse: t.Callable[[object], Handle]) -> list[Handle]:
    try:
        return parse_named_handles(values, parse)
    except InputError as error:
        raise InputError(
            f"{error}. Put one id or Message-ID and nothing else on each line, or name the column of a CSV file in its header"
        ) from None


def _read(path: str) -> bytes:
    try:
        # Without O_NONBLOCK, this would wait for the other end of a named pipe.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError("it is not a regular file")
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"it cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(content) > _MAX_BYTES:
        raise InputError(f"it is larger than {_MAX_BYTES // 1024**2} MiB; split it")
    return content


def _decode(content: bytes) -> tuple[str, t.Callable[[object], Handle]]:
    """Return the text, and what reads a handle in it."""
    encoding, parse = _encoding(content), _parse
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            line = content[: error.start].decode(encoding, "ignore").count("\n") + 1
            raise InputError(f"line {line} is not valid UTF-16; save the file as UTF-8") from None
        # Which of the old encodings it is does not matter where a handle has ASCII characters only.
        text, parse = content.decode("cp1252", "replace"), _parse_ascii
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            f"line {line} contains a NUL character; save the file as UTF-8, or as UTF-16 with a byte order mark"
        )
    return text, parse


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for guess in ("utf-16-le", "utf-16-be") if b"\0" in content else ():
        text = content.decode(guess, "replace")
        if text.isascii() and "\0" not in text:
            return guess
    return "utf-8-sig"


def _values(text: str, column: str | None) -> t.Iterator[tuple[int, str]]:
    """Return each value with the number of its line."""
    lines = [(number, line) for number, line in enumerate(re.split("\r\n|\r|\n", text), 1) if stripped(line)]
    if not lines:
        return iter(())
    names = COLUMNS if column is None else (stripped(column).lower(),)
    for delimiter in _DELIMITERS:
        if set(names) & set(_header(lines[0][1], delimiter)):
            return _cells(text, delimiter, names)
    if column is not None:
        raise InputError(f"the header in line {lines[0][0]} has no column {column!r}")
    return iter(lines)


def _header(line: str, delimiter: str) -> list[str]:
    try:
        return [stripped(name).lower() for name in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error:
        return []


def _cells(text: str, delimiter: str, names: t.Collection[str]) -> t.Iterator[tuple[int, str]]:
    """Yield the cells of the first column with one of these names."""
    place = width = 0
    for number, row in csv_rows(text, delimiter):
        if not width:
            header = [stripped(name).lower() for name in row]
            place, width = [name in names for name in header].index(True), len(row)
            if header.count(header[place]) > 1:
                raise InputError(f"the header in line {number} has the column {header[place]!r} more than once")
        elif len(row) != width:
            raise InputError(f"line {number} has {len(row)} columns, and the header has {width}")
        else:
            yield number, row[place]


def _parse(value: object) -> Handle:
    if stripped(str(value)).startswith("#"):
        raise InputError("begins with #; comments are not supported")
    return parse_handle(value)


def _parse_ascii(value: object) -> Handle:
    if not cleaned(str(value)).isascii():
        raise InputError("is not valid UTF-8; save the file as UTF-8")
    return _parse(value)
