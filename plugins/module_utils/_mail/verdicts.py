# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Cloudflare's verdicts on messages. An unknown verdict counts as the worst."""

from __future__ import annotations

import re
import typing as t
import unicodedata

from .._errors import InputError

# Wildcards, and separators between several words
_NOT_ONE = re.compile(r"[*?\[\],;|]")
# From harmless to dangerous
DISPOSITIONS = (
    "NONE",
    "EXTERNAL",
    "ENCRYPTED",
    "BULK",
    "SPAM",
    "UNKNOWN",
    "SPOOF",
    "SUSPICIOUS",
    "MALICIOUS",
    "MALICIOUS-BEC",
)
# What a person may say that a verdict should have been
EXPECTED_DISPOSITIONS = ("none", "bulk", "spam", "spoof", "suspicious", "malicious")


def got_worse(before: str | None, after: str | None) -> bool:
    """Tell whether a verdict is worse than before. Any change of an unknown verdict counts as worse."""
    first, second = _severity(before), _severity(after)
    return second > first or (first == len(DISPOSITIONS) and _folded(before) != _folded(after))


def is_verdict(word: str | None) -> bool:
    """Tell whether a word is a verdict of Cloudflare."""
    return _folded(word) in _KNOWN


def check_dispositions(words: t.Iterable[str]) -> None:
    """Raise InputError for a word that is no verdict and would forbid nothing, or less than it seems to."""
    for word in words:
        if not is_verdict(word) or _NOT_ONE.search(word):
            raise InputError(f"has {word!r:.80}, which is no verdict; these are {', '.join(DISPOSITIONS)}")


def check_categories(words: t.Iterable[str]) -> None:
    """Raise InputError for a word that would forbid nothing."""
    for word in words:
        if not _folded(word) or _NOT_ONE.search(word):
            raise InputError(f"has {word!r:.80}, which names no category; give each its own item, without wildcards")


def disposition_forbidden(word: str | None, forbidden: t.Collection[str]) -> bool:
    """Tell whether a verdict is forbidden. Unless the list is empty, unknown verdicts are forbidden as well."""
    return bool(forbidden) and (_folded(word) not in _KNOWN or _folded(word) in {_folded(one) for one in forbidden})


def category_forbidden(words: t.Iterable[str], forbidden: t.Collection[str]) -> bool:
    """Tell whether one of these categories is forbidden. Cloudflare publishes no list of them.

    Unless the list is empty, a category without letters and digits is forbidden as well.
    """
    names = {_folded(one) for one in forbidden}
    return bool(names) and any(not _folded(word) or _folded(word) in names for word in words)


def _severity(word: str | None) -> int:
    return _KNOWN.get(_folded(word), len(DISPOSITIONS))


def _folded(word: str | None) -> str:
    """Return a word without case, blanks and punctuation, so that another spelling makes no difference."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", word or "").casefold()))


_KNOWN = {_folded(word): number for number, word in enumerate(DISPOSITIONS)}
