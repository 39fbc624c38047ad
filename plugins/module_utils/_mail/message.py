# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""One message as Cloudflare describes it, normalised.

Field names are those of the schema of 2026-10-04. What Cloudflare retired on 2026-11-01 (C(ts), C(action_log)) is
understood and translated; values of unknown enums pass through as strings.
"""

from __future__ import annotations

import functools
import typing as t

QUARANTINED = "quarantined"
RELEASED = "released"
NOT_QUARANTINED = "not_quarantined"
UNREADABLE = "unreadable"

RELEASE_OPERATION = "QUARANTINE_RELEASE"
_RELEASE_OPERATIONS = {RELEASE_OPERATION, "RELEASE"}

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
# What releasing needs to know. A run may hold 100,000 messages, and the rest is most of what they weigh.
_BRIEF_STRINGS = ("id", "postfix_id", "message_id", "final_disposition")
_ADDRESSES = ("to", "envelope_to", "client_recipients")
_BRIEF_LISTS = (*_ADDRESSES, "delivery_status", "post_delivery_operations")


class Message:
    """What the API says of one message.

    data: every current field, whatever the server left out; of a C(brief) one, only those that releasing needs.
    record_missing: what was done with the message is not told. told: it says more than an id.
    """

    __slots__ = ("data", "record_missing", "told")

    def __init__(self, row: t.Mapping[str, t.Any], brief: bool = False) -> None:
        data: dict[str, t.Any] = {name: _string(row.get(name)) for name in (_BRIEF_STRINGS if brief else _STRINGS)}
        data.update({name: _strings(row.get(name)) for name in (_BRIEF_LISTS if brief else _LISTS)})
        data["is_quarantined"] = _quarantined(row, data["delivery_status"])
        if brief:
            # Mostly the same addresses, and words that most messages have in common: each is kept once.
            data.update({name: data["to"] for name in _ADDRESSES if data[name] == data["to"]})
            data.update({name: _common(*data[name]) for name in ("delivery_status", "post_delivery_operations")})
        else:
            data["is_phish_submission"] = row.get("is_phish_submission") is True
            data["properties"] = _mapping(row.get("properties"))
            data["validation"] = {
                name: _string(_mapping(row.get("validation")).get(name)) for name in ("spf", "dkim", "dmarc", "comment")
            }
            data["scanned_at"] = data["scanned_at"] or _string(row.get("ts"))
            data["sent_at"] = data["sent_at"] or _string(row.get("sent_date"))
        self.data = data
        self.told = len(row) > 1
        self.record_missing = "post_delivery_operations" not in row
        if isinstance(row.get("action_log"), list):
            self.add_operations(row["action_log"])

    def add_operations(self, entries: object) -> None:
        """Add what an action log says was done with the message; what failed was not done."""
        known = list(self.data["post_delivery_operations"])
        for entry in entries if isinstance(entries, list) else []:
            operation = _string(_mapping(entry).get("operation"))
            if operation and operation not in known and _mapping(entry).get("success") is not False:
                known.append(operation)
        self.data["post_delivery_operations"] = known
        self.record_missing = False

    @property
    def id(self) -> str | None:
        """Return the investigate id."""
        return t.cast("str | None", self.data["id"])

    @property
    def key(self) -> str:
        """Return what tells it from other messages. Legacy servers give no investigate id."""
        return self.id or self.postfix_id or str(id(self))

    @property
    def postfix_id(self) -> str | None:
        """Return the legacy postfix id."""
        return t.cast("str | None", self.data["postfix_id"])

    @property
    def state(self) -> str:
        """Return C(quarantined), C(released), C(not_quarantined), or C(unreadable) when the answer does not say."""
        if self.data["is_quarantined"] is None:
            return UNREADABLE
        if self.data["is_quarantined"]:
            return QUARANTINED
        return RELEASED if self.release_on_record else NOT_QUARANTINED

    @property
    def release_on_record(self) -> bool:
        """Tell whether a release was tried before, successful or not."""
        return not _RELEASE_OPERATIONS.isdisjoint(self.data["post_delivery_operations"])

    @property
    def partly_delivered(self) -> bool:
        """Tell whether a release delivered it to some recipients while others still have it in quarantine."""
        return (
            bool(self.data["is_quarantined"]) and self.release_on_record and "delivered" in self.data["delivery_status"]
        )

    @property
    def recipients(self) -> list[str]:
        """Return the addresses it was sent to, as far as known."""
        return t.cast("list[str]", self.data["envelope_to"] or self.data["client_recipients"] or self.data["to"])

    @property
    def all_recipients(self) -> list[str]:
        """Return everybody it is or may be for, each once, whatever the case."""
        addresses = [*self.data["envelope_to"], *self.data["client_recipients"], *self.data["to"]]
        return list({address.lower(): address for address in addresses}.values())


@functools.lru_cache(maxsize=256)
def _common(*words: str) -> list[str]:
    """Return the words in a list that all messages share; it must not be changed."""
    return list(words)


def _quarantined(row: t.Mapping[str, t.Any], delivery_status: list[str]) -> bool | None:
    value = row.get("is_quarantined")
    if value is None and delivery_status:
        return "quarantined" in delivery_status
    return value if isinstance(value, bool) else None


def _mapping(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _strings(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]
