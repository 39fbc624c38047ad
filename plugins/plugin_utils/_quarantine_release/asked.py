# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the role, read as people, surveys and inventories give them."""

from __future__ import annotations

import re
import typing as t

import yaml

PREFIX = "quarantine_release_"
MODES = ("plan", "apply", "release")
FORMATS = ("json", "txt", "csv", "html")
FILTERS = ("recipient", "sender", "subject", "query", "domain", "message_id", "alert_id")
SEARCH_OPTIONS = (*FILTERS, "disposition", "delivery_status", "detections_only", "start", "end", "since", "limit")
_POLICY_LISTS = (
    "forbidden_dispositions", "forbidden_threat_categories", "protected_recipients", "allowed_senders", "denied_senders", "overrides",
)  # fmt: skip
_FALSE = ("false", "no", "off", "n", "f", "0")
_TRUE = ("true", "yes", "on", "y", "t", "1", "1.0")
# How many messages of a plan are released at once. A list without a plan goes out in one step.
_CHUNK_OF_A_PLAN = 500


class Mistake(ValueError):
    """The variables cannot be used. The text is a sentence for the person who set them."""


class Asked(t.NamedTuple):
    """What the variables ask for. A text that is not given is None.

    handles: the messages that are named; None if none are.
    canary, chunk_size, verify, breaker: numbers, 0 for none; chunk_size is None if not given.
    digest: the digest that was approved. packed: a plan that another job hands over.
    module, planning: options that go to message_release and to message_plan as they are.
    """

    mode: str
    handles: list[t.Any] | None
    search: dict[str, t.Any]
    policy: dict[str, t.Any]
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
    module: dict[str, t.Any]
    planning: dict[str, t.Any]

    @property
    def applies(self) -> bool:
        """Tell whether this run applies an earlier plan."""
        return self.mode == "apply"

    @property
    def plans(self) -> bool:
        """Tell whether this run makes a plan."""
        return self.mode == "plan" or (self.mode == "release" and bool(self.search or self.policy or self.approve))

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


def read(variables: t.Mapping[str, t.Any], host: str, listed: t.Callable[[str, str | None], list[str]]) -> Asked:
    """Return what the variables of the role ask for, given without their prefix. Raises Mistake with every mistake in them.

    host: a variable may be a dictionary with a value for each host. A value that is missing, None or empty is not given.
    listed: reads a list of messages from a file, whose column may be named. Raises ValueError.
    """
    reader = _Reader(variables, host)
    asked = reader.asked(listed)
    mistakes = [*reader.mistakes, *_contradictions(asked, reader)]
    if mistakes:
        raise Mistake(" ".join(mistakes))
    return asked


