# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""allow_policies from the arguments to the printed result, against a list that answers scripted HTTP."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.clock import FakeClock
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import ACCOUNT, TOKEN, envelope, refusal
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Reply, Script, Sent
from ansible_collections.emailsec.cloudflare.tests.unit.support.lists import (
    LOST,
    ListServer,
    Row,
    lost_after_work,
    lost_before_work,
)
from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import check_result, documentation

NEW = {"is_regex": False, "is_acceptable_sender": False, "is_trusted_sender": False, "is_exempt_recipient": False}
PATH = "settings/allow_policies/batch"


def entry(pattern: str = "a@partner.example", pattern_type: str = "EMAIL", **fields: t.Any) -> Row:
    return {"pattern": pattern, "pattern_type": pattern_type, **fields}


def stored(pattern: str = "a@partner.example", pattern_type: str = "EMAIL", **fields: t.Any) -> Row:
    return {**NEW, "verify_sender": True, **entry(pattern, pattern_type), **fields}


def many(number: int) -> list[Row]:
    return [entry(f"user{index}@partner.example") for index in range(number)]


@pytest.fixture
def server(script: Script) -> ListServer:
    """The list of the account."""
    server = ListServer(KINDS["allow_policies"])
    script.server = server
    return server


def counts(done: t.Any) -> tuple[int, ...]:
    return tuple(done.result[name] for name in ("created", "updated", "deleted", "unchanged"))


# --- what is sent ------------------------------------------------------------------------------------------------------


def test_one_batch_makes_all_changes_and_a_second_run_makes_none(run: Runner, server: ListServer) -> None:
    server.add(stored("old@partner.example"))
    server.add(stored("kept@partner.example", comments="why"))
    entries = [
        entry("new@partner.example", is_acceptable_sender=True, comments="INC-1", expires="2026-12-10"),
        entry("KEPT@partner.example", verify_sender=False),
        entry("old@partner.example", state="absent"),
    ]
    done = run("allow_policies", entries=entries)
    assert (done.failed, done.result["changed"], counts(done)) == (False, True, (1, 1, 1, 0))
    assert [(sent.method, sent.path) for sent in server.writes] == [("POST", PATH)]
    new = {**stored("new@partner.example", is_acceptable_sender=True), "comments": "INC-1 [expires 2026-12-10]"}
    assert server.writes[0].body == {
        "deletes": [{"id": "id-1"}],
        "patches": [{"id": "id-2", "verify_sender": False}],
        "puts": [],
        "posts": [new],
    }
    assert done.result["api_calls"] == 2
    assert [(row["id"], row["pattern"]) for row in done.result["entries"]] == [
        ("id-3", "new@partner.example"),
        ("id-2", "kept@partner.example"),
    ]
    assert done.result["entries"][0]["expires"] == "2026-12-10"
    again = run("allow_policies", entries=entries)
    assert (again.result["changed"], counts(again), again.result["api_calls"]) == (False, (0, 0, 0, 3), 1)
    assert "nothing changed" in again.result["msg"]


def test_check_mode_predicts_and_writes_nothing(run: Runner, server: ListServer) -> None:
    server.add(stored("old@partner.example"))
    entries = [entry("new@partner.example")]
    done = run("allow_policies", entries=entries, purge=True, check=True, diff=True)
    assert (counts(done), done.result["changed"], server.writes) == ((1, 0, 1, 0), True, [])
    assert done.result["entries"] == [{"id": None, **stored("new@partner.example")}]
    assert done.result["diff"] == {
        "before": {"EMAIL old@partner.example": stored("old@partner.example")},
        "after": {"EMAIL new@partner.example": stored("new@partner.example")},
    }
    made = run("allow_policies", entries=entries, purge=True, diff=True)
    assert (counts(made), made.result["diff"]) == (counts(done), done.result["diff"])


def test_a_thousand_changes_are_one_write_each(run: Runner, server: ListServer) -> None:
    done = run("allow_policies", entries=many(2500))
    assert [len(sent.body["posts"]) for sent in server.writes] == [1000, 1000, 500]
    assert counts(done) == (2500, 0, 0, 0)
    assert run("allow_policies", entries=many(2500)).result["api_calls"] == 3


