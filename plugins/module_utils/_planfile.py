# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Keeping a plan in a file that only its owner may read."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t

from ._errors import InputError


def write_plan(path: str, plan: t.Mapping[str, t.Any]) -> None:
    """Write a plan to C(path), mode 0600, whole or not at all. Raises InputError."""
    folder = os.path.dirname(os.path.abspath(path))
    temporary = None
    try:
        file, temporary = tempfile.mkstemp(prefix=".plan-", dir=folder)  # made with mode 0600
        with os.fdopen(file, "w") as stream:
            json.dump(plan, stream, indent=2, sort_keys=True, ensure_ascii=True, allow_nan=False)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise InputError(f"The plan cannot be written to {path} ({error.strerror})") from None


def check_writable(path: str) -> None:
    """Raise InputError if no plan could be written to C(path), without touching it."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise InputError(f"dest {path} cannot be written: {folder} must be a directory that you may write to, and dest a file in it")
