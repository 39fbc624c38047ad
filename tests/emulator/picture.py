# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""A picture of a message: a real PNG, with a bar in place of each word, so that every mail looks its own way."""

from __future__ import annotations

import base64
import struct
import zlib

WIDTH, HEIGHT, MARGIN = 480, 320, 24
PAPER, HEAD, INK, LINK = range(4)
PALETTE = bytes.fromhex("ffffff e8ecf1 5f6b7a 1f6fc5".replace(" ", ""))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows: list[bytearray]) -> bytes:
    """The PNG of rows of colours; a colour is its place in the palette."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = ((b"IHDR", header), (b"PLTE", PALETTE), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def draw(head: list[str], body: list[str]) -> bytes:
    """The picture of a message with these lines; what does not fit is cut off."""
    rows = [bytearray([HEAD if y < 100 else PAPER] * WIDTH) for y in range(HEIGHT)]
    for index, line in enumerate([*head, *body]):
        top = MARGIN + index * 24 + (24 if index >= len(head) else 0)
        left = MARGIN
        for word in line[:200].split():
            right = min(left + 6 * len(word), WIDTH - MARGIN)
            for row in rows[top : top + 9]:
                row[left:right] = bytes([LINK if "://" in word else INK]) * max(0, right - left)
            left = right + 6
    return png(rows)


def screenshot(head: list[str], body: list[str]) -> str:
    """The same in base64, as the API sends it."""
    return base64.b64encode(draw(head, body)).decode()
