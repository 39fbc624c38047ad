# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the parts of the collection have to agree with each other."""

from __future__ import annotations

import ast
import graphlib
import importlib
import json
import re
import typing as t
from fnmatch import fnmatch
from pathlib import Path
from unittest import mock

import pytest
import yaml
from ansible_collections.emailsec.cloudflare.plugins.module_utils._release.outcome import FAIL_ON, STATUSES
from ansible_collections.emailsec.cloudflare.plugins.module_utils._version import VERSION
from ansible_collections.emailsec.cloudflare.tests.unit.conftest import Runner
from ansible_collections.emailsec.cloudflare.tests.unit.support.data import (
    ACCOUNT,
    envelope,
    investigate_id,
    page,
    path,
    refusal,
    row,
)
from ansible_collections.emailsec.cloudflare.tests.unit.support.http import Script
from ansible_collections.emailsec.cloudflare.tests.unit.support.module import MODULES

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins" / "module_utils"
# Has documentation only, as an action plugin does its work.
INTERNAL = ["quarantine_release_stage"]
# Make no request, and have no connection options.
OFFLINE = ["release_history_info"]
NAMES = sorted({file.stem for file in (ROOT / "plugins" / "modules").glob("*.py")} - {"__init__", *INTERNAL})

# The rooms of the library, from the ground up. A file may import from its own room and from those before it.
ROOMS = (
    "",
    "_api",
    "_mail",
    "_plan",
    "_release",
    "_followup",
    "_settings",
    "_events",
    "_arguments",
    "_message_arguments",
    "_declaring",
)
GROUND = {"_errors", "_version", "_files", "_clock", "_times", "_text", "_json", "_rows"}
FILES = sorted(path for path in UTILS.rglob("*.py") if path != UTILS / "__init__.py")


def name_of(file: Path) -> str:
    """Return the name of a file of the library, such as _mail.handles."""
    return ".".join(file.relative_to(UTILS).with_suffix("").parts)


def room_of(name: str) -> int:
    """Return on which floor a file of the library is."""
    return 0 if name in GROUND else ROOMS.index(name.partition(".")[0])


def load(file: str) -> dict[str, t.Any]:
    """Return a YAML file of the collection."""
    content = yaml.safe_load((ROOT / file).read_text())
    assert isinstance(content, dict)
    return content


def documentation(name: str, part: str) -> dict[str, t.Any]:
    """Return DOCUMENTATION or RETURN of a module."""
    content = yaml.safe_load(getattr(importlib.import_module(f"{MODULES}.{name}"), part))
    assert isinstance(content, dict)
    return content


