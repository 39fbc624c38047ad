# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""The names of the variables of role and playbooks. A variable that is mistyped is refused, because it may be a guard."""

from __future__ import annotations

import difflib
import re
import typing as t

from ...module_utils._settings.kinds import KINDS

FILTERS = ("recipient", "sender", "subject", "query", "domain", "message_id", "alert_id")
SEARCH_OPTIONS = (*FILTERS, "disposition", "delivery_status", "detections_only", "start", "end", "since", "limit")
# Connection options that accounts have as variables
CONNECTION = tuple(
    f"cloudflare_{name}"
    for name in (
        "api_token", "api_email", "api_key", "api_url", "ca_path", "validate_certs", "timeout", "retries", "max_wait",
    )
)  # fmt: skip


class Family(t.NamedTuple):
    """Variables with one prefix.

    options: what people set. published: what jobs and playbooks pass on under this prefix.
    facts: what only a run itself sets. bare: names without the prefix that people type, and what they mean by them.
    connects: whether what they are for connects to Cloudflare.
    """

    prefix: str
    options: tuple[str, ...]
    published: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    bare: t.Mapping[str, str] = {}
    connects: bool = True

    def knows(self, name: str, is_extra: bool) -> bool:
        """Tell whether a name without its prefix is one of these. is_extra: it is an extra variable, so no run has set it."""
        return name in self.options or name in self.published or (name in self.facts and not is_extra)


_ROLE_OPTIONS = (
    "account_id", "allow_domains", "allow_for", "approve", "approved_by", "batch_size", "canary", "check_state", "chunk_size", "concurrency", "evidence",
    "expires_in", "fail_if_nothing", "fail_on", "handover", "handover_limit", "journal", "journal_lasts", "max_messages", "messages",
    "messages_column", "messages_file", "mode", "only_mode", "plan_digest", "plan_file", "plan_packed", "policy", "reason", "reclassify_as",
    "report_dir", "report_formats", "request_format", "requested_by", "require_digest", "require_filter", "result_file",
    "return_messages", "search", "settle_time", "show_content", "stop_after_failures", "ticket", "verify",
)  # fmt: skip
ROLE = Family(
    "quarantine_release_",
    _ROLE_OPTIONS,
    published=("hosts", "results", "plan_results", "outcome"),
    facts=("result", "summary", "digest", "follow_up"),
    bare={
        **{name: f"quarantine_release_search, with {name} in it" for name in SEARCH_OPTIONS},
        **{f"search_{name}": f"quarantine_release_search, with {name} in it" for name in SEARCH_OPTIONS},
        **{name: f"quarantine_release_{name}" for name in _ROLE_OPTIONS},
        **dict.fromkeys(("ids", "postfix_ids"), "quarantine_release_messages"),
        "plan": "quarantine_release_plan_file",
        "verify_delivery": "quarantine_release_verify",
    },
)
_SEARCH_VARIABLES = (
    *(name for name in SEARCH_OPTIONS if name not in ("detections_only", "start", "end")),
    "show_content", "released", "fail_on", "require_filter",
)  # fmt: skip
SEARCH = Family(
    "search_",
    _SEARCH_VARIABLES,
    bare={
        **{name: f"search_{name}" for name in _SEARCH_VARIABLES},
        **dict.fromkeys(
            ("messages", "ids", "quarantine_release_messages", "quarantine_release_messages_file"), "search_message_id"
        ),
        "quarantine_release_search": "search_recipient, search_sender and so on",
        "account_id": "quarantine_release_account_id",
        "hosts": "quarantine_release_hosts",
    },
)
MERGE = Family(
    "merge_",
    ("within", "file"),
    bare={"report_dir": "quarantine_release_report_dir", "within": "merge_within", "file": "merge_file"},
    connects=False,
)
_RETRACT_VARIABLES = (
    "journal", "report", "since", "when", "dispositions", "destination", "purge", "report_dir", "show_content",
)  # fmt: skip
RETRACT = Family(
    "retract_",
    _RETRACT_VARIABLES,
    bare={
        **{name: f"retract_{name}" for name in _RETRACT_VARIABLES},
        **{f"quarantine_release_{name}": f"retract_{name}" for name in ("journal", "report_dir", "show_content")},
        **dict.fromkeys(
            ("messages", "ids", "quarantine_release_messages", "quarantine_release_messages_file"),
            "retract_journal or retract_report",
        ),
        "account_id": "quarantine_release_account_id",
        "hosts": "quarantine_release_hosts",
    },
)
_SETTINGS_VARIABLES = (
    "account_id", *(f"{name}{level}" for level in ("", "_group", "_extra") for name in KINDS), "purge", "max_deletions", "allow_broad", "remove_expired",
    "manage_existence", "fail_on_drift", "fail_if_nothing", "digest", "report_dir", "export_dir",
)  # fmt: skip
SETTINGS = Family(
    "settings_",
    _SETTINGS_VARIABLES,
    published=("results",),
    bare={
        **{name: f"settings_{name}" for name in _SETTINGS_VARIABLES},
        "hosts": "quarantine_release_hosts",
        "settings_hosts": "quarantine_release_hosts",
    },
)
# The playbook that applies no list. What else there is for the role may be in the inventory, and is not even evaluated.
EXPIRED = SETTINGS._replace(
    options=("account_id", "remove_expired", "max_deletions"), published=(*SETTINGS.options, *SETTINGS.published)
)


