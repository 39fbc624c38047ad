# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the role, read as people, surveys and inventories give them."""

from __future__ import annotations

import os
import re
import typing as t

from ...module_utils._errors import InputError
from ...module_utils._mail.handles import parse_handles
from ...module_utils._plan.follow_up import FollowUp
from ...module_utils._plan.policy import Policy
from ...module_utils._release.outcome import STATUSES
from ...module_utils._rows import ALL, ATTENTION, NONE
from .names import FILTERS, ROLE, SEARCH_OPTIONS
from .values import Values, missing_account

MODES = ("plan", "apply", "release")
FORMATS = ("json", "txt", "csv", "html")
# What counts for a variable that is set to nothing, so that it is not in defaults/main.yml that nothing replaces.
DEFAULTS: dict[str, t.Any] = {
    "fail_on": ["partial", "undelivered", "failed", "not_found", "ambiguous", "unknown", "not_attempted"],
    "handover": "file",
    "handover_limit": 262144,
    "max_messages": 1000,
    "mode": "release",
    "report_dir": "quarantine-release-reports",
    "report_formats": ["json", "txt", "csv", "html"],
    "require_digest": True,
}
_POLICY_TEXTS = ("max_age", "min_age")
_POLICY_LISTS = tuple(name for name, value in Policy._field_defaults.items() if isinstance(value, tuple))
# How many messages of a plan are released at once. A list without a plan goes out in one step.
_CHUNK_OF_A_PLAN = 500


class Asked(t.NamedTuple):
    """What the variables ask for. A text that is not given is None.

    handles: the messages that are named; None if none are.
    policy: None for none. An empty one has the default rules.
    canary, chunk_size, verify, breaker: numbers, 0 for none; chunk_size is None if not given.
    follow_up: the fields of FollowUp, what is to be done after the release.
    digest: the digest that was approved. packed: a plan that another job hands over.
    module, planning: options that go to message_release and to message_plan as they are.
    """

    mode: str
    handles: list[t.Any] | None
    search: dict[str, t.Any]
    policy: dict[str, t.Any] | None
    approve: bool
    canary: int
    chunk_size: int | None
    verify: float
    breaker: int
    fail_on: list[str]
    formats: list[str]
    handover: str
    handover_limit: int
    fail_if_nothing: bool
    max_messages: int
    show_content: bool
    account_id: str | None
    digest: str | None
    packed: str | None
    plan_file: str | None
    journal: str | None
    journal_lasts: bool
    report_dir: str
    result_file: str | None
    return_messages: str
    requested_by: str | None
    approved_by: str | None
    reason: str | None
    ticket: str | None
    follow_up: dict[str, t.Any]
    module: dict[str, t.Any]
    planning: dict[str, t.Any]

    @property
    def applies(self) -> bool:
        """Tell whether this run applies an earlier plan."""
        return self.mode == "apply"

    @property
    def plans(self) -> bool:
        """Tell whether this run makes a plan."""
        return self.mode == "plan" or (
            self.mode == "release" and bool(self.search or self.policy is not None or self.approve)
        )

    @property
    def from_plan(self) -> bool:
        """Tell whether this run releases what a plan says."""
        return self.plans or self.applies

    @property
    def chunk(self) -> int:
        """Return how many messages one step releases, 0 for all of them."""
        if self.chunk_size is not None:
            return self.chunk_size
        return _CHUNK_OF_A_PLAN if self.from_plan else 0


def read(
    variables: t.Mapping[str, t.Any], host: str, listed: t.Callable[[str, str | None], list[str]], hosts: int = 1
) -> Asked:
    """Return what the variables of the role ask for, given without their prefix. Raises Mistake with every mistake in them.

    host: a variable may be a dictionary with a value for each host. A value that is missing, None or empty is not given.
    listed: reads a list of messages from a file, whose column may be named. Raises ValueError.
    hosts: of the play.
    """
    reader = _Reader(variables, host)
    asked = reader.asked(listed)
    others = [*_contradictions(asked, reader), *missing_account(asked.account_id, host, hosts)]
    reader.check(*others)
    return asked


