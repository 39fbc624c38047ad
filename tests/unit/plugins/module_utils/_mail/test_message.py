# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages as the API describes them, normalised."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import (
    BriefMessage,
    Message,
    State,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    investigate_id,
    postfix_id,
    released_row,
    row,
)
from hypothesis import given
from hypothesis import strategies as st

RELEASE = "QUARANTINE_RELEASE"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"is_quarantined": True}, State.QUARANTINED),
        ({"is_quarantined": True, "post_delivery_operations": [RELEASE]}, State.QUARANTINED),
        ({"is_quarantined": False, "post_delivery_operations": [RELEASE]}, State.RELEASED),
        ({"is_quarantined": False, "post_delivery_operations": ["RELEASE"]}, State.RELEASED),
        ({"is_quarantined": False, "post_delivery_operations": ["PREVIEW", "MOVE"]}, State.NOT_QUARANTINED),
        ({"is_quarantined": False}, State.NOT_QUARANTINED),
        ({"is_quarantined": False, "action_log": [{"operation": RELEASE}]}, State.RELEASED),
        ({"is_quarantined": False, "action_log": [{"operation": RELEASE, "success": False}]}, State.NOT_QUARANTINED),
        ({"is_quarantined": False, "action_log": [None, 3, {"operation": None}]}, State.NOT_QUARANTINED),
        ({"delivery_status": ["quarantined"]}, State.QUARANTINED),
        ({"delivery_status": "quarantined"}, State.QUARANTINED),
        ({"is_quarantined": None, "delivery_status": ["delivered"]}, State.NOT_QUARANTINED),
        ({"is_quarantined": False, "delivery_status": ["quarantined"]}, State.NOT_QUARANTINED),
        ({}, State.UNREADABLE),
        ({"is_quarantined": None}, State.UNREADABLE),
        ({"is_quarantined": "true"}, State.UNREADABLE),
        ({"is_quarantined": 1}, State.UNREADABLE),
    ],
)
def test_the_state_is_what_the_row_itself_states(fields: dict[str, t.Any], state: str) -> None:
    assert Message(fields).state == state


@pytest.mark.parametrize(
    ("old", "field", "value"),
    [
        ({"ts": "2026-11-20T09:00:00Z"}, "scanned_at", "2026-11-20T09:00:00Z"),
        ({"ts": "old", "scanned_at": "new"}, "scanned_at", "new"),
        ({"sent_date": "Thu, 19 Nov"}, "sent_at", "Thu, 19 Nov"),
        ({"sent_date": "old", "sent_at": "new"}, "sent_at", "new"),
        ({"action_log": [{"operation": "MOVE"}]}, "post_delivery_operations", ["MOVE"]),
        ({"delivery_status": "moved"}, "delivery_status", ["moved"]),
        ({"final_disposition": "SOMETHING-NEW"}, "final_disposition", "SOMETHING-NEW"),
    ],
)
def test_retired_names_are_translated_and_unknown_values_kept(old: dict[str, t.Any], field: str, value: object) -> None:
    assert Message(old).data[field] == value


def test_every_field_is_there_whatever_the_server_leaves_out() -> None:
    empty, full = Message({}).data, Message(row(1)).data
    assert empty.keys() == full.keys()
    assert all(value in (None, [], {}, False) for name, value in empty.items() if name != "validation")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


ROWS = st.dictionaries(
    st.sampled_from(sorted([*row(1), "ts", "action_log", "validation", "sent_date", "envelope_to"])), JSON
)


@given(ROWS)
def test_no_type_of_any_field_breaks_it(fields: dict[str, t.Any]) -> None:
    message = Message(fields)
    assert message.state in (State.QUARANTINED, State.RELEASED, State.NOT_QUARANTINED, State.UNREADABLE)
    assert message.data.keys() == Message({}).data.keys()
    assert all(isinstance(text, str) for text in message.recipients)
    assert message.key


@given(ROWS | st.builds(row, st.integers(1, 9)) | st.builds(released_row, st.integers(1, 9)))
def test_a_brief_message_tells_less_but_nothing_else(fields: dict[str, t.Any]) -> None:
    full, brief = Message(fields), BriefMessage(fields)
    for name in (*BriefMessage.__slots__, "state", "release_on_record", "partly_delivered"):
        assert getattr(brief, name) == getattr(full, name), name
    for name in ("id", "postfix_id", "message_id", "is_quarantined"):
        assert full.data[name] == getattr(brief, name), name
    assert full.data["delivery_status"] == list(brief.delivery_status)
    assert full.data["post_delivery_operations"] == list(brief.operations)


def test_what_was_done_with_one_brief_message_is_not_told_of_another() -> None:
    one, other = BriefMessage(row(1)), BriefMessage(row(2))
    one.add_operations([{"operation": RELEASE}])
    assert (one.release_on_record, other.release_on_record, BriefMessage(row(3)).release_on_record) == (
        True,
        False,
        False,
    )


def test_the_key_is_the_best_id_there_is() -> None:
    assert Message(row(1)).key == investigate_id(1)
    assert Message(row(1, id=None)).key == postfix_id(1)


@pytest.mark.parametrize(
    ("fields", "partly"),
    [
        (row(1, delivery_status=["quarantined", "delivered"], operations=(RELEASE,)), True),
        (row(1, delivery_status=["quarantined", "delivered"]), False),
        (row(1, operations=(RELEASE,)), False),
        (released_row(1), False),
    ],
)
def test_a_partly_delivered_message_is_told_apart(fields: dict[str, t.Any], partly: bool) -> None:
    assert Message(fields).partly_delivered is partly


@pytest.mark.parametrize(
    ("fields", "recipients"),
    [
        ({"envelope_to": ["e"], "client_recipients": ["c"], "to": ["t"]}, ["e"]),
        ({"envelope_to": [], "client_recipients": ["c"], "to": ["t"]}, ["c"]),
        ({"to": "t"}, ["t"]),
        ({"to": [None, 3, "t"]}, ["t"]),
        ({}, []),
    ],
)
def test_recipients_are_those_of_the_envelope_where_they_are_known(
    fields: dict[str, t.Any], recipients: list[str]
) -> None:
    assert list(Message(fields).recipients) == recipients
