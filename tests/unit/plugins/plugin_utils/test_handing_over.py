# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan on its way to whoever approves it and to the job that applies it."""

from __future__ import annotations

import base64
import json
import typing as t
import zlib

import pytest
from ansible_collections.emailsec.cloudflare.plugins.module_utils._plan.document import seal
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._packing import packed_plan, unpacked_plan
from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._plan_lines import approval_lines, plan_lines
from hypothesis import given
from hypothesis import strategies as st

PLAN = {"schema": "emailsec.cloudflare/plan", "messages": [{"subject": "{{ 1 }} \ud800 \u00e4", "handle": "a"}] * 50}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def entry(**facts: t.Any) -> dict[str, t.Any]:
    """Return a message of a plan."""
    return {
        "id": "4Njp-1",
        "handle": "4Njp-1",
        "decision": "release",
        "rules": [],
        "overridden": [],
        "recipients": ["a@example.com"],
        **facts,
    }


def test_a_plan_is_packed_small_and_comes_out_the_same() -> None:
    packed = packed_plan(PLAN)
    assert packed.isascii()
    assert len(packed) < len(json.dumps(PLAN)) / 4
    assert unpacked_plan(packed) == PLAN


@given(st.dictionaries(st.text(), JSON))
def test_every_plan_comes_out_the_same(plan: dict[str, t.Any]) -> None:
    assert unpacked_plan(packed_plan(plan)) == plan


@pytest.mark.parametrize("cut", [1, 4, 8, 40])
def test_a_plan_that_was_cut_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match=r"was cut on its way\. Nothing was sent"):
        unpacked_plan(packed_plan(PLAN)[:-cut])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base64 \u00e4",
        base64.b64encode(b"no zlib").decode(),
        base64.b64encode(zlib.compress(b"[1]")).decode(),
        base64.b64encode(zlib.compress(b"[" * 100_000)).decode(),
        base64.b64encode(zlib.compress(b"{}") + b"more").decode(),
        base64.b64encode(zlib.compress(b" " * 100_000_000)).decode(),
        7,
    ],
)
def test_what_is_no_plan_is_refused(text: t.Any) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpacked_plan(text)


def test_lines_show_what_is_to_be_released_first_and_no_content_unless_asked() -> None:
    blocked = entry(
        decision="blocked", rules=["max_age", "denied_senders"], id=None, handle="4Njp-2", final_disposition="SPAM"
    )
    released = entry(
        final_disposition="SPOOF", detection_reasons=["Odd"], subject="Hi", envelope_from="b@x.example", overridden=["max_age"],
        validation={"spf": "pass", "dkim": "fail", "dmarc": None}, **{"from": "a@x.example"},
    )  # fmt: skip
    plan = {"messages": [blocked, released]}
    words = "release; 4Njp-1; overridden: max_age; verdict: SPOOF; reasons: Odd; authentication: SPF pass, DKIM fail, DMARC not stated"
    assert plan_lines(plan) == [words, "blocked (max_age, denied_senders); 4Njp-2"]
    content = '; from: a@x.example; envelope sender: b@x.example; to: a@example.com; subject: "Hi"'
    assert plan_lines(plan, show_content=True)[0] == words + content


def test_lines_are_safe_to_look_at_and_not_too_many() -> None:
    plan = {"messages": [entry(subject="\x1b[2J\u202egnp.exe" + "x" * 10_000, envelope_from=None)] * 5}
    lines = plan_lines(plan, show_content=True, most=2)
    assert len(lines) == 3
    assert lines[-1] == "... and 3 more; the plan and the report have all of them."
    assert len(plan_lines(plan, show_content=True, most=None)) == len(plan["messages"])
    assert "\x1b" not in lines[0]
    assert "\u202e" not in lines[0]
    assert len(lines[0]) < 600


@pytest.mark.parametrize(("released", "blocked", "last"), [(250, 0, None), (250, 5, 5), (3, 250, 53), (0, 200, None)])
def test_who_approves_sees_all_that_would_be_released(released: int, blocked: int, last: int | None) -> None:
    entries = [entry(decision="blocked", rules=["max_age"], id=f"b{n}") for n in range(blocked)]
    entries += [entry(id=f"r{n}") for n in range(released)]
    lines = approval_lines({"messages": entries}, False)
    assert sum(line.startswith("release; ") for line in lines) == released
    more = f"... and {last} more, which the plan does not release."
    assert [line for line in lines if line.startswith("...")] == ([more] if last else [])
    assert len(lines) <= max(200, released) + 1


def test_lines_are_refused_of_a_plan_that_is_not_the_one_that_was_verified() -> None:
    plan = seal({"messages": [entry()]})
    assert plan_lines(plan, digest=plan["digest"]) == plan_lines(plan)
    with pytest.raises(ValueError, match="was changed after it was read"):
        plan_lines({**plan, "messages": [entry(id="4Njp-2")]}, digest=plan["digest"])
