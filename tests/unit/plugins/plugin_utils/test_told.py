# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was asked for, in words."""

from __future__ import annotations

from ansible_collections.emailsec.cloudflare.plugins.plugin_utils._told import counted, searched


def test_how_many_were_asked_for() -> None:
    assert [counted(["a"] * count) for count in (0, 1, 3)] == [
        "0 messages were asked for.",
        "1 message was asked for.",
        "3 messages were asked for.",
    ]


def test_a_search_in_words() -> None:
    search = {
        "sender": "a@b.example",
        "recipient": "c.example",
        "subject": 'In"voice\n',
        "since": "7d",
        "detections_only": False,
    }
    assert searched(search, True) == (
        'Searched for: sender a@b.example; recipient c.example; subject "In\'voice\ufffd"; since 7d; detections only False.'
    )
    hidden = searched({**search, "query": "q", "message_id": "<m@d.example>"}, False)
    assert hidden.startswith(
        "Searched for: sender (an address) at b.example; recipient c.example; subject (not shown); "
    )
    assert "voice" not in hidden
    assert "@" not in hidden


def test_a_search_for_everything_says_so() -> None:
    assert searched({"since": "7d"}, False) == "Searched for: any message; since 7d."