def test_the_whole_list_is_read_even_if_the_server_gives_smaller_pages(run: Runner, server: ListServer) -> None:
    for row in many(25):
        server.add({**stored(), **row})
    server.page_size = 10
    done = run("allow_policies", entries=many(25))
    assert (counts(done), done.result["api_calls"], server.writes) == ((0, 0, 0, 25), 3, [])


def test_fields_that_are_left_out_stay(run: Runner, server: ListServer) -> None:
    server.add(stored(is_trusted_sender=True, verify_sender=False, comments="by hand"))
    done = run("allow_policies", entries=[entry(comments="INC-2")])
    assert server.writes[0].body["patches"] == [{"id": "id-1", "comments": "INC-2"}]
    assert done.result["entries"][0]["is_trusted_sender"] is True


# --- keys --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("have", "declared"),
    [
        (entry("A@Partner.Example"), entry("a@partner.EXAMPLE")),
        (entry("PARTNER.example", "DOMAIN"), entry("partner.example.", "DOMAIN")),
        (entry("b\u00fccher.example", "DOMAIN"), entry("xn--bcher-kva.example", "DOMAIN")),
        (entry("2001:DB8::/32", "IP"), entry("2001:0db8::/32", "IP")),
        (entry(r"\S+@partner\.example", is_regex=True), entry(r"\S+@partner\.example")),
        (entry(r".*@partner\.example", is_regex=True), entry(r".*@partner\.example", is_regex=True)),
    ],
)
def test_the_same_key_is_no_change(run: Runner, server: ListServer, have: Row, declared: Row) -> None:
    server.add({**stored(), **have})
    assert counts(run("allow_policies", entries=[declared])) == (0, 0, 0, 1)


def test_the_case_of_an_expression_counts(run: Runner, server: ListServer) -> None:
    server.add(stored(r"\S@partner\.example", is_regex=True))
    assert counts(run("allow_policies", entries=[entry(r"\s@partner\.example", is_regex=True)])) == (1, 0, 0, 0)


def test_a_pattern_may_become_an_expression(run: Runner, server: ListServer) -> None:
    server.add(stored("Partner.Example", "DOMAIN"))
    done = run("allow_policies", entries=[entry("partner.example", "DOMAIN", is_regex=True)])
    assert server.writes[0].body["patches"] == [{"id": "id-1", "is_regex": True, "pattern": "partner.example"}]
    assert counts(done) == (0, 1, 0, 0)


def test_duplicates_are_reported_and_only_purge_removes_them(run: Runner, server: ListServer) -> None:
    server.add(stored(comments="first"))
    server.add(stored("A@partner.example", comments="second"))
    done = run("allow_policies", entries=[entry(comments="kept")])
    assert [row["id"] for row in done.result["duplicates"]] == ["id-2"]
    assert [row["comments"] for row in server.rows] == ["kept", "second"]
    done = run("allow_policies", entries=[entry()], purge=True)
    assert (counts(done), done.result["duplicates"]) == ((0, 0, 1, 1), [])
    assert [row["id"] for row in server.rows] == ["id-1"]


def test_the_difference_has_each_of_the_entries_with_one_key(run: Runner, server: ListServer) -> None:
    for comments in ("first", "second", "third"):
        server.add(stored(comments=comments))
    done = run("allow_policies", entries=[entry(comments="new")], purge=True, check=True, diff=True)
    before, after = done.result["diff"]["before"], done.result["diff"]["after"]
    assert [entry["comments"] for entry in before.values()] == ["first", "second", "third"]
    assert after == {"EMAIL a@partner.example (id-1)": {**before["EMAIL a@partner.example (id-1)"], "comments": "new"}}


def test_absent_removes_all_with_that_key(run: Runner, server: ListServer) -> None:
    server.add(stored())
    server.add(stored("A@partner.example"))
    assert counts(run("allow_policies", entries=[entry(state="absent")])) == (0, 0, 2, 0)
    assert server.rows == []


def test_what_cannot_be_declared_is_never_touched(run: Runner, server: ListServer) -> None:
    server.add(stored(pattern_type="UNKNOWN"))
    done = run("allow_policies", entries=[], purge=True)
    assert (done.result["changed"], server.writes) == (False, [])


