# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Which ids an event may hold. A playbook takes them for handles and templates, people make file names and lists of them."""

from __future__ import annotations

import hashlib
import re
import typing as t

from .._errors import InputError
from .._mail.handles import Handle, parse_handle
from .._mail.message import Message
from .._text import inert

# In bytes. With what is put before and behind it, it is to fit into the 255 of a file name.
_LONGEST = 200
# What ends a part of a path, or an id in a text with several
_UNFIT = re.compile(r"[/\\,;]")


def fit_handle(value: object) -> Handle | None:
    """Return the handle that an id is. None if something might take it for anything else: another id, a path or a template."""
    try:
        handle = parse_handle(value)
    except InputError:
        return None
    text = handle.text
    return (
        handle if text == value == inert(text) and not _UNFIT.search(text) and len(text.encode()) <= _LONGEST else None
    )


def name_of(message: Message) -> str | None:
    """Return the id by which an event names a message. None if it has none that is fit: it cannot be released by an event."""
    handle = fit_handle(message.id or message.postfix_id)
    return handle.text if handle else None


def file_name(ids: t.Sequence[str]) -> str:
    """Return a name of an event that is fit for a file, of letters, digits and hyphens. The same ids give the same name."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", ids[0] if ids else "")[:40].strip("-")
    return f"{readable}-{hashlib.sha256(','.join(ids).encode()).hexdigest()[:16]}".strip("-")