class _Reader:
    """Reads one variable after the other, and collects the mistakes."""

    def __init__(self, variables: t.Mapping[str, t.Any], host: str) -> None:
        self.mistakes: list[str] = []
        self._variables = variables
        self._host = host

    def asked(self, listed: t.Callable[[str, str | None], list[str]]) -> Asked:
        """Return all of them."""
        mode = self.text("mode") or "release"
        if mode not in MODES:
            self.mistakes.append("quarantine_release_mode must be plan, apply or release.")
        applies = mode == "apply"
        search = {} if applies else self._dictionary("search")
        return Asked(
            mode=mode,
            handles=None if applies else self._handles(search, listed),
            search=search,
            policy=self._policy(),
            approve=self.flag("approve"),
            canary=self._number("canary") or 0,
            chunk_size=self._number("chunk_size"),
            verify=self._number("verify") or 0,
            breaker=self._number("stop_after_failures") or 0,
            fail_on=self._words("fail_on"),
            formats=self._formats(),
            handover=self.text("handover") or "file",
            handover_limit=self._number("handover_limit") or 0,
            fail_if_nothing=self.flag("fail_if_nothing"),
            max_messages=self._number("max_messages") or 0,
            show_content=self.flag("show_content"),
            account_id=self.text("account_id"),
            digest=self._digest() if self.given("plan_digest") else None,
            packed=self._of_host("plan_packed") if applies else None,
            plan_file=self._of_host("plan_file"),
            journal=self.text("journal"),
            journal_lasts=not self.is_false("journal_lasts"),
            report_dir=self.text("report_dir") or "quarantine-release-reports",
            result_file=self.text("result_file"),
            return_messages=self.text("return_messages") or "all",
            requested_by=self.text("requested_by"),
            approved_by=self.text("approved_by"),
            reason=self.text("reason"),
            ticket=self.text("ticket"),
            module=self._options("batch_size", "concurrency", "check_state", "request_format", "settle_time"),
            planning=self._options("expires_in", "evidence"),
        )

    def given(self, name: str) -> bool:
        """Tell whether a variable is set, to any value."""
        return name in self._variables

    def text(self, name: str) -> str | None:
        """Return a text, None for an empty one."""
        value = self._value(name)
        return None if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Return a truth value, as the filter bool of Ansible reads it."""
        value = self._value(name)
        return value if isinstance(value, bool) else str(value).strip().lower() in _TRUE

    def is_false(self, name: str) -> bool:
        """Tell whether a variable is explicitly false. An empty one is not."""
        return str(self._variables.get(name)).strip().lower() in _FALSE

    def _value(self, name: str) -> t.Any:
        value = self._variables.get(name)
        return None if value == "" else value

    def _number(self, name: str) -> int | None:
        value = self._value(name)
        text = "" if value is None else str(value).strip()
        if text and not re.fullmatch(r"\d{1,9}", text):
            self.mistakes.append(f"quarantine_release_{name} must be a whole number, not {text!r:.40}.")
            return None
        return int(text) if text else None

    def _words(self, name: str) -> list[str]:
        value = self._value(name)
        return re.findall(r"\w+", value) if isinstance(value, str) else list(value or [])

    def _options(self, *names: str) -> dict[str, t.Any]:
        return {name: self._value(name) for name in names if self._value(name) is not None}

    def _of_host(self, name: str) -> str | None:
        value = self._value(name)
        if isinstance(value, dict):
            value = value.get(self._host)
        return None if value is None or value == "" else str(value)

    def _digest(self) -> str | None:
        """Return the digest that was approved. An empty one is a mistake, because it approves nothing."""
        given = self._variables["plan_digest"]
        value = given.get(self._host) if isinstance(given, dict) else given
        text = "" if value is None or value is False or value == [] else str(value).strip().lower()
        if re.fullmatch("(sha256:)?[0-9a-f]{64}", text):
            return text
        if self.text("mode") == "apply":
            if isinstance(given, dict) and not value:
                self.mistakes.append(
                    f"quarantine_release_plan_digest has no digest for {self._host}, so no plan of it was approved."
                )
            else:
                what = f"It is {value!s:.80}." if text else "It is empty, so no plan was approved."
                self.mistakes.append(
                    f"quarantine_release_plan_digest must be sha256: and 64 hexadecimal digits, as the plan has it. {what}"
                )
        return None

    def _formats(self) -> list[str]:
        given = self._words("report_formats")
        if set(given) - set(FORMATS):
            self.mistakes.append(
                f"quarantine_release_report_formats may have {', '.join(FORMATS[:-1])} and {FORMATS[-1]}."
            )
        return ["json", *(name for name in given if name != "json")]  # the other forms can be made of it

    def _dictionary(self, name: str, keep: t.Collection[str] = ()) -> dict[str, t.Any]:
        """Return a dictionary, which a survey gives as YAML or JSON in a string, without the entries that have no value.

        keep: names of entries that stay without a value.
        """
        value = self._value(name)
        if isinstance(value, str):
            try:
                value = yaml.safe_load(value)
            except yaml.YAMLError:
                value = False
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.mistakes.append(
                "quarantine_release_search and quarantine_release_policy must be dictionaries, such as {sender: partner.example, since: 7d}."
            )
            return {}
        return {key: entry for key, entry in value.items() if key in keep or (entry is not None and entry != "")}

    def _policy(self) -> dict[str, t.Any]:
        """Return the rules of the policy, where a list may be a text of items between commas, semicolons or line breaks.

        A list that nobody filled in would let everything pass, so it is a mistake; without overrides, more is refused.
        """
        rules = self._dictionary("policy", keep=_POLICY_LISTS)
        lists = {
            name: re.findall(r"[^\s,;](?:[^,;\n]*[^\s,;])?", value or "")
            for name, value in rules.items()
            if name in _POLICY_LISTS and (value is None or isinstance(value, str))
        }
        empty = [name for name, items in lists.items() if not items and name != "overrides"]
        if empty:
            self.mistakes.append(
                f"Empty in quarantine_release_policy: {', '.join(empty)}. Name what is meant, or leave the rule out."
            )
        return {**rules, **lists}

    def _handles(
        self, search: t.Mapping[str, t.Any], listed: t.Callable[[str, str | None], list[str]]
    ) -> list[t.Any] | None:
        """Return the handles. A string is split as people paste it. The module refuses what is not a list."""
        file = self.text("messages_file")
        typed = self._typed(bool(search or file)) if self.given("messages") else None
        if sum(map(bool, (typed, file, search))) > 1:
            self.mistakes.append(
                "Set only one of quarantine_release_messages, quarantine_release_messages_file and quarantine_release_search."
            )
        elif file:
            try:
                return list(listed(file, self.text("messages_column")))
            except ValueError as error:
                self.mistakes.append(f"quarantine_release_messages_file: {error}")
        return typed

    def _typed(self, elsewhere: bool) -> list[t.Any]:
        value = self._variables["messages"]
        if isinstance(value, str):
            return re.findall(r"[^\s,;]+", value)
        if value is None and elsewhere:
            return []
        return list(value) if isinstance(value, (list, tuple)) else [value]


def _contradictions(asked: Asked, reader: _Reader) -> t.Iterator[str]:
    """Yield the mistakes in combinations of variables."""
    only = reader.text("only_mode") or asked.mode
    if only != asked.mode:
        yield f"This playbook supports only quarantine_release_mode={only}."
    if asked.applies:
        if not reader.given("plan_digest") and not reader.is_false("require_digest"):
            yield (
                "The mode apply needs quarantine_release_plan_digest, the digest that was approved. To apply whatever plan is there, set "
                "quarantine_release_require_digest to false."
            )
        return
    if asked.mode == "release" and reader.text("plan_digest"):
        yield (
            "quarantine_release_plan_digest is for the mode apply. The mode release makes a plan of its own and releases what that says."
        )
    unknown = [str(name) for name in asked.search if name not in SEARCH_OPTIONS]
    if unknown:
        yield f"Not an option of quarantine_release_search: {', '.join(unknown)}."
    if asked.handles is None and not asked.search and not reader.text("messages_file"):
        yield "Set what to release: quarantine_release_messages, quarantine_release_messages_file or quarantine_release_search."
    if asked.search and reader.flag("require_filter") and not set(FILTERS) & set(asked.search):
        yield f"The search needs at least one of: {', '.join(FILTERS)}."
    if len(asked.handles or []) > asked.max_messages:
        yield (
            f"{len(asked.handles or [])} messages are more than quarantine_release_max_messages ({asked.max_messages}) allows. "
            "If you mean all of them, raise the limit."
        )
