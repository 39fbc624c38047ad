# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Submissions: what somebody asked Cloudflare to judge anew, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from . import contract
from .clock import rfc3339
from .envelope import ApiError, bad_request, error
from .mail import DETECTIONS, Action, Fate, Message
from .search import moment

if TYPE_CHECKING:
    from .world import World

Kind = Literal["reclassification", "missed_detection"]
REVIEWED = Fate()


class Submission(Struct, kw_only=True):
    """One of them, as it truly is."""

    id: str
    account: str
    type: Literal["Team", "User"]
    message: Message
    requested: str
    original: str | None
    at: float
    visible_from: float
    requested_by: str | None = None
    fate: Fate = REVIEWED
    escalates: str | None = None  # the submission of a user that this one takes up
    escalated_at: float | None = None
    escalated_by: str | None = None
    escalated_as: str | None = None
    done: bool = False

    @property
    def outcome(self) -> str:
        """What the review ends with."""
        return self.fate.disposition or self.requested

    def view(self) -> dict[str, Any]:
        """As the list shows it."""
        return {
            "submission_id": self.id,
            "type": self.type,
            "subject": self.message.subject,
            "status": "completed" if self.done else "pending",
            "customer_status": "escalated" if self.escalated_at else "reviewed" if self.done else "unreviewed",
            "outcome": ("accepted" if self.outcome == self.requested else "declined") if self.done else None,
            "original_disposition": self.original,
            "requested_disposition": self.requested,
            "outcome_disposition": self.outcome if self.done else None,
            "escalated_as": self.escalated_as,
            "escalated_at": rfc3339(self.escalated_at) if self.escalated_at else None,
            "escalated_by": self.escalated_by,
            "escalated_submission_id": self.escalates,
            "original_edf_hash": None,
            "original_postfix_id": self.message.postfix_id,
            "requested_by": self.requested_by,
            "requested_at": rfc3339(self.at),
        }


def listed_disposition(disposition: str | None) -> str | None:
    """The verdict by the words of submissions, which are fewer than those of messages."""
    plain = (disposition or "NONE").partition("-")[0]
    return plain if plain in {"NONE", *DETECTIONS} else None


# --- what is read ------------------------------------------------------------------------------------------------------


def _text(view: dict[str, Any]) -> str:
    names = ("submission_id", "subject", "original_postfix_id", "requested_by")
    return "\n".join(str(view[name] or "") for name in names).lower()


FILTERS: dict[str, Callable[[dict[str, Any], Any], bool]] = {
    "type": lambda view, value: view["type"].upper() == value,
    "submission_id": lambda view, value: view["submission_id"] == value,
    "original_disposition": lambda view, value: view["original_disposition"] == value,
    "requested_disposition": lambda view, value: view["requested_disposition"] == value,
    "outcome_disposition": lambda view, value: view["outcome_disposition"] == value,
    "status": lambda view, value: view["customer_status"] == value,
    "query": lambda view, value: all(word in _text(view) for word in value.lower().split()),
    "escalated_from_user": lambda view, value: bool(view["escalated_submission_id"]) is value,
}


