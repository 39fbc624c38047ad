# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""What the playbooks search and verify show of the messages found. Knows nothing of Ansible."""

from __future__ import annotations

import typing as t

from ..module_utils._mail.message import State
from ..module_utils._mail.whereabouts import DELIVERIES, whereabouts
from ..module_utils._text import printable
from ..plugin_utils._shown import message_lines

_RELEASES = {"RELEASE", "QUARANTINE_RELEASE"}
_NOTHING = "nothing"
# What may fail the host: where a message is, or that none was found although the search says which.
FAILING = (State.QUARANTINED, *DELIVERIES, _NOTHING)


def search_outcome(
    found: t.Mapping[str, t.Any],
    released: bool = False,
    fail_on: t.Collection[str] = (),
    show_content: bool = False,
    named: bool = False,
) -> dict[str, t.Any]:
    """Return a line for each message, a sentence about all of them, and whether the host fails.

    found: the result of message_info. If it failed, the sentence is the reason.
    released: only messages whose release is on record are shown, and the sentence counts where they are. It fails if the search
    was cut off, as the others may be among those that were not found.
    fail_on: the words of FAILING that fail the host. show_content: whether addresses and subjects are shown.
    named: whether the search says which messages it means.
    """
    if found.get("failed") or "messages" not in found:
        return {
            "lines": [],
            "told": printable(found.get("msg") or "The search ended without a result.", None),
            "fails": True,
        }
    messages = [message for message in found["messages"] if not released or _is_released(message)]
    words = [whereabouts(message) for message in messages]
    told = ", ".join(
        [f"Found: {len(messages)}", *(f"{word} {words.count(word)}" for word in sorted(set(words)) if released)]
    )
    told += ", and there are more (search_limit)" if found["truncated"] else ""
    cut = released and found["truncated"]
    told = f"Not all messages were looked at, so raise search_limit. {told}" if cut else told
    causes = sorted(set(fail_on).intersection(words or ([_NOTHING] if named else [])))
    return {
        "lines": [_line(message, word, show_content) for message, word in zip(messages, words)],
        "told": f"{told}. This fails because search_fail_on has {', '.join(causes)}." if causes else told,
        "fails": bool(causes) or cut,
    }


def _is_released(message: t.Mapping[str, t.Any]) -> bool:
    return not _RELEASES.isdisjoint(message["post_delivery_operations"])


def _line(message: t.Mapping[str, t.Any], word: str, show_content: bool) -> str:
    scanned = printable(message["scanned_at"] or "not dated", None)
    return "; ".join([printable(message["id"], None), f"{scanned}: {word}", *message_lines(message, show_content)])
