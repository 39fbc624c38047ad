# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of accounts, by the real ansible-inventory, and the playbook on top of it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator import Emulator

from playbooks import CEDAR, HARBOUR, INVENTORY, MEADOW, Ansible, Listing

IN_ORDER = (HARBOUR, MEADOW, CEDAR)  # of the emulator
ALL = set(IN_ORDER)
SAMPLE = INVENTORY / "cloudflare_accounts.yml"


def source(ansible: Ansible, *, name: str = "my.cloudflare_accounts.yml", **options: Any) -> Path:
    """A file for the plugin with these options."""
    path = ansible.directory / name
    path.write_text(json.dumps({"plugin": "emailsec.cloudflare.accounts", **options}))
    return path


def listing(ansible: Ansible, **options: Any) -> Listing:
    """What ansible-inventory makes of these options."""
    return ansible.listing("-i", source(ansible, **options))


def together(ansible: Ansible, sources: Mapping[str, Mapping[str, Any]], *arguments: object) -> Listing:
    """What one run of ansible-inventory makes of several sources. The hosts of each are in a group of its name."""
    for name, options in sources.items():
        path = source(ansible, name=f"{name}.cloudflare_accounts.yml", **{"group": name, **options})
        arguments = (*arguments, "-i", path)
    return ansible.listing(*arguments)


def refused(ansible: Ansible, **sources: Mapping[str, Any]) -> dict[str, str]:
    """The words with which each of these sources fails."""
    ansible.environment["ANSIBLE_INVENTORY_UNPARSED_FAILED"] = "true"
    found = together(ansible, sources)
    assert found.code != 0
    assert not found.content
    *failures, _end = re.split("Unable to parse .+? as an inventory source", found.errors)
    return dict(zip(sources, failures, strict=True))


def lists(emulator: Emulator) -> int:
    """How often the accounts were asked for."""
    return len(emulator.requests_to("accounts"))


def test_the_sample(ansible: Ansible, emulator: Emulator) -> None:
    found = ansible.listing("-i", SAMPLE)
    assert (found.code, found.errors) == (0, "")
    assert set(found.hosts) == found.group("cloudflare_accounts") == ALL
    variables = found.hosts[HARBOUR]
    python = Path(variables.pop("ansible_python_interpreter"))
    assert python.parent == Path(sys.executable).parent
    assert python.samefile(sys.executable)
    assert variables == {
        "ansible_connection": "local",
        "cloudflare_account_name": "Harbour Logistics",
        "cloudflare_account_type": "enterprise",
        "quarantine_release_account_id": emulator.account_id,
    }
    (request,) = emulator.requests
    assert (request.method, request.route) == ("GET", "accounts")


def test_a_release_of_which_one_account_has_a_bad_credential(ansible: Ansible, emulator: Emulator) -> None:
    message = {
        name: emulator.quarantined(account.id)[0] for name, account in zip(IN_ORDER, emulator.accounts, strict=True)
    }
    own = ansible.directory / "own.json"
    hosts: dict[str, Any] = {
        name: {"quarantine_release_messages": [found.id], "quarantine_release_settle_time": 3}
        for name, found in message.items()
    }
    hosts[MEADOW]["cloudflare_api_token"] = emulator.credentials["expired"].secret
    own.write_text(json.dumps({"all": {"hosts": hosts}}))
    run = ansible.playbook("emailsec.cloudflare.release", "-i", SAMPLE, "-i", own)
    assert run.code == 2
    assert {host: row["failures"] for host, row in run.recap.items()} == {HARBOUR: 0, MEADOW: 1, CEDAR: 0}
    reached = {delivery.message_id for delivery in emulator.delivery_log}
    assert reached == {message[HARBOUR].id, message[CEDAR].id}
    assert ansible.report(CEDAR)["account_id"] == emulator.accounts[2].id


