# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role settings: what variables ask for, what is said, and what an export writes."""

from __future__ import annotations

import datetime
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.emailsec.cloudflare.plugins.module_utils._settings.kinds import KINDS
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.names import (
    EXPIRED,
    SETTINGS,
    mistaken_names,
)
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._quarantine_release.values import Mistake
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._settings import asked, expired, stage, told, written
from ansible_collections.emailsec.cloudflare.tests.unit.test_structure import ROOT, load

ACCOUNT = "5a1c0f3e9b7d42468ace13579bdf0246"
BLOCK = KINDS["block_senders"]


class Tagged(int):
    """A number as ansible-core has it since 2.19."""


def sender(pattern: str, **more: t.Any) -> dict[str, t.Any]:
    return {"pattern": pattern, "pattern_type": "DOMAIN", **more}


def read(**variables: t.Any) -> dict[str, dict[str, t.Any]]:
    """Return the options of each module that is called."""
    found = asked.read({"account_id": ACCOUNT, **variables}, "one", 1)
    return {wanted.kind.name: wanted.options for wanted in found.lists}


def refused(**variables: t.Any) -> str:
    with pytest.raises(Mistake) as error:
        read(**variables)
    return str(error.value)


# --- variables ---------------------------------------------------------------------------------------------------------


def test_only_lists_that_are_declared_are_touched() -> None:
    found = read(block_senders=[], domains=[{"domain": "x.example"}], url_ignore_patterns=None, trusted_domains="")
    assert found == {
        "block_senders": {
            "entries": [], "purge": False, "max_deletions": 10, "allow_broad": False, "remove_expired": False
        },
        "domains": {
            "entries": [{"domain": "x.example"}], "purge": False, "max_deletions": 10, "allow_broad": False,
            "manage_existence": False,
        },
    }  # fmt: skip


def test_true_stands_for_what_is_declared_and_spares_domains() -> None:
    lists: dict[str, t.Any] = {"block_senders": [], "domains": []}
    on = dict.fromkeys(("purge", "allow_broad", "remove_expired"), "yes")
    found = read(**lists, **on, max_deletions="5")
    assert (found["block_senders"]["purge"], found["domains"]["purge"]) == (True, False)
    assert found["block_senders"]["remove_expired"] is found["block_senders"]["allow_broad"] is True
    assert found["domains"]["max_deletions"] == 5
    assert read(**lists, **on, manage_existence=True)["domains"]["purge"]


@pytest.mark.parametrize("named", [["domains"], "domains", "domains, block_senders"])
def test_lists_can_be_named(named: t.Any) -> None:
    found = read(block_senders=[], domains=[], trusted_domains=[], purge=named)
    assert {name for name, options in found.items() if options["purge"]} == set(re.findall(r"\w+", str(named)))


def test_expired_entries_of_a_list_that_is_named_only_there() -> None:
    found = read(remove_expired=["block_senders"], purge=True)
    assert found["block_senders"]["entries"] == []
    assert (found["block_senders"]["remove_expired"], found["block_senders"]["purge"]) == (True, False)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "No list is declared."),
        ({"purge": True, "remove_expired": True}, "No list is declared."),
        ({"block_senders": {"pattern": "x"}}, "settings_block_senders must be a list of entries, not dict."),
        ({"block_senders": "x"}, "settings_block_senders must be a list of entries, not str."),
        ({"block_senders": Tagged(7)}, "settings_block_senders must be a list of entries, not int."),
        ({"block_senders_extra": [{}, "x"]}, "settings_block_senders_extra[1] must be a dictionary"),
        ({"block_senders": [], "purge": "block_sender"}, "settings_purge must be one or more of: allow_policies"),
        ({"block_senders": [], "purge": "maybe"}, "settings_purge must be true or false"),
        ({"block_senders": [], "remove_expired": ["domains"]}, "settings_remove_expired must be one or more of"),
        ({"block_senders": [], "max_deletions": "many"}, "settings_max_deletions must be a whole number"),
        ({"block_senders": [], "account_id": "x"}, "settings_account_id"),
        ({"block_senders": [], "fail_on_drift": "maybe"}, "settings_fail_on_drift must be true or false"),
        ({"block_senders_extra": [], "purge": True}, "delete all other entries of block_senders, but settings_block_s"),
        (
            {"block_senders": [], "purge": ["domains"]},
            "delete all other entries of domains, but settings_domains is not",
        ),
    ],
)
def test_mistakes_are_refused(variables: dict[str, t.Any], words: str) -> None:
    assert words in refused(**variables)


