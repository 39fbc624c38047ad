# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The folders that messages can be moved to, by the names of the option and of the API."""

from __future__ import annotations

import re

from .._errors import InputError

PURGES = "recoverable_items_purges"
FOLDERS = {
    "inbox": "Inbox",
    "junk_email": "JunkEmail",
    "deleted_items": "DeletedItems",
    "recoverable_items_deletions": "RecoverableItemsDeletions",
    PURGES: "RecoverableItemsPurges",
}


def check_purge(destination: str, purge: bool) -> None:
    """Raise InputError if a move would purge messages and the user did not say so."""
    if destination == PURGES and not purge:
        raise InputError(
            f"destination {PURGES} removes the messages for good, and nobody can bring them back. Set purge to true if you "
            "mean it. Nothing was sent."
        )


def is_folder(name: str | None, destination: str) -> bool:
    """Tell whether a name that the API gives is that of this destination."""
    return _plain(name or "") == _plain(destination)


def option_name(name: str | None) -> str:
    """Return the name of a folder as the option has it, or the name itself if it is another folder."""
    return next((option for option in FOLDERS if is_folder(name, option)), name or "unknown")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