class _Reader(Values):
    """Reads the variables of the role."""

    def __init__(self, variables: t.Mapping[str, t.Any], host: str) -> None:
        super().__init__(variables, ROLE.prefix, DEFAULTS)
        self._host = host

    def asked(self, listed: t.Callable[[str, str | None], list[str]]) -> Asked:
        """Return all of them."""
        mode = self.choice("mode", MODES) or "release"
        applies = mode == "apply"
        title = f"{self.prefix}search."
        search = {} if applies else self.search(self.dictionary("search", SEARCH_OPTIONS) or {}, title)
        report_dir = self.text("report_dir") or ""
        return Asked(
            mode=mode,
            handles=None if applies else self._handles(search, listed),
            search=search,
            policy=self._policy(),
            approve=self.flag("approve"),
            canary=self.number("canary") or 0,
            chunk_size=self.number("chunk_size"),
            verify=self.number("verify") or 0,
            breaker=self.number("stop_after_failures") or 0,
            fail_on=self.words("fail_on", STATUSES),
            formats=self._formats(),
            handover=self.choice("handover", ("file", "artifact", "auto")) or "file",
            handover_limit=self.number("handover_limit") or 0,
            fail_if_nothing=self.flag("fail_if_nothing"),
            max_messages=self.number("max_messages") or 0,
            show_content=self.flag("show_content"),
            account_id=self.text("account_id"),
            digest=self.digest("plan_digest", self._host, "plan") if applies else None,
            packed=self._of_host("plan_packed") if applies else None,
            plan_file=self._of_host("plan_file"),
            journal=self._journal(report_dir),
            journal_lasts=self.value("journal_lasts") is None or self.flag("journal_lasts"),
            report_dir=report_dir,
            result_file=self.text("result_file"),
            return_messages=self.choice("return_messages", (ALL, ATTENTION, NONE)) or ALL,
            requested_by=self.text("requested_by"),
            approved_by=self.text("approved_by"),
            reason=self.text("reason"),
            ticket=self.text("ticket"),
            follow_up=self._follow_up(),
            module=_without_none(
                batch_size=self.number("batch_size"),
                concurrency=self.number("concurrency"),
                check_state=self.flag("check_state") if self.value("check_state") is not None else None,
                request_format=self.choice("request_format", ("auto", "array", "object")),
                settle_time=self._seconds("settle_time"),
            ),
            planning=_without_none(
                expires_in=self.text("expires_in"), evidence=self.choice("evidence", ("basic", "full", "preview"))
            ),
        )

    def _follow_up(self) -> dict[str, t.Any]:
        duration = self.value("allow_for")
        plain_number = isinstance(duration, int) and not isinstance(duration, bool)  # it lacks its unit, not its quotes
        allow_for = str(duration) if plain_number else self.text("allow_for")
        try:
            return (
                FollowUp(self.text("reclassify_as"), allow_for, self.flag("allow_domains"))
                .checked(self.prefix)
                ._asdict()
            )
        except InputError as error:
            self.mistakes.append(f"{error}.")
            return FollowUp()._asdict()

    def _journal(self, report_dir: str) -> str | None:
        """Return the path of the journal. An empty text means none; what is not given does not."""
        if self.given("journal") and self._variables["journal"] == "":
            return None
        return self.text("journal") or os.path.join(report_dir, "journal.jsonl")

    def _seconds(self, name: str) -> float | None:
        value = self.value(name)
        try:
            return None if value is None else float(str(value))
        except ValueError:
            self.mistakes.append(f"{self.prefix}{name} must be a number of seconds, not {str(value)!r:.40}.")
            return None

    def _of_host(self, name: str) -> str | None:
        value = self.value(name)
        if isinstance(value, dict):
            value = value.get(self._host)
        return self.as_text(self.prefix + name, value)

    def _formats(self) -> list[str]:
        given = self.words("report_formats", FORMATS)
        return ["json", *(name for name in given if name != "json")]  # the other forms can be made of it

    def _policy(self) -> dict[str, t.Any] | None:
        """Return the rules of the policy, where a list may be a text of items between commas, semicolons or line breaks.

        A list that nobody filled in would let everything pass, so it is a mistake; without overrides, more is refused.
        """
        given = self.dictionary("policy", Policy._fields)
        if given is None:
            return None
        title = f"{self.prefix}policy."
        rules = {name: value for name, value in given.items() if value is not None and value != ""}
        for name in _POLICY_TEXTS:
            if name in rules:
                rules[name] = self.as_text(title + name, rules[name])
        empty = []
        for name in filter(given.__contains__, _POLICY_LISTS):
            value = given[name]
            if value is None or isinstance(value, str):
                value = re.findall(r"[^\s,;](?:[^,;\n]*[^\s,;])?", value or "")
                empty += [name] if not value and name != "overrides" else []
            items = value if isinstance(value, (list, tuple)) else [value]
            rules[name] = [self.as_text(f"{title}{name}[{number}]", item) or "" for number, item in enumerate(items)]
        if empty:
            self.mistakes.append(
                f"Empty in quarantine_release_policy: {', '.join(empty)}. Name what is meant, or leave the rule out."
            )
        return rules

    def _handles(
        self, search: t.Mapping[str, t.Any], listed: t.Callable[[str, str | None], list[str]]
    ) -> list[t.Any] | None:
        """Return the handles, None if none are named. A string is split as people paste it."""
        file = self.text("messages_file")
        column = self.text("messages_column")
        typed = self._typed()
        if sum(map(bool, (typed, file, search))) > 1:
            self.mistakes.append(
                "Set only one of quarantine_release_messages, quarantine_release_messages_file and quarantine_release_search."
            )
        elif file:
            try:
                return list(listed(file, column))
            except ValueError as error:
                self.mistakes.append(f"quarantine_release_messages_file: {error}")
        return typed

    def _typed(self) -> list[str] | None:
        """Return the handles in quarantine_release_messages, a list or a text that people pasted."""
        name = f"{self.prefix}messages"
        value = self._variables.get("messages")
        if value is None:
            return None
        if isinstance(value, str) and not value.strip():
            return []
        try:
            return [
                handle.text
                for handle in parse_handles(value if isinstance(value, (str, list, tuple)) else [value], name)
            ]
        except InputError as error:
            self.mistakes.append(str(error).replace(" Nothing was sent.", ""))
            return None


