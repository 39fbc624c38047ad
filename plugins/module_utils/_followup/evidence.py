# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""Saves what Cloudflare has of messages: the mail itself, its picture, why it was held, and what was done with it.

Only reads are sent. A message that somebody sent is data: nothing of it is opened, and nothing of it names a file.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import types
import typing as t
import uuid

from .._api.client import Client
from .._api.numbered import numbered_pages
from .._clock import Clock
from .._errors import (
    ApiError,
    AuthenticationError,
    CloudflareError,
    DoubtfulError,
    ForeignAnswerError,
    InternalError,
    InterruptError,
    RateLimitError,
    TooLargeError,
)
from .._mail.handles import Handle
from .._mail.message import BriefMessage
from .._mail.messages import Messages, path_of
from .._release.items import Item, resolve
from .._release.journal import Journal
from .evidence_files import folder_name, holds, keep, kept
from .outcome import AMBIGUOUS, NOT_ATTEMPTED, NOT_FOUND, Kind, Outcome
from .picture import flaw_of_png
from .result import Result

SAVED, UNCHANGED, PARTIAL, FAILED, WOULD_SAVE = "saved", "unchanged", "partial", "failed", "would_save"
STATUSES = (SAVED, UNCHANGED, PARTIAL, FAILED, NOT_FOUND, AMBIGUOUS, NOT_ATTEMPTED, WOULD_SAVE)
FAIL_ON = (FAILED, NOT_FOUND, AMBIGUOUS, NOT_ATTEMPTED)

RAW, PREVIEW, DETECTIONS, TRACE, ACTION_LOG = "raw", "preview", "detections", "trace", "action_log"
# In the order in which they are read: a picture may be recorded in the action log.
FILES = {
    RAW: "raw.eml",
    PREVIEW: "preview.png",
    DETECTIONS: "detections.json",
    TRACE: "trace.json",
    ACTION_LOG: "action_log.json",
}
LARGEST = 64 * 1024 * 1024

_KIND = Kind("save", STATUSES, types.MappingProxyType({"saved": [], "unavailable": {}}))
_NO_PICTURE = (
    "Cloudflare has no picture of it. It makes pictures on request only of mail with a detection. A picture of other mail has to be "
    "asked for with a POST, which is recorded in the action log, so this module does not do that"
)
# So many failures in a row: the server or the disk has trouble, and going on would not help.
_HOPELESS = 3


class Request(t.NamedTuple):
    """What is to be saved.

    dest: the real path of the directory.
    parts: names of FILES.
    most: bytes that the answer for one part may have.
    trail: recorded in each line of the journal.
    journal: path, or None.
    """

    handles: t.Sequence[Handle]
    dest: str
    parts: t.Collection[str]
    most: int
    check_mode: bool = False
    trail: t.Mapping[str, str | None] = types.MappingProxyType({})
    journal: str | None = None


class _Unavailable(CloudflareError):
    """Cloudflare does not have a part, or its answer is not one."""


def save_evidence(client: Client, clock: Clock, request: Request) -> Result:
    """Carry out a request. Raises JournalError before anything was sent; all else is in the result."""
    context = {"run": uuid.uuid4().hex, "account_id": client.account_id, **request.trail}
    journal = Journal(request.journal, context, request.check_mode, client.time, client.masker.mask)
    saver = _Saver(client, request)
    outcomes: dict[Item, Outcome] = {}
    items: list[Item] = []
    error: CloudflareError | None = None
    try:
        messages: Messages[BriefMessage] = Messages(client, clock, BriefMessage)
        items, known = resolve(messages, request.handles, check_state=True, keep=True)
        outcomes = {
            item: Outcome(found.status, found.detail)
            for item, found in known.items()
            if found.status in (NOT_FOUND, AMBIGUOUS)
        }
        for item in items:
            if item in outcomes:
                continue
            if clock.stopping:
                raise InterruptError("stopped by a signal")
            outcomes[item] = saver.save(item)
            journal.write("evidence", messages=[_recorded(item, outcomes[item])])
            if saver.error:
                raise saver.error
    except CloudflareError as caught:
        error = caught
    except Exception as caught:  # whatever it is, no outcome may be lost
        error = InternalError(caught)
    finally:
        journal.close()
    items = items or [Item(handle) for handle in request.handles]  # if not even finding them went well
    stopped = Outcome(NOT_ATTEMPTED, f"The run stopped before anything of it was saved: {error}")
    return Result(_KIND, request.handles, {item: outcomes.get(item, stopped) for item in items}, error)


def _recorded(item: Item, outcome: Outcome) -> dict[str, t.Any]:
    return {"id": item.id, "postfix_id": item.postfix_id, "status": outcome.status, **outcome.facts}


