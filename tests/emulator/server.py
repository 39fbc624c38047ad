# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The emulator in a thread of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .app import BASE, create_app
from .background import Background
from .clock import Clock
from .control import describe
from .credentials import Credential
from .faults import Faults
from .lists import Entry
from .mail import Message
from .records import Delivery, Moved, Request
from .settings import Settings
from .submissions import Submission
from .world import Account, World


class Emulator(Background):
    """A running server: `with Emulator("bulk", messages=10_000, state_lag=2) as emulator: ...`.

    Everything here is safe to use from the thread of the test while requests are served.
    """

    def __init__(
        self,
        scenario: str = "default",
        *,
        messages: int = 1000,
        seed: int = 0,
        host: str = "127.0.0.1",
        port: int = 0,
        **settings: Any,
    ) -> None:
        self.world = World(scenario, messages=messages, seed=seed, **settings)
        super().__init__(lambda: create_app(self.world), host, port)

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return self.origin + BASE

    @property
    def control_url(self) -> str:
        """The base URL of the control interface."""
        return f"{self.origin}/__emulator"

    @property
    def accounts(self) -> list[Account]:
        """The accounts; the first is the one that is meant when none is named."""
        return list(self.world.accounts.values())

    @property
    def account_id(self) -> str:
        """The id of the first account."""
        return self.world.first_account

    @property
    def credentials(self) -> dict[str, Credential]:
        """write, read_only, other_account, account_owned, expired, disabled, revoked and key."""
        return self.world.credentials

    @property
    def settings(self) -> Settings:
        """The settings as they are; `configure` changes them."""
        return self.world.settings

    @property
    def faults(self) -> Faults:
        """The faults on order."""
        return self.world.faults

    @property
    def clock(self) -> Clock:
        """The time, which can be moved forward."""
        return self.world.clock

    @property
    def requests(self) -> list[Request]:
        """The log of all requests to the API."""
        return self.world.requests

    @property
    def deliveries(self) -> Counter[tuple[str, str]]:
        """How many copies went out for each message id and recipient."""
        return self.world.delivered()

    @property
    def delivery_log(self) -> list[Delivery]:
        """Each copy that went out, in order."""
        return self.world.deliveries

    @property
    def submissions(self) -> list[Submission]:
        """All submissions, in order, also those that readers do not see yet."""
        return self.world.submissions

    def requests_to(self, route: str) -> list[Request]:
        """The requests to one route, by its name in app.ROUTES."""
        return [request for request in self.requests if request.route == route]

    def messages(self, account: str | None = None) -> list[Message]:
        """The messages of an account, newest first."""
        return list(self.world.accounts[account or self.account_id].mailbox)

    def quarantined(self, account: str | None = None) -> list[Message]:
        """Those that are in quarantine."""
        return [message for message in self.messages(account) if message.is_quarantined]

    def add_message(self, account: str | None = None, **fields: Any) -> Message:
        """Put one message into quarantine, or elsewhere; see World.compose and Message for the fields."""
        return self.world.add_message(account, **fields)

    def add_account(self, name: str, id: str | None = None) -> Account:
        """Add an account without mail; credentials for all accounts are for this one, too."""
        return self.world.add_account(name, id)

    def enter(self, message_id: str, state: str) -> None:
        """Let a message enter a state (one word, as for add_message) as if somebody else had acted."""
        self.world.enter(message_id, state)

    def remove(self, message_id: str) -> None:
        """Forget a message."""
        self.world.remove(message_id)

    def script(self, message_id: str, *outcomes: Any) -> None:
        """Fix the outcomes of the next releases of a message; the last one stays."""
        self.world.script(message_id, *outcomes)

    @property
    def moves(self) -> list[Moved]:
        """Every message that was moved in a mailbox, in order."""
        return self.world.moves

    def script_move(self, message_id: str, *outcomes: Any) -> None:
        """Fix the outcomes of the next moves of a message; see `mail.MoveOutcome`."""
        self.world.script_move(message_id, *outcomes)

    def destine(self, message_id: str, *fates: Any) -> None:
        """Fix what becomes of the next submissions of a message; the last one stays."""
        self.world.destine(message_id, *fates)

    def judge(self, message_id: str, disposition: str, after: float = 0.0) -> None:
        """Let Cloudflare change its verdict on a message, so many seconds from now."""
        self.world.judge(message_id, disposition, after)

    def entries(self, kind: str, account: str | None = None) -> list[Entry]:
        """The entries of a settings list as they really are, the oldest first."""
        return self.world.list_of(kind, account).entries

    def add_entries(self, kind: str, *entries: Entry, account: str | None = None) -> list[Entry]:
        """Put entries into a settings list, also such as the API would refuse."""
        return self.world.add_entries(kind, *entries, account=account)

    def configure(self, **changes: Any) -> None:
        """Change settings."""
        self.world.configure(**changes)

    def reset(self) -> None:
        """Back to the beginning: mail, settings, faults, log and time."""
        self.world.reset()

    def environment(self, credential: str = "write", account: str | None = None) -> dict[str, str]:
        """The environment variables that point a client here."""
        return {
            "CLOUDFLARE_BASE_URL": self.url,
            "CLOUDFLARE_ACCOUNT_ID": account or self.account_id,
            **self.credentials[credential].environment,
        }

    def describe(self) -> dict[str, Any]:
        """URL, accounts and credentials as plain data."""
        return {"url": self.url, "control_url": self.control_url, **describe(self.world)}