def test_patterns_and_groups(ansible: Ansible, emulator: Emulator) -> None:
    ids = {name: account.id for name, account in zip(IN_ORDER, emulator.accounts, strict=True)}
    found = together(
        ansible,
        {
            "letter": {"include": ["*L*", ids[MEADOW]]},
            "wildcards": {"include": ["* clinic", "cedar ?aw"]},
            "rest": {"include": ["*"], "exclude": ["[hm]*"]},
            "nothing": {"exclude": ["*"]},
            "ids": {
                "hostname": "id",
                "group": "mail customers",
                "groups": {"law": "cloudflare_account_name is search('Law')"},
                "keyed_groups": [{"key": "cloudflare_account_type", "prefix": "type"}],
                "compose": {
                    "quarantine_release_reason": "'For ' ~ cloudflare_account_name",
                    "ansible_connection": "'ssh'",
                },
            },
        },
    )
    assert set(found.hosts) == ALL | set(ids.values())
    assert found.group("letter") == ALL
    assert found.group("wildcards") == {MEADOW, CEDAR}
    assert found.group("rest") == {CEDAR}
    assert found.group("nothing") == set()
    assert found.group("type_enterprise") == found.group("mail_customers") == set(ids.values())
    assert found.group("law") == {ids[CEDAR]}
    assert found.hosts[ids[CEDAR]]["quarantine_release_reason"] == "For Cedar Law"
    assert found.hosts[ids[CEDAR]]["ansible_connection"] == "ssh"


def test_strict_decides_what_becomes_of_a_bad_expression(ansible: Ansible) -> None:
    bad = {"compose": {"x": "nobody.knows"}}
    found = together(ansible, {"lax": bad, "strict": {"strict": True, **bad}})
    assert found.group("lax") == ALL
    assert "Could not set x for host" in found.errors
    assert "strict.cloudflare_accounts.yml as an inventory source" in found.errors


def test_many_accounts_on_several_pages(ansible: Ansible, emulator: Emulator) -> None:
    for number in range(100):
        emulator.add_account(f"Customer {number}")
    assert len(listing(ansible).hosts) == 103
    assert lists(emulator) == 3


def test_each_source_of_the_credential(ansible: Ansible, emulator: Emulator) -> None:
    token, key = emulator.credentials["other_account"].secret, emulator.credentials["key"]
    (ansible.directory / "secret").write_text("a vault's password")
    vault = ansible.program("ansible-vault", "encrypt", "--vault-password-file", "secret", text=token).stdout
    encrypted = "".join(f"  {line}\n" for line in vault.splitlines())
    ansible.environment = {"CLOUDFLARE_BASE_URL": "https://nowhere.invalid", "TOKEN": token, "PLACE": emulator.url}
    place = {"api_url": "{{ lookup('ansible.builtin.env', 'PLACE') }}"}
    path = source(ansible)
    path.write_text(
        f"plugin: emailsec.cloudflare.accounts\ngroup: vault\napi_url: {emulator.url}\napi_token: !vault |\n{encrypted}"
    )
    sources = {
        "plain": {**place, "api_token": token},
        "templated": {**place, "api_token": "{{ lookup('ansible.builtin.env', 'TOKEN') }}"},
        "key": {**place, "api_email": key.email, "api_key": key.secret},
    }
    found = together(ansible, sources, "-i", path, "--vault-password-file", "secret")
    assert found.group("plain") == found.group("templated") == found.group("vault") == {CEDAR}
    assert found.group("key") == ALL


def test_the_cache(ansible: Ansible, emulator: Emulator) -> None:
    cache: dict[str, Any] = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "cache"}
    assert set(listing(ansible, **cache).hosts) == ALL
    emulator.add_account("{{ 1/0 }} newcomer")
    assert set(listing(ansible, **cache).hosts) == ALL
    assert lists(emulator) == 1

    # What it was made with is not what a host is made with.
    assert set(listing(ansible, **cache, include=["cedar*"]).hosts) == {CEDAR}
    assert lists(emulator) == 1

    play = ansible.directory / "nothing.yml"
    play.write_text('[{"hosts": "all", "gather_facts": false}]')
    assert ansible.playbook(play, "-i", source(ansible, **cache), "--flush-cache").code == 0
    assert listing(ansible, **cache).hosts["1-0-newcomer"]["cloudflare_account_name"] == "{{ 1/0 }} newcomer"
    assert lists(emulator) == 2

    # Another credential sees something else.
    ansible.environment |= emulator.environment("other_account")
    assert set(listing(ansible, **cache).hosts) == {CEDAR}
    assert lists(emulator) == 3
    texts = [path.read_text() for path in (ansible.directory / "cache").iterdir()]
    assert not [text for text in texts if "EMULATOR" in text]


def test_a_refused_credential(ansible: Ansible, emulator: Emulator) -> None:
    ansible.environment |= emulator.environment("expired")
    secrets = {name: emulator.credentials[name].secret for name in ("expired", "account_owned", "revoked")}
    errors = refused(
        ansible,
        expired={},
        account_owned={"api_token": secrets["account_owned"]},
        revoked={"api_token": secrets["revoked"]},
    )
    told = "the credential belongs to an account, but Cloudflare lists accounts only for users. Use the API token"
    assert told in errors["account_owned"]
    told = "Cloudflare refused the API token of the environment variable CLOUDFLARE_API_TOKEN: HTTP 401"
    assert told in errors["expired"]
    assert "Either it is not valid (any more), or it may not do this" in errors["revoked"]
    for words in errors.values():
        assert "Traceback" not in words
        assert not [secret for secret in secrets.values() if secret in words]


