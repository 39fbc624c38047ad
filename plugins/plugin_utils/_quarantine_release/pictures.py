# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module is private to the collection.

"""Pictures of the mail in a plan: saved beside the reports, and read again for the HTML page."""

from __future__ import annotations

import os
import typing as t

from ...module_utils._followup.evidence_files import kept
from ...module_utils._followup.picture import flaw_of_png
from .._report_html import Picture
from .asked import Asked
from .places import Places
from .work import PREVIEW, Call

LARGEST = 2 * 1024 * 1024
_LARGEST_PAGE = 20 * 1024 * 1024  # bytes of pictures on one page
# In an answer, a picture is a third larger, and has an envelope around it.
_LARGEST_ANSWER = LARGEST * 4 // 3 + 4096

# For each handle of a plan, where its picture is and why it has none
Saved = t.Dict[str, t.Dict[str, str]]


def wants_pictures(asked: Asked) -> bool:
    """Tell whether the page of a plan is to have pictures."""
    return asked.planning.get("evidence") == PREVIEW and "html" in asked.formats


def save_pictures(asked: Asked, place: Places, planned: t.Mapping[str, t.Any], call: Call) -> Saved:
    """Save the pictures of the messages in a plan. A picture that cannot be had keeps nothing from being planned."""
    entries = (planned.get("plan") or {}).get("messages") or []
    ids = {entry["handle"]: entry.get("id") for entry in entries}
    wanted = list(dict.fromkeys(filter(None, ids.values())))
    if not wanted:
        return {}
    options = {
        "messages": wanted,
        "dest": os.path.join(place.directory, "evidence"),
        "parts": [PREVIEW],
        "max_bytes": _LARGEST_ANSWER,
        "account_id": asked.account_id,
        "ticket": asked.ticket,
    }
    result = call("message_evidence", options, False)
    rows = {row["handle"]: row for row in result.get("messages") or []}
    nothing = {"detail": result.get("msg") or "The module ended without a result."}
    return {handle: _saved(rows.get(id, nothing)) for handle, id in ids.items() if id}


def _saved(row: t.Mapping[str, t.Any]) -> dict[str, str]:
    file = next(iter(row.get("saved") or []), "")
    unavailable = (row.get("unavailable") or {}).get(PREVIEW) or row.get("detail") or ""
    return {"file": file, "unavailable": "" if file else unavailable}


def load_pictures(reports: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, Picture]]:
    """Return the pictures of each report, by the handles of its messages, until the page has enough."""
    left = _LARGEST_PAGE
    loaded = []
    for report in reports:
        pictures: dict[str, Picture] = {}
        for handle, saved in (report.get("pictures") or {}).items():
            picture = _load(saved, left)
            left -= len(picture.png or b"")
            pictures[handle] = picture
        loaded.append(pictures)
    return loaded


def _load(saved: t.Mapping[str, str], left: int) -> Picture:
    if not saved["file"]:
        return Picture(None, saved["unavailable"])
    try:
        png = kept(saved["file"], LARGEST)
    except OSError as error:
        return Picture(None, f"{saved['file']} cannot be read ({error.strerror}).")
    if png is None:
        return Picture(None, f"{saved['file']} is gone, or larger than {LARGEST // 1024**2} MiB.")
    if flaw_of_png(png):
        return Picture(None, f"{saved['file']} is no PNG picture.")
    if len(png) > left:
        return Picture(
            None, f"The page would have more than {_LARGEST_PAGE // 1024**2} MiB of pictures. It is in {saved['file']}."
        )
    return Picture(png, "")
