# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The requests that make changes: one batch where the API has one, else one by one, and deletions last."""

from __future__ import annotations

import re
import typing as t

from .._errors import ApiError
from .._json import mapping, rows, string
from .difference import CREATE, DELETE, UPDATE, Change
from .kinds import DELETES, PATCHES, POSTS, Kind
from .lists import Rows

_MOST = 1000  # changes of each sort in one batch
_MEMBERS = {CREATE: POSTS, UPDATE: PATCHES, DELETE: DELETES}
_POINTER = re.compile(r"/?([a-z]+)/(\d{1,4})(?:/|\Z)")


class Request(t.NamedTuple):
    """One request. members: its changes, as they are in the body of a batch. A single change is the first of its member."""

    method: str
    path: str
    body: t.Any
    members: t.Mapping[str, t.Sequence[Change]]

    @property
    def changes(self) -> list[Change]:
        """Return all changes."""
        return [change for changes in self.members.values() for change in changes]

    @property
    def is_batch(self) -> bool:
        """Tell whether the changes are made together."""
        return self.path.endswith("/batch")

    def confirmed(self, envelope: t.Mapping[str, t.Any], known: Rows) -> Rows:
        """Return the entries of the list after the changes that the answer confirms. known: before them."""
        result = mapping(envelope.get("result"))
        told = result if self.is_batch else {name: [result] for name in self.members}
        after = dict(known)
        for name, changes in self.members.items():
            sent = {change.before.get("id") for change in changes}
            for row in rows(told.get(name)):
                row_id = string(row.get("id"))
                if row_id is None or (row_id not in sent and (name != POSTS or row_id in known)):
                    continue
                if name == DELETES:
                    after.pop(row_id, None)
                else:
                    after[row_id] = {**after.get(row_id, {}), **row}
        return after

    def culprit(self, error: ApiError) -> tuple[Change | None, str]:
        """Return the change that Cloudflare refused, if it says which, and the field."""
        for entry in error.errors:
            pointer = mapping(entry.get("source")).get("pointer") or ""
            if not self.is_batch:
                return self.changes[0], pointer.strip("/")
            match = _POINTER.match(pointer)
            changes = self.members.get(match.group(1), ()) if match else ()
            if match and int(match.group(2)) < len(changes):
                return changes[int(match.group(2))], pointer[match.end() :]
        return (None, "") if self.is_batch else (self.changes[0], "")


def next_request(kind: Kind, changes: t.Sequence[Change]) -> Request:
    """Return the request that makes as many of these changes as one can."""
    by_member = {
        name: [change for change in changes if _MEMBERS[change.verb] == name] for name in (POSTS, PATCHES, DELETES)
    }
    if kind.guarded and (by_member[POSTS] or by_member[PATCHES]):
        by_member[DELETES] = []
    alone = next((change for name in (POSTS, PATCHES) for change in by_member[name] if name not in kind.batch), None)
    if alone is None and kind.batch:
        members = {name: by_member[name][:_MOST] for name in kind.batch}
        puts: dict[str, t.Any] = {"puts": []} if PATCHES in kind.batch else {}
        return Request(
            "POST", f"{kind.path}/batch", {**puts, **{name: _bodies(members[name]) for name in kind.batch}}, members
        )
    change = alone or by_member[DELETES][0]
    one = f"{kind.path}/{change.before.get('id')}"
    members = {_MEMBERS[change.verb]: [change]}
    if change.verb == CREATE:
        return Request("POST", kind.path, change.fields, members)
    return (
        Request("PATCH", one, change.fields, members)
        if change.verb == UPDATE
        else Request("DELETE", one, None, members)
    )


def _bodies(changes: t.Iterable[Change]) -> list[dict[str, t.Any]]:
    return [
        change.fields if change.verb == CREATE else {"id": change.before["id"], **change.fields} for change in changes
    ]