class _Saver:
    """Saves the parts of one message after the other.

    error: what ends the run, if anything does.
    """

    def __init__(self, client: Client, request: Request) -> None:
        self.error: CloudflareError | None = None
        self._client = client
        self._request = request
        self._parts = [part for part in FILES if part in request.parts]
        self._failures = 0  # messages in a row that could not be saved
        self._lost = 0  # reads in a row without a clear answer

    def save(self, item: Item) -> Outcome:
        """Save the parts of one message."""
        name = item.id or item.postfix_id or ""
        if not (item.message and item.message.told) or not name.strip("."):
            return self._failed("Cloudflare's answer could not be read, so nothing was saved.")
        saved: list[str] = []
        written: list[str] = []
        unavailable: dict[str, str] = {}
        trouble = ""
        for part in self._parts:
            if self.error:
                unavailable[part] = "The run stopped before it was asked for."
                continue
            path = os.path.join(self._request.dest, folder_name(name), FILES[part])
            lost, self._lost = self._lost, 0
            try:
                if self._save(name, part, path):
                    written.append(FILES[part])
                saved.append(path)
            except (_Unavailable, TooLargeError) as reason:
                unavailable[part] = reason.sentence()
            except DoubtfulError as reason:
                trouble = unavailable[part] = reason.sentence()
                self._lost = lost + 1
                if self._lost >= _HOPELESS:
                    self.error = DoubtfulError(f"{_HOPELESS} reads in a row failed; the last one: {reason}")
            except OSError as reason:
                trouble = unavailable[part] = f"{path} could not be written ({reason.strerror})."
            except CloudflareError as reason:
                self.error = reason
                trouble = unavailable[part] = reason.sentence()
        return self._outcome(saved, written, unavailable, trouble)

    def _outcome(self, saved: list[str], written: list[str], unavailable: dict[str, str], trouble: str) -> Outcome:
        check = self._request.check_mode
        facts = {"saved": saved, "unavailable": unavailable}
        change = ("not saved, or other content", ", ".join(written)) if written else None
        verb = "Would save" if check else "Saved"
        done = f"{verb} {', '.join(written)}." if written else "Nothing new to save." if saved else "Nothing was saved."
        if trouble:
            return self._failed(f"{done} Something could not be had: {trouble}", change, facts)
        self._failures = 0
        missing = f" Not available: {', '.join(unavailable)}." if unavailable else ""
        if check and written:
            status = WOULD_SAVE
        elif unavailable:
            status = PARTIAL
        else:
            status = SAVED if written else UNCHANGED
        return Outcome(status, done + missing, change, facts)

    def _failed(
        self, detail: str, change: tuple[str, str] | None = None, facts: t.Mapping[str, t.Any] | None = None
    ) -> Outcome:
        """Return the outcome of a message that could not be saved. After several in a row, the run ends."""
        self._failures = 0 if change else self._failures + 1
        if self._failures >= _HOPELESS:
            self.error = self.error or DoubtfulError(
                f"{_HOPELESS} messages in a row could not be saved; the last one: {detail}"
            )
        return Outcome(FAILED, detail, change, facts or {})

    def _save(self, name: str, part: str, path: str) -> bool:
        """Save one part, and tell whether there was something to write. Raises OSError or the reason why it is unavailable."""
        check = self._request.check_mode
        if part == PREVIEW and (picture := kept(path, LARGEST)) is not None and not flaw_of_png(picture):
            return False  # a picture does not change, and another request might be recorded in the action log
        if part == PREVIEW and check:
            return True
        content = self._read(name, part)
        if holds(path, content):
            return False
        if not check:
            keep(path, content)
        return True

    def _read(self, name: str, part: str) -> bytes:
        """Return the content of one part."""
        path = path_of(name, part)
        try:
            if part == ACTION_LOG:
                return self._as_json(self._entries(path))
            result = self._client.get_part(path, self._request.most).get("result")
        except ApiError as error:
            if isinstance(error, (AuthenticationError, ForeignAnswerError, RateLimitError)):
                raise
            raise _Unavailable(
                f"{_NO_PICTURE}: {error}" if part == PREVIEW else f"Cloudflare has none: {error}"
            ) from None
        if not isinstance(result, dict):
            raise _Unavailable(f"the answer holds no {part}")
        if part == RAW:
            return self._text(result.get("raw"))
        return self._picture(result.get("screenshot")) if part == PREVIEW else self._as_json(result)

    def _entries(self, path: str) -> list[dict[str, t.Any]]:
        entries: list[dict[str, t.Any]] = []
        most = self._request.most
        for page in numbered_pages(
            lambda query: self._client.get_part(path, most, query), {}, self._client.list_timer()
        ):
            entries += page.rows
            if page.broken:
                raise DoubtfulError("the action log is not complete: the server repeats its pages or leaves some out")
            if len(json.dumps(entries)) > most:
                raise TooLargeError(f"the answers are larger than {most} bytes")
        return entries

    @staticmethod
    def _text(value: object) -> bytes:
        if not isinstance(value, str) or not value:
            raise _Unavailable("the answer holds no message")
        return value.encode(errors="replace")

    @staticmethod
    def _picture(value: object) -> bytes:
        try:
            picture = base64.b64decode("".join(value.split()) if isinstance(value, str) else b"", validate=True)
        except (binascii.Error, ValueError):
            raise _Unavailable("the answer is no picture: it is not base64") from None
        flaw = flaw_of_png(picture)
        if flaw:
            raise _Unavailable(f"the answer is no PNG picture: {flaw}")
        return picture

    @staticmethod
    def _as_json(value: object) -> bytes:
        return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"
