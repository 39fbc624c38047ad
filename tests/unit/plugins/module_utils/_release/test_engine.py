# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release engine: each message at most once, and the truth about each."""

from __future__ import annotations

import math
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._api.client import Client
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import (
    ApiError,
    AuthenticationError,
    CertificateError,
    CloudflareError,
    ConnectError,
    DoubtfulError,
    ForeignAnswerError,
    GarbledError,
    JournalError,
    RateLimitError,
    SilentError,
)
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import parse_handles
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import BriefMessage
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.messages import Messages
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.engine import Options, Releaser
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.items import Item, resolve
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.journal import Journal
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.ledger import Ledger
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import investigate_id, postfix_id, recipient, row
from ansible_collections.emailsec.cloudflare.tests.unit.support.quarantine import LOST, Quarantine, answers, fails


class Ended(t.NamedTuple):
    """How a run of the engine ended."""

    items: list[Item]
    error: CloudflareError | None

    @property
    def statuses(self) -> list[str]:
        """Return the status of each message."""
        return [item.outcome.status if item.outcome else "none" for item in self.items]


def release(
    quarantine: Quarantine,
    clock: FakeClock,
    *,
    names: t.Sequence[str] | None = None,
    journal: Journal | None = None,
    check_state: bool = True,
    **options: t.Any,
) -> Ended:
    """Release everything in the quarantine, or the messages named."""
    client = t.cast(Client, quarantine)
    messages = Messages(client, clock, BriefMessage, 2)
    handles = parse_handles(names or [investigate_id(number) for number in quarantine.rows])
    items, known = resolve(messages, handles, check_state)
    ledger = Ledger()
    ledger.record_all(known.items())
    chosen = Options(**{"concurrency": 1, **options})
    releaser = Releaser(client, messages, journal or Journal(None, {}), clock, chosen, ledger)
    releaser.release([item for item in items if item.outcome is None])
    return Ended(items, releaser.error)


def sizes(quarantine: Quarantine) -> list[int]:
    """Return how many ids each release call named."""
    return [len(body) if isinstance(body, list) else len(body["ids"]) for body in quarantine.bodies]


def forms(quarantine: Quarantine) -> list[str]:
    """Return the form of each release call."""
    return ["array" if isinstance(body, list) else "object" for body in quarantine.bodies]


# --- plain answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "batch_size", "calls"), [(1, 50, [1]), (120, 50, [50, 50, 20]), (4, 2, [2, 2]), (3, 1, [1, 1, 1])]
)
def test_messages_go_out_in_batches(clock: FakeClock, count: int, batch_size: int, calls: list[int]) -> None:
    quarantine = Quarantine(count)
    ended = release(quarantine, clock, batch_size=batch_size)
    assert sizes(quarantine) == calls
    assert ended.statuses == ["released"] * count
    assert quarantine.released == list(quarantine.rows)
    assert not clock.naps


@pytest.mark.parametrize(
    ("lists", "status"),
    [
        ({"delivered": ["a@x.example", "b@x.example"]}, "released"),
        ({"delivered": ["a@x.example"], "undelivered": None, "failed": None}, "released"),
        ({"delivered": ["a@x.example"], "failed": ["b@x.example"]}, "partial"),
        ({"delivered": ["a@x.example"], "undelivered": ["b@x.example"]}, "partial"),
        ({"failed": ["a@x.example"]}, "failed"),
        ({"undelivered": ["a@x.example"]}, "undelivered"),
        ({"undelivered": ["a@x.example"], "failed": ["b@x.example"]}, "undelivered"),
    ],
)
def test_what_the_answer_states_is_final(clock: FakeClock, lists: dict[str, t.Any], status: str) -> None:
    quarantine = Quarantine(1, answers(lists))
    ended = release(quarantine, clock)
    assert ended.statuses == [status]
    assert len(quarantine.bodies) == 1
    outcome = ended.items[0].outcome
    assert outcome
    assert outcome.changed is (status in ("released", "partial"))
    for name in ("delivered", "undelivered", "failed"):
        assert list(getattr(outcome, name)) == (lists.get(name) or [])


