# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ids, subjects, tickets and reasons that are templates: no way to hand them over that the documentation shows evaluates them.

Commands and YAML are found in the pages, so that a new one is tested, or the test fails.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from documented import PAGES, VARIABLES, Command, Tagged, blocks, commands, snippets, values
from emulator import Emulator

from playbooks import CHECKOUT, ONE_ACCOUNT, SEVERAL_ACCOUNTS, Ansible, Run, statuses

# What a sender may write into a Message-ID. CANARY is a path; $IFS stands for a blank in the shell, as no Message-ID has one.
HOSTILE = (
    '<{{lookup("pipe","touch${IFS}CANARY")}}@evil.example>',
    "<{%set${IFS}x=1/0%}@evil.example>",
    "<{#@evil.example>",
)
# Playbooks that take no such value
OTHERS = {
    "awx_setup", "awx_remove", "export_settings", "merge_reports", "remove_expired_settings", "retract", "settings", "workflow_report",
}  # fmt: skip
ENVIRONMENT = re.compile(r"lookup\('ansible\.builtin\.env', '(\w+)'\)")
LOOKUP = re.compile(r"\{\{ lookup\('ansible\.builtin\.(env|file)', '[^']+'\) \}\}")
# Templates whose content AWX marks, as it is the answer to a survey, or that name what a run has found
SURVEYS = re.compile(r"\{\{ (event_ids|data if [^}]+) \}\}")


def hostile(ansible: Ansible) -> list[str]:
    """The Message-IDs, of which the first one makes a file."""
    return [text.replace("CANARY", str(ansible.directory / "CANARY")) for text in HOSTILE]


def poisoned(text: str, value: str) -> str:
    """YAML in which each value marked with !unsafe that is no template of AWX is the hostile one."""
    return re.sub(
        r"""(!unsafe )("\{\{)?.*?(?=\]|$)""",
        lambda match: match[0] if match[2] else match[1] + json.dumps(value),
        text,
        flags=re.MULTILINE,
    )


def block(command: Command, name: str) -> str:
    """The block of the page, or of another page, that begins with the name of this file."""
    for page in [command.page, *PAGES]:
        for text in blocks(page, "yaml"):
            if text.startswith(f"# {Path(name).name}\n"):
                return text
    pytest.fail(f"No page shows {name}, so this test cannot run: {command}")


def takes(command: Command) -> bool:
    """Whether a command hands over ids, subjects, tickets or reasons: by files, as nothing else is left to do so."""
    return not OTHERS & {word.rpartition(".")[2] for word in command.words} and bool(
        command.files or command.inventories or command.lists
    )


def unharmed(ansible: Ansible, run: Run) -> None:
    """No template was evaluated, and the role did run."""
    assert not list(ansible.directory.rglob("CANARY*")), run.output
    assert run.results, run.output


def ways() -> list[Command]:
    """The commands that take a value, but those that differ from others in nothing that matters here."""
    distinct = {}
    for command in filter(takes, reversed(commands())):
        contents = [block(command, name) for name in (*command.files, *command.inventories)]
        distinct[*contents, *command.lists] = command
    return list(reversed(distinct.values()))


def test_the_hostile_value_is_alive(ansible: Ansible) -> None:
    """What was documented once runs code; if it did not, the tests below could not fail."""
    ansible.release("--check", "-e", json.dumps({"quarantine_release_messages": hostile(ansible)[:1]}))
    assert (ansible.directory / "CANARY").exists()


def test_the_commands_are_found() -> None:
    pages = {command.page.name for command in filter(takes, commands())}
    assert {
        "README.md",
        "getting-started.md",
        "releasing.md",
        "plan-and-approve.md",
        "front-doors.md",
        "fleet.md",
    } <= pages
    assert len(ways()) < len(commands())


