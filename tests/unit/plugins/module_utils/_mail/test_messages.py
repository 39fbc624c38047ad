# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding messages: many handles in few calls, and only what an answer itself proves."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Client, Credential, Settings
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import ApiError, DoubtfulError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import Handle, parse_handles
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import Message, State
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.messages import Messages
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.items import Item, resolve
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.ledger import Ledger
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    URL,
    envelope,
    investigate_id,
    message_id,
    page,
    path,
    postfix_id,
    refusal,
    released_row,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import BEARER, Reply, Script, Sent

WINDOW = {
    "start": "2026-11-19T10:00:00Z",
    "end": "2026-11-21T10:00:00Z",
    "per_page": "1000",
    "detections_only": "false",
}
QUARANTINED = {**WINDOW, "delivery_status": "quarantined"}
RELEASED = {**WINDOW, "message_action": "QUARANTINE_RELEASED"}
FIVE = [investigate_id(number) for number in range(1, 6)]


@pytest.fixture
def messages(script: Script, clock: FakeClock) -> Messages[Message]:
    """Messages read from the script, one call at a time."""
    client = Client(Settings(URL, ACCOUNT, Credential(dict(BEARER), "token"), retries=0), clock)
    return Messages(client, clock, Message, threads=1)


def find(messages: Messages[Message], *names: str) -> list[list[str]]:
    """Return the keys of the messages that each handle fits."""
    handles = parse_handles(names)
    found = messages.find(handles)
    return [[message.key for message in found[handle]] for handle in handles]


def resolved(messages: Messages[Message], handles: t.Sequence[Handle], check_state: bool) -> list[Item]:
    """Return the items that the handles name, with the outcomes of those with nothing to send."""
    items, known = resolve(messages, handles, check_state, keep=True)
    Ledger().record_all(known.items())
    return items


def statuses(items: list[Item]) -> list[str | None]:
    """Return the status of each item; None where it is to be sent."""
    return [item.outcome.status if item.outcome else None for item in items]


# --- few calls ---------------------------------------------------------------------------------------------------------


def test_a_few_ids_are_read_one_by_one(messages: Messages[Message], script: Script) -> None:
    for number in range(1, 5):
        script.get(path(number), envelope(row(number)), query={})
    assert find(messages, *FIVE[:4]) == [[name] for name in FIVE[:4]]


def test_more_are_searched_for_in_the_time_that_their_ids_hint_at(messages: Messages[Message], script: Script) -> None:
    script.get("investigate", page([row(number) for number in range(1, 9)]), query=QUARANTINED)
    assert find(messages, *FIVE) == [[name] for name in FIVE]


def test_what_is_not_in_quarantine_is_searched_for_among_the_released(
    messages: Messages[Message], script: Script
) -> None:
    script.get("investigate", page([row(1), row(2)]), query=QUARANTINED)
    script.get("investigate", page([released_row(number) for number in (3, 4, 5)]), query=RELEASED)
    assert find(messages, *FIVE) == [[name] for name in FIVE]


def test_only_what_the_search_did_not_settle_is_read_singly(messages: Messages[Message], script: Script) -> None:
    script.get("investigate", page([row(number) for number in (1, 2, 3, 4)]), query=QUARANTINED)
    script.get("investigate", page([]), query=RELEASED)
    script.get(path(5), envelope(row(5, quarantined=False)))
    assert find(messages, *FIVE) == [[name] for name in FIVE]


def test_a_worthless_hint_widens_the_window_once(messages: Messages[Message], script: Script) -> None:
    wide = {"per_page": "1000", "detections_only": "false"}
    script.get("investigate", page([]), query=QUARANTINED)
    script.get("investigate", page([]), query=RELEASED)
    script.get(
        "investigate", page([row(number) for number in range(1, 6)]), query={**wide, "delivery_status": "quarantined"}
    )
    assert find(messages, *FIVE) == [[name] for name in FIVE]


def test_a_search_ends_with_the_page_that_settles_it(messages: Messages[Message], script: Script) -> None:
    script.get("investigate", page([row(number) for number in range(1, 6)], "more"), query=QUARANTINED)
    assert find(messages, *FIVE) == [[name] for name in FIVE]


def test_a_huge_quarantine_costs_no_more_pages_than_single_reads_would(
    messages: Messages[Message], script: Script
) -> None:
    def server(sent: Sent) -> Reply:
        if sent.path == "investigate":
            return Reply(page([row(900)], str(len(script.sent))))
        return Reply(envelope(row(next(number for number in range(1, 6) if sent.path == path(number)))))

    script.server = server
    assert find(messages, *FIVE) == [[name] for name in FIVE]
    assert len(script.sent) <= 5 + 8


