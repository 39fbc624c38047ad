# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The body of a release call: which form is tried, what is kept, and by which id a message is sent."""

from __future__ import annotations

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.shared import SharedNumbers
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import parse_handle
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.body import (
    ARRAY,
    AUTO,
    OBJECT,
    Body,
    FormMemory,
    content,
    name_of,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.items import Item
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import NOW, investigate_id, postfix_id


def item(handle: str) -> Item:
    """Return message 1, given by this handle, with both ids known."""
    found = Item(parse_handle(handle))
    found.learn(investigate_id(1), postfix_id(1))
    return found


def test_auto_begins_with_the_array_and_tries_the_object_once() -> None:
    body = Body(AUTO)
    assert not body.form_known
    assert body.form(frozenset()) == ARRAY
    assert body.may_change(ARRAY, frozenset())
    assert body.form(frozenset({ARRAY})) == OBJECT
    assert not body.may_change(OBJECT, frozenset({ARRAY}))


def test_the_form_that_worked_is_kept() -> None:
    body = Body(AUTO)
    body.worked(OBJECT)
    assert body.form_known
    assert body.form(frozenset()) == OBJECT
    assert not body.may_change(OBJECT, frozenset())
    assert not body.ever_accepted, "reading back showed that it worked, and no answer that it was accepted"


@pytest.mark.parametrize("form", [ARRAY, OBJECT])
def test_a_form_that_was_asked_for_does_not_change(form: str) -> None:
    body = Body(form)
    assert (body.form_known, body.form(frozenset())) == (True, form)
    assert not body.may_change(form, frozenset())


@pytest.mark.parametrize(
    ("handle", "form", "name"),
    [
        (investigate_id(1), ARRAY, investigate_id(1)),
        (investigate_id(1), OBJECT, investigate_id(1)),
        (postfix_id(1), ARRAY, postfix_id(1)),
        (postfix_id(1), OBJECT, investigate_id(1)),
    ],
)
def test_a_postfix_id_goes_only_into_the_array(handle: str, form: str, name: str) -> None:
    assert name_of(item(handle), form) == name
    assert content([name], form) == ([name] if form == ARRAY else {"ids": [name]})


def test_the_other_id_is_tried_unless_the_server_takes_such_ids() -> None:
    body = Body(ARRAY)
    sent = item(postfix_id(1))
    assert body.may_rename(sent, ARRAY)
    body.accepted(ARRAY, [item(postfix_id(1))])
    assert body.ever_accepted
    assert not body.may_rename(sent, ARRAY)
    assert body.may_rename(item(investigate_id(1)), ARRAY)
    sent.sent_as = 1
    assert not body.may_rename(sent, ARRAY), "there is no third id"


DAY = 86400.0


def memory(age: float = 0.0) -> FormMemory:
    """Return what a run remembers that begins so many seconds after the first one."""
    return FormMemory(SharedNumbers("server"), NOW + age)


@pytest.mark.parametrize(
    ("age", "form"), [(0, OBJECT), (DAY - 1, OBJECT), (DAY, ARRAY), (9 * DAY, ARRAY), (-1, ARRAY), (-DAY, ARRAY)]
)
def test_the_object_is_kept_for_a_day_but_only_as_a_guess(age: float, form: str) -> None:
    Body(AUTO, memory()).delivered(OBJECT)
    body = Body(AUTO, memory(age))
    assert body.form(frozenset()) == form
    assert not body.form_known
    assert body.may_change(form, frozenset())


def test_the_day_does_not_begin_anew() -> None:
    Body(AUTO, memory()).delivered(OBJECT)
    Body(AUTO, memory(DAY / 2)).delivered(OBJECT)
    assert Body(AUTO, memory(DAY)).form(frozenset()) == ARRAY


def test_a_server_that_takes_the_array_again_is_believed() -> None:
    Body(AUTO, memory()).delivered(OBJECT)
    Body(AUTO, memory()).delivered(ARRAY)
    assert Body(AUTO, memory()).form(frozenset()) == ARRAY


@pytest.mark.parametrize("form", [ARRAY, OBJECT])
def test_a_form_that_was_asked_for_neither_asks_nor_teaches(form: str) -> None:
    Body(AUTO, memory()).delivered(OBJECT)
    body = Body(form, memory())
    assert body.form(frozenset()) == form
    body.delivered(form)
    assert Body(AUTO, memory()).form(frozenset()) == OBJECT


@pytest.mark.parametrize("kept", [{"object_since": float("nan")}, {"object_since": 1e300}, {"other": NOW}, {}])
def test_odd_numbers_are_as_good_as_none(kept: dict[str, float]) -> None:
    with SharedNumbers("server").held() as numbers:
        numbers.update(kept)
    assert Body(AUTO, memory()).form(frozenset()) == ARRAY
