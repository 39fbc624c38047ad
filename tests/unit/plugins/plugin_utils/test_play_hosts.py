# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For which hosts a playbook runs. Whatever would end with success for none of them is an error."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._play_hosts import play_hosts

NONE: dict[str, list[str]] = {"all": [], "ungrouped": []}
TWO = {"all": ["a", "b"], "regulated": ["b"], "ungrouped": ["a"]}
DEFAULT = ["/etc/ansible/hosts"]


def chosen(
    pattern: t.Any = None,
    groups: t.Mapping[str, t.Sequence[str]] = TWO,
    sources: t.Sequence[str] = ("a,b",),
    limit: str | None = None,
    tags: t.Collection[str] = ("all",),
    skip: t.Collection[str] = (),
    has_stages: bool = True,
) -> t.Any:
    """Return the hosts of a play."""
    return play_hosts(pattern, groups, sources, limit, tags, skip, has_stages)


def test_without_an_inventory_it_runs_for_localhost() -> None:
    assert chosen(None, NONE, DEFAULT) == "localhost"
    assert chosen("", NONE, DEFAULT) == "localhost"
    assert chosen("localhost", NONE, DEFAULT) == "localhost"


@pytest.mark.parametrize(
    "pattern", ["a", "regulated", "all:!a", "a,b", ["a", "b"], "all:&regulated", "~[ab]", "all[0]"]
)
def test_a_pattern_stays_as_it_is(pattern: t.Any) -> None:
    assert chosen(pattern) == pattern


def test_an_inventory_means_all_of_its_hosts() -> None:
    assert chosen(None) == "all"
    assert chosen(None, limit="regulated") == "all"


@pytest.mark.parametrize("pattern", ["nope", "a,nope", ["a", "nope"], "all:!a:!b", "a:&regulated", "regulatd"])
def test_a_pattern_that_matches_no_host_in_whole_or_in_part_is_refused(pattern: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"No host of the inventory matches .*Nothing was sent"):
        chosen(pattern)


def test_a_limit_that_leaves_no_host_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="matches a and --limit b"):
        chosen("a", limit="b")
    with pytest.raises(AnsibleFilterError, match="matches localhost and --limit b"):
        chosen("localhost", limit="b")


def test_an_inventory_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there.yml").touch()
    for groups in (NONE, TWO):
        with pytest.raises(AnsibleFilterError, match=r"missing\.yml does not exist"):
            chosen(None, groups, [str(tmp_path / "there.yml"), str(tmp_path / "missing.yml")])
    for pattern in (None, "localhost"):
        with pytest.raises(AnsibleFilterError, match=r"There are no hosts in the inventory \(.*there\.yml\)"):
            chosen(pattern, NONE, [str(tmp_path / "there.yml")])


@pytest.mark.parametrize(
    ("tags", "skip"), [(["x"], []), (["approve"], []), (["all"], ["report"]), (["plan"], ["select"])]
)
def test_tags_that_leave_out_stages_are_refused(tags: list[str], skip: list[str]) -> None:
    with pytest.raises(AnsibleFilterError, match="Nothing was sent"):
        chosen(tags=tags, skip=skip)


@pytest.mark.parametrize(("tags", "skip"), [(["x"], []), (["always"], []), (["all"], ["all"]), (["all"], ["untagged"])])
def test_a_playbook_without_tags_refuses_those_that_leave_all_out(tags: list[str], skip: list[str]) -> None:
    with pytest.raises(AnsibleFilterError, match="This playbook has no tags"):
        chosen(tags=tags, skip=skip, has_stages=False)
    assert chosen(skip=["x"], has_stages=False) == "all"