# --- expiry ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("have", "declared", "comments"),
    [
        ("old [expires 2026-12-01]", {"comments": "new"}, "new [expires 2026-12-01]"),
        ("old [expires 2026-12-01]", {"comments": ""}, "[expires 2026-12-01]"),
        ("old [expires 2026-12-01]", {"expires": "2026-12-24"}, "old [expires 2026-12-24]"),
        ("old [expires 2026-12-01]", {"expires": "never"}, "old"),
        ("old", {"comments": "new [expires 2026-12-24]"}, "new [expires 2026-12-24]"),
        (None, {"expires": "2026-12-24"}, "[expires 2026-12-24]"),
        ("old   [expires 2026-12-01] ", {"comments": "old", "expires": "2026-12-01"}, None),
        ("old", {"comments": "old"}, None),
        (None, {"comments": ""}, None),
        ("old [expires 2026-12-01]", {}, None),
        ("old [expires 2026-99-01]", {"comments": "old [expires 2026-99-01]"}, None),
    ],
)
def test_the_mark_of_expiry(
    run: Runner, server: ListServer, have: str | None, declared: Row, comments: str | None
) -> None:
    server.add(stored(comments=have))
    run("allow_policies", entries=[entry(**declared)])
    sent = [sent.body["patches"] for sent in server.writes]
    assert sent == ([] if comments is None else [[{"id": "id-1", "comments": comments}]])


@pytest.mark.parametrize(("day", "deleted"), [("2026-11-21", 1), ("2026-11-22", 0)])
def test_an_entry_counts_until_the_end_of_its_day(run: Runner, server: ListServer, day: str, deleted: int) -> None:
    server.add(stored(comments=f"[expires {day}]"))
    assert run("allow_policies", entries=[entry(expires=day)], check=True).result["deleted"] == deleted
    assert run("allow_policies", entries=[], remove_expired=True).result["deleted"] == deleted
    assert run("allow_policies", entries=[entry(expires=day)], remove_expired=True).result["deleted"] == 0


def test_an_expired_entry_is_not_made(run: Runner, server: ListServer) -> None:
    done = run(
        "allow_policies", entries=[entry(expires="2026-01-01"), entry("b@x.example", comments="[expires 2026-01-01]")]
    )
    assert (counts(done), server.writes) == ((0, 0, 0, 2), [])


def test_expired_entries_stay_unless_asked_for(run: Runner, server: ListServer) -> None:
    server.add(stored(comments="[expires 2026-01-01]"))
    assert not run("allow_policies", entries=[]).result["changed"]
    # What is declared without a day is wanted.
    assert not run("allow_policies", entries=[entry()], remove_expired=True).result["changed"]


def test_what_expires_soon_is_told_of_the_whole_list(run: Runner, server: ListServer) -> None:
    days = {"past": "2026-11-21", "last": "2026-11-29", "later": "2026-11-30"}
    for name, day in days.items():
        server.add(stored(f"{name}@x.example", comments=f"why [expires {day}]"))
    server.add(stored("never@x.example"))

    def expiring(**options: t.Any) -> list[tuple[str | None, str]]:
        done = run("allow_policies", **{"entries": [entry("new@x.example", expires="2026-11-22")], **options})
        return sorted((row["id"], row["expires"]) for row in done.result["expiring"] if row["id"]) + [
            (None, row["expires"]) for row in done.result["expiring"] if row["id"] is None
        ]

    soon = [("id-1", "2026-11-21"), ("id-2", "2026-11-29")]
    assert expiring(check=True) == [*soon, (None, "2026-11-22")]
    assert expiring(check=True, remove_expired=True) == [soon[1], (None, "2026-11-22")]
    server.faults = [lambda _server, _sent: Reply(refusal(1001, "no"), 400)]
    assert expiring(remove_expired=True) == soon
    assert expiring(remove_expired=True) == [soon[1], ("id-5", "2026-11-22")]


