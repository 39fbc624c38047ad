# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as a PNG picture, and what does not."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._followup.picture import flaw_of_png
from ansible_collections.emailsec.cloudflare.tests.unit.support.png import (
    END,
    SIGNATURE,
    build,
    header,
    picture,
    pixels,
)
from hypothesis import given
from hypothesis import strategies as st

SIZE = (1 + 2) * 3  # of the pixels of header()


@pytest.mark.parametrize(
    "content",
    [
        picture(),
        build(header(), (b"tEXt", b"a\0b"), (b"IDAT", b""), pixels(SIZE), END),
        build(header(9, 1, 1, 3), (b"PLTE", b"\0" * 6), pixels(1 + 2), END),
        build(header(1, 1, 16, 6), pixels(1 + 8), END),
        # Adam7: rows of 1, 1, 2, 1 (twice), 3, 2 (three times) and 5 (twice) pixels
        build(header(5, 5, 8, 0, 0, 0, 1), pixels(2 + 2 + 3 + 2 * 2 + 4 + 3 * 3 + 2 * 6), END),
    ],
)
def test_pictures(content: bytes) -> None:
    assert flaw_of_png(content) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SIGNATURE,
        SIGNATURE[:7],
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"<svg onload=alert(1)>",
        b"GIF89a" + picture(),
        picture() + b"<script>alert(1)</script>",
        picture()[:-1],
        picture().replace(b"IDAT", b"IDAX"),
        build(header(), END),
        build(header(), pixels(SIZE)),
        build(pixels(SIZE), header(), END),
        build(header(), header(), pixels(SIZE), END),
        build(header(), pixels(SIZE), END, END),
        build(header(), pixels(SIZE), (b"IEND", b"x")),
        build(header(), pixels(SIZE - 1), END),
        build(header(), pixels(SIZE + 1), END),
        build(header(), (b"IDAT", b"no zlib"), END),
        build(header(), (b"IDAT", zlib.compress(bytes(SIZE))[:-1]), END),
        build(header(), (b"IDAT", zlib.compress(bytes(SIZE)) + b"more"), END),
        build(header(0), pixels(0), END),
        build(header(depth=3), pixels(SIZE), END),
        build(header(colour=5), pixels(SIZE), END),
        build(header(2, 3, 8, 0, 1, 0, 0), pixels(SIZE), END),
        build(header(2, 3, 8, 0, 0, 0, 2), pixels(SIZE), END),
        build((b"IHDR", b"short"), pixels(SIZE), END),
        build(header(), (b"A\0B<", b""), pixels(SIZE), END),
        build(header(2**31 - 1, 2**31 - 1), pixels(SIZE), END),
    ],
)
def test_anything_else(content: bytes) -> None:
    assert flaw_of_png(content)


@given(st.integers(min_value=0), st.integers(1, 255))
def test_no_byte_of_a_picture_can_be_changed(place: int, change: int) -> None:
    content = bytearray(picture(7))
    content[place % len(content)] ^= change
    assert flaw_of_png(bytes(content))


@given(st.binary())
def test_nothing_random_is_a_picture(content: bytes) -> None:
    assert flaw_of_png(content)
    assert flaw_of_png(SIGNATURE + content)


def test_a_picture_that_unpacks_to_very_much_takes_little_memory() -> None:
    bomb = build(header(), (b"IDAT", zlib.compress(bytes(2**28), 9)), END)
    tracemalloc.start()
    assert flaw_of_png(bomb)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()