def listed(world: World, account: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    """The submissions that fit the query, in its order; without one, the newest first."""
    now = world.clock.now()
    start = moment("start", query["start"]).timestamp() if "start" in query else now - 30 * 86400
    end = moment("end", query["end"]).timestamp() if "end" in query else now
    if end < start:
        raise bad_request("end: must not be before start")
    views = [
        submission.view()
        for submission in world.submissions
        if submission.account == account and submission.visible_from <= now and start <= submission.at <= end
    ]
    found = [
        view for view in views if all(FILTERS[name](view, value) for name, value in query.items() if name in FILTERS)
    ]
    order = query.get("order", "requested_at")
    found.sort(key=lambda view: str(view[order] or ""), reverse=query.get("direction", "desc") == "desc")
    return found


# --- what is sent ------------------------------------------------------------------------------------------------------


def submit(world: World, account: str, requested_by: str, body: Any) -> list[dict[str, Any]]:
    """POST submissions: each message by itself."""
    wrong = contract.flaw("SubmissionRequest", body)
    if wrong:
        raise bad_request(wrong[1], wrong[0])
    orders = body["messages"]
    if not orders or len(orders) > world.settings.submission_max:
        raise bad_request("messages: too many or none", "/messages")
    found = [(order, *_find(world, account, body["type"], order)) for order in orders]
    if world.settings.unknown_submission == "refuse_400":
        for _order, _message, flaw in found:
            if flaw:
                raise bad_request(flaw)
    results = []
    for order, message, flaw in found:
        words = flaw or (_record(world, account, requested_by, body["type"], order, message) if message else None)
        if flaw and world.settings.unknown_submission == "omitted":
            continue
        handle = order["alert_id"] if body["type"] == "reclassification" else order["postfix_id"]
        if world.settings.submission_answer_id == "submission" and not words:
            handle = world.submissions[-1].id
        results.append({"id": handle, "accepted": not words, "error": words})
    return results


def reclassify(world: World, account: str, requested_by: str, message: Message, body: Any) -> None:
    """The deprecated POST investigate/{id}/reclassify: one message, refused with a 400."""
    if wrong := contract.flaw("ReclassifyRequest", body):
        raise bad_request(wrong[1], wrong[0])
    if message.disposition not in DETECTIONS and not body.get("eml_content"):
        raise bad_request("eml_content: required for a message without a detection", "/eml_content")
    kind: Kind = "reclassification" if message.disposition in DETECTIONS else "missed_detection"
    if words := _record(world, account, requested_by, kind, body, message):
        raise ApiError(400, error(1001, words))


def _find(world: World, account: str, kind: Kind, order: dict[str, Any]) -> tuple[Message | None, str | None]:
    """The message that is meant, and why it is not taken."""
    mailbox = world.accounts[account].mailbox
    if kind == "reclassification":
        message = next((message for message in mailbox if message.alert_id == order["alert_id"]), None)
        if message is None or message.disposition not in DETECTIONS:
            return None, "alert not found"
        return message, None
    message = mailbox.get(order["postfix_id"], "postfix")
    if message is None or message.message_id != order["message_id"]:
        return None, "message not found"
    if message.disposition in DETECTIONS:
        return message, "the message has a detection: submit a reclassification"
    if not {name.lower() for name in order["recipient_emails"]} <= {name.lower() for name in message.recipients}:
        return message, "recipient_emails: not a recipient of the message"
    return message, None


def _record(
    world: World, account: str, requested_by: str, kind: Kind, order: dict[str, Any], message: Message
) -> str | None:
    """Take the message, unless its fate is to be refused: then return the words."""
    fate = message.fates[0] if message.fates else REVIEWED
    if len(message.fates) > 1:
        message.fates.pop(0)
    if fate.refused:
        return fate.refused
    if world.settings.repeated_submission == "refused" and any(
        known.message is message and known.type == "Team" and known.requested == order["expected_disposition"]
        for known in world.submissions
    ):
        return "already submitted"
    now = world.clock.now()
    taken_up = order.get("escalated_submission_id")
    for known in world.submissions:
        if known.id == taken_up:
            known.escalated_at, known.escalated_by = now, requested_by
            known.escalated_as = order["expected_disposition"]
    submission = world.add_submission(
        account,
        message,
        type="Team",
        requested=order["expected_disposition"],
        requested_by=requested_by,
        fate=fate,
        escalates=taken_up,
    )
    action = Action(
        operation="SUBMISSION",
        at=now,
        requested_by=requested_by,
        submission={
            "requested_disposition": submission.requested,
            "submission_id": submission.id,
            "submission_type": kind,
        },
    )
    message.log(action, world.settings.state_lag)
    return None


def review(world: World) -> None:
    """Change the verdicts whose time has come, and end such reviews; a message gets the verdict of its review."""
    now = world.clock.now()
    for due, message, disposition in world.verdicts:
        if due <= now:
            message.disposition = disposition
    world.verdicts = [verdict for verdict in world.verdicts if verdict[0] > now]
    for submission in world.submissions:
        if not submission.done and submission.fate.after is not None and submission.at + submission.fate.after <= now:
            submission.done = True
            if submission.type == "Team":
                submission.message.disposition = submission.outcome