def test_several_requests_are_under_way_but_no_more_than_allowed(clock: FakeClock) -> None:
    quarantine = Quarantine(40)
    quarantine.meanwhile = lambda: time.sleep(0.01)
    ended = release(quarantine, clock, batch_size=1, concurrency=4, request_format="object")
    assert quarantine.busiest == 4
    assert ended.statuses == ["released"] * 40
    assert quarantine.released == list(quarantine.rows)


# --- the form of the body ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["array", "object"])
def test_a_form_that_was_asked_for_is_sent(clock: FakeClock, wanted: str) -> None:
    quarantine = Quarantine(2)
    release(quarantine, clock, batch_size=1, request_format=wanted)
    assert forms(quarantine) == [wanted, wanted]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_auto_finds_the_form_out_with_one_call_and_keeps_to_it(clock: FakeClock, concurrency: int) -> None:
    quarantine = Quarantine(8)
    quarantine.forms = {"object"}
    before = len(quarantine.reads)
    ended = release(quarantine, clock, batch_size=2, concurrency=concurrency)
    assert forms(quarantine) == ["array", "object", "object", "object", "object"]
    assert ended.statuses == ["released"] * 8
    assert not clock.naps, "a refusal of the form is no reason to read back"
    assert before == 0


@pytest.mark.parametrize(
    "words",
    ["expected object, received array", "cannot unmarshal array into Go value", "ids is required", "Invalid JSON body"],
)
def test_words_about_the_body_change_the_form(clock: FakeClock, words: str) -> None:
    quarantine = Quarantine(1)
    quarantine.forms, quarantine.form_refusal = {"object"}, words
    assert release(quarantine, clock).statuses == ["released"]
    assert forms(quarantine) == ["array", "object"]
    assert not clock.naps


def test_a_refusal_in_other_words_is_read_back_before_the_form_changes(clock: FakeClock) -> None:
    quarantine = Quarantine(2)
    quarantine.forms, quarantine.form_refusal = {"object"}, "bad request"
    ended = release(quarantine, clock)
    assert ended.statuses == ["released", "released"]
    assert forms(quarantine) == ["array", "object"]
    assert clock.slept >= 3


@pytest.mark.parametrize("status", [400, 415, 422])
def test_a_refusal_without_a_reason_is_read_back_too(clock: FakeClock, status: int) -> None:
    quarantine = Quarantine(2, fails(ApiError("", status=status)))
    ended = release(quarantine, clock)
    assert ended.statuses == ["released", "released"]
    assert forms(quarantine) == ["array", "object"]
    assert clock.slept >= 3


@pytest.mark.parametrize("pointer", ["", "/", "/ids"])
def test_a_refusal_that_points_at_the_body_changes_the_form(clock: FakeClock, pointer: str) -> None:
    error = ApiError("no", status=400, errors=[{"code": 1, "message": "no", "source": {"pointer": pointer}}])
    quarantine = Quarantine(1, fails(error))
    assert release(quarantine, clock).statuses == ["released"]
    assert forms(quarantine) == ["array", "object"]
    assert not clock.naps


def test_a_refusal_that_names_an_id_is_not_about_the_form(clock: FakeClock) -> None:
    quarantine = Quarantine(1)
    words = f"object {investigate_id(1)} cannot be released"
    quarantine.acts.append(fails(ApiError(words, status=400, errors=[{"code": 1, "message": words}])))
    release(quarantine, clock)
    assert clock.slept >= 3


def test_a_form_that_was_asked_for_never_changes(clock: FakeClock) -> None:
    quarantine = Quarantine(1)
    quarantine.forms = {"object"}
    assert release(quarantine, clock, request_format="array").statuses == ["failed"]
    assert set(forms(quarantine)) == {"array"}


