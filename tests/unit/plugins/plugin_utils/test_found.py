# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What search and verify show: which messages, in which words, and which of them fail the host."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._found import search_outcome


def message(name: str, *delivery: str, operations: t.Sequence[str] = (), **fields: t.Any) -> dict[str, t.Any]:
    """Return a message as message_info does; without a delivery, it is in quarantine."""
    return {
        "id": name,
        "scanned_at": "2026-11-22T10:00:00Z",
        "is_quarantined": not delivery,
        "delivery_status": list(delivery),
        "post_delivery_operations": list(operations),
        "from": "billing@supplier.example",
        "envelope_from": "bounce@supplier.example",
        "to": ["alice@harbour.example"],
        "subject": "Invoice 2041",
        "final_disposition": "SPAM",
        "detection_reasons": ["Spam-like content"],
        "validation": {"spf": "pass", "dkim": "pass", "dmarc": "fail"},
        **fields,
    }


def found(*messages: dict[str, t.Any], truncated: bool = False) -> dict[str, t.Any]:
    """Return a result of message_info."""
    return {"messages": list(messages), "truncated": truncated, "msg": "found"}


RELEASED = found(
    message("held"),
    message("once", "delivered", operations=["RELEASE"]),
    message("twice", "bounced", operations=["QUARANTINE_RELEASE", "RELEASE"]),
    message("moved", "moved", operations=["MOVE"]),
)


def test_a_line_names_neither_people_nor_subject_unless_asked_to() -> None:
    expected = "a; 2026-11-22T10:00:00Z: quarantined; verdict: SPAM; reasons: Spam-like content; authentication: SPF pass, DKIM pass, DMARC fail"
    assert search_outcome(found(message("a")))["lines"] == [expected]
    (shown,) = search_outcome(found(message("a")), show_content=True)["lines"]
    for words in ("from: billing@", "envelope sender: bounce@", "to: alice@", 'subject: "Invoice 2041"'):
        assert words in shown


def test_a_message_without_a_date() -> None:
    (shown,) = search_outcome(found(message("a", scanned_at=None)))["lines"]
    assert shown.startswith("a; not dated: quarantined; ")


def test_a_line_stays_short_and_has_no_none() -> None:
    crowd = [f"person{number}@harbour.example" for number in range(500)]
    empty: dict[str, t.Any] = dict.fromkeys(("subject", "from", "envelope_from", "final_disposition", "scanned_at"))
    (shown,) = search_outcome(found(message("a", to=crowd, **empty)), show_content=True)["lines"]
    assert len(shown) < 1000
    assert "and 490 more" in shown
    assert "None" not in shown


def test_a_search_counts_all_messages() -> None:
    outcome = search_outcome(RELEASED)
    assert (outcome["told"], outcome["fails"], len(outcome["lines"])) == ("Found: 4", False, 4)
    assert search_outcome(found())["told"] == "Found: 0"


def test_it_says_if_there_are_more() -> None:
    assert search_outcome(found(message("a"), truncated=True))["told"] == "Found: 1, and there are more (search_limit)"


def test_an_answer_about_releases_that_was_cut_off_fails() -> None:
    outcome = search_outcome(found(message("a"), truncated=True), released=True)
    assert outcome["fails"]
    assert outcome["told"].startswith("Not all messages were looked at, so raise search_limit. Found: 0")


def test_only_messages_with_a_release_on_record_are_verified_each_once() -> None:
    outcome = search_outcome(RELEASED, released=True)
    assert [line.split("; ")[0] for line in outcome["lines"]] == ["once", "twice"]
    assert outcome["told"] == "Found: 2, bounced 1, delivered 1"


def test_a_delivery_that_fails_the_host() -> None:
    outcome = search_outcome(RELEASED, released=True, fail_on=["bounced", "quarantined"])
    assert outcome["fails"]
    assert outcome["told"] == "Found: 2, bounced 1, delivered 1. This fails because search_fail_on has bounced."


@pytest.mark.parametrize("mail", [found(), found(message("held"))])
def test_nothing_of_what_was_asked_for_fails_the_host(mail: dict[str, t.Any]) -> None:
    outcome = search_outcome(mail, released=True, fail_on=["nothing"], named=True)
    assert outcome["fails"]
    assert outcome["told"] == "Found: 0. This fails because search_fail_on has nothing."
    assert not search_outcome(mail, released=True, fail_on=["nothing"])["fails"]
    assert not search_outcome(RELEASED, released=True, fail_on=["nothing"], named=True)["fails"]


def test_what_is_not_shown_does_not_fail() -> None:
    assert not search_outcome(RELEASED, released=True, fail_on=["quarantined"])["fails"]


def test_a_search_that_failed_tells_its_reason_in_one_line() -> None:
    assert search_outcome({"failed": True, "msg": "refused\n\x1b[31m"})["told"] == "refused\ufffd\ufffd[31m"
    killed = search_outcome({"failed": True, "messages": []})
    assert killed == {"lines": [], "told": "The search ended without a result.", "fails": True}