# --- what is refused before anything is sent ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry("x" * 1025)], "entries[0] (EMAIL xxx"),
        ([entry(comments="x" * 1025)], "comments: it has 1025 characters, but Cloudflare takes at most 1024"),
        ([entry(comments="x" * 1010, expires="2026-12-10")], "with the mark of expires it has 1031 characters"),
        ([entry(), entry("A@PARTNER.example")], "entries[1] (EMAIL A@PARTNER.example) is the same entry as entries[0]"),
        ([entry(is_regex=True), entry()], "is the same entry as entries[0]"),
        (
            [entry(r"\s@x\.example", is_regex=True), entry("(", is_regex=True)],
            "pattern: it is not a regular expression (",
        ),
        ([entry("192.168.0.0/24", "IP")], "pattern: Cloudflare takes public addresses only"),
        ([entry("fd00::1", "IP")], "pattern: Cloudflare takes public addresses only"),
        ([entry("192.0.2.300", "IP")], "pattern: it is not an IP address or a CIDR block"),
        ([entry("partner.example")], "pattern: it is not an address"),
        ([entry("a@partner.example", "DOMAIN")], "pattern: it is not a domain"),
        ([entry(" a@partner.example")], "pattern: there are blanks around it"),
        ([entry("")], "pattern: it is empty"),
        ([entry(expires="14d")], "expires: it must be a day such as 2026-12-10, or never, not '14d'"),
        ([entry(expires="2026-02-30")], "expires: it must be a day"),
        ([entry(expires="10.12.2026")], "expires: it must be a day"),
        ([{**entry(), "pattern": 4711}], "entries[0].pattern is not a string but of type int (4711)"),
        ([entry(pattern_type="UNKNOWN")], "value of pattern_type must be one of: EMAIL, DOMAIN, IP"),
        ([{"pattern": "a@partner.example"}], "missing required arguments: pattern_type"),
        ([entry(is_recipient=True)], "is_recipient"),
    ],
)
def test_bad_entries_are_named(run: Runner, server: ListServer, script: Script, entries: list[Row], words: str) -> None:
    done = run("allow_policies", entries=entries)
    assert done.failed
    assert words in done.result["msg"]
    assert script.sent == []


def test_a_negative_limit_is_refused(run: Runner, script: Script) -> None:
    assert "max_deletions" in run("allow_policies", entries=[], max_deletions=-1).result["msg"]
    assert script.sent == []


def test_all_problems_are_told_at_once(run: Runner, server: ListServer) -> None:
    msg = run("allow_policies", entries=[entry(""), entry("x", "IP")]).result["msg"]
    assert "entries[0]" in msg
    assert "entries[1]" in msg


@pytest.mark.parametrize(
    "pattern",
    [
        r"\p{L}+@partner\.example",
        r"a\z",
        r"(?<name>a)@partner\.example",
        r"a@(?i)partner\.example",
        r"a++@partner\.example",
    ],
)
def test_expressions_that_other_engines_understand_are_taken(run: Runner, server: ListServer, pattern: str) -> None:
    assert counts(run("allow_policies", entries=[entry(pattern, is_regex=True)], allow_broad=True)) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "declared",
    [
        entry("com", "DOMAIN"),
        entry("co.uk", "DOMAIN"),
        entry("*", "DOMAIN"),
        entry(".*", is_regex=True),
        entry(r"^\S+@\S+$", is_regex=True),
        entry(r".+@.+\.com", is_regex=True),
        entry("0.0.0.0/0", "IP"),
        entry("::/0", "IP"),
        entry("partner.example", "DOMAIN", is_trusted_sender=True),
        entry("partner.example", "DOMAIN", is_exempt_recipient=True),
        entry(r".*@partner\.example", is_regex=True, is_trusted_sender=True),
        entry("*@partner.example", is_trusted_sender=True),
    ],
)
def test_broad_entries_need_a_word(run: Runner, server: ListServer, declared: Row) -> None:
    done = run("allow_policies", entries=[declared])
    assert "entries[0]" in done.result["msg"]
    assert "set allow_broad if that is meant. Nothing was changed." in done.result["msg"]
    assert server.writes == []
    assert counts(run("allow_policies", entries=[declared], allow_broad=True)) == (1, 0, 0, 0)
    # What is there already is not judged.
    assert counts(run("allow_policies", entries=[declared])) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    "declared",
    [
        entry("partner.example", "DOMAIN"),
        entry("partner.co.uk", "DOMAIN"),
        entry(is_trusted_sender=True),
        entry(r".*@partner\.example", is_regex=True),
        entry(r"^billing@(mail|news)\.partner\.example$", is_regex=True, is_trusted_sender=True),
        entry("192.0.2.0/24", "IP", is_trusted_sender=True),
    ],
)
def test_narrow_entries_need_none(run: Runner, server: ListServer, declared: Row) -> None:
    assert counts(run("allow_policies", entries=[declared])) == (1, 0, 0, 0)


