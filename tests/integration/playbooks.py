# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the real ansible-playbook in an environment of its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
PROGRAMS = Path(sys.executable).parent
INVENTORY = CHECKOUT / "playbooks" / "inventory"
ONE_ACCOUNT = INVENTORY / "one_account.yml"
SEVERAL_ACCOUNTS = INVENTORY / "several_accounts"
# Hosts of the sample inventories
HARBOUR, MEADOW, CEDAR = "harbour-logistics", "meadow-clinic", "cedar-law"


class Run(NamedTuple):
    """What a run of ansible-playbook came to: its output, the task results (host, task, result) and the recap.

    artifacts: what it publishes by set_stats, which AWX gives to the next job as extra variables.
    """

    code: int
    output: str
    results: list[dict[str, Any]]
    recap: dict[str, dict[str, int]]
    artifacts: dict[str, Any]

    def result(self, task: str, host: str | None = None) -> dict[str, Any]:
        """The result of the one task whose name ends so."""
        found: dict[str, Any]
        (found,) = [
            line["result"] for line in self.results if line["task"].endswith(task) and host in (None, line["host"])
        ]
        return found

    def messages(self, host: str) -> list[str]:
        """What the tasks of a host say."""
        return [line["result"]["msg"] for line in self.results if line["host"] == host and line["result"].get("msg")]

    @property
    def text(self) -> str:
        """The output on one line, as Ansible breaks long lines."""
        return re.sub(r"\s+", " ", self.output)

    def facts(self, name: str) -> dict[str, Any]:
        """A fact that the role sets, for each host."""
        found = [line for line in self.results if name in line["result"].get("ansible_facts", {})]
        return {line["host"]: line["result"]["ansible_facts"][name] for line in found}

    def total(self, counter: str) -> int:
        """The sum of a column of the recap."""
        return sum(row[counter] for row in self.recap.values())


class Listing(NamedTuple):
    """What ansible-inventory says. content: groups, and the variables of the hosts; errors on one line."""

    code: int
    content: dict[str, Any]
    errors: str

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """The hosts with their variables."""
        variables: dict[str, dict[str, Any]] = _plain(self.content["_meta"]["hostvars"])
        return variables

    def group(self, name: str) -> set[str]:
        """The hosts of a group."""
        return set(self.content.get(name, {}).get("hosts", []))