def test_a_filter_that_the_server_does_not_take_leaves_single_reads(
    messages: Messages[Message], script: Script
) -> None:
    def server(sent: Sent) -> Reply:
        if sent.path == "investigate":
            return Reply(refusal(1, "unknown filter"), 400)
        return Reply(envelope(row(next(number for number in range(1, 6) if sent.path == path(number)))))

    script.server = server
    assert find(messages, *FIVE) == [[name] for name in FIVE]


def test_a_filter_that_the_server_ignores_does_no_harm(messages: Messages[Message], script: Script) -> None:
    script.get("investigate", page([row(number, quarantined=False) for number in range(1, 6)]), query=QUARANTINED)
    found = messages.find(parse_handles(FIVE))
    assert all(message.state == "not_quarantined" for candidates in found.values() for message in candidates)


def test_ids_of_another_shape_are_found_by_the_search_too(messages: Messages[Message], script: Script) -> None:
    names = [f"opaque~{number}" for number in range(200)]
    script.get("investigate", page([row(number, id=name) for number, name in enumerate(names)]))
    assert find(messages, *names) == [[name] for name in names]


# --- trust only what is proven -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [None, [], "x", {}, row(2), [row(1)], {"is_quarantined": True}])
def test_an_answer_about_something_else_is_unreadable(
    messages: Messages[Message], script: Script, result: object
) -> None:
    script.get(path(1), envelope(result))
    message = messages.get(investigate_id(1))
    assert message
    assert message.state == State.UNREADABLE


def test_an_old_server_that_knows_postfix_ids_only_is_understood(messages: Messages[Message], script: Script) -> None:
    script.get("investigate", page([row(1, id=None)]))
    assert find(messages, postfix_id(1)) == [[postfix_id(1)]]


def test_a_postfix_id_is_searched_for_as_words_when_reading_does_not_know_it(
    messages: Messages[Message], script: Script
) -> None:
    script.get("investigate", page([]))
    script.get("investigate", page([]))
    script.get(f"investigate/{postfix_id(1)}", refusal(1, "unknown"), 404)
    script.get("investigate", page([row(2), row(1)]))
    assert find(messages, postfix_id(1)) == [[investigate_id(1)]]
    assert script.sent[-1].query["query"] == postfix_id(1)


@pytest.mark.parametrize(
    ("given", "on_record"),
    [("<mail.1@sender.example>", "mail.1@sender.example"), ("mail.1@sender.example", "<mail.1@sender.example>")],
)
def test_a_message_id_is_found_with_and_without_brackets(
    messages: Messages[Message], script: Script, given: str, on_record: str
) -> None:
    def server(sent: Sent) -> Reply:
        return Reply(page([row(1, message_id=on_record)] if sent.query["message_id"] == on_record else []))

    script.server = server
    assert find(messages, given) == [[investigate_id(1)]]


def test_one_garbled_message_does_not_spoil_the_others(messages: Messages[Message], script: Script) -> None:
    script.get(path(1), "<html>", 502)
    script.get(path(2), envelope(row(2)))
    found = list(messages.find(parse_handles([investigate_id(1), investigate_id(2)])).values())
    assert found[0][0].state == State.UNREADABLE
    assert found[1][0].key == investigate_id(2)


def test_if_nothing_can_be_read_it_is_an_error(messages: Messages[Message], script: Script) -> None:
    script.server = lambda _sent: Reply("<html>", 502)
    with pytest.raises(DoubtfulError):
        messages.find(parse_handles([investigate_id(1), investigate_id(2)]))


# --- the action log ----------------------------------------------------------------------------------------------------


def without_record(number: int) -> dict[str, t.Any]:
    """Return a message that is not in quarantine and does not tell what was done with it."""
    found = row(number, quarantined=False)
    del found["post_delivery_operations"]
    return found


@pytest.mark.parametrize(
    ("content", "status", "outcome"),
    [
        (envelope([{"operation": "QUARANTINE_RELEASE", "success": True}]), 200, "already_released"),
        (envelope([{"operation": "QUARANTINE_RELEASE", "success": False}]), 200, "not_quarantined"),
        (envelope([]), 200, "not_quarantined"),
        (envelope(None), 200, "not_quarantined"),
        (refusal(1, "no such endpoint"), 404, "not_quarantined"),
        (refusal(1, "no such endpoint"), 405, "not_quarantined"),
        ("<html>", 404, "not_quarantined"),
        ("<html>", 502, "not_quarantined"),
    ],
)
def test_the_action_log_tells_what_the_message_does_not(
    messages: Messages[Message], script: Script, content: t.Any, status: int, outcome: str
) -> None:
    script.get(path(1), envelope(without_record(1)))
    script.get(f"{path(1)}/action_log", content, status)
    assert statuses(resolved(messages, parse_handles([investigate_id(1)]), True)) == [outcome]


