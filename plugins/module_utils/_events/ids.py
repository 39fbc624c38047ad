# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Safe ids for events. Playbooks use them as handles and in templates, people in file names and lists."""

from __future__ import annotations

import hashlib
import re
import typing as t

from .._errors import InputError
from .._mail.handles import Handle, parse_handle
from .._mail.message import Message
from .._text import inert

# In bytes. With a prefix and a suffix, it must fit into the 255 bytes of a file name.
_LONGEST = 200
# Characters that separate the parts of a path, or ids in a text
_UNSAFE = re.compile(r"[/\\,;]")


def safe_handle(value: object) -> Handle | None:
    """Return the handle in an id, or None if it could be taken for another id, a path or a template."""
    try:
        handle = parse_handle(value)
    except InputError:
        return None
    text = handle.text
    return (
        handle if text == value == inert(text) and not _UNSAFE.search(text) and len(text.encode()) <= _LONGEST else None
    )


def name_of(message: Message) -> str | None:
    """Return the id of a message in events, or None if it has no safe id: then no event can release it."""
    handle = safe_handle(message.id or message.postfix_id)
    return handle.text if handle else None


def file_name(ids: t.Sequence[str]) -> str:
    """Return a name for files of an event, with letters, digits and hyphens. The same ids give the same name."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", ids[0] if ids else "")[:40].strip("-")
    return f"{readable}-{hashlib.sha256(','.join(ids).encode()).hexdigest()[:16]}".strip("-")
