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
short_description: Send events for newly quarantined messages of Cloudflare Email Security
description:
  - Polls Cloudflare for quarantined messages, and sends an event for each message that is new. Messages with the same decision
    share an event.
  - Releases nothing. A token with the permission C(Cloud Email Security) with C(Read) is enough.
  - C(quarantine.decision) is C(release) if a message passes I(policy), C(approval) if it passes only I(approval_policy), and C(keep)
    if it passes neither. It is null without a I(policy).
  - C(quarantine.ids) holds the IDs of the messages, C(quarantine.messages) what is known about them, and C(quarantine.count) their
    number. C(quarantine.name) is a name that is always safe as a file name.
  - Continues after errors of the server and the network, and respects the rate limit. With I(state_file), it continues after a
    restart where it stopped. If it was killed while it sent an event, it may send that event again.
  - A message with the decision C(release) that is still in quarantine after I(repeat_after) is sent again, at most three times in
    total. This covers lost events and failed releases.
  - A message whose ID could be mistaken for another ID, a path or a template is left out with a warning.
  - Text from strangers is made harmless. ansible-rulebook passes events to playbooks as extra variables, which Ansible evaluates as
    templates. Braces that would start a template are therefore separated. Control characters are replaced, and so are characters
    beyond U+FFFF, such as emoji, which ansible-rulebook would damage.
options:
  account_id:
    description: ID of the Cloudflare account. If not set, the environment variable E(CLOUDFLARE_ACCOUNT_ID) is used.
    type: str
  api_token:
    description: API token. If not set, the environment variable E(CLOUDFLARE_API_TOKEN) is used, which is the better place.
    type: str
  api_email:
    description: Email address of the user who owns I(api_key). If not set, the environment variable E(CLOUDFLARE_EMAIL) is used.
    type: str
  api_key:
    description: Global API key. If not set, the environment variable E(CLOUDFLARE_API_KEY) is used.
    type: str
  api_url:
    description: Base URL of the API. If not set, the environment variable E(CLOUDFLARE_BASE_URL) is used, or else Cloudflare's URL. A
      warning is shown if it is not HTTPS.
    type: str
  timeout:
    description: Timeout of one request in seconds.
    type: float
    default: 60
  retries:
    description: How often to repeat a failed request.
    type: int
    default: 5
  max_wait:
    description: Maximum time in seconds to wait for Cloudflare's rate limit in one poll. With 0, never wait.
    type: float
    default: 600
  validate_certs:
    description: Whether to check the TLS certificate of the server.
    type: bool
    default: true
  ca_path:
    description: Path of a file or directory with CA certificates.
    type: path
  interval:
    description: Time in seconds between two polls, 1 to 86400.
    type: float
    default: 60
  since:
    description: How far back the first poll looks, such as C(1h) or C(2d).
    type: str
    default: 1h
  overlap:
    description: Time in seconds that each poll looks back before the newest known message, 60 to 86400, because Cloudflare may show
      messages late.
    type: float
    default: 900
  repeat_after:
    description: Time in seconds after which a message with the decision C(release) that is still in quarantine is sent again, 5 to
      86400.
    type: float
    default: 900
  batch_size:
    description: Maximum number of messages in one event, 1 to 1000.
    type: int
    default: 50
  state_file:
    description: Path of a file that records the progress. Each source needs its own file. Without it, each start begins with I(since).
      It must belong to this user or root and must not be a symbolic link. Its directory must not be world-writable, unless it has
      the sticky bit.
    type: path
  policy:
    description:
      - Rules for messages to release without asking, as in the option I(policy) of M(emailsec.cloudflare.message_plan). A
        message that passes has the decision C(release). With an empty dictionary or null, the rules have their defaults. If not
        set, events have no decision.
      - Since release 0.5.0, a list that is an empty string or null is an error, except C(overrides). An empty list is allowed.
    type: dict
  approval_policy:
    description: Rules for the remaining messages. A message that passes these rules but not I(policy) has the decision
      C(approval). By default, the default rules.
    type: dict
  sender:
    description: Send events only for messages from this address or domain. The search options I(recipient), I(subject), I(query),
      I(domain) and I(disposition) of M(emailsec.cloudflare.message_info) work in the same way.
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