def test_a_change_may_make_an_entry_broad(run: Runner, server: ListServer) -> None:
    server.add(stored("partner.example", "DOMAIN"))
    done = run("allow_policies", entries=[entry("partner.example", "DOMAIN", is_trusted_sender=True)])
    assert "is_trusted_sender bypasses every detection for a whole domain" in done.result["msg"]
    assert server.writes == []


def test_a_kept_mark_counts_for_the_length(run: Runner, server: ListServer) -> None:
    server.add(stored(comments="[expires 2026-12-10]"))
    done = run("allow_policies", entries=[entry(comments="x" * 1020)])
    assert "with the mark of its expiry it has 1041 characters" in done.result["msg"]
    assert server.writes == []


def test_deletions_have_a_limit(run: Runner, server: ListServer) -> None:
    for row in many(11):
        server.add({**stored(), **row})
    done = run("allow_policies", entries=[], purge=True)
    assert "11 entries would be deleted (EMAIL user0@partner.example" in done.result["msg"]
    assert "max_deletions is 10. Nothing was changed." in done.result["msg"]
    assert (len(server.rows), server.writes) == (11, [])
    assert counts(run("allow_policies", entries=[], purge=True, max_deletions=11)) == (0, 0, 11, 0)


# --- answers that fail or lie ------------------------------------------------------------------------------------------


def test_a_lost_answer_is_read_back(run: Runner, server: ListServer, clock: FakeClock) -> None:
    server.faults = [lost_after_work]
    done = run("allow_policies", entries=many(3))
    assert (counts(done), len(server.writes), clock.slept >= 3) == ((3, 0, 0, 0), 1, True)
    assert len(server.rows) == 3


def test_what_is_missing_after_a_lost_answer_is_sent_again(run: Runner, server: ListServer) -> None:
    server.faults = [lost_before_work]
    done = run("allow_policies", entries=many(3))
    assert (counts(done), len(server.writes), len(server.rows)) == ((3, 0, 0, 0), 2, 3)


def test_only_what_is_missing_is_sent_again(run: Runner, server: ListServer) -> None:
    def half(server: ListServer, sent: Sent) -> Reply:
        server.add(sent.body["posts"][0])
        return LOST

    server.faults = [half]
    run("allow_policies", entries=many(3))
    assert [len(sent.body["posts"]) for sent in server.writes] == [3, 2]
    assert len(server.rows) == 3


@pytest.mark.parametrize("readings", [1, 2])
def test_a_list_that_lags_makes_no_duplicates(run: Runner, server: ListServer, readings: int) -> None:
    def lagging(server: ListServer, sent: Sent) -> Reply:
        server.work(sent)
        server.late = readings
        return LOST

    def refusing(server: ListServer, sent: Sent) -> Reply:
        old = server._old
        answer = server.work(sent)
        server._old = old
        return answer

    server.faults = [lagging, refusing]
    done = run("allow_policies", entries=many(2))
    assert len(server.rows) == 2
    if readings == 1:
        assert (done.failed, counts(done), done.result["changed"]) == (False, (2, 0, 0, 0), True)
    else:
        # It was done, but nobody could see that yet.
        assert "2 more changes were sent, and it is unknown whether they were made" in done.result["msg"]
    assert not run("allow_policies", entries=many(2)).result["changed"]


def test_an_answer_with_half_an_entry_is_read_back(run: Runner, server: ListServer) -> None:
    def half(server: ListServer, sent: Sent) -> Reply:
        server.work(sent)
        return Reply(envelope({"posts": [{name: server.rows[0][name] for name in ("id", "pattern", "pattern_type")}]}))

    server.faults = [half]
    done = run("allow_policies", entries=[entry(verify_sender=True)])
    assert (counts(done), len(server.writes), done.result["entries"][0]["verify_sender"]) == ((1, 0, 0, 0), 1, True)


def test_what_is_absent_may_be_anything(run: Runner, server: ListServer) -> None:
    server.add(stored("(", is_regex=True))
    server.add(stored("10.0.0.0/8", "IP"))
    entries = [entry("(", is_regex=True, state="absent"), entry("10.0.0.0/8", "IP", state="absent")]
    assert counts(run("allow_policies", entries=entries)) == (0, 0, 2, 0)


