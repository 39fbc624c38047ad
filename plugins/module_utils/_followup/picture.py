# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Tells a PNG picture from anything else, by its structure from the first byte to the last."""

from __future__ import annotations

import struct
import typing as t
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS = 100_000_000  # more of them fill the memory of the program that shows them
_PIECE = 65536
# Samples of a pixel by the type of colour, and how many bits each may have
_COLOURS = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}
# The passes of an interlaced picture: first column and row, and the steps to the next ones
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class _Flaw(Exception):
    """Why something is no picture."""


def flaw_of_png(content: bytes) -> str | None:
    """Return why these bytes are not one whole PNG picture and nothing else, or None."""
    try:
        chunks = list(_chunks(content))
        if not chunks or chunks[0][0] != b"IHDR" or chunks[-1] != (b"IEND", b""):
            raise _Flaw("it does not begin with a header and end with an end")
        kinds = [kind for kind, _data in chunks]
        if kinds.count(b"IHDR") > 1 or kinds.count(b"IEND") > 1 or b"IDAT" not in kinds:
            raise _Flaw("it has no pixels, or has several headers or ends")
        wanted = _size(chunks[0][1])
        if _unpacked([data for kind, data in chunks if kind == b"IDAT"], wanted) != wanted:
            raise _Flaw("its pixels are not as many as its header says")
    except _Flaw as flaw:
        return str(flaw)
    return None


def _chunks(content: bytes) -> t.Iterator[tuple[bytes, bytes]]:
    if not content.startswith(_SIGNATURE):
        raise _Flaw("it does not begin like a PNG picture")
    place = len(_SIGNATURE)
    while place < len(content):
        if len(content) - place < 12:
            raise _Flaw("it is cut off")
        length, kind = struct.unpack_from(">I4s", content, place)
        data = content[place + 8 : place + 8 + length]
        if len(data) < length or not kind.isalpha() or content[place + 8 + length :][:4] != _sum(kind + data):
            raise _Flaw("one of its parts is damaged")
        yield kind, data
        place += 12 + length


def _sum(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def _size(header: bytes) -> int:
    """Return how many bytes the pixels take that a header describes."""
    if len(header) != 13:
        raise _Flaw("its header is damaged")
    width, height, depth, colour, compression, filters, interlaced = struct.unpack(">IIBBBBB", header)
    samples, depths = _COLOURS.get(colour, (0, ()))
    if depth not in depths or compression or filters or interlaced > 1 or not width or not height:
        raise _Flaw("its header is damaged")
    if width * height > _MOST_PIXELS:
        raise _Flaw(f"it has {width} x {height} pixels, which is too many")
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    sizes = [((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in passes]
    return sum((1 + (columns * samples * depth + 7) // 8) * rows for columns, rows in sizes if columns > 0 < rows)


def _unpacked(parts: t.Sequence[bytes], most: int) -> int:
    """Return how many bytes are packed in these parts, and stop soon after most of them."""
    unpacker = zlib.decompressobj()
    size = 0
    try:
        for part in parts:
            size += len(unpacker.decompress(part, _PIECE))
            while unpacker.unconsumed_tail and size <= most:
                size += len(unpacker.decompress(unpacker.unconsumed_tail, _PIECE))
    except zlib.error:
        raise _Flaw("its pixels are damaged") from None
    if not unpacker.eof or unpacker.unused_data:
        raise _Flaw("its pixels are damaged")
    return size