# Options of modules in the messages of modules. What is in a policy is called after it.
_OPTION = re.compile(
    r"(?<![\w.])(?:(account_id|approved_by|batch_size|check_state|expires_in|messages_column|messages_file|plan_digest|request_format"
    r"|requested_by|result_file|settle_time|stop_after_failures|policy(?=\.\w))|verify_delivery)(?!\w)"
)


def with_variables(text: str) -> str:
    """Return a message of a module with the variables of the role in place of the module's options."""
    return _OPTION.sub(lambda match: f"{ROLE.prefix}{match.group(1) or 'verify'}", text)


def mistaken_names(
    variables: t.Mapping[str, t.Any], extra: t.Mapping[str, t.Any], families: t.Sequence[Family]
) -> list[str]:
    """Return a sentence for each variable that looks like one of these families and is none.

    variables: all variables of the host, not evaluated. extra: those of the command line, which are meant for this run.
    families: the first one is that of the playbook or of the role, and its bare names count.
    """
    mistakes = []
    if "_raw_params" in extra:
        mistakes.append(
            "An extra variable was cut at a blank. With -e 'name=a b', Ansible sets name to a, and b is lost. "
            """Write -e '{"name": "a b"}'."""
        )
    run_before = f"__{ROLE.prefix}select" in variables
    for name in sorted(map(str, {**variables, **extra})):
        family = next((one for one in families if name.startswith(one.prefix)), None)
        is_extra = name in extra
        meant = families[0].bare.get(name) if is_extra else None
        if meant and not _is_used(name, variables, meant):
            mistakes.append(f"The extra variable {name} is not read. Did you mean {meant}?")
        elif family:
            short = name[len(family.prefix) :]
            # A fact that is there before the role has run was set by a person.
            is_ours = family is not ROLE or run_before or not variables.get(name)
            if not family.knows(short, is_extra or not is_ours):
                mistakes.append(_unknown(name, difflib.get_close_matches(short, family.options, 1), family.prefix))
        else:
            mistakes += [_unknown(name, [close], "") for close in _misspelt(name, families)]
    return mistakes


def _unknown(name: str, close: t.Sequence[str], prefix: str) -> str:
    return f"There is no variable {name:.80}." + "".join(f" Did you mean {prefix}{one}?" for one in close)


def _misspelt(name: str, families: t.Iterable[Family]) -> list[str]:
    """Return the variable whose prefix is misspelt, or nothing. A name that has the prefix in its middle is somebody's own."""
    plain = name.lower().replace("-", "_")
    for family in families:
        prefix = family.prefix
        near = difflib.SequenceMatcher(None, prefix, plain[: len(prefix)]).ratio() > 0.8
        if near and prefix not in plain[1:]:
            close = difflib.get_close_matches(plain, [f"{prefix}{option}" for option in family.options], 1, 0.9)
            if close:
                return close
    return []


def _is_used(name: str, variables: t.Mapping[str, t.Any], meant: str) -> bool:
    """Tell whether another variable is made of this one, as in "{{ ticket }}", so that it does count."""
    if meant in variables and variables[meant] == variables.get(name):
        return True
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    others = (value for key, value in variables.items() if key not in (name, "vars", "hostvars", "groups"))
    return any("{" in text and word.search(text) for value in others for text in _texts(value))


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