@pytest.mark.parametrize("result", [None, [], {}, {"posts": [{"id": 7}]}, {"posts": None}])
def test_a_success_that_confirms_nothing_is_read_back(run: Runner, server: ListServer, result: object) -> None:
    def silent(server: ListServer, sent: Sent) -> Reply:
        server.work(sent)
        return Reply(envelope(result))

    server.faults = [silent]
    done = run("allow_policies", entries=many(2))
    assert (counts(done), len(server.writes), len(done.result["entries"])) == ((2, 0, 0, 0), 1, 2)
    server.faults = [lambda _server, _sent: Reply(envelope({"deletes": [{"id": "id-1"}]}))]
    done = run("allow_policies", entries=[], purge=True)
    assert (counts(done), len(server.rows)) == ((0, 0, 2, 0), 0)


def test_lost_answers_end(run: Runner, server: ListServer) -> None:
    server.faults = [lost_before_work] * 9
    done = run("allow_policies", entries=many(2), retries=2)
    assert (done.failed, counts(done), done.result["changed"], len(server.writes)) == (True, (0, 0, 0, 0), False, 3)
    assert "2 changes were not made" in done.result["msg"]


def test_what_cannot_be_read_back_is_unknown(run: Runner, server: ListServer, script: Script) -> None:
    def dying(server: ListServer, sent: Sent) -> Reply:
        script.server = lambda _sent: LOST
        return LOST

    server.faults = [dying]
    done = run("allow_policies", entries=many(2), retries=1)
    assert (done.failed, counts(done)) == (True, (0, 0, 0, 0))
    assert "2 more changes were sent, and it is unknown whether they were made" in done.result["msg"]


def test_a_refused_batch_names_the_entry(run: Runner, server: ListServer) -> None:
    refused = refusal(1001, "no such thing", source={"pointer": "/posts/1/pattern"})
    server.faults = [lambda _server, _sent: Reply(refused, 400)]
    done = run("allow_policies", entries=many(3))
    assert done.result["msg"].startswith(
        "Cloudflare refused 3 changes of allow_policies that were sent together because of "
        "entries[1] (EMAIL user1@partner.example), pattern: HTTP 400: no such thing (code 1001)"
    )
    assert (done.result["status"], counts(done), len(server.writes)) == (400, (0, 0, 0, 0), 1)


def test_a_refusal_without_a_pointer_is_not_bisected(run: Runner, server: ListServer) -> None:
    server.faults = [lambda _server, _sent: Reply(refusal(1001, "no"), 400)]
    done = run("allow_policies", entries=many(3))
    assert "Cloudflare refused 3 changes of allow_policies that were sent together: HTTP 400: no" in done.result["msg"]
    assert len(server.writes) == 1


@pytest.mark.parametrize("pointer", ["/posts/7/pattern", "/posts/x", "nonsense", "", "/posts", "/deletes/0", 7, None])
def test_a_pointer_that_leads_nowhere_does_no_harm(run: Runner, server: ListServer, pointer: object) -> None:
    server.faults = [lambda _server, _sent: Reply(refusal(1001, "no", source={"pointer": pointer}), 400)]
    assert (
        "3 changes of allow_policies that were sent together: HTTP 400"
        in run("allow_policies", entries=many(3)).result["msg"]
    )


@pytest.mark.parametrize("same", [True, False])
def test_two_runs_at_once_end_as_declared(run: Runner, server: ListServer, same: bool) -> None:
    def overtaken(server: ListServer, sent: Sent) -> Reply:
        server.add(stored("user1@partner.example", verify_sender=same))
        return server.work(sent)

    server.faults = [overtaken]
    declared = [{**row, "verify_sender": True} for row in many(3)]
    done = run("allow_policies", entries=declared)
    assert not done.failed
    assert [row["verify_sender"] for row in server.rows] == [True] * 3
    assert counts(done) == ((2, 0, 0, 1) if same else (2, 1, 0, 0))
    assert not run("allow_policies", entries=declared).result["changed"]


def test_entries_that_others_make_meanwhile_are_not_purged(run: Runner, server: ListServer) -> None:
    def overtaken(server: ListServer, sent: Sent) -> Reply:
        server.work(sent)
        server.add(stored("theirs@partner.example"))
        return LOST

    server.faults = [overtaken]
    done = run("allow_policies", entries=many(1), purge=True)
    assert (counts(done), len(server.rows)) == ((1, 0, 0, 0), 2)


