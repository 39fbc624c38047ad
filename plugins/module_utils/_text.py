# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Text that strangers wrote, made fit to be looked at or handed on."""

from __future__ import annotations

import re

# What a terminal or a browser would obey, or what hides text from its reader.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_LONGEST = 300


def printable(value: object, longest: int = _LONGEST) -> str:
    """Return foreign text in one line, without control characters, cut with a mark where it is too long."""
    text = _UNPRINTABLE.sub("\ufffd", "" if value is None else str(value)[: longest + 1])
    return text if len(text) <= longest else f"{text[:longest]}\u2026 (cut)"


def inert(value: object, longest: int = _LONGEST) -> str:
    """Return it printable, and so that no template engine of Ansible's takes it for a template.

    Characters beyond U+FFFF, such as emoji, are replaced: ansible-rulebook hands them on as halves, which Ansible cannot read.
    """
    return re.sub("[\U00010000-\U0010ffff]", "\ufffd", re.sub(r"\{(?=[{%#]|\Z)", "{ ", printable(value, longest)))
