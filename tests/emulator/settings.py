# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""Every switch of the emulator: what Cloudflare has not published, or may change, is chosen here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, convert
from msgspec.structs import asdict

Form = Literal["object", "array"]
IdKind = Literal["investigate", "postfix", "both"]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The defaults are the API as published on 2026-10-04, and the worst case where nothing is published."""

    # Release: the request
    release_forms: Annotated[frozenset[Form], Meta(min_length=1)] = frozenset({"object"})
    object_ids: IdKind = "investigate"  # which ids count as known in {"ids": [...]}
    array_ids: IdKind = "both"  # which ids count as known in a bare array
    form_error: Literal["placeholder", "unmarshal", "schema", "silent"] = "placeholder"  # see release.FORM_ERRORS
    release_max_ids: Count | None = 1000
    # Release: what is done
    unknown_id: Literal["refuse_400", "refuse_404", "omitted", "empty", "null", "failed"] = "refuse_400"
    not_quarantined: Literal["deliver", "refuse_400", "refuse_404", "omitted", "empty", "null", "failed"] = "deliver"
    refusal: Literal["before", "midway"] = "before"  # midway: the ids before the refused one are released already
    leaves_quarantine: Literal["any_delivered", "all_delivered", "always"] = "any_delivered"
    seconds_per_id: Seconds = 0.0
    # Release: the answer
    result_shape: Literal["array", "object"] = "array"  # object: for a call with one id
    answer_ids: IdKind = "investigate"  # id, postfix_id (as in 2024, alone) or both in each entry

    # Moves
    move_forms: Annotated[frozenset[Literal["ids", "postfix_ids"]], Meta(min_length=1)] = frozenset({"ids"})
    unknown_move: Literal["refuse_400", "refuse_404", "omitted"] = "refuse_404"  # for an unknown id
    move_log: Literal["message", "mailbox"] = "message"  # for what the action log has an entry

    # Submissions
    post_submissions: bool = True  # false: a server that only has the deprecated reclassify
    submission_answer_id: Literal["handle", "submission"] = "handle"  # what the id of a result is
    submission_max: Count = 100
    unknown_submission: Literal["entry", "refuse_400", "omitted"] = "entry"  # how a message that is not taken is told
    repeated_submission: Literal["recorded", "refused"] = "recorded"  # one that asks for the same once more

    # Reads
    state_lag: Seconds = 0.0  # seconds until search, get, action_log and settings lists show a change
    page: Literal["ignored", "honoured", "refused"] = "ignored"  # the deprecated search parameter
    get_by_postfix_id: bool = False
    legacy_fields: bool = False  # ts, action_log and findings of a message
    post_delivery_operations: bool = True  # false: the field is missing
    total_count: bool = True  # false: result_info of a search lacks page and total_count

    # The edge
    latency: Seconds = 0.0
    unknown_query: Literal["ignored", "refused"] = "ignored"
    forbidden_code: Literal[10000, 9109] = 10000  # for a read-only credential on a write
    rate_quota: Count = 1200
    rate_window: Seconds = 300.0
    rate_block: Seconds | None = None  # seconds of the block; null: the rest of the window
    retry_after: Literal["seconds", "date", "omitted"] = "seconds"


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """The settings with some of them changed; raises msgspec.ValidationError."""
    return convert({**asdict(settings), **changes}, Settings)
