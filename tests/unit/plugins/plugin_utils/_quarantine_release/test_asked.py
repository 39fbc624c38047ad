# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the role, read as people, surveys and inventories give them."""

from __future__ import annotations

import datetime
import typing as t

import pytest
import yaml
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.asked import DEFAULTS, Asked, read
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.values import Mistake
from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import load

DIGEST = "sha256:" + "0f" * 32
ONE = {"messages": ["a"], "max_messages": 1000}


def listed(path: str, column: str | None) -> list[str]:
    """Stand in for the reader of files."""
    if path == "bad.txt":
        raise ValueError("bad.txt line 2: is empty.")
    return [f"{path}/{column}"]


def asked(**variables: t.Any) -> Asked:
    """Return what these variables ask for."""
    return read({"max_messages": 1000, **variables}, "host", listed)


def mistake(**variables: t.Any) -> str:
    """Return what is wrong with these variables."""
    with pytest.raises(Mistake) as caught:
        asked(**variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        (("a",), ["a"]),
        ("a, b;c\n d", ["a", "b", "c", "d"]),
        ("", []),
        ([], []),
        ('["4Njp3P0STMz2c02Q", "<a@c.example>"]', ["4Njp3P0STMz2c02Q", "<a@c.example>"]),
        ("4Njp3P0STMz2c02Q 4Njp3P0STMz2c03Q", ["4Njp3P0STMz2c02Q", "4Njp3P0STMz2c03Q"]),
        ([{"id": "a", "subject": "x"}, "b"], ["a", "b"]),
        ({"id": "a"}, ["a"]),
    ],
)
def test_messages_are_a_list_or_what_people_paste(given: object, expected: list[object]) -> None:
    assert asked(messages=given).handles == expected


def test_an_empty_answer_is_no_list_where_a_search_or_a_file_is_given() -> None:
    assert asked(messages=None, search={"sender": "x.example"}).handles is None
    assert asked(messages="", search={"sender": "x.example"}).handles == []
    assert asked(messages=None, messages_file="ids.txt", messages_column="id").handles == ["ids.txt/id"]


@pytest.mark.parametrize(
    "given",
    [{"messages": "a"}, {"search": {"sender": "x.example"}}, {"messages": ["a"], "search": {"sender": "x.example"}}],
)
def test_only_one_way_to_name_messages(given: dict[str, t.Any]) -> None:
    ways = {**given, "messages_file": "ids.txt"}
    assert "Set only one of quarantine_release_messages, " in mistake(**ways)


def test_something_has_to_be_asked_for() -> None:
    assert mistake().startswith("Set what to release: ")
    assert mistake(search={"sender": ""}).startswith("Set what to release: ")
    assert mistake(messages_file="bad.txt") == "quarantine_release_messages_file: bad.txt line 2: is empty."


def test_every_mistake_is_named_at_once() -> None:
    words = mistake(mode="aply", search="- a", canary="two", report_formats=["pdf"])
    for part in (
        "mode must be",
        "must be dictionaries",
        "canary must be a whole number, not 'two'",
        "quarantine_release_report_formats must be one or more of: json, txt, csv, html",
    ):
        assert part in words


@pytest.mark.parametrize(
    "search", ["{sender: x.example, since: ''}", '{"sender": "x.example"}', {"sender": "x.example", "since": None}]
)
def test_a_dictionary_may_be_text_and_what_is_empty_is_not_given(search: object) -> None:
    assert asked(search=search).search == {"sender": "x.example"}


def test_lists_of_a_policy_may_be_text() -> None:
    policy = asked(**ONE, policy={"denied_senders": "a@b.example, c d;e\n", "max_age": "3d"}).policy
    assert policy == {"denied_senders": ["a@b.example", "c d", "e"], "max_age": "3d"}


@pytest.mark.parametrize("value", ["", None, " ,;\n"])
def test_a_list_of_a_policy_that_nobody_filled_in_is_a_mistake(value: object) -> None:
    assert mistake(**ONE, policy={"allowed_senders": value}).startswith(
        "Empty in quarantine_release_policy: allowed_senders."
    )
    assert asked(**ONE, policy={"allowed_senders": [], "overrides": value}).policy == {
        "allowed_senders": [],
        "overrides": [],
    }