def test_an_account_of_the_environment_is_for_one_host() -> None:
    variables: dict[str, t.Any] = {"block_senders": []}
    assert asked.read(variables, "one", 1).account_id is None
    with pytest.raises(Mistake, match=r"settings_account_id is not set for one\. .* this one has 3\."):
        asked.read(variables, "one", 3)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("settings_block_sender", "settings_block_senders"),
        ("setting_block_senders", "settings_block_senders"),
        ("settings_purge_all", "settings_purge"),
    ],
)
def test_mistyped_variables_are_refused(name: str, meant: str) -> None:
    assert f"Did you mean {meant}?" in mistaken_names({name: True}, {}, [SETTINGS])[0]
    assert "Did you mean quarantine_release_hosts?" in mistaken_names({}, {"settings_hosts": "x"}, [SETTINGS])[0]


def test_the_variables_are_those_of_the_documentation() -> None:
    options = load("roles/settings/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert sorted(options) == sorted(f"settings_{name}" for name in SETTINGS.options)
    assert {option["type"] for option in options.values()} == {"raw"}
    described = (ROOT / "docs" / "playbooks.md").read_text(encoding="utf-8")
    lists = {name for kind in KINDS for name in (kind, f"{kind}_group", f"{kind}_extra")}
    rows = set(re.findall(r"^\| `settings_([\w<>]+)`", described, re.MULTILINE))
    assert rows == {*SETTINGS.options, "<list>", "<list>_group", "<list>_extra"} - lists


# --- what is shared, and what an account has in addition ----------------------------------------------------------------


def merged(
    shared: list[dict[str, t.Any]], extra: list[dict[str, t.Any]]
) -> tuple[list[t.Mapping[str, t.Any]], list[str]]:
    return asked.merged(BLOCK, {"block_senders": shared, "block_senders_extra": extra})


def test_an_entry_of_the_account_replaces_the_shared_one() -> None:
    shared = [sender("a.example", comments="shared"), sender("b.example"), sender("^C", is_regex=True)]
    extra = [sender("d.example"), sender("B.Example.", state="absent"), sender("^C", comments="plain")]
    entries, places = merged(shared, extra)
    assert entries == [shared[0], extra[1], extra[2], extra[0]]
    assert places == [
        "settings_block_senders[0]",
        "settings_block_senders_extra[1]",
        "settings_block_senders_extra[2]",
        "settings_block_senders_extra[0]",
    ]


def test_an_entry_of_a_group_replaces_the_shared_one_and_one_of_the_account_both() -> None:
    names = ("a.example", "b.example", "c.example")
    levels = {"": names, "_group": names[1:], "_extra": names[2:]}
    variables = {
        f"block_senders{level}": [sender(name, comments=level) for name in few] for level, few in levels.items()
    }
    wanted = asked.read(variables, "one", 1).lists[0]
    assert [entry["comments"] for entry in wanted.options["entries"]] == ["", "_group", "_extra"]
    assert wanted.places == [f"settings_block_senders{place}" for place in ("[0]", "_group[0]", "_extra[0]")]


def test_what_one_list_has_twice_is_left_for_the_module_to_refuse() -> None:
    twice = [sender("a.example"), sender("A.example")]
    assert merged(twice, [])[0] == twice
    assert merged([], twice)[0] == twice
    assert merged(twice[:1], twice)[0] == twice
    assert len(merged(twice, twice[:1])[0]) == 2
    assert merged([{}], [{}])[0] == [{}]


def test_errors_name_the_variables() -> None:
    wanted = asked.read({"block_senders": [sender("a")], "block_senders_extra": [sender("b")]}, "one", 1).lists[0]
    said = "entries[1] (purge@x.example), pattern: x; set allow_broad. max_deletions is 10, see entries[7]."
    assert wanted.in_variables(said) == (
        "settings_block_senders_extra[0] (purge@x.example), pattern: x; set settings_allow_broad. "
        "settings_max_deletions is 10, see entries[7]."
    )


# --- what is said --------------------------------------------------------------------------------------------------------


def outcomes(*results: dict[str, t.Any]) -> list[tuple[asked.Wanted, dict[str, t.Any]]]:
    return [(asked.Wanted(kind, {}, []), result) for kind, result in zip(KINDS.values(), results, strict=False)]


@pytest.mark.parametrize(
    ("word", "first", "second", "line"),
    [
        ("no_change", {"changed": False, "unchanged": 2}, {"changed": False}, "No change. allow_policies: 0 created, 0 updated, 0 deleted, 2 unchanged; "),
        ("drift", {"changed": True, "created": 1}, {}, "Drift. allow_policies: 1 created"),
        ("changed", {}, {"changed": True}, "Changed. "),
        ("failed", {"changed": True}, {"failed": True, "msg": "no\x1b[31m."}, "Failed. allow_policies: 0 created, "),
        ("failed", {"failed": True}, {}, "Failed. allow_policies: failed: the module ended without a result; "),
    ],
)  # fmt: skip
def test_the_last_line(word: str, first: dict[str, t.Any], second: dict[str, t.Any], line: str) -> None:
    assert told.summary(outcomes(first, second), word).startswith(line)


def test_the_words_of_a_failure_are_on_the_last_line() -> None:
    said = told.summary(outcomes({}, {"failed": True, "msg": "no\x1b[31m\nmore."}), "failed")
    assert said.endswith("; block_senders: failed: no\ufffd[31m\ufffdmore.")


def test_what_expires_within_a_week_and_what_is_there_twice() -> None:
    expiring = [sender(f"{day}.example", expires=f"2026-12-{day:02}") for day in (9, 1, 8)]
    found = told.notes(
        asked.Wanted(BLOCK, {}, []),
        {"entries": [sender("x.example")], "expiring": expiring, "duplicates": [sender("1.example")]},
        datetime.date(2026, 12, 8),
    )
    assert found == [
        "block_senders: has expired, and still works: DOMAIN 1.example (2026-12-01)",
        "block_senders: expires within a week: DOMAIN 8.example (2026-12-08), DOMAIN 9.example (2026-12-09)",
        "block_senders: has the same key as an older entry: DOMAIN 1.example",
    ]
    assert told.notes(asked.Wanted(BLOCK, {}, []), {"failed": True}, datetime.date(2026, 12, 1)) == []


def test_only_lists_that_differ_are_shown() -> None:
    diff: dict[str, t.Any] = {"before": {}, "after": {"x": {}}}
    found = told.differences(
        outcomes({"diff": {"before": {}, "after": {}}}, {"diff": diff}, {"failed": True}), "one", "as declared"
    )
    assert found == [{**diff, "before_header": "one: block_senders", "after_header": "one: block_senders, as declared"}]


# --- the export ----------------------------------------------------------------------------------------------------------


class Loader(yaml.SafeLoader):
    """Reads text that is marked as data as text."""


Loader.add_constructor("!unsafe", lambda loader, node: f"data: {node.value}")


def test_an_export_is_written_as_people_write() -> None:
    entries = [{"expires": "2026-12-10", "is_regex": False, "pattern": "é.example", "pattern_type": "DOMAIN"}]
    domains = [{"regions": ["DE", "US"], "domain": "x.example", "lookback_hops": 2}]
    assert written.as_variables("0" * 32, {"block_senders": entries, "trusted_domains": [], "domains": domains}) == (
        written.HEADER + f"settings_account_id: '{'0' * 32}'\n"
        "\n"
        "settings_block_senders:\n"
        "  - pattern: é.example\n"
        "    pattern_type: DOMAIN\n"
        "    is_regex: false\n"
        "    expires: '2026-12-10'\n"
        "\n"
        "settings_trusted_domains: []\n"
        "\n"
        "settings_domains:\n"
        "  - domain: x.example\n"
        "    regions:\n"
        "      - DE\n"
        "      - US\n"
        "    lookback_hops: 2\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "yes", "0047", "1:30", "null", "~", "a: b", "x #y", "- x", "!unsafe x", "*a", "&a", "@a", "%a", "'", '"', "\\", "=",
        " blanks ", "two\nlines\n", "\r\t\x07", "\u2028\u0085\ufeff\xa0", "\U0001f600", "é" * 1024, "x " * 500, "",
        "---", "...", "{ {x", "{x}", "[x]", "<<",
    ],
)  # fmt: skip
def test_every_text_is_read_back(text: str) -> None:
    back = yaml.load(written.as_variables("a", {"block_senders": [sender(text, comments=text)]}), Loader)
    assert back["settings_block_senders"] == [sender(text, comments=text)]


