# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""POST investigate/release: forms, outcomes, and what they leave behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from . import contract
from .envelope import ApiError, error, no_message
from .mail import Action, Mailbox, Message, Outcome, Script, State

if TYPE_CHECKING:
    from .settings import Settings
    from .world import World

_SCHEMAS = {"object": "ReleaseRequest", "array": "ReleaseRequestLegacy"}
_GO_TYPES = {"object": "api.ReleaseRequest", "array": "[]string"}
# What the service says to a body of the wrong form is not published: code, message, whether a pointer is sent.
FORM_ERRORS = {
    "placeholder": (1001, "placeholder: the code and text of a body validation error are not published", True),
    "unmarshal": (1001, "json: cannot unmarshal {sent} into Go value of type {wanted}", False),
    "schema": (1006, "request body does not match the schema: expected {form}, got {sent}", True),
    "silent": (1000, "Bad Request", False),
}


def read_body(body: Any, settings: Settings) -> tuple[list[str], str]:
    """The ids of a request and which kind of them counts, or a 400."""
    form = "object" if isinstance(body, dict) else "array" if isinstance(body, list) else "value"
    if form not in settings.release_forms:
        raise _form_error(form, "/ids", settings)
    if wrong := contract.flaw(_SCHEMAS[form], body):
        raise _form_error(form, wrong[0] or "/ids", settings)
    ids = body["ids"] if form == "object" else body
    if settings.release_max_ids is not None and len(ids) > settings.release_max_ids:
        raise _form_error(form, "/ids", settings)
    return ids, settings.object_ids if form == "object" else settings.array_ids


def _form_error(sent: str, pointer: str, settings: Settings) -> ApiError:
    code, words, points = FORM_ERRORS[settings.form_error]
    form = max(settings.release_forms)  # the object, if it is taken
    text = words.format(sent=sent, form=form, wanted=_GO_TYPES[form])
    return ApiError(400, error(code, text, pointer=pointer if points else None))


class Release:
    """One call of the endpoint."""

    def __init__(self, world: World, account: str, requested_by: str) -> None:
        self.world = world
        self.settings = world.settings
        self.account = account
        self.mailbox: Mailbox = world.accounts[account].mailbox
        self.requested_by = requested_by

    async def run(self, body: Any) -> list[dict[str, Any]] | dict[str, Any]:
        """Do the work, id by id, and tell of it."""
        handles, kind = read_body(body, self.settings)
        found = [(handle, self.mailbox.get(handle, kind)) for handle in handles]
        if self.settings.refusal == "before":
            for handle, message in found:
                self._refuse(handle, self._plan(message))
        entries = []
        for handle, message in found:
            if self.settings.seconds_per_id:
                await asyncio.sleep(self.settings.seconds_per_id)
            plan = self._plan(message)
            self._refuse(handle, plan)
            if message and len(message.script) > 1:
                message.script.pop(0)
            entries.append(self._carry_out(handle, message, plan))
        told = [entry for entry in entries if entry is not None]
        if self.settings.result_shape == "object" and len(handles) == 1 and told:
            return told[0]
        return told

    def _plan(self, message: Message | None) -> Script:
        if message is None:
            return self.settings.unknown_id
        if message.script:
            return message.script[0]
        return "deliver" if message.is_quarantined else self.settings.not_quarantined

    @staticmethod
    def _refuse(handle: str, plan: Script) -> None:
        if plan == "refuse_400":
            raise ApiError(400, error(1001, f"message {handle} cannot be released"))
        if plan == "refuse_404":
            raise no_message(handle)

    def _carry_out(self, handle: str, message: Message | None, plan: Script) -> dict[str, Any] | None:
        if isinstance(plan, str) and plan in ("omitted", "empty", "null"):
            return self._entry(handle, message, plan, {})
        if message is None:
            return self._entry(handle, None, "lists", {"failed": [handle]})
        if plan == "failed":
            plan = Outcome(failed=message.recipients)
        elif plan == "undelivered":
            plan = Outcome(undelivered=message.recipients)
        elif plan == "deliver":
            plan = Outcome()
        assert isinstance(plan, Outcome)
        missed = {*plan.failed, *plan.undelivered}
        delivered = [recipient for recipient in message.recipients if recipient not in missed]
        self._record(message, delivered, plan)
        lists = {"delivered": delivered, "failed": list(plan.failed), "undelivered": list(plan.undelivered)}
        return self._entry(handle, message, plan.answer, lists)

    def _record(self, message: Message, delivered: list[str], outcome: Outcome) -> None:
        now = self.world.clock.now()
        self.world.deliver(self.account, message, delivered, now)
        policy = self.settings.leaves_quarantine
        complete = not outcome.failed and not outcome.undelivered
        leaves = policy == "always" or (bool(delivered) and (policy == "any_delivered" or complete))
        status = {
            "quarantined": message.is_quarantined and not leaves,
            "delivered": bool(delivered) or "delivered" in message.state.delivery_status,
            "bounced": leaves and bool(outcome.failed),
            "deferred": leaves and bool(outcome.undelivered),
        }
        action = Action(operation="QUARANTINE_RELEASE", at=now, success=bool(delivered), requested_by=self.requested_by)
        message.change(
            State(
                status["quarantined"],
                tuple(name for name, applies in status.items() if applies),
                (*message.state.actions, action),
            ),
            now + self.settings.state_lag,
        )

    def _entry(
        self, handle: str, message: Message | None, answer: str, lists: dict[str, list[str]]
    ) -> dict[str, Any] | None:
        if answer == "omitted":
            return None
        empty: list[str] | None = None if answer == "null" else []
        told = dict.fromkeys(("delivered", "failed", "undelivered"), empty) | (lists if answer == "lists" else {})
        ids = {"id": message.id if message else handle, "postfix_id": message.postfix_id if message else handle}
        if self.settings.answer_ids != "both":
            del ids["postfix_id" if self.settings.answer_ids == "investigate" else "id"]
        return {**ids, **told}
