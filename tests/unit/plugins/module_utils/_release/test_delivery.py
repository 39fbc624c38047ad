# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following released messages: what is seen, in how many looks, and what a bounce does to the outcome."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils import _clock
from ansible_collections.emailsec.cloudflare.plugins.module_utils._errors import DoubtfulError
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import Handle, parse_handle
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.message import Message
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.messages import Messages
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.delivery import follow
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.items import Item
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.ledger import Ledger
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.outcome import Outcome, Status

ID = "4Xy1-2026-11-20T10:00:00-11111111"


class Clock(_clock.Clock):
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stopping = False

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Mail(Messages[Message]):
    """Stands in for Messages: one delivery status for each look, the last one stays; None is a message that is not found."""

    def __init__(self, *looks: list[str] | None) -> None:
        self.looks = list(looks)
        self.number = 0

    def find(self, handles: t.Iterable[Handle], released_first: bool = False) -> dict[Handle, list[Message]]:
        assert released_first
        status = self.looks[min(self.number, len(self.looks) - 1)]
        self.number += 1
        found = [] if status is None else [Message({"id": ID, "is_quarantined": False, "delivery_status": status})]
        return dict.fromkeys(handles, found)


def verify_delivery(mail: Mail, clock: Clock, items: list[Item], seconds: float) -> None:
    """Follow the items, and record what became of them."""
    Ledger().record_all(follow(mail, clock, items, seconds))


def released() -> Item:
    item = Item(parse_handle(ID))
    item.outcome = Outcome(Status.RELEASED, "", ["alice@corp.example", "bob@corp.example"], changed=True)
    return item


@pytest.mark.parametrize(
    ("looks", "delivery", "status", "number"),
    [
        ([["delivered"]], "delivered", "released", 1),
        ([["queued"], ["deferred"], ["delivered"]], "delivered", "released", 3),
        ([["deferred"], ["bounced"]], "bounced", "undelivered", 2),
        ([["rejected"]], "bounced", "undelivered", 1),
        ([["delivered", "bounced"]], "bounced", "partial", 1),
        ([["moved"]], "moved", "released", 1),
        ([["deferred"]], "deferred", "released", 5),
        ([[]], "unknown", "released", 5),
        ([None, ["delivered"]], "delivered", "released", 2),
        ([["deferred"], None], "deferred", "released", 5),
    ],
)
def test_delivery_is_followed_until_it_is_settled_or_the_time_is_over(
    looks: list[list[str] | None], delivery: str, status: str, number: int
) -> None:
    item, mail, clock = released(), Mail(*looks), Clock()
    verify_delivery(mail, clock, [item], 45)
    assert item.outcome is not None
    assert (item.delivery, item.outcome.status, mail.number) == (delivery, status, number)
    assert clock.now <= 45


def test_who_bounced_is_no_longer_delivered() -> None:
    item = released()
    verify_delivery(Mail(["bounced"]), Clock(), [item], 10)
    assert item.outcome is not None
    assert item.outcome.changed is False
    assert (item.outcome.delivered, item.outcome.undelivered) == ((), ["alice@corp.example", "bob@corp.example"])


def test_a_bounce_counts_even_if_the_next_look_fails() -> None:
    class Failing(Mail):
        def find(self, handles: t.Iterable[Handle], released_first: bool = False) -> dict[Handle, list[Message]]:
            if self.number:
                raise DoubtfulError("no answer")
            found = super().find(handles, released_first)
            return {handle: messages if handle == item.read_as else [] for handle, messages in found.items()}

    item, other = released(), Item(parse_handle("4PfX00002Qz-2026-11-20T10:00:00-70000002"))
    other.outcome = item.outcome
    with pytest.raises(DoubtfulError):
        verify_delivery(Failing(["bounced"]), Clock(), [item, other], 45)
    assert item.outcome is not None
    assert other.outcome is not None
    assert (item.delivery, item.outcome.status) == ("bounced", "undelivered")
    assert (other.delivery, other.outcome.status) == ("unknown", "released")


def test_what_was_not_released_is_not_followed() -> None:
    item, mail = released(), Mail(["delivered"])
    item.outcome = Outcome(Status.FAILED, "")
    verify_delivery(mail, Clock(), [item], 10)
    assert (item.delivery, mail.number) == (None, 0)


def test_a_signal_ends_it() -> None:
    item, mail, clock = released(), Mail(["deferred"]), Clock()
    clock.stopping = True
    verify_delivery(mail, clock, [item], 10)
    assert (item.delivery, mail.number) == ("unknown", 0)