@pytest.mark.parametrize(("wanted", "sent"), [("array", [postfix_id(1)]), ("object", {"ids": [investigate_id(1)]})])
def test_a_postfix_id_goes_into_the_array_and_the_investigate_id_into_the_object(
    clock: FakeClock, wanted: str, sent: object
) -> None:
    quarantine = Quarantine(1)
    release(quarantine, clock, names=[postfix_id(1)], request_format=wanted)
    assert quarantine.bodies == [sent]


def test_a_postfix_id_that_is_passed_over_is_tried_by_its_investigate_id(clock: FakeClock) -> None:
    quarantine = Quarantine(1, answers())
    ended = release(quarantine, clock, names=[postfix_id(1)])
    assert ended.statuses == ["released"]
    assert quarantine.bodies == [[postfix_id(1)], [investigate_id(1)]]


# --- doubt -------------------------------------------------------------------------------------------------------------

DOUBTS = {
    "no answer": fails(LOST, done=True),
    "no answer, nothing done": fails(LOST),
    "empty lists": answers({"delivered": []}, {"delivered": []}, {"delivered": []}, done=True),
    "null lists": answers(*[{"delivered": None, "undelivered": None, "failed": None}] * 3, done=True),
    "empty lists, nothing done": answers({"delivered": []}, {"delivered": []}, {"delivered": []}),
    "ids missing": answers({"delivered": ["a@x.example"]}, done=True),
    "all ids missing, nothing done": answers(),
    "garbled": lambda quarantine, numbers: [*quarantine.deliver(numbers), "odd"],
    "refused after the work was done": fails(ApiError("conflict", status=409), done=True),
}


@pytest.mark.parametrize("act", DOUBTS.values(), ids=DOUBTS.keys())
def test_no_doubtful_answer_makes_a_second_delivery(clock: FakeClock, act: t.Any) -> None:
    quarantine = Quarantine(3, act)
    ended = release(quarantine, clock)
    assert ended.statuses == ["released"] * 3
    assert quarantine.deliveries == {1: 1, 2: 1, 3: 1}
    assert ended.error is None


@pytest.mark.parametrize("act", [fails(LOST), answers(), answers(*[{"delivered": []}] * 3)])
def test_three_seconds_pass_before_anything_is_sent_again(clock: FakeClock, act: t.Any) -> None:
    quarantine = Quarantine(3, act)
    when: list[float] = []
    quarantine.meanwhile = lambda: when.append(clock.monotonic())
    release(quarantine, clock)
    assert len(when) == 2
    assert when[1] - when[0] >= 3


def test_a_slow_release_is_seen_by_the_second_look(clock: FakeClock) -> None:
    quarantine = Quarantine(1, fails(LOST))
    looks: list[int] = []
    original = quarantine.get

    def get(path: str, *more: object) -> dict[str, t.Any]:
        looks.append(1)
        if len(looks) == 3:  # before sending, after 4 s, after 10 s
            quarantine.deliver([1])
        return original(path, *more)

    quarantine.get = get  # type: ignore[method-assign, assignment]
    assert release(quarantine, clock).statuses == ["released"]
    assert len(quarantine.bodies) == 1


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("act", [fails(LOST), answers({"delivered": []}), answers()])
def test_what_stays_in_quarantine_is_undelivered_when_the_retries_end(
    clock: FakeClock, act: t.Any, retries: int
) -> None:
    quarantine = Quarantine(1, *[act] * 9)
    ended = release(quarantine, clock, retries=retries)
    assert ended.statuses == ["undelivered"]
    assert len(quarantine.bodies) == retries + 1
    assert not quarantine.deliveries