def test_a_search_option_that_there_is_not_is_refused() -> None:
    assert mistake(search={"sendr": "x"}) == "Not an option of quarantine_release_search: sendr. Did you mean sender?"
    assert "Not an option of quarantine_release_policy: denied_sender. Did you mean denied_senders?" in mistake(
        **ONE, policy={"denied_sender": ["a.example"]}
    )
    assert mistake(search={"since": "1d"}, require_filter="yes").startswith(
        "The search needs at least one of: recipient, "
    )


def test_more_messages_than_are_allowed() -> None:
    assert "2 messages are more than quarantine_release_max_messages (1) allows." in mistake(
        messages="a,b", max_messages=1
    )


@pytest.mark.parametrize(
    ("variables", "plans", "from_plan", "chunk"),
    [
        (ONE, False, False, 0),
        ({"search": {"sender": "x.example"}}, True, True, 500),
        ({**ONE, "policy": {"max_age": "1d"}}, True, True, 500),
        ({**ONE, "approve": "true"}, True, True, 500),
        ({**ONE, "mode": "plan"}, True, True, 500),
        ({"mode": "apply", "plan_digest": DIGEST}, False, True, 500),
        ({**ONE, "chunk_size": "3"}, False, False, 3),
        ({**ONE, "mode": "plan", "chunk_size": 0}, True, True, 0),
    ],
)
def test_the_way_to_go(variables: dict[str, t.Any], plans: bool, from_plan: bool, chunk: int) -> None:
    found = asked(**variables)
    assert (found.plans, found.from_plan, found.chunk) == (plans, from_plan, chunk)


def test_a_playbook_may_allow_one_mode_only() -> None:
    assert "supports only quarantine_release_mode=plan." in mistake(**ONE, only_mode="plan")
    assert asked(**ONE, mode="plan", only_mode="plan").mode == "plan"


@pytest.mark.parametrize(
    "digest", ["", None, [], False, " ", "sha256:", "md5:" + "0" * 64, DIGEST[:-1], {"other": DIGEST}, {"host": ""}]
)
@pytest.mark.parametrize("required", [True, False])
def test_what_is_no_digest_approves_nothing(digest: object, required: bool) -> None:
    words = mistake(mode="apply", plan_digest=digest, require_digest=required)
    assert "no plan" in words or "64 hexadecimal digits" in words


def test_a_digest_is_required_unless_that_is_said() -> None:
    assert "The mode apply needs quarantine_release_plan_digest" in mistake(mode="apply")
    assert "The mode apply needs quarantine_release_plan_digest" in mistake(mode="apply", require_digest=None)
    assert asked(mode="apply", require_digest="no").digest is None
    assert asked(mode="apply", plan_digest={"host": DIGEST.upper()}).digest == DIGEST
    assert asked(mode="apply", plan_digest=DIGEST[7:]).digest == DIGEST[7:]


def test_a_release_takes_no_digest_but_an_empty_answer() -> None:
    assert "is for the mode apply" in mistake(**ONE, plan_digest=DIGEST)
    assert asked(**ONE, plan_digest="").digest is None


def test_what_the_mode_apply_does_not_look_at() -> None:
    found = asked(mode="apply", plan_digest=DIGEST, messages=[1], search={"sendr": 2}, plan_packed={"host": "x"})
    assert (found.handles, found.search, found.packed) == (None, {}, "x")
    assert asked(**ONE, plan_packed="x").packed is None


def test_json_is_always_written() -> None:
    assert asked(**ONE, report_formats="csv, txt").formats == ["json", "csv", "txt"]
    assert asked(**ONE, report_formats=[]).formats == ["json"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("4Njp3P0STMz2c02Q,", "quarantine_release_messages ends in a separator"),
        ("4Njp3P0STMz2c02Q;\n", "ends in a separator"),
        ("4Njp3P0STMz2c02Q\tAlice", "which may be more than handles"),
        ("- 4Njp3P0STMz2c02Q", "which may be more than handles"),
        ("1. 4Njp3P0STMz2c02Q\n2. 4Njp3P0STMz2c03Q", "which may be more than handles"),
        ("[4Njp3P0STMz2c02Q]", "quarantine_release_messages[0] contains"),
        ([{"handle": "a"}], "quarantine_release_messages[0] is a dictionary without an id"),
        ({"messages": [{"id": "a"}]}, "quarantine_release_messages[0] is a dictionary without an id"),
        ([7], "quarantine_release_messages[0] is not a string but of type int; put the id in quotes"),
        (None, "Set what to release"),
    ],
)
def test_a_list_of_messages_that_is_understood_in_part(given: object, words: str) -> None:
    assert words in mistake(messages=given)
    assert given is None or "Set what to release" not in mistake(messages=given)


