# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source that tells of mail that newly entered the quarantine of Cloudflare Email Security."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import sys
import types
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
---
short_description: Tell of mail that newly entered the quarantine of Cloudflare Email Security
description:
  - Asks Cloudflare at intervals for mail in quarantine, and puts an event into the queue for what it has not told of yet.
  - Survives errors of server and network, and keeps to the rate limit. With I(state_file) it goes on after a restart where it
    was. What it was telling of when it was killed it may tell of again. What was to be released and is in quarantine all the
    same, as its event was lost or its release failed, it tells of again after I(repeat_after), three times in all.
  - Releases nothing. A token with the permission C(Cloud Email Security) with C(Read) is enough.
  - Each event has messages of one decision. C(quarantine.decision) is C(release) if I(policy) lets them pass, C(approval) if it
    does not but I(approval_policy) does, C(keep) if neither does, and null without a I(policy). C(quarantine.ids) has their
    ids, C(quarantine.messages) what is known of them, C(quarantine.count) how many they are, and C(quarantine.name) a name for
    files that is always safe.
  - A message whose id could be taken for another id, a path or a template is left out with a warning.
  - Text that strangers wrote is inert. Braces that would begin a template are taken apart, as ansible-rulebook hands events to
    playbooks as extra variables, which Ansible takes for templates. Control characters are replaced, and so are those beyond
    U+FFFF, such as emoji, which ansible-rulebook hands on broken.
options:
  account_id:
    description: The Cloudflare account. If not set, the environment variable E(CLOUDFLARE_ACCOUNT_ID).
    type: str
  api_token:
    description: API token. If not set, the environment variable E(CLOUDFLARE_API_TOKEN), which is the better place.
    type: str
  api_email:
    description: Email address for I(api_key). If not set, E(CLOUDFLARE_EMAIL).
    type: str
  api_key:
    description: Global API key. If not set, E(CLOUDFLARE_API_KEY).
    type: str
  api_url:
    description: Base URL of the API. If not set, E(CLOUDFLARE_BASE_URL), or Cloudflare's.
    type: str
  timeout:
    description: Seconds that one request may take.
    type: float
    default: 60
  retries:
    description: How often a request is tried again.
    type: int
    default: 5
  max_wait:
    description: Seconds to wait in all for the rate limit in one poll.
    type: float
    default: 600
  validate_certs:
    description: Whether the server's certificate is checked.
    type: bool
    default: true
  ca_path:
    description: File or directory of CA certificates.
    type: path
  interval:
    description: Seconds from one poll to the next, 1 to 86400.
    type: float
    default: 60
  since:
    description: How far back the very first poll looks, such as C(1h) or C(2d).
    type: str
    default: 1h
  overlap:
    description: Seconds that each poll looks back before the newest message it knows, 60 to 86400, as mail may be shown late.
    type: float
    default: 900
  repeat_after:
    description: Seconds after which a message with the decision C(release) that is still in quarantine is told of again, 5 to 86400.
    type: float
    default: 900
  batch_size:
    description: How many messages one event may tell of, 1 to 1000.
    type: int
    default: 50
  state_file:
    description: File that keeps how far it has come, one for each source. Without it, each start begins with I(since). It must belong to
      this user or to root and be no symbolic link, in a directory that not everybody can write to, unless it has the sticky bit.
    type: path
  policy:
    description:
      - Rules of the option I(policy) of M(emailsec.cloudflare.message_plan). What they let pass is C(release).
      - Since release 0.5.0, a list that is an empty string or null is an error, except C(overrides). An empty list is allowed.
    type: dict
  approval_policy:
    description: Likewise; what they let pass, and I(policy) does not, is C(approval). By default the default rules.
    type: dict
  sender:
    description: Address or domain of the sender; only such mail is told of. Likewise I(recipient), I(subject), I(query),
      I(domain) and I(disposition), the search options of M(emailsec.cloudflare.message_info).
    type: str
"""

EXAMPLES = r"""
- name: Newly quarantined mail
  emailsec.cloudflare.quarantine:
    interval: 60
    state_file: /var/lib/emailsec/quarantine.cursor
    policy:
      allowed_senders: [partner.example]
"""

_LOG = logging.getLogger("emailsec.cloudflare.quarantine")
_LONGEST_PAUSE = 600.0


def _library(name: str) -> Any:
    """Import a module of the collection. ansible-rulebook runs this file by its path, and knows no ansible_collections."""
    package = "emailsec_cloudflare"
    if package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(Path(__file__).parents[4] / "plugins" / "module_utils")]
    return importlib.import_module(f"{package}.{name}")


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Poll until the rulebook ends."""
    error = _library("_errors").CloudflareError
    clock = _library("_clock").Clock()
    watcher, interval = _library("_source").make_watcher(args, clock, _LOG.warning)
    failures = 0
    try:
        while True:
            try:
                events = watcher.poll()
                while event := await asyncio.to_thread(next, events, None):
                    await queue.put(event)
                failures = 0
            except error as problem:
                failures += 1
                _LOG.error("Quarantine could not be read, and is asked again: %s", problem)
            await asyncio.sleep(min(interval * 2 ** min(failures, 10), max(interval, _LONGEST_PAUSE)))
    finally:
        # A poll that is under way in its thread is not to wait any longer.
        clock.stop()


if __name__ == "__main__":

    class _Printer:
        async def put(self, event: dict[str, Any]) -> None:
            """Show an event."""
            print(event)  # noqa: T201

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(_Printer(), {}))  # type: ignore[arg-type]