def test_only_what_is_still_in_quarantine_is_sent_again(clock: FakeClock) -> None:
    def half(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        quarantine.deliver(numbers[:2])
        raise LOST

    quarantine = Quarantine(4, half)
    ended = release(quarantine, clock)
    assert ended.statuses == ["released"] * 4
    assert sizes(quarantine) == [4, 2]
    assert quarantine.deliveries == {1: 1, 2: 1, 3: 1, 4: 1}


def test_what_cannot_be_read_back_is_unknown_and_not_sent_again(clock: FakeClock) -> None:
    def bad_gateway() -> t.NoReturn:
        raise DoubtfulError("bad gateway")

    def vanish(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        quarantine.before_read = bad_gateway
        raise LOST

    quarantine = Quarantine(2, vanish)
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses[0] == "unknown"
    assert len(quarantine.bodies) <= 2, "each message at most once"
    assert not quarantine.deliveries or quarantine.deliveries == {2: 1}


TROUBLES: dict[str, CloudflareError] = {
    "an odd answer": DoubtfulError("success is false"),
    "a garbled answer": GarbledError("no list"),
    "no answer": SilentError("reset"),
    "a page of somebody else": ForeignAnswerError("redirect", status=302),
    "a refusal": ApiError("odd", status=409),
}


@pytest.mark.parametrize("error", TROUBLES.values(), ids=TROUBLES.keys())
@pytest.mark.parametrize("request_format", ["auto", "object"])
def test_what_cannot_be_read_back_costs_its_own_batch_only(
    clock: FakeClock, error: CloudflareError, request_format: str
) -> None:
    """The first and the third call get no plain answer. Nothing that the first one named can be read back."""

    def unreadable() -> None:
        if any(name in quarantine.asked for name in bad) or (quarantine.asked == "investigate" and quarantine.bodies):
            raise error

    bad = {investigate_id(number) for number in (1, 2)}
    well = answers({"delivered": [recipient(3)]}, {"delivered": [recipient(4)]}, done=True)
    quarantine = Quarantine(10, fails(LOST), well, fails(LOST))
    quarantine.before_read = unreadable
    ended = release(quarantine, clock, batch_size=2, request_format=request_format)
    assert ended.statuses == ["unknown"] * 2 + ["released"] * 8
    assert ended.error is None
    assert not {1, 2} & set(quarantine.deliveries)
    assert set(quarantine.deliveries.values()) == {1}


@pytest.mark.parametrize(
    ("error", "batches"),
    [(SilentError("no answer"), 3), (ForeignAnswerError("a login page", status=302), 3), (DoubtfulError("odd"), 20)],
)
def test_a_run_ends_when_nobody_answers_any_more(clock: FakeClock, error: CloudflareError, batches: int) -> None:
    def unreadable() -> None:
        if quarantine.bodies:
            raise error

    quarantine = Quarantine(40, *[fails(LOST)] * 40)
    quarantine.before_read = unreadable
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses == ["unknown"] * batches + ["not_attempted"] * (40 - batches)
    assert ended.error is error
    assert len(quarantine.bodies) == batches


def test_an_answer_in_between_lets_the_run_go_on(clock: FakeClock) -> None:
    def unreadable() -> None:
        if quarantine.bodies:
            raise SilentError("no answer")

    quarantine = Quarantine(5)
    quarantine.acts.extend([fails(LOST), fails(LOST), answers({"failed": [recipient(1)]}), fails(LOST), fails(LOST)])
    quarantine.before_read = unreadable
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses == ["unknown", "unknown", "failed", "unknown", "unknown"]
    assert ended.error is None


@pytest.mark.parametrize("error", [AuthenticationError("expired", status=401), ConnectError("refused")])
def test_a_read_that_would_fail_for_all_ends_the_run(clock: FakeClock, error: CloudflareError) -> None:
    def unreadable() -> None:
        if quarantine.bodies:
            raise error

    quarantine = Quarantine(4, fails(LOST))
    quarantine.before_read = unreadable
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses == ["unknown"] + ["not_attempted"] * 3
    assert ended.error is error


NO_SUCCESS = ApiError("HTTP 200: try again later", status=200)


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("times", [1, 3])
def test_a_success_that_is_none_may_pass(clock: FakeClock, done: bool, times: int) -> None:
    quarantine = Quarantine(1, *[fails(NO_SUCCESS, done=done)] * times)
    ended = release(quarantine, clock, request_format="object")
    assert ended.statuses == ["released"]
    assert quarantine.deliveries == {1: 1}


@pytest.mark.parametrize("times", [1, 3, 99])
def test_a_page_in_the_place_of_an_answer_may_pass_and_ends_the_run_if_it_does_not(
    clock: FakeClock, times: int
) -> None:
    error = ForeignAnswerError("not JSON", status=404)
    quarantine = Quarantine(4, *[fails(error)] * times)
    ended = release(quarantine, clock, batch_size=2, retries=3)
    assert ended.statuses == ["failed"] * 2 + ["not_attempted"] * 2 if times == 99 else ["released"] * 4
    assert ended.error is (error if times == 99 else None)


def test_a_success_that_is_never_one_is_a_refusal_of_the_culprit(clock: FakeClock) -> None:
    def picky(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        if 3 in numbers:
            raise NO_SUCCESS
        return quarantine.deliver(numbers)

    quarantine = Quarantine(8, *[picky] * 99)
    ended = release(quarantine, clock, request_format="object", retries=2)
    assert ended.statuses == ["failed" if number == 3 else "released" for number in quarantine.rows]
    assert "try again later" in (ended.items[2].outcome or pytest.fail("no outcome")).detail
    assert set(quarantine.deliveries.values()) == {1}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"is_quarantined": None, "delivery_status": None}, "unknown"),
        ({"is_quarantined": False, "delivery_status": ["delivered"]}, "released"),
        ({"is_quarantined": False, "delivery_status": ["bounced"]}, "failed"),
        ({"is_quarantined": False, "delivery_status": ["rejected", "delivered"]}, "partial"),
        ({"is_quarantined": False, "delivery_status": ["deferred"]}, "undelivered"),
        ({"is_quarantined": False, "delivery_status": []}, "released"),
        (
            {
                "is_quarantined": True,
                "delivery_status": ["quarantined", "delivered"],
                "post_delivery_operations": ["QUARANTINE_RELEASE"],
            },
            "partial",
        ),
    ],
)
def test_reading_back_tells_what_became_of_it(clock: FakeClock, state: dict[str, t.Any], status: str) -> None:
    def act(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        quarantine.rows[1].update(state)
        raise LOST

    ended = release(Quarantine(1, act), clock)
    assert ended.statuses == [status]
    outcome = ended.items[0].outcome
    assert outcome
    assert outcome.changed is (status in ("released", "partial"))
    assert list(outcome.delivered) == ([recipient(1)] if state["delivery_status"] == ["delivered"] else [])


# --- a state that lags -------------------------------------------------------------------------------------------------


def lagging(clock: FakeClock, count: int, lag: float, *acts: t.Any) -> Quarantine:
    """Return a quarantine that shows a release so many seconds late."""
    quarantine = Quarantine(count, *acts)
    quarantine.lag, quarantine.now = lag, clock.monotonic
    return quarantine


@pytest.mark.parametrize("lag", [0, 3, 5, 9.5])
@pytest.mark.parametrize("act", DOUBTS.values(), ids=DOUBTS.keys())
def test_a_lag_within_settle_time_makes_no_second_delivery(clock: FakeClock, act: t.Any, lag: float) -> None:
    quarantine = lagging(clock, 3, lag, act)
    ended = release(quarantine, clock)
    assert ended.statuses == ["released"] * 3
    assert quarantine.deliveries == {1: 1, 2: 1, 3: 1}


def test_a_longer_settle_time_outlasts_a_longer_lag(clock: FakeClock) -> None:
    quarantine = lagging(clock, 1, 100, fails(LOST, done=True))
    assert release(quarantine, clock, settle_time=120).statuses == ["released"]
    assert quarantine.deliveries == {1: 1}


@pytest.mark.parametrize("lag", [11, 25, 59])
@pytest.mark.parametrize("failure", [LOST, ApiError("conflict", status=409)])
def test_a_message_that_was_released_witnesses_a_longer_lag(clock: FakeClock, failure: t.Any, lag: float) -> None:
    quarantine = lagging(
        clock, 2, lag, lambda quarantine, numbers: quarantine.deliver(numbers), fails(failure, done=True)
    )
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses == ["released", "released"]
    assert quarantine.deliveries == {1: 1, 2: 1}


def test_where_the_lag_does_not_end_the_message_is_unknown_and_not_sent_again(clock: FakeClock) -> None:
    quarantine = lagging(clock, 2, 1e6, lambda quarantine, numbers: quarantine.deliver(numbers), fails(LOST, done=True))
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses == ["released", "unknown"]
    assert quarantine.deliveries == {1: 1, 2: 1}
    assert clock.slept <= 61
    assert "late to show" in (ended.items[1].outcome or pytest.fail("no outcome")).detail


def test_the_lag_of_an_earlier_witness_counts_from_when_it_was_released(clock: FakeClock) -> None:
    """It shows at 10 s, having been released 3 s before the doubt: what is in doubt may need until 13 s."""

    def slow(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        clock.sleep(3)
        quarantine.deliver(numbers)
        raise LOST

    quarantine = lagging(clock, 2, 12.5, lambda quarantine, numbers: quarantine.deliver(numbers), slow)
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses == ["released", "released"]
    assert quarantine.deliveries == {1: 1, 2: 1}


def test_what_a_later_witness_shows_undone_is_sent_again_at_once(clock: FakeClock) -> None:
    quarantine = Quarantine(2, answers())
    ended = release(quarantine, clock, batch_size=1, request_format="object")
    assert ended.statuses == ["released", "released"]
    assert clock.slept == 4


# --- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("culprit", [1, 5, 8])
def test_halving_finds_the_culprit_and_releases_the_rest_once(clock: FakeClock, culprit: int) -> None:
    quarantine = Quarantine(8)
    quarantine.refused = {culprit}
    ended = release(quarantine, clock, request_format="object")
    assert ended.statuses == ["failed" if number == culprit else "released" for number in quarantine.rows]
    assert set(quarantine.deliveries.values()) == {1}
    assert len(quarantine.bodies) <= 1 + 2 * math.log2(8) + 1, (
        "the whole, the halves, and perhaps the culprit by its other id"
    )


def test_several_culprits_are_narrowed_down_at_the_same_time(clock: FakeClock) -> None:
    quarantine = Quarantine(80)
    quarantine.refused = {12, 23, 34, 45, 56}
    ended = release(quarantine, clock, batch_size=10, request_format="object")
    assert ended.statuses == ["failed" if number in quarantine.refused else "released" for number in quarantine.rows]
    assert set(quarantine.deliveries.values()) == {1}
    assert clock.slept <= 6 * 10, "as many pauses as for one of them"


def test_state_is_read_before_each_halving(clock: FakeClock) -> None:
    def sneaky(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        quarantine.deliver(numbers[:1])
        raise ApiError("refused", status=422)

    quarantine = Quarantine(4, sneaky)
    ended = release(quarantine, clock, request_format="object")
    assert ended.statuses == ["released"] * 4
    assert quarantine.deliveries == {1: 1, 2: 1, 3: 1, 4: 1}


def test_a_refused_id_that_reading_does_not_know_is_not_found(clock: FakeClock) -> None:
    quarantine = Quarantine(1, *[fails(ApiError("unknown id", status=404))] * 4)
    ended = release(quarantine, clock, names=[investigate_id(77)], check_state=False)
    assert ended.statuses == ["not_found"]


def test_a_server_that_refuses_everything_is_not_asked_on_and_on(clock: FakeClock) -> None:
    quarantine = Quarantine(20)
    quarantine.refused = set(quarantine.rows)
    ended = release(quarantine, clock, batch_size=1, request_format="object")
    assert ended.statuses == ["failed"] * 3 + ["not_attempted"] * 17
    assert len(quarantine.bodies) == 6, "three messages, each by both of its ids"
    assert isinstance(ended.error, ApiError)


def test_refusals_that_left_nothing_to_send_ended_nothing(clock: FakeClock) -> None:
    quarantine = Quarantine(3)
    quarantine.refused = set(quarantine.rows)
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses == ["failed"] * 3
    assert ended.error is None


def test_many_refusals_do_not_stop_a_server_that_accepted_something(clock: FakeClock) -> None:
    quarantine = Quarantine(8)
    quarantine.refused = {2, 3, 4, 5, 6}
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses == ["released"] + ["failed"] * 5 + ["released"] * 2
    assert ended.error is None


NOT_PROCESSED = [
    AuthenticationError("no permission", status=403),
    RateLimitError("too long", status=429),
    ConnectError("refused"),
    CertificateError("who are you"),
]


@pytest.mark.parametrize("error", NOT_PROCESSED, ids=lambda error: type(error).__name__)
def test_what_was_certainly_not_processed_ends_the_run_as_not_attempted(
    clock: FakeClock, error: CloudflareError
) -> None:
    def one_then_error(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        raise error

    quarantine = Quarantine(
        6, answers({"delivered": [recipient(1)]}, {"delivered": [recipient(2)]}, done=True), one_then_error
    )
    ended = release(quarantine, clock, batch_size=2)
    assert ended.statuses == ["released"] * 2 + ["not_attempted"] * 4
    assert len(quarantine.bodies) == 2
    assert ended.error is error
    assert not clock.naps


def test_an_error_of_one_batch_does_not_lose_the_doubts_of_another(clock: FakeClock) -> None:
    quarantine = Quarantine(3, fails(LOST, done=True), fails(AuthenticationError("expired", status=401)))
    ended = release(quarantine, clock, batch_size=1, request_format="object")
    assert ended.statuses == ["released", "not_attempted", "not_attempted"]


# --- stopping ----------------------------------------------------------------------------------------------------------


def test_the_breaker_stops_after_so_many_failures(clock: FakeClock) -> None:
    failed = answers({"failed": ["a@x.example"]})
    quarantine = Quarantine(6, failed, answers({"delivered": ["a@x.example"]}, done=True), failed)
    ended = release(quarantine, clock, batch_size=1, stop_after_failures=2)
    assert ended.statuses == ["failed", "released", "failed", "not_attempted", "not_attempted", "not_attempted"]
    assert ended.error is None


@pytest.mark.parametrize(
    ("lists", "counts"),
    [({"failed": ["a"]}, True), ({"undelivered": ["a"]}, True), ({"delivered": ["a"], "failed": ["b"]}, False)],
)
def test_the_breaker_counts_failed_and_undelivered_but_not_partial(
    clock: FakeClock, lists: dict[str, t.Any], counts: bool
) -> None:
    quarantine = Quarantine(2, answers(lists), answers(lists))
    ended = release(quarantine, clock, batch_size=1, stop_after_failures=1)
    assert (ended.statuses[1] == "not_attempted") is counts


def test_zero_never_stops(clock: FakeClock) -> None:
    quarantine = Quarantine(5, *[answers({"failed": ["a"]})] * 5)
    assert release(quarantine, clock, batch_size=1, stop_after_failures=0).statuses == ["failed"] * 5


def test_the_breaker_settles_doubts_before_it_lets_more_be_sent(clock: FakeClock) -> None:
    quarantine = Quarantine(3, *[fails(LOST)] * 9)
    ended = release(quarantine, clock, batch_size=1, retries=0, stop_after_failures=1)
    assert ended.statuses == ["undelivered", "not_attempted", "not_attempted"]
    assert len(quarantine.bodies) == 1


def test_a_signal_lets_the_request_in_flight_end_and_sends_no_more(clock: FakeClock) -> None:
    quarantine = Quarantine(4)
    quarantine.meanwhile = clock.stop
    ended = release(quarantine, clock, batch_size=2)
    assert ended.statuses == ["released", "released", "not_attempted", "not_attempted"]
    assert len(quarantine.bodies) == 1


# --- journal -----------------------------------------------------------------------------------------------------------


class FailingJournal(Journal):
    """A journal whose disk is full after so many lines."""

    def __init__(self, lines: int) -> None:
        super().__init__(None, {})
        self.lines = lines
        self.events: list[str] = []

    def write(self, event: str, **fields: t.Any) -> None:
        if len(self.events) == self.lines:
            raise JournalError("disk full")
        self.events.append(event)


@pytest.mark.parametrize(
    ("lines", "statuses", "calls"),
    [
        (0, ["not_attempted"] * 3, 0),
        (1, ["released", "not_attempted", "not_attempted"], 1),
        (2, ["released", "not_attempted", "not_attempted"], 1),
        (3, ["released", "released", "not_attempted"], 2),
    ],
)
def test_a_journal_that_fails_midway_ends_sending_but_loses_no_outcome(
    clock: FakeClock, lines: int, statuses: list[str], calls: int
) -> None:
    quarantine = Quarantine(3)
    ended = release(quarantine, clock, batch_size=1, journal=FailingJournal(lines))
    assert ended.statuses == statuses
    assert len(quarantine.bodies) == calls
    assert isinstance(ended.error, JournalError)


def test_the_intent_is_on_the_disk_before_the_request_leaves(clock: FakeClock, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    quarantine = Quarantine(2)
    seen: list[str] = []
    quarantine.meanwhile = lambda: seen.append(path.read_text())
    release(quarantine, clock, batch_size=1, journal=Journal(str(path), {}))
    assert investigate_id(1) in seen[0]
    assert investigate_id(2) not in seen[0]
    assert investigate_id(2) in seen[1]
    assert '"event": "outcome"' in seen[1]


# --- faults of our own -------------------------------------------------------------------------------------------------


def test_a_fault_of_the_collection_itself_loses_no_outcome(clock: FakeClock) -> None:
    def fault(quarantine: Quarantine, numbers: list[int]) -> list[dict[str, t.Any]]:
        raise ZeroDivisionError("a bug")

    quarantine = Quarantine(3, answers({"delivered": [recipient(1)]}, done=True), fault)
    ended = release(quarantine, clock, batch_size=1)
    assert ended.statuses == ["released", "unknown", "not_attempted"]
    assert "ZeroDivisionError" in str(ended.error)


def test_a_message_that_was_partly_delivered_before_is_not_sent(clock: FakeClock) -> None:
    quarantine = Quarantine(1)
    quarantine.rows[1] = row(1, delivery_status=["quarantined", "delivered"], operations=("QUARANTINE_RELEASE",))
    assert release(quarantine, clock).statuses == ["partial"]
    assert not quarantine.bodies


@pytest.mark.parametrize(
    "words",
    [
        "object not found",
        "message object is not in quarantine",
        "invalid id in body",
        "the id 7 is missing",
        "ids: some of these are missing",
    ],
)
def test_words_about_a_message_are_no_refusal_of_the_form(clock: FakeClock, words: str) -> None:
    error = ApiError(words, status=400, errors=[{"code": 1, "message": words}])
    quarantine = Quarantine(2, fails(error, done=True))
    assert release(quarantine, clock).statuses == ["released", "released"]
    assert len(quarantine.bodies) == 1
