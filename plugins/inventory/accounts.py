# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory plugin: each account becomes a host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: accounts
short_description: Inventory source for Cloudflare accounts
version_added: 0.3.0
description:
  - Adds a host for each Cloudflare account that the credential can see. The variable C(quarantine_release_account_id) of the
    host selects the account for the role P(emailsec.cloudflare.quarantine_release#role).
  - Messages to release and other settings come from C(group_vars), C(host_vars) or extra variables, as with any inventory.
  - Uses a YAML configuration file whose name ends with C(cloudflare_accounts.yml) or C(cloudflare_accounts.yaml).
  - A host is named after its account, in lower case and with hyphens between the words. If two accounts would get the same
    name, the account ID is added to both.
  - The hosts have C(ansible_connection=local), and the Python that runs Ansible as C(ansible_python_interpreter). The variables
    C(cloudflare_account_name) and C(cloudflare_account_type) hold the name and type of the account. Ansible never evaluates
    them as templates.
author:
  - emailsec.cloudflare contributors (@emailsec)
extends_documentation_fragment:
  - emailsec.cloudflare.api.connection
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: Name of this plugin. Must be V(emailsec.cloudflare.accounts).
    type: str
    required: true
    choices: [emailsec.cloudflare.accounts]
  api_token:
    description:
      - API token of a user. A token that belongs to an account cannot list accounts. Mutually exclusive with O(api_email) and
        O(api_key).
      - If no credential option is set, the environment variable E(CLOUDFLARE_API_TOKEN) is used, or else
        E(CLOUDFLARE_EMAIL) and E(CLOUDFLARE_API_KEY).
      - An empty environment variable counts as not set.
      - O(api_token), O(api_email), O(api_key) and O(api_url) can be templates, such as a lookup, and can be encrypted with
        C(ansible-vault).
      - The token is only used to list the accounts. The hosts do not get it.
    type: str
  api_url:
    description:
      - Base URL of the API. A warning is shown if it is not HTTPS.
    type: str
    default: https://api.cloudflare.com/client/v4
    env:
      - name: CLOUDFLARE_BASE_URL
  include:
    description:
      - Add only accounts whose name or ID matches one of these patterns. A pattern can contain the wildcards V(*), V(?) and
        V([...]). Case is ignored.
      - If empty, all accounts are added.
    type: list
    elements: str
    default: []
  exclude:
    description: Leave out accounts whose name or ID matches one of these patterns. Takes precedence over O(include).
    type: list
    elements: str
    default: []
  hostname:
    description:
      - Whether to name hosts after the V(name) or the V(id) of the account.
      - Administrators of an account can change its name. With V(id), the variables in C(host_vars) stay with the account.
    type: str
    choices: [name, id]
    default: name
  group:
    description: Name of the group of all hosts.
    type: str
    default: cloudflare_accounts
notes:
  - If an inventory source fails, Ansible shows a warning and continues without it. To make this an error, set
    C(any_unparsed_is_failed=true) in the section C([inventory]) of C(ansible.cfg), or set the environment variable
    E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED).
  - The cache holds the IDs, names and types of accounts, separately for each file, O(api_url) and credential. The credential is
    not cached.
  - The cache plugins of Ansible create files that every user of the machine can read. To hide the names of your accounts from
    other users, create the directory O(cache_connection) yourself with the mode C(0700).
"""

EXAMPLES = r"""
# cloudflare_accounts.yml: all accounts that the token in CLOUDFLARE_API_TOKEN can see
plugin: emailsec.cloudflare.accounts

---
# some.cloudflare_accounts.yml: its own token, some of the accounts, groups, and a cache for one day
plugin: emailsec.cloudflare.accounts
api_token: "{{ lookup('ansible.builtin.file', '/run/secrets/cloudflare') }}"
include:
  - "* clinic"
  - "* law"
exclude:
  - test*
groups:
  clinics: cloudflare_account_name is search('Clinic')
keyed_groups:
  - key: cloudflare_account_type
    prefix: type
compose:
  quarantine_release_reason: "'False positives of ' ~ cloudflare_account_name"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/cloudflare-accounts