def test_a_refused_credential_stops_at_once(run: Runner, server: ListServer) -> None:
    server.faults = [lambda _server, _sent: Reply(refusal(10000, "Authentication error"), 403)]
    done = run("allow_policies", entries=many(2))
    assert "Cloud Email Security: Write" in done.result["msg"]
    assert (len(server.writes), done.result["status"], counts(done)) == (1, 403, (0, 0, 0, 0))
    assert TOKEN not in done.printed


def test_a_second_batch_that_fails_leaves_the_first_counted(run: Runner, server: ListServer) -> None:
    server.faults = [ListServer.work, lambda _server, _sent: Reply(refusal(1001, "no"), 400)]
    done = run("allow_policies", entries=many(1500))
    assert (done.failed, done.result["changed"], counts(done)) == (True, True, (1000, 0, 0, 0))
    assert len(done.result["entries"]) == 1000
    assert "500 changes were not made" in done.result["msg"]


def test_a_list_that_lags_hides_no_earlier_batch_after_a_refusal(
    run: Runner, server: ListServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(server: ListServer, _sent: Sent) -> Reply:
        server.late = 99
        return Reply(refusal(1001, "no"), 400)

    monkeypatch.setattr(clock, "sleep", lambda _seconds: setattr(server, "late", 0))
    server.faults = [ListServer.work, refused]
    done = run("allow_policies", entries=many(1500))
    assert (done.failed, counts(done)) == (True, (1000, 0, 0, 0))
    assert "500 changes were not made" in done.result["msg"]


def test_a_signal_while_a_lost_answer_settles_leaves_it_unknown(
    run: Runner, server: ListServer, clock: FakeClock
) -> None:
    def lagging(server: ListServer, sent: Sent) -> Reply:
        server.work(sent)
        server.late = 9
        return LOST

    server.faults = [lagging]
    clock.stop_at = 1
    done = run("allow_policies", entries=many(2))
    assert (done.failed, counts(done)) == (True, (0, 0, 0, 0))
    assert "2 more changes were sent, and it is unknown whether they were made" in done.result["msg"]


def test_a_signal_stops_before_the_next_write(run: Runner, server: ListServer, clock: FakeClock) -> None:
    def signalled(server: ListServer, sent: Sent) -> Reply:
        clock.stop()
        return server.work(sent)

    server.faults = [signalled]
    done = run("allow_policies", entries=many(1500))
    assert (done.failed, counts(done), len(server.rows)) == (True, (1000, 0, 0, 0), 1000)
    assert done.result["msg"].startswith("Stopped by a signal.")


@pytest.mark.parametrize(
    "answer",
    [
        envelope(None),
        envelope([{"pattern": "x"}]),
        envelope(["x"]),
        envelope([], result_info={"total_count": 5}),
        envelope([{"id": "a"}], result_info={"total_count": 3, "total_pages": 9}),
    ],
)
def test_a_list_that_is_not_whole_is_not_acted_on(run: Runner, script: Script, answer: object) -> None:
    script.server = lambda _sent: Reply(answer)
    done = run("allow_policies", entries=many(1), retries=0)
    assert done.failed
    assert [sent.method for sent in script.sent if sent.method != "GET"] == []


def test_hostile_comments_come_back_as_they_are(run: Runner, server: ListServer) -> None:
    text = "{{ lookup('pipe', 'id') }} \u202e\U0001f600 \ttab"
    done = run("allow_policies", entries=[entry(comments=text)])
    assert server.rows[0]["comments"] == text
    assert done.result["entries"][0]["comments"] == text
    assert not run("allow_policies", entries=[entry(comments=text)]).result["changed"]


# --- the result --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refused", [False, True])
def test_it_returns_what_it_documents(run: Runner, server: ListServer, refused: bool) -> None:
    told = documentation("allow_policies", "RETURN")
    conditions = {"always", "unless the task failed before the first change"}
    if refused:
        server.faults = [lambda _server, _sent: Reply(refusal(1001, "no"), 400)]
        conditions.add("when the API refused a request")
    done = run("allow_policies", entries=many(1))
    check_result(done.result, told, conditions)
    assert done.result["account_id"] == ACCOUNT
    json.dumps(done.result)
