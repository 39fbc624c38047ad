# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation tells people to type and to write: commands, and YAML with its tags."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from playbooks import CHECKOUT

PAGES = sorted(
    [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("**/*.md"), *(CHECKOUT / "roles").glob("*/README.md")]
)
PLAYBOOKS = sorted((CHECKOUT / "playbooks").glob("*.yml"))
PLUGINS = sorted(
    path for kind in ("modules", "lookup", "filter") for path in (CHECKOUT / "plugins" / kind).glob("[a-z]*.py")
)
FENCED = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
# Variables that hold what comes from a mail or from a ticket, and the options of modules and of a search that do
VARIABLES = re.compile(r"quarantine_release_(messages|ticket|reason)|search_(subject|query|message_id|alert_id)")
OPTIONS = {"messages", "ids", "postfix_ids", "ticket", "reason", "subject", "query", "message_id", "alert_id"}


class Command(NamedTuple):
    """A command of a page."""

    page: Path
    words: tuple[str, ...]

    @property
    def variables(self) -> list[str]:
        """What it gives by -e and --extra-vars."""
        return [
            value for option, value in zip(self.words, self.words[1:], strict=False) if option in ("-e", "--extra-vars")
        ]

    @property
    def files(self) -> list[str]:
        """The files of variables that it names."""
        return [value[1:] for value in self.variables if value.startswith("@")]

    @property
    def inventories(self) -> list[str]:
        """The inventories that it names."""
        return [
            value for option, value in zip(self.words, self.words[1:], strict=False) if option in ("-i", "--inventory")
        ]

    @property
    def lists(self) -> list[str]:
        """The lists of messages that it names."""
        return [
            value.partition("=")[2] for value in self.variables if value.startswith("quarantine_release_messages_file=")
        ]

    def __str__(self) -> str:
        return f"{self.page.relative_to(CHECKOUT)}: {shlex.join(self.words)}"


def blocks(page: Path, *kinds: str) -> Iterator[str]:
    """The fenced blocks of a page."""
    for kind, text in FENCED.findall(page.read_text(encoding="utf-8")):
        if kind in kinds:
            yield re.sub(rf"^{re.match(' *', text)[0]}", "", text, flags=re.MULTILINE)  # type: ignore[index]


def commands() -> list[Command]:
    """Each ansible-playbook command of the pages and of the heads of the playbooks, once for each page."""
    texts = [(page, text) for page in PAGES for text in blocks(page, "shell", "bash", "yaml", "text")]
    texts += [(path, re.sub("^#", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)) for path in PLAYBOOKS]
    found: dict[Command, None] = {}
    for page, text in texts:
        for line in re.sub(r"\\\n", " ", text).splitlines():
            if match := re.search(r"\bansible-playbook (?=.*\bemailsec\.cloudflare\.)(.*)", line):
                words = [word for word in shlex.split(match[1]) if word != "[...]"]
                found[Command(page, tuple(words))] = None
    return list(found)


class Tagged(str):
    """Text that is marked as unsafe."""


class Loader(yaml.SafeLoader):
    """Reads YAML as Ansible does, and keeps the mark."""


Loader.add_constructor("!unsafe", lambda _loader, node: Tagged(node.value))
Loader.add_constructor("!vault", lambda _loader, node: node.value)


def snippets() -> list[tuple[str, Any]]:
    """All YAML that people may copy, by where it stands."""
    texts = [(page, text) for page in PAGES for text in blocks(page, "yaml")]
    texts += [
        (path, path.read_text(encoding="utf-8"))
        for path in sorted((CHECKOUT / "playbooks" / "inventory").rglob("*.yml"))
    ]
    for path in PLUGINS:
        strings = {
            node.targets[0].id: str(node.value.value)  # type: ignore[attr-defined]
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        }
        texts.append((path, strings["EXAMPLES"]))
    return [
        (f"{path.relative_to(CHECKOUT)}: {text[:60]!r}", document)
        for path, text in texts
        for document in yaml.load_all(text, Loader)
    ]


def values(content: Any) -> Iterator[tuple[str, str]]:
    """Each text in YAML that comes from a mail or a ticket, with the variable or option that has it."""
    if isinstance(content, list):
        for item in content:
            yield from values(item)
    if isinstance(content, dict):
        for key, value in content.items():
            search = key in ("quarantine_release_search", "search") or str(key).startswith(
                "emailsec.cloudflare.message_"
            )
            for name, inner in value.items() if search and isinstance(value, dict) else ():
                if name in OPTIONS:
                    yield from (
                        (f"{key}.{name}", str(text) if not isinstance(text, str) else text) for text in _flat(inner)
                    )
            if VARIABLES.fullmatch(str(key)):
                yield from ((key, text) for text in _flat(value))
            else:
                yield from values(value)


def _flat(value: Any) -> list[str]:
    return [item if isinstance(item, str) else str(item) for item in (value if isinstance(value, list) else [value])]
