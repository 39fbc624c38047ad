# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The hosts of a play of this collection. What would make it run for no host, or leave its tasks out, is an error.

Ansible only warns of a missing inventory and of a pattern that matches nothing, and ends with 0.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleFilterError
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.parsing.dataloader import DataLoader

from ._quarantine_release.running import last_stage
from ._quarantine_release.values import Mistake

# Where Ansible looks if nobody names an inventory.
_DEFAULT_INVENTORY = "/etc/ansible/hosts"


def play_hosts(
    pattern: t.Any,
    groups: t.Mapping[str, t.Sequence[str]],
    sources: t.Iterable[str],
    limit: str | None,
    run_tags: t.Collection[str],
    skip_tags: t.Collection[str],
    has_stages: bool = False,
) -> t.Any:
    """Return the pattern of hosts to run for: all hosts of the inventory by default, or localhost if nobody named an inventory.

    limit, run_tags, skip_tags: as Ansible was given them. has_stages: the play runs the role quarantine_release, with its tags.
    """
    _check_inventory(groups, sources)
    pattern = pattern or ("all" if groups["all"] else "localhost")
    _check_pattern(pattern, groups, limit)
    if has_stages:
        try:
            last_stage(run_tags, skip_tags, (), True)
        except Mistake as error:
            raise AnsibleFilterError(f"{error} Nothing was sent.") from None
    elif not {"all", "untagged"} & set(run_tags) or {"all", "untagged"} & set(skip_tags):
        raise AnsibleFilterError(
            "This playbook has no tags, so --tags and --skip-tags leave out all of it. Leave them out."
        )
    return pattern


def _check_inventory(groups: t.Mapping[str, t.Sequence[str]], sources: t.Iterable[str]) -> None:
    given = [source for source in sources if source != _DEFAULT_INVENTORY]
    for source in given:
        if "," not in source and not os.path.exists(source):
            raise AnsibleFilterError(f"The inventory {source} does not exist. Nothing was sent.")
    if given and not groups["all"]:
        raise AnsibleFilterError(f"There are no hosts in the inventory ({', '.join(given)}). Nothing was sent.")


def _check_pattern(pattern: t.Any, groups: t.Mapping[str, t.Sequence[str]], limit: str | None) -> None:
    inventory = InventoryManager(DataLoader(), parse=False)
    for group, hosts in groups.items():
        inventory.add_group(group)
        for host in hosts:
            inventory.add_host(host, group=group)
    for part in split_host_pattern(pattern):
        if part[:1] not in ("!", "&") and not inventory.get_hosts(part):
            raise AnsibleFilterError(
                f"No host of the inventory matches {part} (quarantine_release_hosts). Nothing was sent."
            )
    inventory.subset(limit)
    if not inventory.get_hosts(pattern):
        limited = f" and --limit {limit}" if limit else ""
        raise AnsibleFilterError(f"No host of the inventory matches {pattern}{limited}. Nothing was sent.")
