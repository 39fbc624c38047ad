# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""POST investigate/move and investigate/{id}/move: mailboxes with folders, and moves that fail in some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import contract
from .clock import rfc3339
from .envelope import ApiError, bad_request, error, no_message
from .mail import Action, Message, MoveOutcome, State
from .records import Moved

if TYPE_CHECKING:
    from .settings import Settings
    from .world import World

_SCHEMAS = {"ids": "BulkMoveRequest", "postfix_ids": "BulkMoveRequestLegacy"}
# What nobody can move any more
_GONE = "RecoverableItemsPurges"


def read_body(body: Any, settings: Settings) -> tuple[list[str], str]:
    """The ids of a bulk move and which kind of them counts, or a 400."""
    flaws = [(form, contract.flaw(_SCHEMAS[form], body)) for form in sorted(settings.move_forms)]
    for form, flaw in flaws:
        if not flaw:
            return body[form], "investigate" if form == "ids" else "postfix"
    wrong = flaws[0][1]
    assert wrong is not None
    raise (
        ApiError(400, error(1000, "Bad Request"))
        if settings.form_error == "silent"
        else bad_request(wrong[1], wrong[0])
    )


class Move:
    """One call."""

    def __init__(self, world: World, account: str, requested_by: str, folder: str) -> None:
        self.world = world
        self.account = account
        self.requested_by = requested_by
        self.folder = folder

    def run(self, handles: list[str], kind: str) -> list[dict[str, Any]]:
        """Move the messages, one after the other, and tell of each mailbox."""
        mailbox = self.world.accounts[self.account].mailbox
        found = [(handle, mailbox.get(handle, kind)) for handle in handles]
        if self.world.settings.refusal == "before":
            for handle, message in found:
                self._refuse(handle, message)
        results = []
        for handle, message in found:
            self._refuse(handle, message)
            if message is not None:
                results += self._carry_out(message)
        return results

    def _refuse(self, handle: str, message: Message | None) -> None:
        plan = message.moves[0] if message and message.moves else None
        if (message is None and self.world.settings.unknown_move == "refuse_404") or plan == "refuse_404":
            raise no_message(handle)
        if (message is None and self.world.settings.unknown_move == "refuse_400") or plan == "refuse_400":
            raise ApiError(400, error(1001, f"message {handle} cannot be moved"))

    def _carry_out(self, message: Message) -> list[dict[str, Any]]:
        plan = message.moves[0] if message.moves else MoveOutcome()
        assert isinstance(plan, MoveOutcome)
        if len(message.moves) > 1:
            message.moves.pop(0)
        now = self.world.clock.now()
        lost = {recipient: self._obstacle(message, recipient, plan) for recipient in message.recipients}
        for recipient, obstacle in lost.items():
            if obstacle is None:
                message.folders[recipient] = self.folder
                self.world.moves.append(
                    Moved(
                        account=self.account, message_id=message.id, recipient=recipient, folder=self.folder, time=now
                    )
                )
        self._record(message, [obstacle is None for obstacle in lost.values()], now)
        told = {"entries": list(lost), "omitted": [], "half": list(lost)[::2]}[plan.answer]
        return [self._entry(message, recipient, lost[recipient], now) for recipient in told]

    @staticmethod
    def _obstacle(message: Message, recipient: str, plan: MoveOutcome) -> str | None:
        """Why the message cannot be moved in a mailbox."""
        if message.is_quarantined or message.folders.get(recipient) == _GONE:
            return "NOT_FOUND"
        return plan.failed.get(recipient, plan.failed.get("*"))

    def _record(self, message: Message, moved: list[bool], now: float) -> None:
        """Log the move, once or for each mailbox, and show it after `state_lag`."""
        entries = moved if self.world.settings.move_log == "mailbox" else [all(moved)]
        actions = tuple(
            Action(operation="MOVE", at=now, success=success, folder=self.folder, requested_by=self.requested_by)
            for success in entries
        )
        before = message.state
        status = ("moved",) if any(moved) else before.delivery_status
        message.change(
            State(before.is_quarantined, status, (*before.actions, *actions)), now + self.world.settings.state_lag
        )

    def _entry(self, message: Message, recipient: str, obstacle: str | None, now: float) -> dict[str, Any]:
        return {
            "success": obstacle is None,
            "status": obstacle or "OK",
            "recipient": recipient,
            "destination": self.folder,
            "message_id": message.message_id,
            "operation": "MOVE",
            "completed_at": rfc3339(now),
        }