@pytest.mark.parametrize("text", ["{{ x }}", "a{%", "{# '\"\n", "#jinja2: x", "[a]{{2}}\U0001f600"])
def test_what_could_be_a_template_is_marked_as_data(text: str) -> None:
    content = written.as_variables("a", {"content_policies": [{"name": text, "targets": [text]}]})
    assert yaml.load(content, Loader)["settings_content_policies"] == [
        {"name": f"data: {text}", "targets": [f"data: {text}"]}
    ]


class Marked(str):
    """Text with a mark, as results of modules have it."""


def test_marks_of_ansible_are_not_written() -> None:
    marked = written.as_variables(Marked("a"), {"block_senders": [sender(Marked("b"), comments=Marked("{{ c }}"))]})
    assert marked == written.as_variables("a", {"block_senders": [sender("b", comments="{{ c }}")]})


def test_a_file_that_ansible_would_not_read_is_not_written(tmp_path: Path) -> None:
    path = str(tmp_path)
    assert written.export_path(path, "one") == f"{path}/one.yml"
    (tmp_path / "one").mkdir()
    assert written.export_path(path, "one") == f"{path}/one/settings.yml"
    for name in ("two", "three.yaml", "four.json"):
        (tmp_path / name).touch()
        with pytest.raises(Mistake, match="Ansible reads only one file for the host"):
            written.export_path(path, name.partition(".")[0])
    for name in ("..", "a/b"):
        with pytest.raises(Mistake, match="cannot be the name of a file"):
            written.export_path(path, name)