@pytest.mark.parametrize(
    "found", [row(1, operations=None), row(1, quarantined=False, operations=None), released_row(1)]
)
def test_the_action_log_is_not_read_needlessly(
    messages: Messages[Message], script: Script, found: dict[str, t.Any]
) -> None:
    script.get(path(1), envelope(found))
    messages.find(parse_handles([investigate_id(1)]))


# --- items -------------------------------------------------------------------------------------------------------------


def test_all_handles_of_a_message_make_one_item(messages: Messages[Message], script: Script) -> None:
    def server(sent: Sent) -> Reply:
        return Reply(page([row(1)]) if sent.path == "investigate" else envelope(row(1)))

    script.server = server
    (item,) = resolved(messages, parse_handles([investigate_id(1), postfix_id(1), message_id(1)]), True)
    assert [handle.text for handle in item.handles] == [investigate_id(1), postfix_id(1), message_id(1)]
    assert (item.id, item.postfix_id, item.was_quarantined) == (investigate_id(1), postfix_id(1), True)


def test_what_was_read_of_a_message_is_forgotten_with_its_outcome(messages: Messages[Message], script: Script) -> None:
    for number, quarantined in ((1, True), (2, False)):
        script.get(path(number), envelope(row(number, quarantined=quarantined)))
    waiting, done = resolved(messages, parse_handles([investigate_id(1), investigate_id(2)]), True)
    assert (waiting.outcome, waiting.message is None) == (None, False)
    assert (done.outcome is None, done.message) == (False, None)


def test_several_handles_are_recognised_even_unread(messages: Messages[Message], script: Script) -> None:
    script.get("investigate", page([row(1)]))
    (item,) = resolved(messages, parse_handles([investigate_id(1), postfix_id(1)]), False)
    assert item.outcome is None
    assert len(item.handles) == 2


@pytest.mark.parametrize("names", [[investigate_id(1), investigate_id(2)], [postfix_id(1), postfix_id(2)]])
def test_ids_of_one_kind_need_not_be_read(messages: Messages[Message], script: Script, names: list[str]) -> None:
    items = resolved(messages, parse_handles(names), False)
    assert [item.names for item in items] == [[name] for name in names]


def test_a_message_id_is_always_looked_up(messages: Messages[Message], script: Script) -> None:
    script.get("investigate", page([row(1, quarantined=False)]))
    (item,) = resolved(messages, parse_handles([message_id(1)]), False)
    assert item.id == investigate_id(1)
    assert item.outcome is None, "the state was not to be checked"


def test_a_text_that_is_no_id_is_looked_up_as_a_message_id(messages: Messages[Message], script: Script) -> None:
    bare = "20261120.no-at-sign"
    found = row(1, message_id=f"<{bare}>")
    script.server = lambda sent: (
        Reply(page([found] if sent.query.get("message_id") == f"<{bare}>" else [row(2)]))
        if sent.path == "investigate"
        else Reply(refusal(1, "unknown"), 404)
    )
    (item,) = resolved(messages, parse_handles([bare]), True)
    assert (item.id, item.outcome) == (investigate_id(1), None)
    script.sent.clear()
    (gone,) = resolved(messages, parse_handles(["4PfX99999Qz"]), True)
    assert statuses([gone]) == ["not_found"]
    asked = [sent.query["message_id"] for sent in script.sent if "message_id" in sent.query]
    assert asked == ["<4PfX99999Qz>", "4PfX99999Qz"], "as a Message-ID once"


def test_of_an_ambiguous_handle_no_candidate_is_touched_but_one_named_by_itself_is(
    messages: Messages[Message], script: Script
) -> None:
    twins = [row(1), row(2, message_id=message_id(1))]
    script.get("investigate", page(twins))
    script.get(path(2), envelope(twins[1]))
    items = resolved(messages, parse_handles([message_id(1), investigate_id(2)]), True)
    assert statuses(items) == ["ambiguous", None]


def test_many_candidates_do_not_make_an_endless_sentence(messages: Messages[Message], script: Script) -> None:
    script.get("investigate", page([row(number, message_id=message_id(1)) for number in range(1, 300)]))
    (item,) = resolved(messages, parse_handles([message_id(1)]), True)
    assert item.outcome
    assert "299 messages" in item.outcome.detail
    assert len(item.outcome.detail) < 1000


def test_an_alert_id_is_explained(messages: Messages[Message], script: Script) -> None:
    script.server = lambda sent: Reply(page([])) if sent.path == "investigate" else Reply(refusal(1, "no"), 404)
    (item,) = resolved(messages, parse_handles(["4WtWkr6nlBz9sNH-2024-08-28T15:32:35"]), True)
    assert item.outcome
    assert "alert id" in item.outcome.detail


def test_an_error_of_the_api_is_passed_on(messages: Messages[Message], script: Script) -> None:
    script.get(path(1), refusal(1, "odd"), 409)
    with pytest.raises(ApiError, match="odd"):
        resolved(messages, parse_handles([investigate_id(1)]), True)