class Ansible:
    """Runs ansible-playbook in `directory`, with nothing of the user's own environment but the way to programs."""

    # Seconds that a run may take, on a machine that is busy with other tests
    patience = 180

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.environment = dict(environment)
        self._runs = 0
        (directory / "ansible.cfg").touch()
        link = directory / "collections" / "ansible_collections" / "emailsec" / "cloudflare"
        link.parent.mkdir(parents=True)
        link.symlink_to(CHECKOUT, target_is_directory=True)

    @property
    def reports(self) -> Path:
        """Where the role puts its reports unless told otherwise."""
        return self.directory / "quarantine-release-reports"

    def report(self, host: str = "localhost") -> dict[str, Any]:
        """The newest report of a host."""
        report: dict[str, Any] = json.loads(sorted(self.reports.glob(f"{host}-*.json"))[-1].read_text(encoding="utf-8"))
        return report

    def ticket(self, host: str = "localhost") -> str:
        """The newest text for the ticket."""
        return sorted(self.reports.glob(f"{host}-*.txt"))[-1].read_text(encoding="utf-8")

    def release(self, *arguments: object, **variables: Any) -> Run:
        """Run the playbook emailsec.cloudflare.release; variables without their prefix quarantine_release_."""
        return self.playbook("emailsec.cloudflare.release", *arguments, "-e", json.dumps(prefixed(variables)))

    def plan(self, *arguments: object, **variables: Any) -> Run:
        """Run the playbook emailsec.cloudflare.plan, likewise."""
        return self.playbook("emailsec.cloudflare.plan", *arguments, "-e", json.dumps(prefixed(variables)))

    def apply(self, *arguments: object, **variables: Any) -> Run:
        """Run the playbook emailsec.cloudflare.apply, likewise."""
        return self.playbook("emailsec.cloudflare.apply", *arguments, "-e", json.dumps(prefixed(variables)))

    def inventory(self, **hosts: Mapping[str, Any]) -> tuple[str, str]:
        """The arguments for an inventory of these hosts, each with variables of the role, without their prefix.

        All have the account of the environment, unless they name another one.
        """
        common = prefixed({"account_id": self.environment["CLOUDFLARE_ACCOUNT_ID"]})
        content = {"hosts": {host: prefixed(variables) for host, variables in hosts.items()}, "vars": common}
        text = json.dumps({"all": content})
        (self.directory / f"hosts-{self._runs}.json").write_text(text)
        return "-i", f"hosts-{self._runs}.json"

    def plan_of(self, host: str = "localhost") -> dict[str, Any]:
        """The plan of a host, where the role puts it unless told otherwise."""
        plan: dict[str, Any] = json.loads((self.reports / f"{host}.plan.json").read_text(encoding="utf-8"))
        return plan

    def tasks(self, *tasks: Mapping[str, Any], arguments: tuple[str, ...] = ()) -> Run:
        """Run a play of these tasks on localhost; a task that fails does not keep the next from running."""
        tasks = tuple({"name": f"Task {number}", "ignore_errors": True, **task} for number, task in enumerate(tasks))
        play = self.directory / f"play-{self._runs}.yml"
        play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]))
        return self.playbook(str(play), *arguments)

    def module(self, name: str, *options: Mapping[str, Any], arguments: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """Run a module of the collection once with each of the options; return the results."""
        run = self.tasks(*({f"emailsec.cloudflare.{name}": each} for each in options), arguments=arguments)
        return [line["result"] for line in run.results]

    def playbook(self, *arguments: object) -> Run:
        """Run ansible-playbook to its end."""
        process = self.start(*arguments)
        return self.finish(process)

    def answer(self, question: str, answer: str, *arguments: object) -> Run:
        """Run ansible-playbook on a terminal, where somebody answers a question."""
        person, terminal = pty.openpty()
        process = self.start(*arguments, terminal=terminal)
        os.close(terminal)
        output = ""
        with contextlib.suppress(OSError):  # the end of the terminal
            while text := os.read(person, 65536).decode(errors="replace"):
                if question not in output and question in output + text:
                    time.sleep(1)  # Ansible throws away what is typed before it asks
                    os.write(person, f"{answer}\r".encode())
                output += text
        os.close(person)
        return self.finish(process)._replace(output=output)

    def start(self, *arguments: object, terminal: int | None = None) -> subprocess.Popen[str]:
        """Start ansible-playbook."""
        self._runs += 1
        self._record.touch()
        terminals = {
            "stdin": terminal,
            "stdout": terminal,
            "start_new_session": True,
            "preexec_fn": lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        }
        return subprocess.Popen(
            [PROGRAMS / "ansible-playbook", *map(str, arguments)],
            cwd=self.directory,
            env=self._variables(),
            stderr=subprocess.STDOUT,
            **({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE} if terminal is None else terminals),
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Run:
        """Wait for the end of a run."""
        output = process.communicate(timeout=self.patience)[0]
        # What a later Ansible will no longer do, Ansible says here, whatever is tested.
        assert "[DEPRECATION WARNING]" not in (output or ""), output
        lines = [json.loads(line) for line in self._record.read_text(encoding="utf-8").splitlines()]
        end = lines.pop() if lines and "recap" in lines[-1] else {"recap": {}, "artifacts": {}}
        return Run(process.returncode, output, lines, **end)

    def listing(self, *arguments: object) -> Listing:
        """Run ansible-inventory --list."""
        done = self.program("ansible-inventory", "--list", *arguments)
        assert "[DEPRECATION WARNING]" not in done.stderr, done.stderr
        return Listing(done.returncode, json.loads(done.stdout or "{}"), " ".join(done.stderr.split()))

    def program(
        self, name: str, *arguments: object, text: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program, one of Ansible's or of the system's, on a text, with more variables in its environment."""
        own = PROGRAMS / name
        return subprocess.run(
            [own if own.exists() else name, *map(str, arguments)],
            cwd=self.directory,
            env={**self._variables(), **(environment or {})},
            input=text,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def _variables(self) -> dict[str, str]:
        """The environment of what is run."""
        return {
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "record",
            "ANSIBLE_COLLECTIONS_PATH": str(self.directory / "collections"),
            "ANSIBLE_CONFIG": str(self.directory / "ansible.cfg"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOWS": "true",
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "127.0.0.1",
            "PATH": os.pathsep.join([str(PROGRAMS), os.environ["PATH"]]),
            "TERM": "dumb",
            "TMPDIR": str(self.directory),
            "RECORD": str(self._record),
            **self.environment,
        }

    @property
    def _record(self) -> Path:
        return self.directory / f"record-{self._runs}.jsonl"


def _plain(value: Any) -> Any:
    """What ansible-inventory shows, without the mark that it gives to text that is not to be taken for a template."""
    if isinstance(value, dict):
        return value.get("__ansible_unsafe") or {key: _plain(item) for key, item in value.items()}
    return value


def prefixed(variables: Mapping[str, Any]) -> dict[str, Any]:
    """These variables by the names that the role knows them by."""
    return {f"quarantine_release_{name}": value for name, value in variables.items()}


def statuses(result: Mapping[str, Any]) -> dict[str, str]:
    """The status of each handle in a result of message_release."""
    return {row["handle"]: row["status"] for row in result["messages"]}


def module_process(marker: str, module: str) -> int:
    """The id of the own process of a module: of those with the marker in their environment the last one started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_module = f"AnsiballZ_{module}".encode() in (entry / "cmdline").read_bytes()
            if is_module and marker.encode() in (entry / "environ").read_bytes():
                started = int((entry / "stat").read_text().rpartition(")")[2].split()[19])
                found.append((started, int(entry.name)))
        except OSError:
            continue  # it has ended, or is another user's
    return max(found)[1]