@pytest.mark.parametrize("command", commands(), ids=str)
def test_no_command_gives_a_value_itself(command: Command) -> None:
    for given in command.variables:
        if given.startswith("@"):
            assert not given.endswith(".json"), "JSON cannot mark a value as data"
        else:
            named = {match[0] for match in re.finditer(rf"({VARIABLES.pattern})\b(?!_)", given)}
            assert not named, "Ansible evaluates extra variables: use a file"
            assert not re.search(r"\b(subject|query|message_id|alert_id):", given), (
                "Ansible evaluates extra variables: use a file"
            )


@pytest.mark.parametrize(("place", "content"), snippets(), ids=lambda value: value if isinstance(value, str) else "")
def test_no_snippet_invites_a_template(place: str, content: Any) -> None:
    for name, text in values(content):
        data = isinstance(text, Tagged) or LOOKUP.fullmatch(text)
        assert data or SURVEYS.fullmatch(text), f"{place}: {name} has {text!r} without !unsafe"


@pytest.mark.parametrize("command", ways(), ids=str)
def test_a_documented_command(ansible: Ansible, emulator: Emulator, command: Command) -> None:
    texts = hostile(ansible)
    for text in texts:
        emulator.add_message(message_id=text, subject=text, sender="a@evil.example", validation={"dmarc": "pass"})
    words = list(command.words)
    for name in {*command.files, *command.inventories}:
        content = block(command, name)
        if Path(name).name in words:
            assert "!unsafe" in content or "vault" in content, f"{name} shows no value"
        ansible.environment |= {
            variable: "168" if "HOURS" in variable else texts[0] for variable in ENVIRONMENT.findall(content)
        }
        target = ansible.directory / Path(name).name
        target.write_text(
            re.sub('"{{ vault_.*', ansible.environment["CLOUDFLARE_API_TOKEN"], poisoned(content, texts[0]))
        )
        words = [word.replace(name, target.name) for word in words]
    for name in command.lists or (["ids.txt"] if command.files else []):
        with (ansible.directory / name).open("w", newline="") as file:
            if name.endswith(".csv"):
                csv.writer(file).writerows([["Subject", "Message ID"], *([text, text] for text in texts)])
            else:
                file.write("\n".join(texts))
    words = [
        word for word in words if word not in ("--check", "--ask-vault-pass", "--limit") and not word.startswith("all[")
    ]
    for arguments in (["--check", "--diff"], []):
        run = ansible.playbook(*words, *arguments)
        unharmed(ansible, run)
        assert run.code == 0 or not command.lists, run.output
        if command.lists and arguments:
            for text in texts:
                assert text in json.dumps(run.results).replace('\\"', '"'), "the handle is reported as it is"
    if command.lists:
        assert statuses(ansible.report()["result"]) == dict.fromkeys(texts, "released")
    if command.lists and command.files:
        assert (ansible.report()["ticket"], ansible.report()["reason"]) == (texts[0], texts[0])