# --- the stages ----------------------------------------------------------------------------------------------------------


class Door:
    """Ansible, with modules that return these results."""

    host, diff_mode = "one", True
    hosts: t.Sequence[str] = ("one",)

    def __init__(self, variables: dict[str, t.Any], *results: dict[str, t.Any], check_mode: bool = False) -> None:
        self.check_mode = check_mode
        self.calls: list[tuple[str, dict[str, t.Any]]] = []
        self.modes: list[bool] = []
        self._variables, self._results = variables, list(results)

    def check_run(self) -> None:
        """All is well."""

    def variables(self, family: t.Any) -> dict[str, t.Any]:
        assert family in (SETTINGS, EXPIRED)
        return {"account_id": ACCOUNT, **self._variables}

    def variable(self, name: str, family: t.Any) -> t.Any:
        assert family is SETTINGS
        return self._variables.get(name)

    def call(
        self, module: str, options: dict[str, t.Any], check_mode: bool, diff: bool | None = None
    ) -> dict[str, t.Any]:
        assert diff or module == "settings_info"
        self.modes.append(check_mode)
        self.calls.append((module, options))
        return self._results.pop(0)


def run(what: t.Callable[[t.Any], dict[str, t.Any]], *given: t.Any, **more: t.Any) -> tuple[Door, dict[str, t.Any]]:
    door = Door(*given, **more)
    return door, what(door)


