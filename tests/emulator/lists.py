# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The settings lists of an account: a row for each kind of list, and the entries with the rules for changing them."""

from __future__ import annotations

import ipaddress
import random
import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, field

from . import contract
from .clock import rfc3339
from .envelope import ApiError, bad_request, error

OPERATIONS = ("deletes", "patches", "puts", "posts")  # the order in which a batch is carried out
Entry = dict[str, Any]
PATTERN_EXISTS = 4102


class Kind(Struct, frozen=True, kw_only=True):
    """One list. schema: the beginning of its schemas' names in the contract."""

    name: str
    item: str  # the parameter in the path of one entry
    schema: str
    key: tuple[str, ...]  # two entries must not have the same
    replace: str | None = "Create"  # the schema of PUT, if there is one
    batch: tuple[str, ...] = OPERATIONS
    atomic: bool = True
    regex: str | None = "is_regex"  # the field that says whether the last field of the key is an expression
    own: Callable[[], Entry] = dict  # what the service adds to a new entry

    @property
    def path(self) -> str:
        """The path of the collection in the contract."""
        return f"/accounts/{{account_id}}/email-security/settings/{self.name}"

    def key_of(self, entry: Entry) -> tuple[str, ...]:
        """What tells entries apart: the case of an expression counts, any other does not."""
        texts = [str(entry.get(name)) for name in self.key]
        verbatim = self.regex == "always" or (self.regex is not None and entry.get(self.regex))
        return tuple(texts if verbatim else [text.lower() for text in texts])


KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="allow_policies", item="policy_id", schema="AllowPolicy", key=("pattern_type", "pattern")),
        Kind(name="block_senders", item="pattern_id", schema="BlockedSender", key=("pattern_type", "pattern")),
        Kind(name="trusted_domains", item="trusted_domain_id", schema="TrustedDomain", key=("pattern",)),
        Kind(
            name="content_policies",
            item="policy_id",
            schema="ContentPolicy",
            key=("name",),
            replace=None,
            regex="always",
        ),
        Kind(
            name="impersonation_registry",
            item="impersonation_registry_id",
            schema="ImpersonationEntry",
            key=("email",),
            replace=None,
            batch=(),
            regex="is_email_regex",
        ),
        Kind(
            name="sending_domain_restrictions",
            item="sending_domain_restriction_id",
            schema="SendingDomainRestriction",
            key=("domain",),
            replace=None,
            batch=("deletes",),
            regex=None,
        ),
        Kind(
            name="url_ignore_patterns",
            item="pattern_id",
            schema="UrlIgnorePattern",
            key=("pattern",),
            replace=None,
            regex="always",
        ),
        Kind(
            name="domains",
            item="domain_id",
            schema="Domain",
            key=("domain",),
            replace="Replace",
            atomic=False,
            regex=None,
            own=lambda: {"status": "PENDING", "authorization": None},
        ),
    )
}


