# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The body of a release call: which form the server takes, and by which id a message is sent."""

from __future__ import annotations

import math
import re
import threading
import typing as t

from .._api.shared import SharedNumbers
from .._errors import ApiError, ForeignAnswerError
from .items import Item

AUTO = "auto"
ARRAY = "array"
OBJECT = "object"
_SINCE = "object_since"
_DAY = 86400.0
_OTHER = {ARRAY: OBJECT, OBJECT: ARRAY}
# Words that can only be about what kind of thing the body is, not about what is in it.
_ABOUT_THE_FORM = re.compile(
    r"\bunmarshal|\bdeseriali[sz]|\binvalid type\b|does not match the schema"
    r"|\b(expected|got|must be|should be|want|wanted|required) (an? )?(json )?(array|object|list|map|struct|sequence)\b"
    r"|\b(invalid|malformed) (request )?(body|json)\b|\bbody (is |was )?(invalid|malformed)\b"
    r"|\bids\W+((field|property|parameter) )?(is|are) (required|missing)\b|\bmissing (required )?(field|property|parameter)\W+ids\b",
    re.IGNORECASE,
)


class FormMemory:
    """Keeps for a day that a server takes the object, so that not every run has to find out. It is only a guess.

    notes: numbers that runs share. now: seconds since the epoch.
    """

    def __init__(self, notes: SharedNumbers, now: float) -> None:
        self._notes = notes
        self._now = now

    def recall(self) -> str:
        """Return the form to begin with."""
        with self._notes.held() as numbers:
            return OBJECT if 0 <= self._now - numbers.get(_SINCE, -math.inf) < _DAY else ARRAY

    def keep(self, form: str) -> None:
        """Keep which form the server took. The day of a form that is kept already does not begin anew."""
        if form != self.recall():
            with self._notes.held() as numbers:
                numbers[_SINCE] = self._now if form == OBJECT else 0


class Body:
    """Learns from the answers which form of the body and which kind of id the server takes. Threads may share it.

    form_known: which form it takes is known. Until then it is a guess.
    """

    def __init__(self, request_format: str, memory: FormMemory | None = None) -> None:
        self.form_known = request_format != AUTO
        self._form = request_format if self.form_known else memory.recall() if memory else ARRAY
        self._memory = None if self.form_known else memory  # until it is told
        self._accepted: set[bool] = set()  # kinds of ids: investigate ids (True), postfix ids (False)
        self._lock = threading.Lock()

    @property
    def ever_accepted(self) -> bool:
        """Tell whether the server has accepted anything so far."""
        return bool(self._accepted)

    def form(self, refused: t.Container[str]) -> str:
        """Return the form to send. refused: forms that the server refused for these items."""
        with self._lock:
            return _OTHER[self._form] if self._form in refused else self._form

    def may_change(self, form: str, refused: t.Container[str]) -> bool:
        """Tell whether the other form is worth a try after this one was refused."""
        return not self.form_known and _OTHER[form] not in refused

    def worked(self, form: str) -> None:
        """Keep to this form: the server took it."""
        with self._lock:
            self._form, self.form_known = form, True

    def delivered(self, form: str) -> None:
        """Keep this form for the next run: the server took it, and told an outcome."""
        with self._lock:
            memory, self._memory = self._memory, None
        if memory:
            memory.keep(form)

    def accepted(self, form: str, items: t.Iterable[Item]) -> None:
        """Keep to this form, and remember the kinds of ids by which the items were sent in it."""
        self.worked(form)
        kinds = {name_of(item, form) == item.id for item in items}
        with self._lock:
            self._accepted |= kinds

    def may_rename(self, item: Item, form: str) -> bool:
        """Tell whether its other id is worth a try: the server never took an id of the kind by which it was sent."""
        kind = name_of(item, form) == item.id
        return item.sent_as + 1 < len(item.names) and kind not in self._accepted


def content(names: list[str], form: str) -> list[str] | dict[str, list[str]]:
    """Return the body that names these messages."""
    return names if form == ARRAY else {"ids": names}


def name_of(item: Item, form: str) -> str:
    """Return the id by which an item is sent.

    The array is the form of the time of postfix ids, so an id given as such goes into it as it is. The object takes
    investigate ids. If that id is refused, sent_as moves on to the other one.
    """
    names = item.names
    if form == ARRAY and item.given_as_postfix_id:
        names.reverse()
    return names[item.sent_as % len(names)]


def is_about_the_form(error: ApiError, names: t.Sequence[str]) -> bool:
    """Tell whether a refusal is certainly about the body's form: it points at the body and names none of its ids."""
    if error.status not in (400, 415, 422) or isinstance(error, ForeignAnswerError):
        return False
    pointers = [entry["source"]["pointer"] for entry in error.errors if "source" in entry]
    words = " ".join(entry["message"] for entry in error.errors)
    if any(name in words for name in names):
        return False
    return any(pointer in ("", "/", "/ids") for pointer in pointers) or bool(_ABOUT_THE_FORM.search(words))