@pytest.mark.parametrize(
    "value", [39, 1.1, True, datetime.date(2026, 11, 20), datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)]
)
@pytest.mark.parametrize(
    "name", ["ticket", "reason", "requested_by", "approved_by", "account_id", "expires_in", "plan_file"]
)
def test_text_that_yaml_made_something_else_of(name: str, value: object) -> None:
    words = mistake(**ONE, **{name: value})
    assert words.startswith(f"quarantine_release_{name} is ")
    assert "Put it in quotes" in words


@pytest.mark.parametrize(
    "name", ["subject", "recipient", "sender", "query", "since", "start", "message_id", "disposition"]
)
@pytest.mark.parametrize("value", ["0047", "1.10", "yes", "0x2F", "1:30", "no", "2026-11-20"])
def test_text_of_a_search_that_yaml_made_something_else_of(name: str, value: str) -> None:
    assert f"quarantine_release_search.{name} is " in mistake(search={name: yaml.safe_load(value)})
    assert f"quarantine_release_search.{name} is " in mistake(search=f"{{{name}: {value}}}")


@pytest.mark.parametrize("value", ["0047", "1.10", "yes", "0x2F", "1:30", "no", "2026-11-20"])
def test_text_of_a_search_in_quotes_is_text(value: str) -> None:
    assert asked(search={"subject": value, "query": f"'{value}'"}).search == {"subject": value, "query": value}


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (
            {"recipient": "a@x.example, b@x.example"},
            "quarantine_release_search.recipient must be one address or one domain",
        ),
        ({"sender": "Alice <a@b.example>"}, "quarantine_release_search.sender must be one address or one domain"),
        ({"domain": "@partner.example"}, "quarantine_release_search.domain must be one domain"),
        ({"sender": "a.example", "since": "7"}, "quarantine_release_search.since must be a number with m, h, d or w"),
        ({"subject": "a\nb"}, "quarantine_release_search: the search option for subject contains"),
        (
            {"sender": "a.example", "disposition": "SPAMM"},
            "quarantine_release_search.disposition must be one of: MALICIOUS",
        ),
        ({"sender": "a.example", "limit": "few"}, "quarantine_release_search.limit must be a whole number"),
    ],
)
def test_a_search_that_can_find_nothing_is_refused(search: dict[str, str], words: str) -> None:
    assert words in mistake(search=search)


@pytest.mark.parametrize("given", [0o47, [True, "a.example"], ["a.example", 1.1]])
@pytest.mark.parametrize("name", ["denied_senders", "protected_recipients", "forbidden_dispositions", "overrides"])
def test_patterns_that_yaml_made_something_else_of(name: str, given: object) -> None:
    assert f"quarantine_release_policy.{name}[" in mistake(**ONE, policy={name: given})
    assert "quarantine_release_policy.max_age is a number" in mistake(**ONE, policy={"max_age": 3})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("'0042'", "0042"),
        ('"~"', "~"),
        (" 'INC-1' ", "INC-1"),
        ("'2026-11-20 10:00:00'", "2026-11-20 10:00:00"),
        ("'the right one'", "'the right one'"),
        ("'half", "'half"),
        ("''", None),
    ],
)
def test_quotes_that_keep_an_answer_text_are_taken_off(given: str, expected: str | None) -> None:
    assert asked(**ONE, ticket=given).ticket == expected


def test_the_end_of_a_line_of_windows_is_named() -> None:
    for name in ("ticket", "journal", "mode"):
        assert f"quarantine_release_{name} ends with a carriage return" in mistake(**ONE, **{name: "plan\r"})
    assert asked(**ONE, reason="a\r\nb").reason == "a\r\nb"