class List(Struct):
    """The entries of one list of one account by their id, as they were since when readers saw them."""

    kind: Kind
    random: random.Random
    history: list[tuple[float, dict[str, Entry]]] = field(default_factory=lambda: [(0.0, {})])

    @property
    def entries(self) -> list[Entry]:
        """What is true now, the oldest first."""
        return list(self.history[-1][1].values())

    def seen(self, now: float) -> list[Entry]:
        """What readers see now."""
        return list(next(entries for since, entries in reversed(self.history) if since <= now).values())

    def put(self, entries: Iterable[Entry], now: float) -> list[Entry]:
        """Add entries without asking whether the service would take them, as a dashboard of long ago did."""
        current = dict(self.history[-1][1])
        added = [self._store(current, entry, now) for entry in entries]
        self.history.append((0.0, current))
        return added

    def remove(self, entry_id: str) -> None:
        """Drop an entry at once, as somebody else would."""
        self.history.append((0.0, {id: entry for id, entry in self.history[-1][1].items() if id != entry_id}))

    def change(self, body: dict[str, list[Entry]], now: float, lag: float) -> dict[str, list[Entry]]:
        """Carry a batch out, or refuse it. A list that is not atomic keeps what came before the refusal."""
        current = dict(self.history[-1][1])
        done: dict[str, list[Entry]] = {}
        try:
            for operation in OPERATIONS:
                done[operation] = [
                    self._one(current, operation, order, f"/{operation}/{index}", now)
                    for index, order in enumerate(body.get(operation, ()))
                ]
        except ApiError:
            if not self.kind.atomic:
                self.history.append((max(now + lag, self.history[-1][0]), current))
            raise
        self.history.append((max(now + lag, self.history[-1][0]), current))
        return done

    def _one(self, current: dict[str, Entry], operation: str, order: Entry, pointer: str, now: float) -> Entry:
        given = {name: value for name, value in order.items() if name != "id"}
        if operation == "posts":
            return self._store(current, self._checked(current, given, pointer), now)
        before = current.get(order["id"])
        if before is None:
            raise ApiError(404, error(1001, f"entry {order['id']} not found", pointer=f"{pointer}/id"))
        if before.get("directory_node_id") is not None:
            raise bad_request("entries that a directory synchronizes cannot be changed", pointer)
        if operation == "deletes":
            del current[before["id"]]
            return {"id": before["id"]}
        kept = {name: before[name] for name in ("id", "created_at", *self.kind.own())}
        if "domain" not in given and "domain" in before:
            kept["domain"] = before["domain"]
        whole = {**(before if operation == "patches" else kept), **given, "modified_at": rfc3339(now)}
        current[before["id"]] = self._checked(current, whole, pointer)
        return current[before["id"]]

    def _store(self, current: dict[str, Entry], entry: Entry, now: float) -> Entry:
        made = {"id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)), "created_at": rfc3339(now)}
        current[made["id"]] = {**made, "modified_at": rfc3339(now), **self.kind.own(), **entry}
        return current[made["id"]]

    def _checked(self, current: dict[str, Entry], entry: Entry, pointer: str) -> Entry:
        """The entry, if the service takes it."""
        name = self.kind.key[-1]
        if entry.get("pattern_type") == "UNKNOWN":
            raise bad_request("UNKNOWN cannot be sent", f"{pointer}/pattern_type")
        if self.kind.regex == "always" or (self.kind.regex and entry.get(self.kind.regex)):
            expression = "pattern" if "pattern" in entry else name
            try:
                re.compile(entry[expression])
            except re.error:
                raise bad_request("not a regular expression", f"{pointer}/{expression}") from None
        elif entry.get("pattern_type") == "IP":
            try:
                network = ipaddress.ip_network(entry["pattern"], strict=False)
            except ValueError:
                raise bad_request("not an IP address", f"{pointer}/pattern") from None
            if network.is_private and not str(network).startswith(
                ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:")
            ):
                raise bad_request("not a public IP address", f"{pointer}/pattern")
        key, before = self.kind.key_of(entry), current.get(entry.get("id", ""))
        if before and self.kind.key_of(before) == key:
            return entry  # there may be duplicates of long ago
        if any(self.kind.key_of(other) == key and other["id"] != entry.get("id") for other in current.values()):
            if name == "pattern":
                raise ApiError(400, error(PATTERN_EXISTS, "pattern already exists", pointer=f"{pointer}/pattern"))
            raise bad_request(f"{name} already exists", f"{pointer}/{name}")
        return entry


def body_flaw(kind: Kind, operation: str, order: Any) -> tuple[str, str] | None:
    """Where and how one order of a batch, or of a single request, breaks the contract."""
    schema = {"posts": "Create", "patches": "Update", "puts": kind.replace}.get(operation)
    given = {name: value for name, value in order.items() if name != "id"} if isinstance(order, dict) else order
    return contract.flaw(f"{kind.schema}{schema}", given) if schema else None


def admits(entries: Iterable[Entry], message: Any) -> str | None:
    """How an allow policy keeps a new message out of quarantine, in the words of a message's properties; None if none does."""
    for entry in entries:
        if entry.get("verify_sender") and "pass" not in message.validation.values():
            continue
        if entry.get("is_exempt_recipient") and any(_fits(entry, address) for address in message.recipients):
            return "allowed_recipient"
        if not (_fits(entry, message.helo_ip) or _fits(entry, message.sender)):
            continue
        if entry.get("is_trusted_sender"):
            return "allowed_sender"
        if entry.get("is_acceptable_sender") and (message.disposition or "NONE") in ("SPAM", "SPOOF", "BULK", "NONE"):
            return "acceptable_sender"
    return None


def _fits(entry: Entry, text: str) -> bool:
    pattern, kind = entry["pattern"], entry["pattern_type"]
    if kind == "IP":
        try:
            return ipaddress.ip_address(text) in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    subject = text.lower() if kind == "EMAIL" else text.rpartition("@")[2].lower()
    return bool(re.search(pattern, subject)) if entry.get("is_regex") else subject == pattern.lower()
