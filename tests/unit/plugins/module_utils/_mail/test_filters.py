# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Search filters: from options to query parameters."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import InputError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.filters import search_filters
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import NOW
from hypothesis import given
from hypothesis import strategies as st

DEFAULT = {"detections_only": "true"}


@pytest.mark.parametrize(
    ("options", "filters"),
    [
        ({}, DEFAULT),
        ({"sender": "", "subject": None}, DEFAULT),
        ({"sender": "s.example", "recipient": "r@c.example"}, {"sender": "s.example", "recipient": "r@c.example"}),
        ({"subject": "a b", "query": "q", "domain": "d.e"}, {"subject": "a b", "query": "q", "domain": "d.e"}),
        ({"message_id": "<m@d>", "alert_id": "al"}, {"message_id": "<m@d>", "alert_id": "al"}),
        ({"disposition": "SPOOF"}, {"final_disposition": "SPOOF"}),
        ({"delivery_status": "quarantined"}, {"delivery_status": "quarantined"}),
        ({"detections_only": False}, {"detections_only": "false"}),
        ({"since": "24h"}, {"start": "2026-11-21T12:00:00Z"}),
        ({"since": " 30 m "}, {"start": "2026-11-22T11:30:00Z"}),
        ({"since": "7d"}, {"start": "2026-11-15T12:00:00Z"}),
        ({"since": "2w"}, {"start": "2026-11-08T12:00:00Z"}),
        ({"start": "2026-11-20"}, {"start": "2026-11-20T00:00:00Z"}),
        ({"start": "2026-11-20T08:00:00"}, {"start": "2026-11-20T08:00:00Z"}),
        ({"start": "2026-11-20T08:00:00z"}, {"start": "2026-11-20T08:00:00Z"}),
        ({"start": "2026-11-20T08:00:00+02:00"}, {"start": "2026-11-20T06:00:00Z"}),
        (
            {"start": "2026-11-01", "end": "2026-11-30"},
            {"start": "2026-11-01T00:00:00Z", "end": "2026-11-30T00:00:00Z"},
        ),
    ],
)
def test_options_become_query_parameters(options: dict[str, t.Any], filters: dict[str, str]) -> None:
    assert search_filters(options, NOW) == {**DEFAULT, **filters}


@pytest.mark.parametrize(
    ("given_text", "text"),
    [
        (" a@x.example\ufeff ", "a@x.example"),
        ("x.example.", "x.example"),
        ("m\u00fcller.example", "m\u00fcller.example"),
        ("bounce+a=b/c@x.example", "bounce+a=b/c@x.example"),
        ("o'brien@x.example", "o'brien@x.example"),
        ('"a b"@x.example', '"a b"@x.example'),
        ("root@localhost", "root@localhost"),
        ("_dmarc.x.example", "_dmarc.x.example"),
    ],
)
@pytest.mark.parametrize("option", ["sender", "recipient"])
def test_one_address_or_domain_is_taken(option: str, given_text: str, text: str) -> None:
    assert search_filters({option: given_text}, NOW)[option] == text


def test_ids_of_a_search_are_cleaned_as_handles() -> None:
    found = search_filters({"message_id": "\u201c<a@b>\u201d,", "alert_id": " al."}, NOW)
    assert (found["message_id"], found["alert_id"]) == ("<a@b>", "al")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"since": "24"}, "since must be a number with m, h, d or w"),
        ({"since": "0h"}, "since must be"),
        ({"since": "-1d"}, "since must be"),
        ({"since": "1y"}, "since must be"),
        ({"since": "24h\n7d"}, "since must be"),
        ({"since": "999999w"}, "since must be"),
        ({"start": "yesterday"}, "start must be a date or time"),
        ({"start": "0001-01-01T00:00:00+23:59"}, "start must be a date or time"),
        ({"end": "9999-12-31T23:59:59-23:59"}, "end must be a date or time"),
        ({"end": "2026-02-30"}, "end must be a date or time"),
        ({"start": "2026-11-23"}, "start is in the future"),
        ({"start": "2026-11-20", "end": "2026-11-20"}, "must be before end"),
        ({"since": "1h", "end": "2026-11-20"}, "must be before end"),
        ({"sender": "a\nb"}, "line break"),
        ({"subject": "a\x00"}, "control character"),
        ({"subject": "a\r"}, "the search option for subject contains a carriage return"),
        ({"message_id": "<a@b> <c@d>"}, r"message_id contains U\+003E"),
        ({"alert_id": "al al"}, "alert_id contains white space"),
        *(
            ({option: text}, f"{option} must be one address or one domain, such as alice@example.com")
            for option in ("sender", "recipient")
            for text in (
                "a@x.example, b@x.example",
                "a@x.example;b@x.example",
                "a@x.example b@x.example",
                "Alice <a@b.example>",
                "<a@b.example>",
                "@partner.example",
                "a@",
                "@",
                ".",
                "a@b@c.example",
                "*@partner.example",
                "*.partner.example",
                ".partner.example",
                "mailto:a@b.example",
                "https://partner.example",
                "partner.example/",
                '"a@b.example"',
                "'a@b.example'",
                "Alice",
                "Alice Smith",
                "a b@c.example",
                "a@b.example\u200b,",
                "a@b..example",
                "a@[",
                "\u201ca@b.example\u201d",
            )
        ),
        *(
            ({"domain": text}, "domain must be one domain, such as example.com")
            for text in (
                "a@x.example",
                "@x.example",
                "x.example, y.example",
                "*.x.example",
                "https://x.example",
                "x",
                "x.example y",
            )
        ),
    ],
)
def test_what_cannot_be_searched_for_is_refused_in_one_sentence(options: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        search_filters(options, NOW)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30), st.sampled_from(["since", "start", "end"]))
def test_no_text_as_a_time_breaks_anything(text: str, option: str) -> None:
    try:
        filters = search_filters({option: text}, NOW)
    except InputError:
        return
    assert set(filters) <= {"start", "end", "detections_only"}