def test_a_list_that_fails_does_not_hide_the_others() -> None:
    lists: dict[str, t.Any] = {"allow_policies": [], "block_senders": [], "trusted_domains": []}
    done = {"changed": True, "created": 1, "diff": {"before": {}, "after": {"x": {}}}}
    door, result = run(stage.declare, lists, {"failed": True, "msg": "no"}, done, {})
    assert [name for name, _options in door.calls] == list(lists)
    assert {options["account_id"] for _name, options in door.calls} == {ACCOUNT}
    assert (result["fails"], result["changed"], len(result["diff"])) == (True, True, 1)
    assert result["told"].startswith("Failed. allow_policies: failed: no; block_senders: 1 created, ")


@pytest.mark.parametrize(
    ("check", "asks", "changed", "fails"),
    [(True, True, True, True), (True, False, True, False), (True, True, False, False), (False, True, True, False)],
)
def test_drift_fails_only_if_that_is_asked_for(check: bool, asks: bool, changed: bool, fails: bool) -> None:
    variables = {"block_senders": [], "fail_on_drift": asks}
    assert run(stage.declare, variables, {"changed": changed}, check_mode=check)[1]["fails"] is fails


def test_mistakes_are_told_before_any_module_runs() -> None:
    door, result = run(stage.declare, {"block_senders": "x"})
    assert (door.calls, result["fails"]) == ([], True)
    assert result["told"] == "settings_block_senders must be a list of entries, not str. Nothing was sent."


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"email": "a@x.example", "name": False}, "name is not a string but of type bool (false); put it in quotes"),
        ({"email": "a@x.example", "nmae": "Ann"}, ": nmae. Supported parameters include: comments, email, "),
        ({"name": "Ann"}, ": missing required arguments: email"),
        ({"email": "a", "name": "Ann"}, " (a), email: it is not an address; write name@partner.example"),
        ({"email": "a@x.example", "expires": datetime.date(2026, 2, 1), "comments": []}, "comments is not a string"),
        ({"email": "A@x.example"}, " is the same entry as settings_impersonation_registry[0]; remove one"),
        ({"email": "b@x.example", "state": "gone"}, ": value of state must be one of: present, absent, got: gone"),
        ({"email": "b@x.example", "is_email_regex": "\x1b[31m"}, "is_email_regex"),
    ],
)
def test_a_wrong_entry_is_found_before_another_list_is_written(entry: dict[str, t.Any], words: str) -> None:
    good = {"email": "a@x.example", "name": "Ann", "expires": datetime.date(2099, 1, 1)}
    variables = {"block_senders": [sender("a.example")], "impersonation_registry": [good, entry]}
    for check_mode in (True, False):
        door, result = run(stage.declare, variables, check_mode=check_mode)
        assert (door.calls, result["fails"]) == ([], True)
        assert result["told"].startswith("settings_impersonation_registry[1]"), result["told"]
        assert words in result["told"]
        assert result["told"].endswith(". Nothing was sent.")
        assert result["told"].isprintable()
    variables["impersonation_registry"] = [good]
    assert len(run(stage.declare, variables, {}, {})[0].calls) == 2


EXPIRING = [name for name, kind in KINDS.items() if kind.comments]