def imports(file: Path) -> set[str]:
    """Return the names of the modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


class Arguments(Exception):
    """Raised in place of making an AnsibleModule; carries what it was to be made with."""


def arguments(name: str) -> dict[str, t.Any]:
    """Return what a module gives to AnsibleModule."""
    module = importlib.import_module(f"{MODULES}.{name}")
    made = mock.Mock(side_effect=Arguments)
    with mock.patch.object(module, "AnsibleModule", made), pytest.raises(Arguments):
        module.main()
    keywords = made.call_args.kwargs
    assert isinstance(keywords, dict)
    return keywords


def test_the_version_is_that_of_the_collection() -> None:
    assert load("galaxy.yml")["version"] == VERSION


def test_what_tools_leave_behind_is_not_packed() -> None:
    left = [
        line.strip("/")
        for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
        if line and line[0] != "#"
    ]
    unpacked = load("galaxy.yml")["build_ignore"]
    assert [
        name
        for name in left
        if not any(fnmatch(name, pattern) or name.startswith(f"{pattern}/") for pattern in unpacked)
    ] == []


def test_every_module_is_in_the_action_group_and_has_its_options() -> None:
    online = [name for name in NAMES if name not in OFFLINE]
    assert load("meta/runtime.yml")["action_groups"]["api"] == [*online, *INTERNAL]
    fragments = {name: documentation(name, "DOCUMENTATION")["extends_documentation_fragment"] for name in online}
    assert [name for name in online if "emailsec.cloudflare.api" not in fragments[name]] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_module_has_unit_tests(name: str) -> None:
    assert (Path(__file__).parent / "plugins" / "modules" / f"test_{name}.py").is_file()


def internal(file: Path) -> set[str]:
    """Return the names of the files of the library that one of them imports."""
    package = name_of(file).rpartition(".")[0]
    places = {1: package, 2: ""}
    found = set()
    for module in imports(file):
        if module.startswith("."):
            name = module.lstrip(".")
            found.add(f"{places[len(module) - len(name)]}.{name}".lstrip("."))
    return found


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_library_imports_only_downwards(file: Path) -> None:
    floor = room_of(name_of(file))
    assert [name for name in sorted(internal(file)) if room_of(name) > floor] == []


def test_no_imports_of_the_library_make_a_circle() -> None:
    graphlib.TopologicalSorter({name_of(file): internal(file) for file in FILES}).prepare()


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_only_one_room_knows_ansible_and_only_one_file_knows_requests(file: Path) -> None:
    known = {module.partition(".")[0] for module in imports(file) if not module.startswith(".")}
    assert ("ansible" in known) == (name_of(file) == "_arguments")
    assert bool(known & {"requests", "urllib3"}) == (name_of(file) == "_api.http")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_file_of_the_library_says_that_it_is_private(file: Path) -> None:
    assert "# This module is private to the collection." in file.read_text(encoding="utf-8")


def documented_options(name: str) -> dict[str, t.Any]:
    """Return the options that a module documents, those of its fragments included."""
    document = documentation(name, "DOCUMENTATION")
    options = dict(document["options"])
    for fragment in document.get("extends_documentation_fragment", []):
        _namespace, _collection, file, *part = fragment.split(".")
        module = importlib.import_module(f"ansible_collections.emailsec.cloudflare.plugins.doc_fragments.{file}")
        attribute = part[0].upper() if part else "DOCUMENTATION"
        options.update(yaml.safe_load(getattr(module.ModuleDocFragment, attribute)).get("options") or {})
    return options


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_options_are_those_there_are(name: str) -> None:
    compare_options(documented_options(name), arguments(name)["argument_spec"])


def compare_options(documented: dict[str, t.Any], spec: dict[str, t.Any]) -> None:
    """Compare documented options, and those within them, with an argument spec."""
    assert documented.keys() == spec.keys()
    for option, told in documented.items():
        real = spec[option]
        for aspect in ("type", "elements", "default", "choices", "required", "aliases"):
            assert told.get(aspect) == real.get(aspect), f"{option}: {aspect}"
        compare_options(told.get("suboptions", {}), real.get("options", {}))


@pytest.mark.parametrize("name", NAMES)
def test_secrets_and_only_secrets_are_no_log(name: str) -> None:
    spec = arguments(name)["argument_spec"]
    secrets = set() if name in OFFLINE else {"api_token", "api_key"}
    assert {option for option, settings in spec.items() if settings.get("no_log")} == secrets


@pytest.mark.parametrize("name", NAMES)
def test_every_module_has_check_mode(name: str) -> None:
    assert arguments(name)["supports_check_mode"] is True


@pytest.mark.parametrize("name", NAMES)
def test_every_option_and_module_says_since_when_and_ends_its_sentences(name: str) -> None:
    document = documentation(name, "DOCUMENTATION")
    assert re.fullmatch(r"\d+\.\d+\.\d+", document["version_added"])
    for option, told in documented_options(name).items():
        sentences = told["description"] if isinstance(told["description"], list) else [told["description"]]
        assert all(sentence.endswith(".") for sentence in sentences), option


def test_the_statuses_are_those_of_the_contract() -> None:
    assert STATUSES == (
        "released", "partial", "undelivered", "failed", "already_released", "not_quarantined",
        "not_found", "ambiguous", "blocked", "unknown", "not_attempted", "would_release",
    )  # fmt: skip
    assert FAIL_ON == ("partial", "undelivered", "failed", "not_found", "ambiguous", "unknown", "not_attempted")


def test_every_status_is_explained() -> None:
    told = documentation("message_release", "RETURN")["messages"]["contains"]["status"]["description"]
    assert [sentence.partition(")")[0] for sentence in told] == [f"V({status}" for status in STATUSES]


# --- what is returned --------------------------------------------------------------------------------------------------

COMMON = {"invocation", "failed", "changed", "exception", "warnings", "deprecations", "diff"}


def check_result(result: t.Mapping[str, t.Any], told: t.Mapping[str, t.Any], conditions: t.Collection[str]) -> None:
    """Compare a module's result with RETURN, but for what Ansible adds to every result."""
    check_keys({key: value for key, value in result.items() if key not in COMMON}, told, conditions)


def check_keys(result: t.Mapping[str, t.Any], told: t.Mapping[str, t.Any], conditions: t.Collection[str]) -> None:
    """Compare a result with RETURN. conditions: the words of C(returned) that hold for it."""
    expected = {key for key, entry in told.items() if entry["returned"] in conditions}
    assert set(result) == expected
    for key in expected:
        check_type(key, result[key], told[key])


def check_type(key: str, value: t.Any, told: t.Mapping[str, t.Any]) -> None:
    """Compare one value with what RETURN says of it, all the way down."""
    kinds: dict[str, type[t.Any]] = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}
    assert value is None or isinstance(value, kinds[told["type"]]), key
    for inner in value if isinstance(value, list) else []:
        assert isinstance(inner, kinds[told["elements"]]), key
        if "contains" in told:
            check_keys(inner, told["contains"], {"always"})


