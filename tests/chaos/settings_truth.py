# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold after a run of a module that declares a settings list. Knows nothing of the engine that it judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

Row = Mapping[str, Any]
State = Mapping[str, Row]  # the entries of a list by their id
Ident = tuple[str, ...]
KEYS = {
    "allow_policies": ("pattern_type", "pattern"),
    "block_senders": ("pattern_type", "pattern"),
    "trusted_domains": ("pattern",),
    "content_policies": ("name",),
    "impersonation_registry": ("email",),
    "sending_domain_restrictions": ("domain",),
    "url_ignore_patterns": ("pattern",),
    "domains": ("domain",),
}
VERBATIM = ("content_policies", "url_ignore_patterns")
REMARKS = {"content_policies": "notes", "domains": None}
WORDS = ("created", "updated", "deleted")


class Wish(NamedTuple):
    """What a task declares. today: as in a mark."""

    kind: str
    entries: Sequence[Row]
    purge: bool
    remove_expired: bool
    today: str


class Left(NamedTuple):
    """What is to be done: idents to create, and the ids to update and to delete with their idents."""

    create: set[Ident]
    update: dict[str, Ident]
    delete: dict[str, Ident]

    @property
    def idents(self) -> set[Ident]:
        """Whatever is not as declared."""
        return self.create | {*self.update.values(), *self.delete.values()}

    @property
    def counts(self) -> list[int]:
        """In the order of WORDS."""
        return [len(self.create), len(self.update), len(self.delete)]


class Run(NamedTuple):
    """One run. states: of the list, from its start to its end. others: the idents that somebody else touched meanwhile.

    requests: method, status and fault of its own writes. result: if it printed one. theirs: how much somebody else created,
    updated and deleted, if that is known.
    """

    wish: Wish
    states: Sequence[State]
    requests: Sequence[tuple[str, int | None, str | None]]
    result: Mapping[str, Any] | None
    others: frozenset[Ident] = frozenset()
    theirs: Sequence[int] | None = None


def ident(kind: str, row: Row) -> Ident:
    """What tells an entry apart: case counts in an expression only."""
    texts = tuple(str(row[name]) for name in KEYS[kind])
    verbatim = kind in VERBATIM or row.get("is_regex") or row.get("is_email_regex")
    return texts if verbatim else tuple(text.lower() for text in texts)


def is_managed(row: Row) -> bool:
    """Whether anybody may change it."""
    return row.get("directory_node_id") is None and row.get("pattern_type") != "UNKNOWN"


def split(remarks: str | None) -> tuple[str, str | None]:
    """The text and the day of remarks."""
    text, mark, day = (remarks or "").rpartition("[expires ")
    return (text.rstrip(), day[:-1]) if mark and day.endswith("]") else (remarks or "", None)


def left(state: State, wish: Wish) -> Left:
    """What makes of a list the declared one."""
    remarks = REMARKS.get(wish.kind, "comments")
    stored: dict[Ident, list[Row]] = {}
    for row in sorted(state.values(), key=lambda row: (row["created_at"], row["id"])):
        if is_managed(row):
            stored.setdefault(ident(wish.kind, row), []).append(row)
    found = Left(set(), {}, {})
    declared = {ident(wish.kind, entry): entry for entry in wish.entries}
    kept = set()
    for name, entry in declared.items():
        rows = stored.get(name, [])
        if entry.get("state") == "absent" or "2" < entry.get("expires", "never") < wish.today:
            found.delete.update((row["id"], name) for row in rows)
        elif not rows:
            found.create.add(name)
        else:
            kept.add(rows[0]["id"])
            if not _is_as_declared(rows[0], entry, wish.kind, remarks):
                found.update[rows[0]["id"]] = name
    for name, rows in stored.items():
        for row in rows:
            day = split(row.get(remarks))[1] if remarks else None
            if row["id"] not in kept and (wish.purge or (wish.remove_expired and day and day < wish.today)):
                found.delete[row["id"]] = name
    return found


def _is_as_declared(row: Row, entry: Row, kind: str, remarks: str | None) -> bool:
    for name, value in entry.items():
        if name in (*KEYS[kind], remarks, "state", "expires"):
            continue
        have = row.get(name)
        if (set(have or ()) != set(value)) if isinstance(value, list) else have != value:
            return False
    if not remarks:
        return True
    text, day = split(row.get(remarks))
    wanted = entry.get("expires") or day
    return (text, day) == (entry.get(remarks, text), None if wanted == "never" else wanted)


def fewest(kind: str, todo: Left) -> int:
    """The writes that it takes, for less than a thousand changes of a sort."""
    created, updated, deleted = todo.counts
    if kind == "impersonation_registry":
        return created + updated + deleted
    if kind == "sending_domain_restrictions":
        return created + updated + bool(deleted)
    if kind == "domains":
        return bool(created + updated) + bool(deleted)
    return bool(created + updated + deleted)


