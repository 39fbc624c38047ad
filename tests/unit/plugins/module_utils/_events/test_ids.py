# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An id in an event is one handle, one part of a path and no template; the name of an event is always fit for a file."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
from ansible_collections.emailsec.cloudflare.plugins.module_utils._events.ids import file_name, safe_handle
from ansible_collections.emailsec.cloudflare.plugins.module_utils._mail.handles import parse_handle
from hypothesis import example, given
from hypothesis import strategies as st


@given(st.text() | st.text("{%#}/.\\ ,;a"))
@example("..")
@example("a{")
def test_an_id_that_is_fit_can_be_taken_for_nothing_else(text: str) -> None:
    if safe_handle(text) is None:
        return
    assert parse_handle(text).text == text
    assert jinja2.Environment().from_string(f"{text}{text}{{ 7*7 }}").render() == f"{text}{text}{{ 7*7 }}"
    assert Path("/plans", text).parts == ("/", "plans", text)
    assert ".." not in Path("/plans", text).parts
    assert not re.search(r"[,;\s]", text)
    assert len(f"{text}.plan.json".encode()) <= 255


@given(st.lists(st.text(), max_size=3))
def test_the_name_of_an_event_is_fit_for_a_file_on_every_system(ids: list[str]) -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]{16,60}", file_name(ids))


def test_other_ids_give_another_name() -> None:
    names = {file_name(ids).lower() for ids in (["Ab"], ["aB"], ["Ab", "c"], ["a/b"], ["a-b"], [])}
    assert len(names) == 6
    assert file_name(["a", "b"]) == file_name(["a", "b"])
