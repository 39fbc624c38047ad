# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures in the form PNG, whole and damaged."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = (b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one part of a picture."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int = 2, height: int = 3, depth: int = 8, colour: int = 0, *rest: int) -> tuple[bytes, bytes]:
    """Return the header: kind and content."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, *(rest or (0, 0, 0)))


def pixels(size: int) -> tuple[bytes, bytes]:
    """Return so many bytes of pixels."""
    return b"IDAT", zlib.compress(bytes(size))


def build(*chunks: tuple[bytes, bytes], tail: bytes = b"") -> bytes:
    """Return the file with these parts."""
    return SIGNATURE + b"".join(chunk(*each) for each in chunks) + tail


def picture(shade: int = 0) -> bytes:
    """Return a picture of 2 x 3 pixels."""
    return build(header(), (b"IDAT", zlib.compress(bytes([0, shade, shade]) * 3)), END)