def done(run: Run) -> tuple[list[int], list[int]]:
    """How much was created, updated and deleted in a run: at least, and with what others may have done."""
    most = [0, 0, 0]
    sure = [0, 0, 0]
    for before, after in pairwise(run.states):
        changed = (
            [after[name] for name in after.keys() - before.keys()],
            [after[name] for name in after.keys() & before.keys() if after[name] != before[name]],
            [before[name] for name in before.keys() - after.keys()],
        )
        for index, rows in enumerate(changed):
            most[index] += len(rows)
            sure[index] += sum(ident(run.wish.kind, row) not in run.others for row in rows)
    if run.theirs is not None:
        most = [number - their for number, their in zip(most, run.theirs, strict=True)]
        return most, most
    return sure, most


def flaws(run: Run) -> Iterator[str]:
    """What is wrong with a run, whatever the weather was."""
    yield from _only_what_was_asked_for(run)
    yield from _nothing_twice(run)
    if run.result is not None:
        yield from _the_result_is_true(run, run.result)


def _only_what_was_asked_for(run: Run) -> Iterator[str]:
    kind = run.wish.kind
    todo = left(run.states[0], run.wish)
    for before, after in pairwise(run.states):
        for name in before.keys() | after.keys():
            row = after.get(name, before.get(name, {}))
            key = ident(kind, row)
            if before.get(name) == after.get(name) or key in run.others:
                continue
            if not is_managed(row):
                yield f"{key} was changed, which nobody may change"
            elif name not in before and key not in todo.create:
                yield f"{key} was created, and need not be"
            elif name in before and name not in after and name not in todo.delete:
                yield f"{key} ({name}) was deleted, and need not be"
            elif name in before and name in after and name not in todo.update and key not in todo.create:
                yield f"{key} ({name}) was changed, and need not be"


def _nothing_twice(run: Run) -> Iterator[str]:
    kind = run.wish.kind
    for before, after in pairwise(run.states):
        for name in before.keys() & after.keys():
            old, new = before[name], after[name]
            if old != new and {**old, "modified_at": ""} == {**new, "modified_at": ""}:
                yield f"{ident(kind, new)} was written once more, without a change"
    made = [ident(kind, after[name]) for before, after in pairwise(run.states) for name in after.keys() - before.keys()]
    for key in set(made) - run.others:
        if made.count(key) > 1:
            yield f"{key} was created {made.count(key)} times"
    # Nobody but the run itself can have done before what the server refuses as done.
    refused = [method for method, status, fault in run.requests if status in (400, 404) and not fault]
    if refused and not run.others:
        yield f"the server refused {refused}: it was sent twice, or wrong"


def _the_result_is_true(run: Run, result: Mapping[str, Any]) -> Iterator[str]:
    end, failed = run.states[-1], bool(result.get("failed"))
    sure, most = done(run)
    if "created" not in result:
        if not failed:
            yield f"it has no numbers: {result.get('msg')}"
        elif any(sure):
            yield f"it says nothing of what it did, {sure}: {result.get('msg')}"
        return
    told = [result[word] for word in WORDS]
    unknown = failed and "it is unknown whether they were made" in result["msg"]
    for word, number, low, high in zip(WORDS, told, sure, most, strict=True):
        if number > high or (number < low and not unknown):
            yield f"{number} are said to be {word}, but it was {low} to {high}: {result['msg']}"
    if result["changed"] != any(told):
        yield "changed is not that of the numbers"
    open_still = left(end, run.wish).idents - run.others
    if not failed and open_still:
        yield f"it did not fail, and {sorted(open_still)} is not as declared"
    remarks = REMARKS.get(run.wish.kind, "comments")
    for entry in result["entries"]:
        key = ident(run.wish.kind, entry)
        if key in run.others or unknown:
            continue
        row = end.get(entry["id"])
        if row is None or not is_managed(row):
            yield f"{key} is among the entries, and there is no such one"
            continue
        told_entry = {"expires": "never", **({remarks: ""} if remarks else {}), **entry}
        told_entry.pop("id")
        if not _is_as_declared(row, told_entry, run.wish.kind, remarks):
            yield f"the result shows {entry}, and stored is {dict(row)}"


def calm_flaws(run: Run) -> Iterator[str]:
    """What else must hold where nothing goes wrong."""
    todo = left(run.states[0], run.wish)
    result = run.result or {"failed": True}
    if result.get("failed"):
        yield f"it failed: {result.get('msg')}"
    elif [result[word] for word in WORDS] != todo.counts:
        yield f"it did {[result[word] for word in WORDS]}, and {todo.counts} were to be done"
    if len(run.requests) != fewest(run.wish.kind, todo):
        yield f"it took {len(run.requests)} writes, and {fewest(run.wish.kind, todo)} would do"


def check_flaws(run: Run) -> Iterator[str]:
    """What check mode promises: the numbers, and no write."""
    result, counts = run.result or {}, left(run.states[0], run.wish).counts
    if run.requests or len(run.states) > 1:
        yield "check mode wrote something"
    if [result.get(word) for word in WORDS] != counts:
        yield f"check mode predicts {[result.get(word) for word in WORDS]}, and {counts} are to be done: {result.get('msg')}"


def joint_flaws(first: Run, second: Run) -> Iterator[str]:
    """What two runs at once may not end with, if both say that all went well: an entry that neither of them declared."""
    if any(run.result is None or run.result.get("failed") for run in (first, second)):
        return
    end = second.states[-1]
    neither = left(end, first.wish).idents & left(end, second.wish).idents
    if neither:
        yield f"both runs went well, and {sorted(neither)} is as neither declared it"