@pytest.mark.parametrize(
    ("given", "lists"),
    [
        ({}, EXPIRING),
        ({"remove_expired": ""}, EXPIRING),
        ({"remove_expired": True, "block_senders": "x", "purge": "maybe", "fail_on_drift": True}, EXPIRING),
        ({"remove_expired": "trusted_domains, block_senders"}, ["trusted_domains", "block_senders"]),
        ({"remove_expired": "no"}, []),
        ({"remove_expired": []}, []),
    ],
)
def test_only_what_has_expired_is_removed(given: dict[str, t.Any], lists: list[str]) -> None:
    results = [{"changed": True, "deleted": 1, "diff": {"before": {"x": {}}, "after": {}}} for _name in lists]
    door, result = run(expired.remove, {"max_deletions": "25", **given}, *results, check_mode=True)
    options = {"account_id": ACCOUNT, "entries": [], "remove_expired": True, "max_deletions": 25}
    assert door.calls == [(name, options) for name in lists]
    assert (result["fails"], result["changed"], len(result.get("diff", []))) == (False, bool(lists), len(lists))
    if lists:
        assert result["told"].startswith(f"Drift. {lists[0]}: 0 created, 0 updated, 1 deleted, ")
        assert result["diff"][0]["after_header"] == f"one: {lists[0]}, without what has expired"
    else:
        assert result["told"] == "No change. settings_remove_expired is off."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"remove_expired": ["domains"]}, "settings_remove_expired must be one or more of: allow_policies, "),
        ({"remove_expired": "maybe"}, "settings_remove_expired must be true or false"),
        ({"max_deletions": "many"}, "settings_max_deletions must be a whole number"),
        ({"account_id": "x"}, "settings_account_id"),
    ],
)
def test_a_removal_refuses_mistakes_before_any_module_runs(given: dict[str, t.Any], words: str) -> None:
    door, result = run(expired.remove, given)
    assert (door.calls, result["fails"]) == ([], True)
    assert words in result["told"]
    assert result["told"].endswith("Nothing was sent.")


def test_a_removal_knows_the_variables_of_the_role_and_reads_three() -> None:
    assert mistaken_names({f"settings_{name}": [] for name in SETTINGS.options}, {}, [EXPIRED]) == []
    assert mistaken_names({"settings_purges": []}, {}, [EXPIRED]) == ["There is no variable settings_purges."]
    assert EXPIRED.options == ("account_id", "remove_expired", "max_deletions")


def test_an_export_tells_what_it_leaves_out(tmp_path: Path) -> None:
    found = {
        "account_id": ACCOUNT,
        "settings": {"block_senders": [sender("a.example", expires="2020-01-01"), sender("b.example")]},
        "unmanaged": {"block_senders": [{}]},
        "duplicates": {"block_senders": [{}, {}]},
    }
    folder = tmp_path / "new"
    _door, result = run(stage.export, {"export_dir": str(folder)}, found)
    assert (result["fails"], result["changed"]) == (False, True)
    assert result["told"] == (
        f"2 entries written to {folder}/one.yml. Left out, because they cannot be declared (settings_info has them): 1. "
        "Duplicates that are left out, and that settings_purge deletes: 2. Expired, and deleted when the file is applied: 1."
    )
    assert result["diff"] == {"before": "", "after": (folder / "one.yml").read_text()}
    assert ((folder / "one.yml").stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not run(stage.export, {"export_dir": str(folder)}, found)[1]["changed"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="takes /proc for a directory where nobody can write")
def test_an_export_that_cannot_be_written_is_found_before_anything_is_read() -> None:
    door, result = run(stage.export, {"export_dir": "/proc/below"})
    assert (door.calls, result["fails"]) == ([], True)
    assert result["told"].startswith("/proc/below cannot be written (")
    assert result["told"].endswith("). Nothing was read from Cloudflare.")


def test_an_export_that_fails_leaves_the_file(tmp_path: Path) -> None:
    variables = {"export_dir": str(tmp_path)}
    for failed in ({"failed": True, "msg": "no"}, {}):
        _door, result = run(stage.export, variables, failed)
        assert (result["fails"], list(tmp_path.iterdir())) == (True, [])
    target = tmp_path / "elsewhere"
    target.write_text(written.HEADER)
    (tmp_path / "one.yml").symlink_to(target)
    door, result = run(stage.export, variables)
    assert (door.calls, result["fails"]) == ([], True)
    assert "one.yml cannot be read: it is a symbolic link. Nothing was read from Cloudflare." in result["told"]