def test_an_empty_policy_has_the_default_rules() -> None:
    assert (asked(**ONE).policy, asked(**ONE, policy="").policy, asked(**ONE, policy=None).policy) == (None,) * 3
    for empty in ({}, "{}", {"max_age": None}):
        found = asked(**ONE, policy=empty)
        assert found.policy == {}
        assert found.plans


@pytest.mark.parametrize("value", [None, "", ...])
def test_what_is_set_to_nothing_has_its_default(value: object) -> None:
    names = (
        "return_messages", "handover", "request_format", "fail_on", "report_formats", "max_messages", "batch_size", "check_state",
        "evidence", "approve", "settle_time", "mode",
    )  # fmt: skip
    found = read({"messages": ["a"], **({} if value is ... else dict.fromkeys(names, value))}, "host", listed)
    assert found == read({"messages": ["a"]}, "host", listed)
    assert "failed" in found.fail_on
    assert (found.return_messages, found.max_messages, found.module) == ("all", 1000, {})
    assert found.journal == "quarantine-release-reports/journal.jsonl"
    assert asked(**ONE, journal="").journal is None
    assert asked(**ONE, journal=None).journal is not None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("approve", "ture", "quarantine_release_approve must be true or false, not 'ture'."),
        ("require_digest", "maybe", "quarantine_release_require_digest must be true or false"),
        ("fail_on", False, "The value of quarantine_release_fail_on must be one or more of: released, "),
        ("fail_on", "faild", "The value of quarantine_release_fail_on must be one or more of: released, "),
        ("return_messages", "nune", "quarantine_release_return_messages must be all, attention or none. It is 'nune'."),
        ("batch_size", "many", "quarantine_release_batch_size must be a whole number"),
        ("settle_time", "long", "quarantine_release_settle_time must be a number of seconds"),
    ],
)
def test_a_word_that_means_nothing_is_no_default(name: str, value: object, words: str) -> None:
    assert words in mistake(**ONE, mode="apply", **{name: value})


def test_the_account_of_the_environment_is_for_one_host() -> None:
    assert read(ONE, "a", listed, hosts=1).account_id is None
    for given in ({}, {"account_id": None}, {"account_id": ""}):
        with pytest.raises(Mistake, match=r"quarantine_release_account_id is not set for b. .* this one has 3.$"):
            read({**ONE, **given}, "b", listed, hosts=3)


def test_the_defaults_are_those_of_the_role() -> None:
    defaults = load("roles/quarantine_release/defaults/main.yml")
    assert {name: defaults[f"quarantine_release_{name}"] for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("given", "follow_up"),
    [
        ({}, (None, None, False)),
        ({"reclassify_as": "", "allow_for": None, "allow_domains": ""}, (None, None, False)),
        ({"reclassify_as": "none", "allow_for": "14d"}, ("none", "14d", False)),
        ({"reclassify_as": "'none'", "allow_for": " 2 w", "allow_domains": "yes"}, ("none", " 2 w", True)),
        ({"allow_domains": True}, (None, None, False)),
    ],
)
def test_what_is_done_after_the_release(given: dict[str, t.Any], follow_up: tuple[t.Any, ...]) -> None:
    assert tuple(asked(**{**ONE, **given}).follow_up.values()) == follow_up


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"allow_for": 14}, "quarantine_release_allow_for has no unit: 14. Write 14d for days."),
        ({"allow_for": "14"}, "quarantine_release_allow_for has no unit: 14. Write 14d for days."),
        ({"allow_for": True}, "quarantine_release_allow_for is true or false (True) and not text."),
        ({"allow_for": ["14d"]}, "quarantine_release_allow_for must be text, not list."),
        ({"allow_for": "400d"}, "quarantine_release_allow_for must be at most 365d, not '400d'."),
        ({"reclassify_as": "NONE"}, "quarantine_release_reclassify_as must be one of none, bulk, spam, spoof,"),
        ({"reclassify_as": False}, "quarantine_release_reclassify_as is true or false (False) and not text."),
    ],
)
def test_what_cannot_be_done_after_the_release(given: dict[str, t.Any], words: str) -> None:
    assert mistake(**{**ONE, **given}).startswith(words)
