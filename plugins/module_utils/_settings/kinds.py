# Copyright (c) 2026 emailsec.cloudflare contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module is private to the collection.

"""The settings lists of an account, as one table: a row for each list, with its fields and how the API takes changes."""

from __future__ import annotations

import typing as t

COMMENTS = "comments"
POSTS, PATCHES, DELETES = "posts", "patches", "deletes"
ALL_AT_ONCE = (DELETES, PATCHES, POSTS)
ALWAYS = "always"

Row = t.Mapping[str, t.Any]


class Field(t.NamedTuple):
    """A field of an entry.

    type, choices: as in an argument spec. A list is one of texts, and its order does not count.
    needed: a new entry must have it.
    default: what a new entry gets without it. None: the field is not sent.
    longest: characters of a text, or elements of a list.
    filled: a list must not be empty.
    any_case: upper and lower case mean the same, but for regular expressions.
    within: the smallest and the largest number.
    """

    type: str = "str"
    needed: bool = False
    default: t.Any = None
    longest: int | None = None
    filled: bool = False
    choices: tuple[str, ...] = ()
    any_case: bool = False
    within: tuple[int, int] | None = None


class Kind(t.NamedTuple):
    """A list.

    name: of the module, and of the list in the API.
    noun: what an entry is called.
    key: the fields that tell entries apart. They never change.
    comments: the field for remarks, which keeps the expiry. None: entries cannot expire.
    regex: the field that says whether the last field of the key is a regular expression. ALWAYS: pattern always is one.
    batch: what the batch of the API takes. What it does not take is sent one by one.
    in_order: the list can be read in the order in which entries were created.
    guarded: entries are created and deleted only if that is asked for, and deleted in a batch of their own, as the last.
    """

    name: str
    noun: str
    key: tuple[str, ...]
    fields: t.Mapping[str, Field]
    comments: str | None = COMMENTS
    regex: str | None = None
    batch: tuple[str, ...] = ALL_AT_ONCE
    in_order: bool = True
    guarded: bool = False

    @property
    def path(self) -> str:
        """Return the path of the list, below the account's part of the API."""
        return f"settings/{self.name}"

    def is_managed(self, row: Row) -> bool:
        """Tell whether entries like this one may be changed: not if a directory synchronizes it, or it cannot be declared."""
        return row.get("directory_node_id") is None and all(
            isinstance(row.get(name), str) and (not self.fields[name].choices or row[name] in self.fields[name].choices)
            for name in self.key
        )

    def title(self, entry: Row) -> str:
        """Return the key of an entry as one text."""
        return " ".join(str(entry.get(name)) for name in self.key)


def _kind(name: str, noun: str, key: tuple[str, ...], fields: dict[str, Field], **more: t.Any) -> tuple[str, Kind]:
    return name, Kind(name, noun, key, fields, **more)


_PATTERN = Field(needed=True, longest=1024, any_case=True)
_PATTERN_TYPE = Field(needed=True, choices=("EMAIL", "DOMAIN", "IP"))
_NO = Field("bool", default=False)
_YES = Field("bool", default=True)
_REMARKS = Field(longest=1024)
_DISPOSITIONS = (
    "MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPOOF", "SPAM", "BULK", "ENCRYPTED", "EXTERNAL", "UNKNOWN", "NONE",
)  # fmt: skip

KINDS: t.Mapping[str, Kind] = dict(
    [
        _kind(
            "allow_policies",
            "allow policy",
            ("pattern_type", "pattern"),
            {
                "pattern": _PATTERN,
                "pattern_type": _PATTERN_TYPE,
                "is_regex": _NO,
                "is_acceptable_sender": _NO,
                "is_trusted_sender": _NO,
                "is_exempt_recipient": _NO,
                "verify_sender": _YES,
                "comments": _REMARKS,
            },
            regex="is_regex",
        ),
        _kind(
            "block_senders",
            "blocked sender",
            ("pattern_type", "pattern"),
            {"pattern": _PATTERN, "pattern_type": _PATTERN_TYPE, "is_regex": _NO, "comments": _REMARKS},
            regex="is_regex",
        ),
        _kind(
            "trusted_domains",
            "trusted domain",
            ("pattern",),
            {
                "pattern": _PATTERN,
                "is_regex": _NO,
                "is_recent": _NO,
                "is_similarity": _NO,
                "comments": _REMARKS,
            },
            regex="is_regex",
        ),
        _kind(
            "content_policies",
            "content policy",
            ("name",),
            {
                "name": Field(needed=True, longest=256),
                "pattern": Field(needed=True, longest=2048),
                "targets": Field("list", needed=True, filled=True, choices=("SUBJECT", "BODY")),
                "enabled": _YES,
                "notes": Field(longest=4096),
            },
            comments="notes",
            regex=ALWAYS,
        ),
        _kind(
            "impersonation_registry",
            "entry of the impersonation registry",
            ("email",),
            {
                "email": Field(needed=True, any_case=True),
                "name": Field(needed=True, longest=1024),
                "is_email_regex": _NO,
                "comments": Field(),
            },
            regex="is_email_regex",
            batch=(),
        ),
        _kind(
            "sending_domain_restrictions",
            "sending domain restriction",
            ("domain",),
            {
                "domain": Field(needed=True, any_case=True),
                "exclude": Field("list", default=(), any_case=True),
                "comments": _REMARKS,
            },
            batch=(DELETES,),
        ),
        _kind(
            "url_ignore_patterns",
            "URL ignore pattern",
            ("pattern",),
            {"pattern": Field(needed=True, longest=1024), "comments": _REMARKS},
            regex=ALWAYS,
            in_order=False,
        ),
        _kind(
            "domains",
            "domain",
            ("domain",),
            {
                "domain": Field(needed=True, any_case=True),
                "allowed_delivery_modes": Field(
                    "list",
                    needed=True,
                    filled=True,
                    longest=10,
                    choices=("DIRECT", "BCC", "JOURNAL", "API", "RETRO_SCAN"),
                ),
                "ip_restrictions": Field("list", default=(), longest=100, any_case=True),
                "drop_dispositions": Field("list", default=(), longest=10, choices=_DISPOSITIONS),
                "regions": Field(
                    "list", default=("GLOBAL",), filled=True, longest=10, choices=("GLOBAL", "AU", "DE", "IN", "US")
                ),
                "folder": Field(choices=("AllItems", "Inbox")),
                "integration_id": Field(),
                "lookback_hops": Field("int", within=(1, 20)),
                "require_tls_inbound": Field("bool"),
                "require_tls_outbound": Field("bool"),
                "transport": Field(),
            },
            comments=None,
            guarded=True,
        ),
    ]
)