def test_message_release_returns_what_it_documents(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    script.release([investigate_id(1)], envelope([]))
    script.get(path(1), refusal(10000, "Authentication error"), 403)
    done = run("message_release", messages=[investigate_id(1)])
    told = documentation("message_release", "RETURN")
    check_result(
        done.result,
        told,
        {"always", "unless an argument was refused", "when the API refused a request and the run ended"},
    )


def test_message_release_returns_what_it_documents_when_all_is_well(run: Runner, script: Script) -> None:
    script.get(path(1), envelope(row(1)))
    told = documentation("message_release", "RETURN")
    done = run("message_release", messages=[investigate_id(1)], reason="r", ticket="t", check=True)
    check_result(done.result, told, {"always", "unless an argument was refused"})


def test_message_info_returns_what_it_documents(run: Runner, script: Script) -> None:
    told = documentation("message_info", "RETURN")
    script.get("investigate", page([row(1), {}]))
    check_result(run("message_info").result, told, {"always", "unless an argument was refused", "success"})
    script.get("investigate", refusal(10000, "Authentication error"), 403)
    told["msg"] = {"returned": "always", "type": "str"}  # as every failing module
    refused = {"always", "unless an argument was refused", "when the API refused a request"}
    check_result(run("message_info").result, told, refused)


@pytest.mark.parametrize("status", [200, 403])
def test_submission_info_returns_what_it_documents(run: Runner, script: Script, status: int) -> None:
    script.get("submissions", envelope([{}], result_info={"total_pages": 2}))
    script.get("submissions", envelope([]) if status == 200 else refusal(10000, "no"), status)
    conditions = {"always", "unless an argument was refused"}
    if status == 403:
        conditions.add("when the API refused a request")
    check_result(run("submission_info").result, documentation("submission_info", "RETURN"), conditions)


@pytest.mark.parametrize(("answer", "status"), [(envelope({"raw": "x"}), 200), (refusal(10000, "no"), 403)])
def test_message_evidence_returns_what_it_documents(
    run: Runner, script: Script, tmp_path: Path, answer: object, status: int
) -> None:
    script.get(path(1), envelope(row(1)))
    script.get(f"{path(1)}/raw", answer, status)
    conditions = {"always", "unless an argument was refused"}
    if status == 403:
        conditions.add("when the API refused a request and the run ended")
    done = run("message_evidence", messages=[investigate_id(1)], dest=str(tmp_path), parts=["raw"])
    check_result(done.result, documentation("message_evidence", "RETURN"), conditions)


def test_release_history_info_returns_what_it_documents(run: Runner, tmp_path: Path) -> None:
    lines = [
        {"time": "2026-11-20", "event": "intent", "run": "r", "account_id": ACCOUNT, "ids": [investigate_id(1)]},
        "garbage",
    ]
    (tmp_path / "journal").write_text("\n".join(map(json.dumps, lines)))
    done = run("release_history_info", account_id=None, api_token=None, journal=[str(tmp_path / "journal")])
    assert done.result["entries"]
    assert done.result["unreadable"]
    check_result(done.result, documentation("release_history_info", "RETURN"), {"always", "success"})


# --- what runs at GitHub -----------------------------------------------------------------------------------------------

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_every_action_is_given_by_its_digest_and_tells_its_version(file: Path) -> None:
    used = re.findall(r"\buses:(.*)", file.read_text(encoding="utf-8"))
    assert used
    assert [
        action for action in used if not re.fullmatch(r" [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
    ] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_no_job_may_write_but_the_one_that_makes_the_release(file: Path) -> None:
    workflow = load(str(file.relative_to(ROOT)))
    assert workflow["permissions"] == {"contents": "read"}
    allowed = {name: job.get("permissions", {"contents": "read"}) for name, job in workflow["jobs"].items()}
    assert [name for name, permissions in allowed.items() if permissions != {"contents": "read"}] == (
        ["github"] if file.stem == "release" else []
    )


def test_the_job_with_the_token_of_galaxy_installs_only_what_is_locked() -> None:
    holders = [job for job in load(".github/workflows/release.yml")["jobs"].values() if "secrets.GALAXY" in str(job)]
    assert len(holders) == 1
    commands = [line for step in holders[0]["steps"] for line in step.get("run", "").splitlines()]
    installs = [line for line in commands if "install" in line]
    assert installs
    assert all("--require-hashes" in line and "--requirement .ci/publishing.txt" in line for line in installs)
    assert [step["name"] for step in holders[0]["steps"] if "secrets.GALAXY" in str(step)] == ["Publish"]
    locked = (ROOT / ".ci" / "publishing.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9-]+)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", locked, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[^\s#]", locked, re.MULTILINE))
    assert "ansible-core" in {name for name, _hashes in pins}
    assert "://" not in locked