cache_timeout: 86400
"""

import datetime
import fnmatch
import sys
import typing as t

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.release import __version__ as ansible_version
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._api.accounts import Account, list_accounts, read_account, unique_names
from ..module_utils._api.client import Client, Settings, access_name
from ..module_utils._api.connection import connection_settings
from ..module_utils._api.http import IMPORT_ERROR
from ..module_utils._clock import Clock
from ..module_utils._errors import CloudflareError

_TEMPLATES = ("api_token", "api_email", "api_key", "api_url")
_CONNECTION = (*_TEMPLATES, "timeout", "retries", "max_wait", "validate_certs", "ca_path")
# Names that have a meaning for Ansible.
_TAKEN = ("all", "ungrouped", "localhost")


def _refuse_numbers(config: t.Mapping[str, t.Any]) -> None:
    """Raise AnsibleParserError for a pattern that YAML made a number or a date of. It would match another name, or none."""
    for name in ("include", "exclude"):
        patterns = config.get(name)
        for pattern in patterns if isinstance(patterns, list) else [patterns]:
            if isinstance(pattern, (int, float, datetime.date)):
                raise AnsibleParserError(f"{name} has {pattern}, which is not a string; put it in quotes")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Makes a host for each account."""

    NAME = "emailsec.cloudflare.accounts"

    # Names of groups are always safe words, whatever Ansible's own setting is.
    _sanitize_group_name = staticmethod(lambda name: to_safe_group_name(name, force=True, silent=True))

    def verify_file(self, path: str) -> bool:
        """Tell whether the name of the file is one of ours."""
        return super().verify_file(path) and path.endswith(("cloudflare_accounts.yml", "cloudflare_accounts.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the accounts to the inventory."""
        super().parse(inventory, loader, path, cache)
        _refuse_numbers(self._read_config_data(path))
        if IMPORT_ERROR:
            raise AnsibleParserError(missing_required_lib("requests"))
        try:
            accounts = self._accounts(path, cache)
        except CloudflareError as error:
            raise AnsibleParserError(str(error)) from None
        group = inventory.add_group(self._sanitize_group_name(self.get_option("group")))
        by_name = self.get_option("hostname") == "name"
        # Made from all accounts, so that no name depends on the patterns.
        names = unique_names(accounts, (*_TAKEN, *inventory.groups)) if by_name else {}
        for account in accounts:
            if self._is_wanted(account):
                self._add(account, names.get(account.id, account.id), group)

    def _accounts(self, path: str, cache: bool) -> list[Account]:
        """Return all accounts, from the cache if it may be used and has them."""
        settings = self._settings()
        if not self.get_option("cache"):
            return list_accounts(Client(settings, Clock()))
        key = f"{self.get_cache_key(path)}_{access_name(settings)}"
        if cache:
            try:
                return [read_account(row) for row in self._cache[key]]
            except KeyError:
                pass  # not there, or too old
        accounts = list_accounts(Client(settings, Clock()))
        self._cache[key] = [{"id": account.id, "name": account.name, "type": account.kind} for account in accounts]
        return accounts

    def _settings(self) -> Settings:
        """Return how to reach the API, from the options and the environment."""
        options = {name: self.get_option(name) for name in _CONNECTION}
        for name in _TEMPLATES:
            try:
                options[name] = self.templar.template(options[name])
            except AnsibleError as error:
                raise AnsibleParserError(f"The option {name} cannot be templated: {error}") from None
            if options[name] is not None:
                options[name] = str(options[name])
        return connection_settings(options, "", f"ansible-core {ansible_version}", self.display.warning)

    def _is_wanted(self, account: Account) -> bool:
        """Tell whether the patterns include the account."""

        def fits(patterns: list[str]) -> bool:
            return any(
                fnmatch.fnmatchcase(text, pattern.lower())
                for pattern in patterns
                for text in (account.name.lower(), account.id)
            )

        return (not self.get_option("include") or fits(self.get_option("include"))) and not fits(
            self.get_option("exclude")
        )

    def _add(self, account: Account, host: str, group: str) -> None:
        """Add an account as a host, with its variables and groups."""
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "cloudflare_account_name": wrap_var(account.name),
            "cloudflare_account_type": wrap_var(account.kind),
            "quarantine_release_account_id": account.id,
        }
        self.inventory.add_host(host, group)
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict)
