# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook with the sample inventories: check mode, the release, and a second run that changes nothing."""

from __future__ import annotations

from emulator import Emulator

from playbooks import CEDAR, HARBOUR, INVENTORY, MEADOW, ONE_ACCOUNT, SEVERAL_ACCOUNTS, Ansible, statuses


def posts(emulator: Emulator) -> int:
    """How many requests were made that could change something."""
    return sum(request.method != "GET" for request in emulator.requests)


def test_one_account(ansible: Ansible, emulator: Emulator) -> None:
    predicted = ansible.release("-i", ONE_ACCOUNT, "--check", "--diff")
    assert predicted.code == 0
    assert posts(emulator) == 0
    assert not ansible.reports.exists()
    assert "3 would_release. Check mode: nothing was sent, and no report was written." in predicted.text
    assert predicted.result("Show the difference")["msg"] == {
        "before": dict.fromkeys(
            ["4UAqFzWsDK4FrUMp", "4tT3QDgAL47D1qX", "<4f0swmlzutrd4nx@carrier.example>"], "quarantined"
        ),
        "after": dict.fromkeys(
            ["4UAqFzWsDK4FrUMp", "4tT3QDgAL47D1qX", "<4f0swmlzutrd4nx@carrier.example>"], "released"
        ),
    }

    released = ansible.release("-i", ONE_ACCOUNT)
    assert (released.code, released.total("changed"), released.total("failures")) == (0, 1, 0)
    assert "3 messages: 3 released, 5 recipients reached." in released.text
    assert set(emulator.deliveries.values()) == {1}
    assert len(emulator.deliveries) == 5
    assert ansible.report(HARBOUR)["outcome"] == "ok"

    before = posts(emulator)
    again = ansible.release("-i", ONE_ACCOUNT)
    assert (again.code, again.total("changed"), again.total("failures")) == (0, 0, 0)
    assert "3 messages: 3 already_released." in again.text
    assert posts(emulator) == before
    assert ansible.report(HARBOUR)["outcome"] == "nothing_to_do"
    assert len(list(ansible.reports.glob(f"{HARBOUR}-*"))) == 8, "no report overwrites another"
    assert '"status": "released"' in (ansible.reports / "journal.jsonl").read_text()


def test_several_accounts_of_which_one_has_a_bad_credential(ansible: Ansible, emulator: Emulator) -> None:
    bad = ansible.directory / "bad.yml"
    bad.write_text(f"all: {{hosts: {{{MEADOW}: {{cloudflare_api_token: {emulator.credentials['expired'].secret}}}}}}}")
    run = ansible.release("-i", SEVERAL_ACCOUNTS, "-i", bad)
    assert run.code == 2
    assert {host: row["failures"] for host, row in run.recap.items()} == {HARBOUR: 0, MEADOW: 1, CEDAR: 0}
    assert {host: row["changed"] for host, row in run.recap.items()} == {HARBOUR: 1, MEADOW: 0, CEDAR: 1}
    reason = run.result("Show the outcome", MEADOW)["msg"]
    assert "API token of the option api_token" in reason
    assert "2 not_attempted" in reason
    assert {delivery.account for delivery in emulator.delivery_log} == {
        account.id for account in emulator.accounts if account.name != "Meadow Clinic"
    }
    assert ansible.report(MEADOW)["outcome"] == "failed"
    assert set(statuses(ansible.report(MEADOW)["result"]).values()) == {"not_attempted"}
    assert ansible.report(CEDAR)["ticket"] == "20117"
    assert len(statuses(ansible.report(CEDAR)["result"])) == 3, "a string of handles is taken apart"

    mended = ansible.release("-i", SEVERAL_ACCOUNTS)
    assert (mended.code, mended.total("failures")) == (0, 0)
    assert {host: row["changed"] for host, row in mended.recap.items()} == {HARBOUR: 0, MEADOW: 1, CEDAR: 0}
    assert set(emulator.deliveries.values()) == {1}


def test_an_account_of_the_environment_without_an_inventory(ansible: Ansible, emulator: Emulator) -> None:
    message = emulator.quarantined()[0]
    run = ansible.release(messages=f"{message.id}\n", ticket="INC-1")
    assert (run.code, run.recap["localhost"]["changed"]) == (0, 1)
    assert ansible.report()["account_id"] == emulator.account_id
    assert emulator.deliveries == dict.fromkeys([(message.id, recipient) for recipient in message.recipients], 1)


def test_tags_end_it_early(ansible: Ansible, emulator: Emulator) -> None:
    selected = ansible.release("-i", ONE_ACCOUNT, "--tags", "select")
    assert (selected.code, selected.total("changed")) == (0, 0)
    assert "3 messages were asked for." in selected.text
    assert not emulator.requests

    released = ansible.release("-i", ONE_ACCOUNT, "--tags", "release")
    assert (released.code, released.total("changed")) == (0, 1)
    assert "3 messages: 3 released, 5 recipients reached." in released.text
    assert [path.name for path in ansible.reports.iterdir()] == ["journal.jsonl"]


def test_search_finds_what_release_takes(ansible: Ansible, emulator: Emulator) -> None:
    hidden = ansible.playbook("emailsec.cloudflare.search", "-e", "search_since=52w")
    assert hidden.code == 0
    assert [message.id for message in emulator.quarantined() if message.id not in hidden.output] == []
    assert "@" not in hidden.output, "no addresses unless asked for"

    shown = ansible.playbook(
        "emailsec.cloudflare.search", "-e", "search_sender=billing@supplier.example", "-e", "search_show_content=true"
    )
    for words in (
        "from: billing@supplier.example",
        "envelope sender: ",
        "SPF ",
        "to: alice@harbour-logistics.example; subject: ",
        "Quarterly invoice 2041",
    ):
        assert words in shown.text
    assert "None" not in shown.text
    assert "Found: 1" in shown.text


def test_settings_of_all_accounts_of_a_group_and_of_one(ansible: Ansible, emulator: Emulator) -> None:
    accounts = {account.name: account.id for account in emulator.accounts}
    drift, applied, again = (
        ansible.playbook("-i", INVENTORY / "settings", "emailsec.cloudflare.settings", *arguments)
        for arguments in (("--check", "--diff"), (), ())
    )
    assert [run.code for run in (drift, applied, again)] == [0, 0, 0], drift.output + applied.output
    assert [run.total("changed") for run in (drift, applied, again)] == [3, 3, 0]
    shared = ["billing@carrier.example"]
    found = {
        name: [row["pattern"] for row in emulator.entries("allow_policies", id_)] for name, id_ in accounts.items()
    }
    assert found["Harbour Logistics"] == [*shared, "newsletter.example"]
    assert found["Cedar Law"] == [*shared, "reports@health-office.example"]
    assert found["Meadow Clinic"] == [*shared, "newsletter.example", "reports@health-office.example"]
    assert [row.get("comments") for row in emulator.entries("allow_policies", accounts["Meadow Clinic"])][1:] == [
        "The pharmacy reads it [expires 2099-12-31]",
        None,
    ]
    blocked = {name: len(emulator.entries("block_senders", id_)) for name, id_ in accounts.items()}
    assert blocked == {"Harbour Logistics": 3, "Meadow Clinic": 4, "Cedar Law": 3}
