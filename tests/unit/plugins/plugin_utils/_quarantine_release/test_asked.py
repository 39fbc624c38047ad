# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the role, read as people, surveys and inventories give them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.asked import Asked, Mistake, read

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
        (7, [7]),
        (None, [None]),
        ({"a": 1}, [{"a": 1}]),
    ],
)
def test_messages_are_a_list_or_what_people_paste(given: object, expected: list[object]) -> None:
    assert asked(messages=given).handles == expected


def test_an_empty_answer_is_no_list_where_a_search_or_a_file_is_given() -> None:
    assert asked(messages=None, search={"sender": "x"}).handles == []
    assert asked(messages=None, messages_file="ids.txt", messages_column="id").handles == ["ids.txt/id"]


@pytest.mark.parametrize(
    "given", [{"messages": "a"}, {"search": {"sender": "x"}}, {"messages": ["a"], "search": {"sender": "x"}}]
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
        "json, txt, csv and html",
    ):
        assert part in words


@pytest.mark.parametrize("search", ["{sender: x, since: ''}", '{"sender": "x"}', {"sender": "x", "since": None}])
def test_a_dictionary_may_be_text_and_what_is_empty_is_not_given(search: object) -> None:
    assert asked(search=search).search == {"sender": "x"}


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
    assert mistake(search={"sendr": "x"}) == "Not an option of quarantine_release_search: sendr."
    assert mistake(search={"since": "1d"}, require_filter="yes").startswith(
        "The search needs at least one of: recipient, "
    )


def test_more_messages_than_are_allowed() -> None:
    assert "2 messages are more than quarantine_release_max_messages (1) allows." in mistake(
        messages="a b", max_messages=1
    )


@pytest.mark.parametrize(
    ("variables", "plans", "from_plan", "chunk"),
    [
        (ONE, False, False, 0),
        ({"search": {"sender": "x"}}, True, True, 500),
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
