# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source for new messages in the quarantine of Cloudflare Email Security."""

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
short_description: Send events for new messages in the quarantine of Cloudflare Email Security
description:
  - Polls Cloudflare for messages in quarantine, and sends an event for each newly quarantined message.
  - Goes on after errors of the server or the network, and keeps to the rate limit. With I(state_file), it continues after a
    restart. Messages that it was reporting when it was killed may be in a second event.
  - If a message that was to be released is still in quarantine after I(repeat_after), because its event was lost or its release
    failed, its event is sent again, at most three times in total.
  - Releases nothing. A token with the permission C(Cloud Email Security) with C(Read) is enough.
  - All messages of an event have the same decision. C(quarantine.decision) is C(release) if the messages pass I(policy),
    C(approval) if they only pass I(approval_policy), C(keep) if they pass neither, and null without I(policy).
    C(quarantine.ids) has their ids, C(quarantine.messages) their details, C(quarantine.count) their number, and
    C(quarantine.name) a name that is always safe for files.
  - A message whose id could be taken for another id, a path or a template is left out, with a warning.
  - Text that strangers wrote is inert. ansible-rulebook passes events to playbooks as extra variables, which Ansible takes for
    templates, so braces that would begin a template are separated. Control characters are replaced. Characters beyond U+FFFF,
    such as emoji, are replaced as well, because ansible-rulebook breaks them.
options:
  account_id:
    description: The Cloudflare account. If not set, the environment variable E(CLOUDFLARE_ACCOUNT_ID).
    type: str
  api_token:
    description: API token. If not set, the environment variable E(CLOUDFLARE_API_TOKEN), which is the safer place.
    type: str
  api_email:
    description: Email address for I(api_key). If not set, E(CLOUDFLARE_EMAIL).
    type: str
  api_key:
    description: Global API key. If not set, E(CLOUDFLARE_API_KEY).
    type: str
  api_url:
    description: Base URL of the API. If not set, E(CLOUDFLARE_BASE_URL), or the URL of Cloudflare.
    type: str
  timeout:
    description: Seconds that one request may take.
    type: float
    default: 60
  retries:
    description: How often a failed request is repeated.
    type: int
    default: 5
  max_wait:
    description: Seconds to wait for the rate limit in one poll, in total.
    type: float
    default: 600
  validate_certs:
    description: Whether to verify the TLS certificate of the server.
    type: bool
    default: true
  ca_path:
    description: File or directory of CA certificates.
    type: path
  interval:
    description: Seconds between two polls, 1 to 86400.
    type: float
    default: 60
  since:
    description: How far the first poll looks back, such as C(1h) or C(2d).
    type: str
    default: 1h
  overlap:
    description: Seconds that each poll looks back before the newest known message, 60 to 86400, because messages may show up late.
    type: float
    default: 900
  repeat_after:
    description: Seconds after which the event of a message with the decision C(release) is sent again if the message is still in quarantine,
      5 to 86400.
    type: float
    default: 900
  batch_size:
    description: Maximum number of messages in one event, 1 to 1000.
    type: int
    default: 50
  state_file:
    description: File that keeps the progress of this source. Each source needs its own. Without it, each start begins with I(since). It
      must belong to this user or to root and must not be a symbolic link. Its directory must not be writable for everybody, unless
      it has the sticky bit.
    type: path
  policy:
    description: Rules of the option I(policy) of M(emailsec.cloudflare.message_plan). Messages that pass are C(release).
    type: dict
  approval_policy:
    description: The same for an approval. Messages that pass, but do not pass I(policy), are C(approval). By default, the default rules.
    type: dict
  sender:
    description: Address or domain of the sender. Events are sent only for messages that match. I(recipient), I(subject), I(query),
      I(domain) and I(disposition) work the same; they are search options of M(emailsec.cloudflare.message_info).
    type: str
"""

EXAMPLES = r"""
- name: New messages in quarantine
  emailsec.cloudflare.quarantine:
    interval: 60
    state_file: /var/lib/emailsec/quarantine.cursor
    policy:
      allowed_senders: [partner.example]
"""

_LOG = logging.getLogger("emailsec.cloudflare.quarantine")
_LONGEST_PAUSE = 600.0


def _library(name: str) -> Any:
    """Import a module of the collection. ansible-rulebook runs this file by its path, without ansible_collections."""
    package = "emailsec_cloudflare"
    if package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(Path(__file__).parents[4] / "plugins" / "module_utils")]
    return importlib.import_module(f"{package}.{name}")


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Poll until the rulebook ends."""
    error = _library("_errors").CloudflareError
    clock = _library("_clock").Clock()
    watcher, interval = _library("_events.quarantine_source").make_watcher(args, clock, _LOG.warning)
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
                _LOG.error("The quarantine could not be read. The next poll tries again: %s", problem)
            await asyncio.sleep(min(interval * 2 ** min(failures, 10), max(interval, _LONGEST_PAUSE)))
    finally:
        # A poll that still runs in its thread must not wait any longer.
        clock.stop()


if __name__ == "__main__":

    class _Printer:
        async def put(self, event: dict[str, Any]) -> None:
            """Show an event."""
            print(event)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(_Printer(), {}))  # type: ignore[arg-type]