def test_other_troubles(ansible: Ansible, emulator: Emulator) -> None:
    emulator.faults.add("status", status=429, body="json", code=971, retry_after=90, route="accounts")
    emulator.faults.add("status", status=502, body="html", route="accounts", times=None)
    errors = refused(
        ansible,
        scheme={"api_url": "ftp://nowhere"},
        login={"api_url": "https://somebody:hunter2@nowhere.invalid"},
        both={"api_token": "x", "api_email": "y"},
        undefined={"api_token": "{{ nobody_knows }}"},
        timeout={"timeout": 0},
        number={"exclude": ["test*", 39]},
        limited={"max_wait": 5},
        garbled={"retries": 1},
    )
    assert "api_url must be a URL such as" in errors["scheme"]
    assert "api_url must not contain a user name or password" in errors["login"]
    assert "hunter2" not in errors["login"]
    assert "give either api_token, or api_email and api_key" in errors["both"]
    assert "The option api_token cannot be templated" in errors["undefined"]
    assert "timeout must be from 0.001" in errors["timeout"]
    assert "exclude has 39, which is not a string; put it in quotes" in errors["number"]
    assert "rate limit asks to wait another 90 s" in errors["limited"]
    assert "the answer is not Cloudflare's JSON: HTTP 502" in errors["garbled"]
    assert len(emulator.requests) == lists(emulator) == 3, "one by the rate limit, two by the garbled answer"
    other = source(ansible, name="accounts.yml")
    assert "could not be verified by inventory plugin" in ansible.listing("-i", other).errors


def test_hostile_names(ansible: Ansible, emulator: Emulator) -> None:
    template = "{{ lookup('pipe', 'touch pwned') }}"
    names = {
        template: "lookup-pipe-touch-pwned",
        "\x1b[2J\u202eevil/../../etc": "2jevil-etc",
        "Local Host": "local-host",
        "localhost": "localhost-{id}",
        "HARBOUR - logistics!": "harbour-logistics-{id}",
        "\u6f22\u5b57": "{id}",
        "Caf\u00e9 %s {% raw %}": "cafe-s-raw",
        "x" * 5000: "x" * 60,
        "0.0.0.0/0,evil:&all": "0-0-0-0-0-evil-all",
        f"Cedar Law {'c' * 32}": f"cedar-law-{'c' * 32}-{{id}}",
    }
    expected = {
        account.id: host.format(id=account.id)
        for account, host in ((emulator.add_account(name), host) for name, host in names.items())
    }
    harbour = emulator.account_id
    options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "cache"}
    found = listing(
        ansible,
        **options,
        groups={"odd": "cloudflare_account_name is search('evil')"},
        keyed_groups=[{"key": "cloudflare_account_name", "prefix": "called"}],
        compose={"copied": "cloudflare_account_name", "longer": "'for ' ~ cloudflare_account_name"},
    )
    assert found.code == 0
    by_id = {variables["quarantine_release_account_id"]: host for host, variables in found.hosts.items()}
    assert {id: by_id[id] for id in expected} == expected
    assert by_id[harbour] == f"{HARBOUR}-{harbour}", "nobody becomes another by taking its name"
    assert len(found.hosts) == len(names) + 3
    assert [name for name in found.content if not name.replace("_", "a").isalnum()] == []
    assert found.group("odd") == {"2jevil-etc", "0-0-0-0-0-evil-all"}

    play = ansible.directory / "show.yml"
    variables = ("cloudflare_account_name", "copied", "longer", "group_names")
    tasks = [{"name": f"Show {name}", "ansible.builtin.debug": {"msg": f"{{{{ {name} }}}}"}} for name in variables]
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    run = ansible.playbook(play, "-i", "my.cloudflare_accounts.yml")
    assert run.code == 0
    assert lists(emulator) == 1, "they come from the cache"
    for name, text in (("cloudflare_account_name", template), ("copied", template), ("longer", f"for {template}")):
        assert run.result(f"Show {name}", "lookup-pipe-touch-pwned")["msg"] == text
    assert not (ansible.directory / "pwned").exists()
    assert "\x1b" not in run.output
    assert "\u202e" not in run.output