@pytest.mark.parametrize("inventory", [ONE_ACCOUNT, SEVERAL_ACCOUNTS], ids=lambda path: path.stem)
def test_a_sample_inventory(ansible: Ansible, inventory: Path) -> None:
    texts = hostile(ansible)
    for path in [inventory] if inventory.is_file() else sorted(inventory.rglob("*.yml")):
        target = ansible.directory / "inventory" / path.relative_to(inventory.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(poisoned(path.read_text(), texts[0]))
    for arguments in (["--check"], []):
        run = ansible.release("-i", f"inventory/{inventory.name}", *arguments)
        unharmed(ansible, run)
    reports = [json.loads(path.read_text()) for path in ansible.reports.glob("*-*.json")]
    assert {report["ticket"] for report in reports} == {report["reason"] for report in reports} == {texts[0]}
    assert {row["handle"] for report in reports for row in report["result"].get("messages", [])} == {texts[0]}


@pytest.mark.parametrize(
    "page",
    [CHECKOUT / "README.md", CHECKOUT / "roles" / "quarantine_release" / "README.md"],
    ids=lambda path: path.parent.name,
)
def test_a_play_of_a_page(ansible: Ansible, emulator: Emulator, page: Path) -> None:
    (play,) = [text for text in blocks(page, "yaml") if re.search("^  hosts: ", text, re.MULTILINE)]
    content = poisoned(play, hostile(ansible)[0]).replace("/var/log", str(ansible.directory))
    (ansible.directory / "play.yml").write_text(content)
    account = {"cloudflare_api_token": ansible.environment["CLOUDFLARE_API_TOKEN"], "ansible_connection": "local"}
    account["ansible_python_interpreter"] = "{{ ansible_playbook_python }}"
    inventory = {"all": {"hosts": {"localhost": {**account, "quarantine_release_account_id": emulator.account_id}}}}
    (ansible.directory / "hosts.json").write_text(json.dumps(inventory))
    run = ansible.playbook("-i", "hosts.json", "play.yml")
    unharmed(ansible, run)
    assert HOSTILE[0][:8] in json.dumps(run.results)


def test_what_is_counted_is_what_is_sent(ansible: Ansible, emulator: Emulator) -> None:
    ids = [emulator.add_message().id for _ in range(5)]
    file = ansible.directory / "lists" / "ids.txt"
    file.parent.mkdir()
    file.write_text("\r\n".join([*ids, ids[0], ""]))
    given = {"messages_file": "lists/ids.txt", "settle_time": 3}

    refused = ansible.release(**given, max_messages=4)
    assert "5 messages are more than quarantine_release_max_messages (4)" in refused.text
    assert not emulator.requests
    done = ansible.release(**given, canary=1, chunk_size=2)
    assert done.code == 0, done.output
    assert "Canary 1 of 3: 1 message: 1 released" in done.text
    assert statuses(ansible.report()["result"]) == dict.fromkeys(ids, "released")
    planned = ansible.plan(messages_file=str(file))
    assert "5 messages were asked for." in planned.text
    assert {handle for entry in ansible.plan_of()["messages"] for handle in entry["handles"]} == set(ids)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "bad_line": ({"messages_file": "bad.txt"}, "bad.txt cannot be used: line 2 contains white space"),
    "missing": (
        {"messages_file": "missing.txt"},
        "missing.txt cannot be used: it cannot be read (No such file or directory).",
    ),
    "column": ({"messages_file": "good.txt", "messages_column": "x"}, "has no column 'x'"),
    "messages": ({"messages_file": "good.txt", "messages": ["4UAq"]}, "Set only one of quarantine_release_messages"),
    "search": (
        {"messages_file": "good.txt", "search": {"sender": "a.example"}},
        "Set only one of quarantine_release_messages",
    ),
    "empty_and_search": (
        {"messages_file": "empty.txt", "search": {"sender": "a.example"}},
        "Set only one of quarantine_release_messages",
    ),
    "no_path": (
        {"messages_file": ""},
        "Set what to release: quarantine_release_messages, quarantine_release_messages_file or",
    ),
}


def test_what_is_refused_before_any_request(ansible: Ansible, emulator: Emulator) -> None:
    for name, content in {"good": "4UAq\n", "bad": "4UAq\n4tT3 {{ lookup('pipe') }}\n", "empty": ""}.items():
        (ansible.directory / f"{name}.txt").write_text(content)
    hosts = {host: case for host, (case, _words) in REFUSED.items()}
    inventory = ansible.inventory(**hosts, empty={"messages_file": "empty.txt", "messages": ""})
    for playbook in (ansible.release, ansible.plan):
        run = playbook(*inventory)
        unharmed(ansible, run)
        assert {host: row["failures"] for host, row in run.recap.items()} == {**dict.fromkeys(REFUSED, 1), "empty": 0}
        for host, (_case, words) in REFUSED.items():
            assert words in run.messages(host)[-1], host
    assert not emulator.requests