def _without_none(**options: t.Any) -> dict[str, t.Any]:
    return {name: value for name, value in options.items() if value is not None}


def _contradictions(asked: Asked, reader: _Reader) -> t.Iterator[str]:
    """Yield the mistakes in combinations of variables."""
    only = reader.text("only_mode") or asked.mode
    if only != asked.mode:
        yield f"This playbook supports only quarantine_release_mode={only}."
    if asked.applies:
        if not reader.given("plan_digest") and reader.flag("require_digest"):
            yield (
                "The mode apply needs quarantine_release_plan_digest, the digest that was approved. To apply whatever plan is there, set "
                "quarantine_release_require_digest to false."
            )
        return
    if asked.mode == "release" and reader.value("plan_digest"):
        yield (
            "quarantine_release_plan_digest is for the mode apply. The mode release makes a plan of its own and releases what that says."
        )
    if asked.handles is None and not asked.search and not reader.text("messages_file") and not reader.mistakes:
        yield "Set what to release: quarantine_release_messages, quarantine_release_messages_file or quarantine_release_search."
    if asked.search and reader.flag("require_filter") and not set(FILTERS) & set(asked.search):
        yield f"The search needs at least one of: {', '.join(FILTERS)}."
    if len(asked.handles or []) > asked.max_messages:
        yield (
            f"{len(asked.handles or [])} messages are more than quarantine_release_max_messages ({asked.max_messages}) allows. "
            "If you mean all of them, raise the limit."
        )
