# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""One message as Cloudflare describes it, normalised.

Field names are those of the schema of 2026-10-04. Fields that Cloudflare retired on 2026-11-01 (ts, action_log) are
translated. Values of unknown enums pass through as strings.
"""

from __future__ import annotations

import functools
import typing as t

from .._json import mapping, rows, string, strings


class State:
    """Where a message is, as far as a release needs to know."""

    QUARANTINED = "quarantined"
    RELEASED = "released"
    NOT_QUARANTINED = "not_quarantined"
    UNREADABLE = "unreadable"


RELEASE_OPERATION = "QUARANTINE_RELEASE"
RELEASE_OPERATIONS = {RELEASE_OPERATION, "RELEASE"}

_STRINGS = (
    "id", "postfix_id", "postfix_id_outbound", "alert_id", "message_id", "subject",
    "from", "from_name", "replyto", "envelope_from",
    "delivery_mode", "final_disposition", "scanned_at", "sent_at",
    "smtp_helo_server_ip", "smtp_previous_hop_ip", "x_originating_ip",
    "edf_hash", "htmltext_structure_hash",
)  # fmt: skip
_LISTS = (
    "to", "to_name", "envelope_to", "client_recipients",
    "delivery_status", "detection_reasons", "threat_categories", "post_delivery_operations",
)  # fmt: skip


class BriefMessage:
    """What a release without a plan needs to know of a message. A run may hold 100,000 of them.

    id: the investigate id. Older servers give none.
    recipients: the addresses that the message was sent to, as far as known. Empty while it is quarantined, to save memory.
    operations: what was done with the message after its delivery.
    is_quarantined: None if the answer does not say.
    record_missing: the answer does not have the operations.
    told: the answer has more than an id.
    """

    __slots__ = (
        "delivery_status", "id", "is_quarantined", "message_id", "operations", "postfix_id", "recipients", "record_missing", "told",
    )  # fmt: skip

    def __init__(self, row: t.Mapping[str, t.Any]) -> None:
        self.id = string(row.get("id"))
        self.postfix_id = string(row.get("postfix_id"))
        self.message_id = string(row.get("message_id"))
        self.delivery_status = _shared(*strings(row.get("delivery_status")))
        self.operations = _shared(*strings(row.get("post_delivery_operations")))
        self.is_quarantined = _quarantined(row, self.delivery_status)
        addresses = (tuple(strings(row.get(name))) for name in ("envelope_to", "client_recipients", "to"))
        self.recipients = () if self.is_quarantined else next(filter(None, addresses), ())
        self.record_missing = "post_delivery_operations" not in row
        self.told = len(row) > 1
        if isinstance(row.get("action_log"), list):
            self.add_operations(row["action_log"])

    def add_operations(self, entries: object) -> None:
        """Add the operations of an action log. Those that failed do not count."""
        done = [string(entry.get("operation")) for entry in rows(entries) if entry.get("success") is not False]
        self.operations = _shared(*dict.fromkeys([*self.operations, *filter(None, done)]))
        self.record_missing = False

    @property
    def key(self) -> str:
        """Return what distinguishes this message from others."""
        return self.id or self.postfix_id or str(id(self))

    @property
    def state(self) -> str:
        """Return the state of the message."""
        if self.is_quarantined is None:
            return State.UNREADABLE
        if self.is_quarantined:
            return State.QUARANTINED
        return State.RELEASED if self.release_on_record else State.NOT_QUARANTINED

    @property
    def release_on_record(self) -> bool:
        """Tell whether a release was tried before, with or without success."""
        return not RELEASE_OPERATIONS.isdisjoint(self.operations)

    @property
    def partly_delivered(self) -> bool:
        """Tell whether a release delivered the message to some recipients while it is still quarantined for others."""
        return bool(self.is_quarantined) and self.release_on_record and "delivered" in self.delivery_status


class Message(BriefMessage):
    """All that the API says of one message.

    data: every field of the current schema, also those that the server left out.
    """

    __slots__ = ("data",)

    def __init__(self, row: t.Mapping[str, t.Any]) -> None:
        self.data: dict[str, t.Any] = {
            **{name: string(row.get(name)) for name in _STRINGS},
            **{name: strings(row.get(name)) for name in _LISTS},
            "is_phish_submission": row.get("is_phish_submission") is True,
            "properties": mapping(row.get("properties")),
            "validation": {
                name: string(mapping(row.get("validation")).get(name)) for name in ("spf", "dkim", "dmarc", "comment")
            },
        }
        self.data["scanned_at"] = self.data["scanned_at"] or string(row.get("ts"))
        self.data["sent_at"] = self.data["sent_at"] or string(row.get("sent_date"))
        super().__init__(row)
        self.data["is_quarantined"] = self.is_quarantined

    def add_operations(self, entries: object) -> None:
        """Add the operations of an action log, also to the data."""
        super().add_operations(entries)
        self.data["post_delivery_operations"] = list(self.operations)

    @property
    def all_recipients(self) -> list[str]:
        """Return everybody who gets or may get the message, each address once, whatever its case."""
        addresses = [*self.data["envelope_to"], *self.data["client_recipients"], *self.data["to"]]
        return list({address.lower(): address for address in addresses}.values())


@functools.lru_cache(maxsize=256)
def _shared(*words: str) -> tuple[str, ...]:
    """Return the words in a tuple that all messages with the same words share, which saves memory."""
    return words


def _quarantined(row: t.Mapping[str, t.Any], delivery_status: t.Sequence[str]) -> bool | None:
    value = row.get("is_quarantined")
    if value is None and delivery_status:
        return "quarantined" in delivery_status
    return value if isinstance(value, bool) else None
