# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks settings and export_settings: drift, the change, accounts that fail alone, and an export that is no change."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from emulator import Emulator
from test_settings import CHECK, WANTED, unsafe, writes

from playbooks import CHECKOUT, Ansible, Run


def settings(ansible: Ansible, *arguments: object) -> Run:
    return ansible.playbook("-i", "accounts", "emailsec.cloudflare.settings", *arguments)


def export(ansible: Ansible, *arguments: object) -> Run:
    return ansible.playbook("-i", "accounts", "emailsec.cloudflare.export_settings", *arguments)


def declare(ansible: Ansible, emulator: Emulator, *hosts: str, **variables: Any) -> None:
    """Write an inventory of these hosts, each with an account of its own, with these variables for all."""
    accounts = dict(zip(hosts, (account.id for account in emulator.accounts), strict=False))
    folder = ansible.directory / "accounts"
    folder.mkdir(exist_ok=True)
    content = {"all": {"hosts": {host: {"settings_account_id": accounts[host]} for host in hosts}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(content))
    put(ansible, "group_vars/all.yml", **variables)


def put(ansible: Ansible, file: str, **variables: Any) -> None:
    """Write variables to a file of the inventory, their texts as data."""
    path = ansible.directory / "accounts" / file
    path.parent.mkdir(exist_ok=True)
    given = {f"settings_{name}": unsafe(value) for name, value in variables.items()}
    path.write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")


def changed(run: Run) -> dict[str, int]:
    return {host: row["changed"] for host, row in run.recap.items()}


def test_drift_the_change_and_no_change(ansible: Ansible, emulator: Emulator) -> None:
    emulator.add_entries("block_senders", {"pattern": "gone@x.example", "pattern_type": "EMAIL", "is_regex": False})
    declare(ansible, emulator, "harbour", **WANTED, purge=True, manage_existence=True)
    drift = settings(ansible, *CHECK)
    assert (drift.code, changed(drift)) == (0, {"harbour": 1}), drift.output
    assert writes(emulator) == []
    told = drift.result("Show the outcome")["msg"]
    assert told.startswith(
        "Drift. allow_policies: 2 created, 0 updated, 0 deleted, 0 unchanged; block_senders: 1 created"
    )
    assert "--- before: harbour: block_senders" in drift.output
    assert '-    "EMAIL gone@x.example"' in drift.output
    red = settings(ansible, *CHECK, "-e", "settings_fail_on_drift=true")
    assert (red.code, red.result("Fail with the reason")["msg"]) == (2, told)

    done = settings(ansible)
    assert (done.code, changed(done)) == (0, {"harbour": 1}), done.output
    assert done.result("Show the outcome")["msg"].startswith("Changed. ")
    assert {kind: len(emulator.entries(kind)) for kind in WANTED} == {kind: len(WANTED[kind]) for kind in WANTED}
    assert emulator.entries("allow_policies")[1]["comments"] == "{{ 1 + 1 }} é"
    before = len(writes(emulator))
    again = settings(ansible, "-e", "settings_fail_on_drift=true")
    assert (again.code, changed(again)) == (0, {"harbour": 0}), again.output
    assert again.result("Show the outcome")["msg"].startswith("No change. ")
    assert len(writes(emulator)) == before


def test_what_is_shared_what_an_account_adds_and_one_that_fails(ansible: Ansible, emulator: Emulator) -> None:
    shared = [{"pattern": name, "pattern_type": "DOMAIN"} for name in ("a.example", "b.example")]
    declare(
        ansible, emulator, "harbour", "meadow", "cedar",
        block_senders=shared, trusted_domains=[{"pattern": "partner.example", "is_recent": True}],
    )  # fmt: skip
    put(
        ansible, "host_vars/harbour.yml",
        block_senders_extra=[
            {"pattern": "A.example", "pattern_type": "DOMAIN", "state": "absent"},
            {"pattern": "c.example", "pattern_type": "DOMAIN"},
        ],
    )  # fmt: skip
    put(ansible, "host_vars/meadow.yml", block_senders_extra=[{"pattern": "0.0.0.0/0", "pattern_type": "IP"}])
    put(ansible, "host_vars/cedar.yml", purges=True)
    run = settings(ansible)
    assert run.code == 2, run.output
    assert {host: row["failures"] for host, row in run.recap.items()} == {"harbour": 0, "meadow": 1, "cedar": 1}
    blocked = [
        [entry["pattern"] for entry in emulator.entries("block_senders", account.id)]
        for account in emulator.accounts[:3]
    ]
    assert blocked == [["b.example", "c.example"], [], []]
    told = run.result("Fail with the reason", "meadow")["msg"]
    assert told.startswith("Failed. block_senders: failed: settings_block_senders_extra[0] (IP 0.0.0.0/0), pattern: ")
    assert "settings_allow_broad" in told
    assert told.endswith("trusted_domains: 1 created, 0 updated, 0 deleted, 0 unchanged.")
    cedar = run.result("Fail with the reason", "cedar")["msg"]
    assert cedar == "There is no variable settings_purges. Did you mean settings_purge? Nothing was sent."


def test_the_report_of_drift_and_the_approval_of_it(ansible: Ansible, emulator: Emulator) -> None:
    declare(
        ansible, emulator, "harbour", "meadow", "cedar",
        block_senders=[{"pattern": "spam.example", "pattern_type": "DOMAIN", "comments": "<script>1</script>"}],
    )  # fmt: skip
    put(ansible, "host_vars/meadow.yml", block_senders=[])
    put(ansible, "host_vars/cedar.yml", block_senders=[{"pattern": "0.0.0.0/0", "pattern_type": "IP"}])
    play = yaml.safe_load((CHECKOUT / "playbooks" / "settings.yml").read_text(encoding="utf-8"))
    batches = ansible.directory / "batches.yml"
    batches.write_text(yaml.safe_dump([{**play[0], "hosts": "all", "serial": 1}]), encoding="utf-8")
    folder = ansible.directory / "reports"
    gate = {"settings_report_dir": str(folder), "settings_fail_if_nothing": True}

    def report() -> dict[str, Any]:
        """Return the only report, and remove it."""
        (file,) = folder.glob("settings-*.json")
        made: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        page = file.with_suffix(".html").read_text(encoding="utf-8")
        assert "<script" not in page
        assert file.stat().st_mode & 0o777 == file.with_suffix(".html").stat().st_mode & 0o777 == 0o600
        file.unlink()
        file.with_suffix(".html").unlink()
        return made

    run = ansible.playbook("-i", "accounts", str(batches), "--check", "-e", json.dumps(gate))
    assert run.code == 0, run.output  # what failed waits in the report, as harbour has drift to approve
    made = report()
    assert [(one["host"], one["outcome"]) for one in made["accounts"]] == [
        ("cedar", "failed"), ("harbour", "drift"), ("meadow", "no_change"),
    ]  # fmt: skip
    assert {one["account_id"] for one in made["accounts"]} == {account.id for account in emulator.accounts[:3]}
    (change,) = made["accounts"][1]["lists"]["block_senders"]["changes"]
    assert (change["verb"], change["key"]) == ("create", "DOMAIN spam.example")
    assert change["fields"]["comments"] == {"before": None, "after": "<script>1</script>"}
    digests = run.artifacts["settings_digest"]
    assert digests.keys() == {"harbour", "meadow"}
    assert digests["harbour"] == made["accounts"][1]["digest"]
    assert {host: one["result"] for host, one in run.artifacts["settings_results"].items()} == {
        "harbour": "drift", "meadow": "no_change", "cedar": "failed",
    }  # fmt: skip
    assert writes(emulator) == []

    approved = ("-e", json.dumps(run.artifacts))
    seen = {"pattern": "late.example", "pattern_type": "DOMAIN", "is_regex": False}
    emulator.add_entries("block_senders", seen, account=emulator.accounts[1].id)
    late = ("-e", '{"settings_purge": true}', "-e", json.dumps({"settings_report_dir": str(folder)}))
    applied = settings(ansible, *approved, *late)
    assert applied.code == 2, applied.output
    assert {host: row["failures"] for host, row in applied.recap.items()} == {"harbour": 0, "meadow": 1, "cedar": 1}
    assert "nothing was changed: their digest is sha256:" in applied.result("Fail with the reason", "meadow")["msg"]
    assert "settings_digest has no digest for cedar" in applied.result("Fail with the reason", "cedar")["msg"]
    lists = [[row["pattern"] for row in emulator.entries("block_senders", one.id)] for one in emulator.accounts[:3]]
    assert lists == [["spam.example"], ["late.example"], []]
    assert [(one["host"], one["outcome"]) for one in report()["accounts"]] == [
        ("cedar", "failed"), ("meadow", "failed"), ("harbour", "changed"),
    ]  # fmt: skip

    nothing = ("-e", json.dumps(gate), "--limit", "harbour,meadow", "--check")
    closed = settings(ansible, *nothing)
    assert (closed.code, closed.total("failures")) == (2, 2), closed.output
    assert closed.result("Fail with the reason", "harbour")["msg"].startswith("No change. ")
    assert report()["outcome"] == "no_change"


def test_expired_entries_of_lists_that_nobody_declares(ansible: Ansible, emulator: Emulator) -> None:
    meadow = emulator.accounts[1].id
    for pattern, day in (("old.example", "2020-01-01"), ("new.example", "2099-01-01")):
        row = {"pattern": pattern, "pattern_type": "DOMAIN", "is_regex": False, "comments": f"[expires {day}]"}
        emulator.add_entries("block_senders", row, account=meadow)
    declare(ansible, emulator, "harbour", "meadow", remove_expired=["block_senders", "allow_policies"])
    hosts = ansible.directory / "accounts" / "hosts.yml"
    hosts.write_text(hosts.read_text().replace("settings_account_id", "quarantine_release_account_id"))
    run = settings(ansible)
    assert (run.code, changed(run)) == (0, {"harbour": 0, "meadow": 1}), run.output
    assert [entry["pattern"] for entry in emulator.entries("block_senders", meadow)] == ["new.example"]


def test_a_removal_of_what_has_expired_applies_no_list(ansible: Ansible, emulator: Emulator) -> None:
    harbour, meadow = (account.id for account in emulator.accounts[:2])
    soon = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    for account, pattern, day in (
        (harbour, "old.example", "2020-01-01"), (harbour, "soon.example", soon), (meadow, "later.example", "2099-01-01"),
    ):  # fmt: skip
        row = {"pattern": pattern, "pattern_type": "DOMAIN", "is_regex": False, "comments": f"[expires {day}]"}
        emulator.add_entries("block_senders", row, account=account)
    emulator.add_entries("url_ignore_patterns", {"pattern": "x", "comments": "[expires 2020-01-01]"}, account=meadow)
    declare(ansible, emulator, "harbour", "meadow", **WANTED, purge=True, manage_existence=True, fail_on_drift=True)
    put(ansible, "host_vars/meadow.yml", trusted_domains="no list")

    def remove(*arguments: object) -> Run:
        return ansible.playbook("-i", "accounts", "emailsec.cloudflare.remove_expired_settings", *arguments)

    checked = remove(*CHECK)
    assert (checked.code, changed(checked)) == (0, {"harbour": 1, "meadow": 1}), checked.output
    assert writes(emulator) == []
    assert "--- before: harbour: block_senders" in checked.output
    assert "+++ after: meadow: url_ignore_patterns, without what has expired" in checked.output
    expires = checked.result("Show what expires soon, and what is there twice", "harbour")["msg"]
    assert expires == [f"block_senders: expires within a week: DOMAIN soon.example ({soon})"]

    done = remove()
    assert (done.code, changed(done)) == (0, {"harbour": 1, "meadow": 1}), done.output
    told = done.result("Show the outcome", "harbour")["msg"]
    assert told.startswith("Changed. allow_policies: 0 created, 0 updated, 0 deleted, 0 unchanged; block_senders: 0 c")
    assert "domains: 0 created, 0 updated, 0 deleted, 0 unchanged; content_policies" in told
    before = len(writes(emulator))
    assert before == 2
    again = remove()
    assert (again.code, changed(again), len(writes(emulator))) == (0, {"harbour": 0, "meadow": 0}, before), again.output
    left = {(kind, each): len(emulator.entries(kind, each)) for kind in WANTED for each in (harbour, meadow)}
    assert {key: number for key, number in left.items() if number} == {
        ("block_senders", harbour): 1,
        ("block_senders", meadow): 1,
    }


def test_an_export_is_no_change(ansible: Ansible, emulator: Emulator) -> None:
    declare(ansible, emulator, "harbour", **WANTED, manage_existence=True)
    assert settings(ansible).code == 0
    long = "\u00e9" * 1024
    texts = [
        long, "a: b # c", "- x", "yes", "0047", "2026-12-10", "line\nbreak \u2028 \U0001f600", "{% raw %}", "'\"\\ {#",
        "#jinja2: trim_blocks: False", "!unsafe x", "*a &b", " blanks ", "null", "\u0000\u0085\ufeff",
    ]  # fmt: skip
    for number, text in enumerate(texts):
        row = {"pattern": f"{number}.example", "pattern_type": "DOMAIN", "is_regex": False, "comments": text}
        emulator.add_entries("block_senders", row)
    emulator.add_entries("url_ignore_patterns", {"pattern": r"https://[a-z]{{1}}\.x/{%", "comments": None})
    (ansible.directory / "accounts" / "group_vars" / "all.yml").unlink()
    before = len(writes(emulator))
    folder = ansible.directory / "accounts" / "host_vars"
    to = ("-e", json.dumps({"settings_export_dir": str(folder)}))

    checked = export(ansible, *to, "--check")
    assert (checked.code, changed(checked), folder.exists()) == (0, {"harbour": 1}, False), checked.output
    first = export(ansible, *to)
    assert (first.code, changed(first)) == (0, {"harbour": 1}), first.output
    second = export(ansible, *to)
    assert (second.code, changed(second)) == (0, {"harbour": 0}), second.output
    text = (folder / "harbour.yml").read_text(encoding="utf-8")
    assert "settings_trusted_domains:\n  - pattern: Partner.Example\n    is_regex: false\n    is_recent: true\n" in text

    purge = ("-e", '{"settings_purge": true, "settings_manage_existence": true}')
    run = settings(ansible, *purge, *CHECK)
    assert (run.code, changed(run)) == (0, {"harbour": 0}), run.output
    told = run.result("Show the outcome")["msg"]
    assert told.startswith("No change. ")
    assert all(f"{kind}: 0 created, 0 updated, 0 deleted, " in told for kind in WANTED)
    assert len(writes(emulator)) == before

    (folder / "harbour.yml").write_text("mine: true\n")
    refused = export(ansible, *to)
    assert (refused.code, "was not written by an export" in refused.text) == (2, True), refused.output
    assert (folder / "harbour.yml").read_text() == "mine: true\n"


def guide(page: str) -> dict[str, str]:
    """The files of an inventory that a guide shows, by their names."""
    text = (CHECKOUT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^```yaml\n# (accounts/\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def write(ansible: Ansible, files: dict[str, str]) -> dict[str, str]:
    """Write the files of an inventory; return the accounts of its hosts."""
    for name, text in files.items():
        path = ansible.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    hosts = yaml.safe_load(files["accounts/hosts.yml"])["all"]["hosts"]
    return {host: variables["settings_account_id"] for host, variables in hosts.items()}


def test_the_guide_to_shared_lists(ansible: Ansible, emulator: Emulator) -> None:
    files = {"accounts/hosts.yml": guide("moving-in")["accounts/hosts.yml"], **guide("settings")}
    assert len(files) == 5
    accounts = write(ansible, files)
    emulator.add_entries(
        "block_senders",
        {"pattern": "old.example", "pattern_type": "DOMAIN", "is_regex": False},
        account=accounts["meadow-clinic"],
    )
    run = settings(ansible)
    assert (run.code, changed(run)) == (0, dict.fromkeys(accounts, 1)), run.output
    blocked = {
        host: {entry["pattern"] for entry in emulator.entries("block_senders", account)}
        for host, account in accounts.items()
    }
    assert blocked == {
        "harbour-logistics": {"spam.example", "newsletter.example"},
        "meadow-clinic": {"spam.example", "tracker.example", "scam.example"},
    }


def test_the_guide_from_the_csv_of_another_product(ansible: Ansible, emulator: Emulator) -> None:
    accounts = write(ansible, guide("moving-in"))
    page = (CHECKOUT / "docs" / "moving-in.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^```text\n(Sender;.*?)^```", page, re.MULTILINE | re.DOTALL)
    file = ansible.directory / "accounts" / "group_vars" / "blocked.csv"
    file.write_bytes(f"\ufeff{table}".replace("\n", "\r\n").encode())
    drift = settings(ansible, *CHECK)
    assert (drift.code, changed(drift)) == (0, dict.fromkeys(accounts, 1)), drift.output
    assert writes(emulator) == []
    assert "line 6 ('phisher@attacker.example.') is the same entry as line 2" in drift.text

    assert changed(settings(ansible)) == dict.fromkeys(accounts, 1)
    for account in accounts.values():
        assert [(entry["pattern"], entry.get("comments")) for entry in emulator.entries("block_senders", account)] == [
            ("phisher@attacker.example", "INC-4711; mail of\ntwo waves"),
            (r"(?i)^[^@]+@[^@]+[.]lookalike\.example$", "{{ not a template }}"),
            ("198.51.100.0/24", None),
        ]
    before = len(writes(emulator))
    with file.open("ab") as more:
        more.write(b"*twice*;;\r\n.b.example;;\r\n")
    refused = settings(ansible)
    assert refused.code == 2, refused.output
    for words in ("line 7 ('*twice*')", "line 8 ('.b.example')", "Nothing was sent."):
        assert words in refused.text
    file.write_bytes(file.read_bytes().partition(b"*twice*")[0])
    again = settings(ansible)
    assert (again.code, changed(again)) == (0, dict.fromkeys(accounts, 0)), again.output
    assert len(writes(emulator)) == before
